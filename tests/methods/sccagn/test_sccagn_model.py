from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.sccagn.adversary import Discriminator, Game
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.cross_attention import CrossAttention, Reach, attend
from scbench_methods.sccagn.gnn import CellGraph
from scbench_methods.sccagn.losses import divergence, log_memberships, reconstruction_error
from scbench_methods.sccagn.model import Autoencoder, Network
from scipy.sparse import csr_matrix

from scbench.metrics import score
from scbench.nn.assignment import target_distribution
from scbench.nn.propagate import SparseGraph

ORACLES = Path(__file__).parents[2] / "oracles" / "sccagn"
LAYERS = ("enc_1", "enc_2", "enc_3", "z_layer", "dec_1", "dec_2", "dec_3", "x_bar_layer")
EXACT: dict[str, float] = {"rtol": 1e-8, "atol": 1e-8}


def oracle(name: str) -> dict[str, torch.Tensor]:
    with np.load(ORACLES / f"{name}.npz") as file:
        return {key: torch.as_tensor(file[key]) for key in file.files}


def autoencoder_of(o: dict[str, torch.Tensor], prefix: str) -> Autoencoder:
    widths = [len(o[f"{prefix}{name}.bias"]) for name in LAYERS]
    model = Autoencoder(widths[-1], widths[:3], widths[3]).double()
    state = {
        f"layers.{i}.{kind}": o[f"{prefix}{name}.{kind}"]
        for i, name in enumerate(LAYERS)
        for kind in ("weight", "bias")
    }
    model.load_state_dict(state)
    return model


def load_attention(attention: CrossAttention, o: dict[str, torch.Tensor], prefix: str) -> None:
    names = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
    attention.parts.load_state_dict({name: o[f"{prefix}multihead_attention.{name}"] for name in names})


def network_of(o: dict[str, torch.Tensor], **settings: Any) -> tuple[Network, CellGraph]:
    """Return the oracle's network, and a graph that propagates by the oracle's adjacency."""
    n_clusters = len(o["w:cluster_layer"])
    config = ScCagnConfig(variant="paper_code", **settings)
    network = Network(autoencoder_of(o, "w:ae."), n_clusters, config).double()
    with torch.no_grad():
        network.centroids.copy_(o["w:cluster_layer"])
        for i, layer in enumerate(network.graph_layers):
            layer.weight.copy_(o[f"w:gnn_{i + 1}.weight"])
    if network.attention is not None:
        load_attention(network.attention, o, "w:cross_attention.")
    adjacency = o["adj"].numpy()
    graph = CellGraph(csr_matrix((adjacency > 0).astype(np.float32)), "row", dtype=torch.float64)
    graph.convolution = SparseGraph(csr_matrix(adjacency), dtype=torch.float64)
    return network, graph


@pytest.mark.parametrize("draw", [1, 2])
def test_the_autoencoder_agrees_with_the_oracle(draw: int) -> None:
    o = oracle(f"autoencoder_draw{draw}")
    model = autoencoder_of(o, "w:")
    latent = model.encode(o["x"])
    torch.testing.assert_close(latent, o["z"], **EXACT)
    found = model.decode(latent)
    torch.testing.assert_close(found, o["x_bar"], **EXACT)
    torch.testing.assert_close((found - o["x"]).square().mean(), o["mse"], **EXACT)


