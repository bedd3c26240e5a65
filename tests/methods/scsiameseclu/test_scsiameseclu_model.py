"""The whole network against one recorded forward pass, and its parts."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scbench_methods.scsiameseclu.losses import (
    cross_view_correlation,
    program_latent_level,
    program_propagation,
    program_propagation_slopes,
)
from scbench_methods.scsiameseclu.model import Codes, Network
from scipy.sparse import csr_matrix
from torch.nn.functional import mse_loss

from scbench.nn.adjacency_error import AdjacencyError
from scbench.nn.attention import self_attention
from scbench.nn.igae import GraphPass, mean_over_views
from scbench.nn.likelihood import zinb_nll
from scbench.nn.propagate import SparseGraph

ORACLES = Path(__file__).parents[2] / "oracles/scsiameseclu"
LAYERS = {
    "encoder.0": "ae.encoder.enc_1",
    "encoder.2": "ae.encoder.enc_2",
    "encoder.4": "ae.encoder.enc_3",
    "encoder.6": "ae.encoder.z_layer",
    "decoder.0": "ae.decoder.dec_1",
    "decoder.2": "ae.decoder.dec_2",
    "decoder.4": "ae.decoder.dec_3",
    "output": "ae.decoder.x_bar_layer",
    "heads.mean": "ae.decoder._dec_mean.0",
    "heads.disp": "ae.decoder._dec_disp.0",
    "heads.pi": "ae.decoder._dec_pi.0",
}


def oracle(name: str) -> dict[str, torch.Tensor]:
    with np.load(ORACLES / f"{name}.npz") as file:
        return {key: torch.tensor(value) for key, value in file.items()}


def graph(matrix: torch.Tensor) -> SparseGraph:
    return SparseGraph(csr_matrix(matrix.numpy()))


@pytest.fixture(scope="module")
def network() -> Network:
    """Return a network with the recorded weights."""
    net = Network(60, 100, 100)
    state = net.state_dict()
    ae, igae = oracle("autoencoder"), oracle("igae")
    for mine, theirs in LAYERS.items():
        for kind in ("weight", "bias"):
            state[f"{mine}.{kind}"] = ae[f"w:{theirs}.{kind}"]
    for i in range(3):
        state[f"graph_encoder.weights.{i}"] = igae[f"w:gae.encoder.gnn_{i + 1}.weight"]
        state[f"graph_decoder.weights.{i}"] = igae[f"w:gae.decoder.gnn_{i + 4}.weight"]
    net.load_state_dict(state)
    return net


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected.to(found.dtype), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_autoencoder_gives_the_recorded_numbers(network: Network) -> None:
    o = oracle("autoencoder")
    code = network.encoder(o["X"])
    reconstructed, hidden = network.decode(code)
    params = network.heads(hidden)
    close(code, o["z_ae"])
    close(reconstructed, o["x_hat"])
    for found, name in zip(params, ("zinb_mean", "zinb_disp", "zinb_pi"), strict=True):
        close(found, o[name])


@torch.no_grad()
def test_fusion_gives_the_recorded_embedding() -> None:
    o = oracle("fusion")
    net = Network(60, 100, 100)
    net.ae_weight.copy_(o["a"])
    net.graph_weight.copy_(o["b"])
    net.attention_weight.copy_(o["alpha"][0])
    codes = Codes([o["Z_ae1"], o["Z_ae2"]], GraphPass([o["Z_igae1"], o["Z_igae2"]], [], None))
    close(net.fuse(codes, graph(o["Am"]), self_attention), o["Z"])


@torch.no_grad()
def test_one_complete_pass_gives_the_recorded_losses(network: Network) -> None:
    o = oracle("forward_losses")
    network.ae_weight.copy_(o["a"])
    network.graph_weight.copy_(o["b"])
    network.attention_weight.copy_(o["alpha"][0])
    pruned, diffused = graph(o["Am"]), graph(o["Ad"])
    codes = network.encode([(o["X_tilde1"], pruned), (o["X_tilde2"], diffused)], program_propagation_slopes)
    latent = network.fuse(codes, pruned, self_attention)
    reconstructed, hidden = network.decode(latent)
    decoded = network.decode_graph(latent, pruned, program_propagation_slopes)
    smoothed = decoded.codes[0]
    params = network.heads(hidden)
    close(latent, o["Z"])
    close(reconstructed, o["X_hat"])
    close(smoothed, o["Z_hat"])
    for found, name in zip(params, ("zinb_mean", "zinb_disp", "zinb_pi"), strict=True):
        close(found, o[name])
    estimates = [torch.sigmoid(code @ code.T) for code in codes.graph.codes]
    close(mean_over_views(estimates), o["sim"])
    close(mean_over_views(estimates) + torch.sigmoid(smoothed @ smoothed.T), o["A_hat"])

    cell_ae, cell_graph = cross_view_correlation(*codes.ae), cross_view_correlation(*codes.graph.codes)
    close(cell_ae, o["L_cell_ae"])
    close(cell_graph, o["L_cell_igae"])
    regulariser = torch.zeros(())
    for part in (codes.graph, decoded):
        assert part.regularised is not None
        last = program_propagation(mean_over_views(part.propagated), mean_over_views(part.codes))
        regulariser = regulariser + part.regularised + last
    close(regulariser, o["L_R_official"])
    k = int(o["K"])
    latent_level = program_latent_level(*codes.ae, k) + program_latent_level(*codes.graph.codes, k)
    total = 0.1 * cell_ae + 5 * cell_graph + latent_level + o["delta"] * regulariser
    torch.testing.assert_close(total, o["L_DICR_official"].to(total.dtype), rtol=1e-4, atol=0)

    a_norm = csr_matrix(o["A_norm"].numpy())
    error = AdjacencyError(a_norm).exact([*codes.graph.codes, smoothed], [0.5, 0.5, 1.0])
    target = SparseGraph(a_norm).once(o["X"])
    rec = mse_loss(reconstructed, o["X"]) + mse_loss(smoothed, target) + 0.1 * error
    torch.testing.assert_close(rec, o["L_REC"], rtol=1e-4, atol=0)
    mean, disp, pi = network.heads(hidden, o["size_factors"].float())
    assert pi is not None
    zinb = zinb_nll(o["X"], mean, disp, pi)
    torch.testing.assert_close(zinb, o["L_ZINB_official"].to(zinb.dtype), rtol=1e-4, atol=0)


def test_reconstruction_gives_the_recorded_loss() -> None:
    o = oracle("reconstruction")
    smoothed = SparseGraph(csr_matrix(o["A_norm"].numpy())).once(o["X"])
    loss = mse_loss(o["X_hat"], o["X"]) + mse_loss(o["Z_hat"], smoothed) + 0.1 * mse_loss(o["A_hat"], o["A_norm"])
    torch.testing.assert_close(loss, o["loss"], rtol=1e-4, atol=0)


def test_sizes_are_those_of_the_paper() -> None:
    net = Network(50, 100, 1000)

    def size(*modules: torch.nn.Module) -> int:
        return sum(p.numel() for module in modules for p in module.parameters())

    assert size(net.encoder, net.decoder, net.output) == 375_672
    assert size(net.graph_encoder) == size(net.graph_decoder) == 50_688
    assert size(net.heads) == 3 * 129 * 1000
    assert size(Network(50, 100, 100).heads) == 38_700
    assert net.ae_weight.numel() + net.graph_weight.numel() + net.attention_weight.numel() == 40 * 50 + 1


def test_attention_weight_gets_a_gradient_at_zero(network: Network) -> None:
    o = oracle("fusion")
    net = Network(60, 100, 100)
    codes = Codes([o["Z_ae1"]], GraphPass([o["Z_igae1"]], [], None))
    net.fuse(codes, graph(o["Am"]), self_attention).square().sum().backward()
    assert net.attention_weight.item() == 0
    assert net.attention_weight.grad is not None
    assert net.attention_weight.grad.abs() > 1e-3


def test_activations_computed_again_give_the_same_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(50, 100, generator=torch.Generator().manual_seed(0))
    net = Network(50, 100, 7)
    adjacency = SparseGraph(csr_matrix(np.eye(50, dtype=np.float32)))

    def gradients() -> list[torch.Tensor]:
        net.zero_grad()
        codes = net.encode([(x, adjacency), (2 * x, adjacency)])
        reconstructed, _ = net.decode(codes.ae[0] + codes.ae[1])
        reconstructed.square().sum().backward()
        return [p.grad.clone() for p in net.parameters() if p.grad is not None]

    whole = gradients()
    monkeypatch.setattr("scbench_methods.scsiameseclu.model._ROWS_KEPT", 15)
    in_pieces = gradients()
    assert len(whole) == len(in_pieces) == 16
    for a, b in zip(whole, in_pieces, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-3)
