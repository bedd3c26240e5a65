from __future__ import annotations

import numpy as np
import pytest
import torch
from scbench_methods.sccagn import by_blocks
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.cross_attention import Reach
from scbench_methods.sccagn.gnn import CellGraph
from scbench_methods.sccagn.model import Autoencoder, Network
from scipy.sparse import csr_matrix


def toy(fusion: str = "ca") -> tuple[Network, torch.Tensor, CellGraph]:
    torch.manual_seed(0)
    x = torch.rand(33, 12, dtype=torch.float64)
    near = (torch.rand(33, 33) < 0.1).numpy()
    adjacency = csr_matrix(((near | near.T) & ~np.eye(33, dtype=bool)).astype(np.float32))
    network = Network(Autoencoder(12), 3, ScCagnConfig(fusion=fusion)).double()
    return network, x, CellGraph(adjacency, "sym", dtype=torch.float64)


def one_pass(network: Network, x: torch.Tensor, graph: CellGraph) -> tuple[torch.Tensor, torch.Tensor]:
    codes = network.graph_codes(x, graph)
    latent = by_blocks.encode(network, x, codes)
    return latent, by_blocks.reconstruction(network, network.meet(latent, codes[2], Reach(), graph), codes, x)


@pytest.mark.parametrize("size", [1, 10, 11, 32])
@pytest.mark.parametrize("fusion", ["ca", "none", "concat", "multiply"])
def test_blocks_are_the_whole_with_all_gradients(fusion: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network, x, graph = toy(fusion)
    whole = one_pass(network, x, graph)
    monkeypatch.setattr(by_blocks, "_WHOLE_UP_TO", 32)
    monkeypatch.setattr(by_blocks, "_CELLS_AT_ONCE", size)
    parts = one_pass(network, x, graph)
    slopes = []
    for latent, error in (whole, parts):
        network.zero_grad()
        (latent.square().sum() + 3 * error).backward()
        slopes.append({name: p.grad for name, p in network.named_parameters()})
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other)
    assert sum(slope is not None for slope in slopes[0].values()) > 15
    for name, slope in slopes[0].items():
        assert (slope is None) == (slopes[1][name] is None), name
        torch.testing.assert_close(slope, slopes[1][name], msg=name)


def test_up_to_the_limit_a_set_is_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x, graph = toy()
    monkeypatch.setattr(by_blocks, "_CELLS_AT_ONCE", 5)
    monkeypatch.setattr(by_blocks, "recomputed", lambda *_: pytest.fail("the set is small"))
    codes = network.graph_codes(x, graph)
    assert torch.equal(by_blocks.encode(network, x, codes), network.encode(x, codes))
    hidden = network.decode(network.encode(x, codes), codes, Reach(), graph)
    expected = (network.output(hidden) - x).square().mean()
    torch.testing.assert_close(one_pass(network, x, graph)[1], expected)


def test_without_a_gradient_the_latent_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x, graph = toy()
    monkeypatch.setattr(by_blocks, "_WHOLE_UP_TO", 8)
    monkeypatch.setattr(by_blocks, "_CELLS_AT_ONCE", 8)
    with torch.no_grad():
        codes = network.graph_codes(x, graph)
        torch.testing.assert_close(by_blocks.encode(network, x, codes), network.encode(x, codes))