@pytest.mark.parametrize("name", [*(f"h{h}_draw1" for h in (1, 2, 4, 8)), "h4_draw2"])
def test_cross_attention_agrees_with_the_oracle(name: str) -> None:
    o = oracle(f"cross_attention_{name}")
    attention = CrossAttention(o["query"].shape[1], int(o["heads"])).double()
    load_attention(attention, o, "w:")
    graph = CellGraph(csr_matrix(np.ones((len(o["query"]),) * 2) - np.eye(len(o["query"]))), "row")
    # The series, every cell a landmark, and every cell a neighbour, are three more ways to the same sums.
    everyone = torch.randperm(len(o["query"]))
    for reach in (Reach(), Reach(by_series=True), Reach(everyone), Reach(is_local=True)):
        torch.testing.assert_close(attention(o["query"], o["key_value"], reach, graph), o["out"], **EXACT)
    explicit, weights = attention.parts(o["query"], o["key_value"], o["key_value"])
    torch.testing.assert_close(explicit, o["out"], **EXACT)
    torch.testing.assert_close(weights, o["weights_mean_over_heads"], **EXACT)


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_blocks_padding_and_the_explicit_form_agree(width: int) -> None:
    gen = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(8 // width, n, width, generator=gen).requires_grad_() for n in (50, 70, 70))
    expected = (query @ key.mT / width**0.5).softmax(dim=-1) @ value
    for least in (1, 8):
        found = attend(query, key, value, least)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
        slopes = [torch.autograd.grad(out.square().sum(), query, retain_graph=True)[0] for out in (found, expected)]
        torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("draw", [1, 2])
def test_the_whole_model_and_its_gradients_agree_with_the_oracle(draw: int) -> None:
    o = oracle(f"full_model_draw{draw}")
    network, graph = network_of(o)
    codes = network.graph_codes(o["x"], graph)
    latent = network.encode(o["x"], codes)
    log_q = log_memberships(latent, network.centroids)
    hidden = network.decode(latent, codes, Reach(), graph)
    for found, name in (
        (latent, "z"),
        (log_q.exp(), "q"),
        (codes[3].softmax(dim=1), "gcn_softmax"),
        (network.output(hidden), "x_bar"),
    ):
        torch.testing.assert_close(found, o[name], **EXACT)
    for tau in (0.1, 0.3, 0.5, 1.0, 2.0):
        torch.testing.assert_close(target_distribution(o["q"], tau), o[f"p_tau{tau}"], **EXACT)
    target = target_distribution(log_q.exp(), 0.5)
    terms = {
        "q_kl": divergence(target, log_q),
        "gcn_kl": divergence(target, codes[3].log_softmax(dim=1)),
        "rec_mse": reconstruction_error(hidden, network.output, o["x"]),
    }
    game = Game(ScCagnConfig(variant="paper_code"), 8, "cpu", torch.Generator())
    game.discriminator = Discriminator(8, "batch", width=len(o["d:model.0.bias"])).double()
    state = {f"layers.{key.removeprefix('d:model.')}": value for key, value in o.items() if key.startswith("d:model.")}
    game.discriminator.load_state_dict(state)
    terms["G_bce_on_constant_z"] = game.encoder_loss(o["z_pretrained_constant"])
    for name, found in terms.items():
        torch.testing.assert_close(found, o[name], **EXACT)
    plain = 1e-4 * terms["q_kl"] + 1e-3 * terms["gcn_kl"] + 0.5 * terms["rec_mse"]
    total = plain + 0.5 * terms["G_bce_on_constant_z"]
    torch.testing.assert_close(total, o["total_code"], **EXACT)
    check_gradients(network, total, o, "grad:", 1e-10)
    game.discriminator.load_state_dict(state)  # running statistics as they were
    connected = plain + 0.5 * game.encoder_loss(latent)
    torch.testing.assert_close(connected, o["total_connected"], **EXACT)
    check_gradients(network, connected, o, "gradconn:", 1e-7)
    assert all(p.grad is None for p in game.discriminator.parameters())


def check_gradients(
    network: Network, total: torch.Tensor, o: dict[str, torch.Tensor], prefix: str, tolerance: float
) -> None:
    layers = network.autoencoder.layers
    assert network.attention is not None
    places: dict[str, torch.nn.Parameter] = {
        "cluster_layer": network.centroids,
        "cross_attention.multihead_attention.in_proj_weight": network.attention.parts.in_proj_weight,
        **{
            f"ae.{name}.{kind}": getattr(layers[i], kind)
            for i, name in enumerate(LAYERS)
            for kind in ("weight", "bias")
        },
        **{f"gnn_{i + 1}.weight": layer.weight for i, layer in enumerate(network.graph_layers)},
    }
    wanted = {key.removeprefix(prefix): value for key, value in o.items() if key.startswith(prefix)}
    assert len(wanted) >= 2
    found = torch.autograd.grad(total, [places[name] for name in wanted], retain_graph=True)
    for name, gradient in zip(wanted, found, strict=True):
        torch.testing.assert_close(gradient, wanted[name], rtol=1e-6, atol=tolerance, msg=name)


@pytest.mark.parametrize("draw", [1, 2])
def test_scores_of_the_oracle(draw: int) -> None:
    o = oracle(f"full_model_draw{draw}")
    found = score(o["y_random"].numpy(), o["q"].argmax(dim=1).numpy())
    expected = dict(zip(("nmi", "ari", "ami", "completeness"), o["nmi_ari_ami_completeness"].tolist(), strict=True))
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-8)


