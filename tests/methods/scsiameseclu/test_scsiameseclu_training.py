"""Weights and wiring: each stage's loss against the sum written out, each graph where it belongs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.scsiameseclu import method as method_module
from scbench_methods.scsiameseclu import pretraining, training
from scbench_methods.scsiameseclu.config import ScSiameseCluConfig
from scbench_methods.scsiameseclu.inputs import Inputs, make_inputs
from scbench_methods.scsiameseclu.method import ScSiameseClu
from scbench_methods.scsiameseclu.model import Network
from scbench_methods.scsiameseclu.setting import Setting
from scbench_methods.scsiameseclu.training import MainTraining, Views
from scbench_methods.scsiameseclu.views import column_normalised, diffusion_matrix, prune_edges, prune_rows, random_walk
from scipy.sparse import csr_matrix
from torch.nn.functional import mse_loss

from scbench.method import RunContext
from scbench.nn.diffusion import Ppr
from scbench.nn.optimisers import Adam
from scbench.nn.propagate import Propagator, SparseGraph
from scbench.run.seeding import seed_process
from scbench.testing import toy_counts

ORACLES = Path(__file__).parents[2] / "oracles/scsiameseclu"
COUNTS = toy_counts(120, 150)


def oracle(name: str) -> dict[str, torch.Tensor]:
    with np.load(ORACLES / f"{name}.npz") as file:
        return {key: torch.tensor(value) for key, value in file.items()}


def recorded_network() -> Network:
    """Return a network with the recorded weights."""
    o, ae, igae = oracle("forward_losses"), oracle("autoencoder"), oracle("igae")
    net = Network(60, 100, 100)
    layers = {
        **{f"encoder.{2 * i}": f"encoder.enc_{i + 1}" for i in range(3)},
        "encoder.6": "encoder.z_layer",
        **{f"decoder.{2 * i}": f"decoder.dec_{i + 1}" for i in range(3)},
        "output": "decoder.x_bar_layer",
        **{f"heads.{part}": f"decoder._dec_{part}.0" for part in ("mean", "disp", "pi")},
    }
    state = {f"{mine}.{kind}": ae[f"w:ae.{its}.{kind}"] for mine, its in layers.items() for kind in ("weight", "bias")}
    for i in range(3):
        state[f"graph_encoder.weights.{i}"] = igae[f"w:gae.encoder.gnn_{i + 1}.weight"]
        state[f"graph_decoder.weights.{i}"] = igae[f"w:gae.decoder.gnn_{i + 4}.weight"]
    state |= {"ae_weight": o["a"], "graph_weight": o["b"], "attention_weight": o["alpha"][0]}
    net.load_state_dict(state)
    return net


def graph(matrix: torch.Tensor) -> SparseGraph:
    return SparseGraph(csr_matrix(matrix.numpy()))


@pytest.mark.parametrize(("sigma", "mu", "delta"), [(2.0, 10.0, 1e3), (3.0, 0.5, 7.0)])
def test_every_term_of_the_programs_loss_is_that_recorded(sigma: float, mu: float, delta: float) -> None:
    o = oracle("forward_losses")
    config = ScSiameseCluConfig(variant="paper_code", zinb_weight=sigma, clustering_weight=mu, propagation_weight=delta)
    inputs = Inputs(o["X"].numpy(), None, o["size_factors"].float().numpy(), csr_matrix(np.eye(60, dtype=np.float32)))
    setting = Setting(inputs, config, RunContext(0))
    setting.normalised = setting.stage(csr_matrix(o["A_norm"].numpy()))
    views = Views(graph(o["Am"]), graph(o["Ad"]), 0)
    centroids = torch.randn(int(o["K"]), 20, generator=torch.Generator().manual_seed(0)).numpy()
    main = MainTraining(recorded_network(), centroids, np.arange(60) % 7, views, None, setting)
    passed = main._forward(o["X_tilde1"], o["X_tilde2"], propagated=True)
    soft = torch.softmax(torch.randn(60, 7, generator=torch.Generator().manual_seed(1)), dim=1)
    main._target = torch.softmax(torch.randn(60, 7, generator=torch.Generator().manual_seed(2)), dim=1)
    terms = main._losses(passed, soft)
    latent_level = o["L_DICR_official"] - (0.1 * o["L_cell_ae"] + 5 * o["L_cell_igae"] + o["delta"] * o["L_R_official"])
    expected = {
        "cell_level": 0.1 * o["L_cell_ae"] + 5 * o["L_cell_igae"],
        "latent_level": latent_level,
        "propagation": delta * o["L_R_official"],
        "reconstruction": o["L_REC"],
        "zinb": sigma * o["L_ZINB_official"],
        "transport": mu * (main._target * (main._target.log() - soft)).sum() / 60,
    }
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(
        {name: float(term) for name, term in expected.items()}, rel=1e-4
    )


def prepared(variant: str = "default", **settings: Any) -> tuple[ScSiameseCluConfig, Inputs, Setting, Network]:
    config = ScSiameseCluConfig(variant=variant, metric="p", symmetrise="auto", **settings)
    seed_process(0, uses_torch=True)
    inputs = make_inputs(COUNTS, config, None)
    setting = Setting(inputs, config, RunContext(0))
    return config, inputs, setting, Network(setting.n_cells, setting.n_features, 7)


def dense_of(found: Propagator, n: int = 120) -> torch.Tensor:
    return found.once(torch.eye(n))


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_the_autoencoder_starts_from_ten_times_its_error(variant: str) -> None:
    _, _, setting, network = prepared(variant, pretrain_epochs=1, pretrain_graph_epochs=0, pretrain_joint_epochs=0)
    seen: list[float] = []
    setting.run = RunContext(0, on_log=lambda _, values: seen.append(values["ae"]))
    expected = 10 * mse_loss(network.output(network.decoder(network.encoder(setting.x))), setting.x).item()
    pretraining.pretrain(network, setting, setting.normalised)
    assert seen == [pytest.approx(expected, rel=1e-5)]


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_the_second_stage_rebuilds_its_graph(variant: str) -> None:
    config, inputs, setting, network = prepared(variant)
    stage = ScSiameseClu(config)._igae_stage(inputs, setting)
    plain = inputs.graph if config.is_paper_code else random_walk(inputs.graph)
    a = torch.tensor(plain.toarray())
    h = setting.x
    for weight in network.graph_encoder.weights[:2]:
        h = a @ torch.tanh(h @ weight)
    code = h = a @ (h @ network.graph_encoder.weights[2])
    for weight in network.graph_decoder.weights:
        h = a @ torch.tanh(h @ weight)
    estimate = torch.sigmoid(code @ code.T) + torch.sigmoid(h @ h.T)
    found = pretraining._igae_losses(network, setting, stage)
    assert float(found["igae_features"]) == pytest.approx(float(mse_loss(h, a @ setting.x)), rel=1e-4)
    assert float(found["igae_graph"]) == pytest.approx(0.5 * float(mse_loss(estimate, a)), rel=1e-4)


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_the_joint_stage_weighs_its_terms(variant: str) -> None:
    config, inputs, setting, network = prepared(variant)
    with torch.no_grad():
        network.attention_weight.fill_(0.3)
    normalise = column_normalised if config.is_paper_code else random_walk
    a = torch.tensor(normalise(inputs.graph).toarray())
    ae = network.encoder(setting.x)
    code = network.encode_graph([(setting.x, SparseGraph(normalise(inputs.graph)))]).codes[0]
    local = a @ (0.5 * ae + 0.5 * code)
    latent = 0.3 * torch.softmax(local @ local.T, dim=1) @ local + local
    decoded = network.decode_graph(latent, SparseGraph(normalise(inputs.graph))).codes[0]
    estimate = torch.sigmoid(code @ code.T) + torch.sigmoid(decoded @ decoded.T)
    expected = {
        "joint_features": mse_loss(network.decode(latent)[0], setting.x),
        "joint_smoothed": 0.9 * mse_loss(decoded, a @ setting.x),
        "joint_graph": 0.1 * mse_loss(estimate, a),
        "joint_agreement": 0.1 * mse_loss(ae, code),
    }
    found = pretraining._joint_losses(network, setting)
    assert {name: float(term) for name, term in found.items()} == pytest.approx(
        {name: float(term) for name, term in expected.items()}, rel=1e-4
    )


def test_noise_multiplies_by_one_give_or_take_a_tenth() -> None:
    _, inputs, setting, network = prepared()
    main = MainTraining(network, np.zeros((2, 20)), np.zeros(120, dtype=int), any_views(inputs), None, setting)
    setting.x = torch.full((400, 100), 2.0)
    first, second = main._noisy() / 2, main._noisy() / 2
    for factor in (first, second):
        assert factor.mean().item() == pytest.approx(1, abs=0.003)
        assert factor.std().item() == pytest.approx(0.1, rel=0.02)
    assert torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1].abs() < 0.02


def any_views(inputs: Inputs) -> Views:
    return Views(SparseGraph(random_walk(inputs.graph)), Ppr(diffusion_matrix(inputs.graph), 0.2), 0)


def test_both_views_get_noise_of_their_own_in_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    _, inputs, setting, network = prepared(epochs=2, without="fusion+zinb")
    seen: list[torch.Tensor] = []
    forward = MainTraining._forward

    def spy(self: MainTraining, first: torch.Tensor, second: torch.Tensor, *, propagated: bool) -> Any:
        seen.extend((first, second))
        return forward(self, first, second, propagated=propagated)

    monkeypatch.setattr(MainTraining, "_forward", spy)
    main = MainTraining(network, np.eye(2, 20), np.arange(120) % 2, any_views(inputs), None, setting)
    main.run_epochs(0, lambda *_: None)
    assert len(seen) == 4
    for i, one in enumerate(seen):
        assert not torch.equal(one, setting.x)
        assert not any(torch.equal(one, other) for other in seen[:i])


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_the_views_are_the_pruned_and_the_whole_graph(variant: str) -> None:
    config, inputs, setting, _ = prepared(variant)
    codes = np.random.default_rng(0).normal(size=(120, 20)).astype(np.float32)
    views = ScSiameseClu(config)._views(inputs, codes, setting)
    if config.is_paper_code:
        pruned = column_normalised(prune_rows(inputs.graph, codes, 0.1))
    else:
        pruned = random_walk(prune_edges(inputs.graph, codes, 0.1))
    assert views.n_edges < inputs.graph.nnz
    np.testing.assert_allclose(dense_of(views.pruned).numpy(), pruned.toarray(), atol=1e-6)
    system = np.eye(120) - 0.8 * diffusion_matrix(inputs.graph).toarray()
    np.testing.assert_allclose(dense_of(views.diffused).numpy(), 0.2 * np.linalg.inv(system), atol=2e-4)


def test_learning_rates_are_those_of_the_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    for module in (pretraining, training):
        monkeypatch.setattr(module, "Adam", lambda p, lr: rates.append(lr) or Adam(p, lr))
    config = ScSiameseCluConfig(pretrain_epochs=1, pretrain_graph_epochs=1, pretrain_joint_epochs=1, epochs=1, lr=3e-4)
    seed_process(0, uses_torch=True)
    ScSiameseClu(config).fit_predict(COUNTS, 3, RunContext(0))
    assert rates == [5e-4, 5e-4, 1e-4, 3e-4]


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_the_final_embedding_is_without_noise_but_in_the_program(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[MainTraining] = []

    class Seen(MainTraining):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(method_module, "MainTraining", Seen)
    config = ScSiameseCluConfig(
        variant=variant, pretrain_epochs=1, pretrain_graph_epochs=1, pretrain_joint_epochs=1, epochs=2
    )
    seed_process(0, uses_torch=True)
    found = ScSiameseClu(config).fit_predict(COUNTS, 3, RunContext(0))
    assert made[0].last_pass is not None
    expected = made[0].last_pass[0] if variant == "paper_code" else made[0].embed()[0]
    other = made[0].embed()[0] if variant == "paper_code" else made[0].last_pass[0]
    np.testing.assert_allclose(found.embedding, expected.numpy())
    assert np.abs(found.embedding - other.numpy()).max() > 1e-4


def test_the_last_pass_uses_both_views() -> None:
    _, inputs, setting, network = prepared()
    views = any_views(inputs)
    main = MainTraining(network, np.eye(2, 20), np.arange(120) % 2, views, None, setting)
    with torch.no_grad():
        codes = network.encode([(setting.x, views.pruned), (setting.x, views.diffused)])
        expected = network.fuse(codes, views.pruned, setting.attention)
    torch.testing.assert_close(main.embed()[0], expected)
    assert not torch.equal(*codes.graph.codes)


@pytest.mark.parametrize("exponent", [5.0, 2.0])
@pytest.mark.parametrize("marginals", ["sizes", "uniform"])
def test_the_target_is_scaled_to_the_wanted_sizes(exponent: float, marginals: str) -> None:
    _, inputs, setting, network = prepared(exponent=exponent, marginals=marginals)
    memberships = np.repeat([0, 1, 2], [60, 40, 20])
    main = MainTraining(network, np.eye(3, 20), memberships, any_views(inputs), None, setting)
    soft = torch.softmax(torch.randn(120, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    plan = soft.double().numpy() ** exponent
    sizes = np.array([60.0, 40, 20]) if marginals == "sizes" else np.full(3, 40.0)
    for _ in range(1000):
        plan *= (1 / plan.sum(axis=1))[:, None]
        plan *= sizes / plan.sum(axis=0)
    plan *= (1 / plan.sum(axis=1))[:, None]
    np.testing.assert_allclose(main._transport_target(soft).numpy(), plan, atol=1e-5)


def test_no_target_is_made_without_the_transport_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    _, inputs, setting, network = prepared(epochs=2, without="transport")
    main = MainTraining(network, np.eye(2, 20), np.arange(120) % 2, any_views(inputs), None, setting)
    monkeypatch.setattr(main, "_transport_target", lambda _: pytest.fail("made"))
    main.run_epochs(0, lambda *_: None)
