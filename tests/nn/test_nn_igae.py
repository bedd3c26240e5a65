from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from scbench.nn.igae import GraphLayers
from scbench.nn.propagate import SparseGraph

ORACLE = Path(__file__).parents[1] / "oracles/scsiameseclu/igae.npz"


def test_gives_the_recorded_layers_and_propagated_copies() -> None:
    oracle = {name: torch.tensor(value) for name, value in np.load(ORACLE).items()}
    graph = SparseGraph(csr_matrix(oracle["adj"].numpy()))
    encoder = GraphLayers([100, 128, 256, 20], tanh_last=False)
    decoder = GraphLayers([20, 256, 128, 100], tanh_last=True)
    with torch.no_grad():
        for layers, part, numbers in ((encoder, "encoder", (1, 2, 3)), (decoder, "decoder", (4, 5, 6))):
            for weight, number in zip(layers.weights, numbers, strict=True):
                weight.copy_(oracle[f"w:gae.{part}.gnn_{number}.weight"])
        encoded = layers_of(encoder, oracle["X"], graph)
        decoded = layers_of(decoder, encoded[-1][0], graph)
    for outputs, names in ((encoded, ("enc_z1", "enc_z2", "enc_z")), (decoded, ("dec_z1", "dec_z2", "dec_x_hat"))):
        for (values, _), name in zip(outputs, names, strict=True):
            torch.testing.assert_close(values, oracle[name], rtol=1e-4, atol=1e-5)
    for outputs, prefix in ((encoded, "enc_az"), (decoded, "dec_az")):
        for i, (_, propagated) in enumerate(outputs):
            torch.testing.assert_close(propagated, oracle[f"{prefix}{i + 1}"], rtol=1e-4, atol=1e-5)
    for (values, _), name in ((encoded[-1], "enc_adj_hat"), (decoded[-1], "dec_adj_hat")):
        torch.testing.assert_close(torch.sigmoid(values @ values.T), oracle[name], rtol=1e-4, atol=1e-5)


def layers_of(layers: GraphLayers, x: torch.Tensor, graph: SparseGraph) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return each layer's output and its propagated copy."""
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def look(propagated: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        seen.append((values, propagated))
        return values.new_zeros(()), (torch.zeros_like(propagated), torch.zeros_like(values))

    found = layers([(x, graph)], look)
    return [*seen, (found.codes[0], found.propagated[0])]


def squares(propagated: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    """Return the sum of (P^2 + 3 P H) and its slopes: a regulariser that is easily written out."""
    value = (propagated.square() + 3 * propagated * values).sum()
    return value, (2 * propagated + 3 * values, 3 * propagated)


@pytest.mark.parametrize("tanh_last", [False, True])
@pytest.mark.parametrize("with_copies", [False, True])
@pytest.mark.parametrize("rows_kept", [None, 5])
def test_values_and_slopes_are_those_of_the_layers_written_out(
    tanh_last: bool, with_copies: bool, rows_kept: int | None
) -> None:
    torch.manual_seed(0)
    layers = GraphLayers([3, 6, 5, 2], tanh_last=tanh_last).double()
    xs = [torch.randn(8, 3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    dense = [torch.rand(8, 8, dtype=torch.float64) * (torch.rand(8, 8) < 0.4) for _ in range(2)]
    graphs = [SparseGraph(csr_matrix(a.numpy()), dtype=torch.float64) for a in dense]
    found = layers(list(zip(xs, graphs, strict=True)), squares if with_copies else None, rows_kept=rows_kept)

    current, regularised = list(xs), torch.zeros((), dtype=torch.float64)
    for i, weight in enumerate(layers.weights):
        mixed = [h @ weight for h in current]
        if i < 2 or tanh_last:
            mixed = [m.tanh() for m in mixed]
        current = [a @ m for a, m in zip(dense, mixed, strict=True)]
        copies = [a @ h for a, h in zip(dense, current, strict=True)]
        if i < 2:
            regularised = regularised + squares(sum(copies) / 2, sum(current) / 2)[0]  # type: ignore[arg-type]
    mine, theirs = [*found.codes], [*current]
    if with_copies:
        assert found.regularised is not None
        mine, theirs = [*mine, *found.propagated, found.regularised], [*theirs, *copies, regularised]
    else:
        assert found.regularised is None
        assert found.propagated == []
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b)
    targets = [*xs, *layers.weights]
    slopes = [
        torch.autograd.grad(sum((part * (k + 1)).square().sum() for k, part in enumerate(parts)), targets)  # type: ignore[arg-type]
        for parts in (mine, theirs)
    ]
    for a, b in zip(*slopes, strict=True):
        torch.testing.assert_close(a, b)


def test_narrow_products_stay_near() -> None:
    torch.manual_seed(0)
    layers = GraphLayers([30, 20, 10], tanh_last=True)
    x, graph = torch.randn(40, 30), SparseGraph(csr_matrix(np.eye(40, dtype=np.float32)))
    wide, narrow = (layers([(x, graph)], product_type=kind).codes[0] for kind in (torch.float32, torch.bfloat16))
    assert narrow.dtype == torch.float32
    assert not torch.equal(narrow, wide)
    torch.testing.assert_close(narrow, wide, rtol=0, atol=0.05)


def test_weights_are_xavier_uniform() -> None:
    weight = GraphLayers([200, 100, 10], tanh_last=True).weights[0]
    bound = (6 / 300) ** 0.5
    assert weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.03)


def test_too_few_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="input and output width"):
        GraphLayers([3], tanh_last=True)