def toy(**settings: Any) -> tuple[Network, torch.Tensor, CellGraph]:
    torch.manual_seed(0)
    x = torch.rand(30, 12)
    near = (torch.rand(30, 30) < 0.1).numpy()
    adjacency = csr_matrix(((near | near.T) & ~np.eye(30, dtype=bool)).astype(np.float32))
    return Network(Autoencoder(12), 3, ScCagnConfig(**settings)), x, CellGraph(adjacency, "sym")


def outputs(network: Network, x: torch.Tensor, graph: CellGraph) -> tuple[torch.Tensor, torch.Tensor]:
    codes = network.graph_codes(x, graph)
    latent = network.encode(x, codes)
    return latent, network.output(network.decode(latent, codes, Reach(), graph))


def test_the_default_mixture_is_the_sum() -> None:
    network, x, graph = toy()
    summed = outputs(network, x, graph)
    network._shares = (0.5 * 2.0, (1 - 0.5) * 2.0)
    codes = network.graph_codes(x, graph)
    torch.testing.assert_close(network._mix(codes[0], 2 * codes[0]), 3 * codes[0])
    uneven, _, _ = toy(phi=0.25, alpha=3.0, beta=4.0)
    torch.testing.assert_close(uneven._mix(codes[0], codes[0]), (0.75 + 3.0) * codes[0])
    assert not torch.allclose(outputs(uneven, x, graph)[0], summed[0])


def test_without_the_graphs_codes_the_latent_is_the_autoencoders() -> None:
    network, x, _ = toy()
    codes = [torch.zeros(30, width) for width in (100, 200, 8, 3)]
    torch.testing.assert_close(network.encode(x, codes), network.autoencoder.encode(x))


@pytest.mark.parametrize("fusion", ["ca", "none", "concat", "multiply"])
def test_each_fusion_trains_what_it_uses(fusion: str) -> None:
    network, x, graph = toy(fusion=fusion)
    outputs(network, x, graph)[1].square().sum().backward()
    used = {"ca": network.attention, "concat": network.widened}.get(fusion)
    assert (network.attention is not None) == (fusion == "ca")
    assert (network.widened is not None) == (fusion == "concat")
    if used is not None:
        assert all(p.grad is not None for p in used.parameters())
    first_decoder = network.autoencoder.layers[4].weight
    assert (first_decoder.grad is None) == (fusion == "concat")


def test_multiply_and_none_by_hand() -> None:
    for fusion in ("multiply", "none"):
        network, x, graph = toy(fusion=fusion)
        codes = network.graph_codes(x, graph)
        latent = network.encode(x, codes)
        met = latent * codes[2] if fusion == "multiply" else latent
        expected = network.autoencoder.layers[4](met + codes[2])
        found = network.meet(latent, codes[2], Reach(), graph)
        torch.testing.assert_close(network._first_decoded(found, codes[2]), expected)


def test_concat_keeps_the_pretrained_columns() -> None:
    network, x, graph = toy(fusion="concat")
    codes = network.graph_codes(x, graph)
    latent = network.encode(x, codes)
    found = network._first_decoded(latent, torch.zeros_like(codes[2]))
    torch.testing.assert_close(found, network.autoencoder.layers[4](latent))
    assert not torch.allclose(network._first_decoded(latent, codes[2]), found)


def test_no_heads_is_no_fusion() -> None:
    without, x, graph = toy(n_heads=0)
    none, _, _ = toy(fusion="none")
    assert without.attention is None
    for one, other in zip(outputs(without, x, graph), outputs(none, x, graph), strict=True):
        torch.testing.assert_close(one, other)


def test_the_heads_activation_is_the_programs() -> None:
    network, x, graph = toy(head_relu=True)
    linear, _, _ = toy(head_relu=False)
    for one in (network, linear):
        with torch.no_grad():
            one.graph_layers[3].weight[:, 0].neg_()
    assert network.graph_codes(x, graph)[3].min() == 0
    assert linear.graph_codes(x, graph)[3].min() < 0
    torch.testing.assert_close(network.graph_codes(x, graph)[3], linear.graph_codes(x, graph)[3].relu())


@pytest.mark.parametrize("n_heads", [0, 3])
def test_heads_that_do_not_divide_the_width_are_refused(n_heads: int) -> None:
    with pytest.raises(ValueError, match=f"width must be a multiple of n_heads, got 8 and {n_heads}"):
        CrossAttention(8, n_heads)
