from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.scsiameseclu import method as method_module
from scbench_methods.scsiameseclu.config import PARTS, ScSiameseCluConfig
from scbench_methods.scsiameseclu.inputs import make_inputs
from scbench_methods.scsiameseclu.method import ScSiameseClu
from scbench_methods.scsiameseclu.model import Network
from scbench_methods.scsiameseclu.setting import Setting
from scbench_methods.scsiameseclu.training import MainTraining, Views
from scbench_methods.scsiameseclu.views import diffusion_matrix
from scipy.sparse import csr_matrix
from torch.utils._python_dispatch import TorchDispatchMode

from scbench.errors import ConfigError, DataError
from scbench.method import Clustering, Counts, Diverged, RunContext
from scbench.nn.diffusion import Ppr
from scbench.nn.sparse_counts import SparseCounts
from scbench.run.seeding import seed_process
from scbench.testing import toy_counts

SHORT: dict[str, Any] = {
    "pretrain_epochs": 2,
    "pretrain_graph_epochs": 2,
    "pretrain_joint_epochs": 2,
    "epochs": 3,
    "n_init": 2,
}
COUNTS = toy_counts(120, 150)


class Listener:
    """What a run reports."""

    def __init__(self) -> None:
        self.history: dict[int, dict[str, float]] = {}
        self.snapshots: dict[int, np.ndarray] = {}


def fit(
    counts: Counts = COUNTS, k: int = 4, *, snapshots: bool = False, **settings: Any
) -> tuple[Clustering, Listener]:
    seen = Listener()
    run = RunContext(
        0,
        on_log=lambda epoch, values: seen.history.update({epoch: values}),
        on_snapshot=lambda epoch, labels: seen.snapshots.update({epoch: labels}),
        snapshots=snapshots,
    )
    seed_process(0, uses_torch=True)
    return ScSiameseClu(ScSiameseCluConfig(**{**SHORT, **settings})).fit_predict(counts, k, run), seen


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_one_clock_counts_all_stages(variant: str) -> None:
    found, seen = fit(variant=variant)
    assert list(seen.history) == list(range(9))
    assert list(seen.history[0]) == ["ae"]
    assert list(seen.history[2]) == ["igae_features", "igae_graph"]
    assert len(seen.history[4]) == 4
    assert set(seen.history[8]) == {
        "cell_level",
        "latent_level",
        "propagation",
        "reconstruction",
        "zinb",
        "transport",
    }
    assert found.info["main_training_starts_at_epoch"] == 6
    assert found.info["epochs"] == 9


@pytest.mark.parametrize(("snapshots", "calls"), [(False, 2), (True, 2 + 3)])
def test_kmeans_runs_twice_unless_snapshots_are_kept(
    snapshots: bool, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    kmeans = method_module.kmeans
    monkeypatch.setattr(method_module, "kmeans", lambda *a, **k: called.append(1) or kmeans(*a, **k))
    _, seen = fit(snapshots=snapshots)
    assert len(called) == calls
    assert list(seen.snapshots) == ([5, 6, 7, 8] if snapshots else [])  # 5: after pre-training


def test_labels_are_the_most_likely_cluster_of_the_soft_assignment() -> None:
    for assign in ("kmeans", "argmax_q"):
        found, _ = fit(assign=assign)
        assert found.soft is not None
        np.testing.assert_array_equal(found.soft.argmax(axis=1), found.labels)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_left_out_is_not_in_the_loss(part: str) -> None:
    _, seen = fit(without=part)
    terms = {"cell_level", "latent_level", "propagation", "reconstruction", "zinb", "transport"}
    gone = {"cell_level", "latent_level", "propagation", "reconstruction"} if part == "fusion" else {part}
    assert set(seen.history[8]) == terms - gone


def test_parts_can_be_left_out_together() -> None:
    _, seen = fit(without="zinb+transport+latent_level")
    assert set(seen.history[8]) == {"cell_level", "propagation", "reconstruction"}


def test_nothing_left_to_train_changes_nothing() -> None:
    """With no loss the embedding is that of the pre-trained network."""
    trained, _ = fit(without="fusion+zinb+transport")
    untrained, _ = fit(epochs=0)
    assert trained.embedding is not None
    assert untrained.embedding is not None
    np.testing.assert_allclose(trained.embedding, untrained.embedding)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation", "heat", "p", "cos", "ncos"])
@pytest.mark.parametrize("symmetrise", ["max", "none"])
def test_every_graph_can_be_asked_for(metric: str, symmetrise: str) -> None:
    found, _ = fit(metric=metric, symmetrise=symmetrise)
    assert found.info["metric"] == metric
    assert found.info["n_edges_after_removal"] < found.info["n_edges"]


def setting_of(config: ScSiameseCluConfig, counts: Counts = COUNTS) -> tuple[Setting, MainTraining]:
    """Return an untrained main training."""
    seed_process(0, uses_torch=True)
    inputs = make_inputs(counts, config, None)
    setting = Setting(inputs, config, RunContext(0))
    assert inputs.counts is not None
    n_outputs = setting.n_features if config.is_paper_code else inputs.counts.shape[1]
    network = Network(setting.n_cells, setting.n_features, n_outputs)
    graph = setting.normalised.graph
    views = Views(graph, Ppr(diffusion_matrix(inputs.graph), config.teleport), inputs.graph.nnz)
    target = None if config.is_paper_code else SparseCounts(inputs.counts, setting.size_factors)
    rng = np.random.default_rng(0)
    centroids = rng.normal(size=(4, 20)).astype(np.float32)
    return setting, MainTraining(network, centroids, rng.integers(4, size=setting.n_cells), views, target, setting)


def after_one_epoch(variant: str) -> MainTraining:
    _, training = setting_of(ScSiameseCluConfig(**{**SHORT, "variant": variant, "epochs": 1}))
    training.run_epochs(0, lambda *_: None)
    return training


def test_centroids_and_the_mean_of_the_counts_are_trained() -> None:
    training = after_one_epoch("default")
    assert training.centroids.grad is not None
    assert training.centroids.grad.abs().max() > 0
    for name, parameter in training.network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_the_program_trains_neither() -> None:
    training = after_one_epoch("paper_code")
    before = setting_of(ScSiameseCluConfig(**{**SHORT, "variant": "paper_code"}))[1].centroids
    torch.testing.assert_close(training.centroids, before)
    mean = training.network.heads.mean
    assert isinstance(mean, torch.nn.Linear)
    assert mean.weight.grad is None or not mean.weight.grad.any()
    disp = training.network.heads.disp
    assert isinstance(disp, torch.nn.Linear)
    assert disp.weight.grad is not None
    assert disp.weight.grad.any()


@pytest.mark.parametrize(("variant", "due"), [("default", [0, 10, 20]), ("paper_code", list(range(10)))])
def test_the_target_is_made_when_it_should_be(variant: str, due: list[int]) -> None:
    _, training = setting_of(ScSiameseCluConfig(variant=variant))
    assert [epoch for epoch in range(25) if training._is_due(epoch)] == due


def test_an_empty_cluster_has_no_share_in_the_target() -> None:
    setting, training = setting_of(ScSiameseCluConfig(**SHORT))
    training.memberships = torch.randint(3, (setting.n_cells,), generator=torch.Generator().manual_seed(0))
    training._column_sums = training._cluster_sizes()
    soft = torch.full((setting.n_cells, 4), 0.25)
    target = training._transport_target(soft)
    assert not target[:, 3].any()
    torch.testing.assert_close(target.sum(dim=1), torch.ones(setting.n_cells))
    training.run_epochs(0, lambda *_: None)  # the group without cells is skipped in the latent-level loss, too


def test_permuted_cells_give_the_permuted_embedding_and_the_same_losses() -> None:
    """Full batches, no noise; clusters are left out, since k-means starts depend on the order."""
    settings: dict[str, Any] = {"pretrain_epochs": 0, "noise_std": 0.0, "without": "transport+latent_level", "lr": 1e-3}
    order = np.random.default_rng(3).permutation(120)
    first, history = fit(**settings)
    second, other = fit(Counts(csr_matrix(COUNTS.matrix[order])), **settings)
    assert first.embedding is not None
    assert second.embedding is not None
    np.testing.assert_allclose(second.embedding, first.embedding[order], rtol=1e-3, atol=1e-3)
    for epoch, terms in history.history.items():
        assert other.history[epoch] == pytest.approx(terms, rel=1e-3)


def test_scaling_a_cells_counts_leaves_its_profile() -> None:
    """The median library does not move, so all normalised rows stay; only the counts differ."""
    matrix = COUNTS.matrix.toarray()
    largest = matrix.sum(axis=1).argmax()
    matrix[largest] *= 3
    config = ScSiameseCluConfig()
    before, after = (make_inputs(c, config, None) for c in (COUNTS, Counts(csr_matrix(matrix))))
    np.testing.assert_allclose(after.x, before.x, atol=1e-3)
    assert after.size_factors[largest] == pytest.approx(3 * before.size_factors[largest], rel=1e-6)


class NoSquare(TorchDispatchMode):
    """Refuse every tensor with two axes as long as there are cells."""

    def __init__(self, n_cells: int) -> None:
        super().__init__()
        self.n_cells = n_cells
        self.calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.calls += 1
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided:
                long = [size for size in tensor.shape if size >= self.n_cells]
                assert len(long) < 2, f"{func} made {tuple(tensor.shape)}"
        return result


@pytest.mark.parametrize("sampled", [False, True])
def test_no_array_is_cells_by_cells(sampled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the 1500 cells in which the diffusion matrix is formed."""
    monkeypatch.setattr("scbench.nn.diffusion._DENSE_CELLS", 0)
    counts = toy_counts(700, 120)
    limits = {"exact_adjacency_cells": 100, "exact_attention_cells": 100, "n_landmarks": 50} if sampled else {}
    with NoSquare(700) as watched:
        found, _ = fit(counts, n_components=20, epochs=1, **limits)
    assert watched.calls > 500
    expected = ("sampled tiles", "50 landmarks") if sampled else ("exact", "exact")
    assert (found.info["adjacency_error"], found.info["attention"]) == expected


def test_log_normalised_input_trains_without_counts() -> None:
    logs = csr_matrix(np.log1p(COUNTS.matrix.toarray()))
    found, seen = fit(Counts(logs, is_counts=False))
    assert found.info["zinb"] == "off: the input is log-normalised"
    assert "zinb" not in seen.history[8]


@pytest.mark.parametrize("n_cells", [1, 2, 5, 10])
@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_few_cells_are_clustered(n_cells: int, variant: str) -> None:
    found, _ = fit(Counts(csr_matrix(COUNTS.matrix[:n_cells])), min(2, n_cells), variant=variant, min_cells=1)
    assert found.labels.shape == (n_cells,)
    assert found.info["n_components"] == max(1, min(100, n_cells - 1))


def test_fewer_genes_than_components_are_enough() -> None:
    found, _ = fit(Counts(csr_matrix(COUNTS.matrix[:, :30])))
    assert found.info["n_components"] <= 30


def test_one_cluster_is_one_label() -> None:
    found, _ = fit(k=1)
    assert not found.labels.any()


def test_more_clusters_than_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="n_clusters is 121 but there are only 120 cells"):
        fit(k=121)


def test_counts_without_a_gene_are_refused() -> None:
    with pytest.raises(DataError, match="zero genes left"):
        fit(Counts(csr_matrix((20, 30), dtype=np.float32)), 2)


def test_a_loss_that_is_not_finite_names_its_terms() -> None:
    with pytest.raises(Diverged, match=r"not finite at epoch \d+: cell_level = .*transport = "):
        fit(epochs=20, lr=1e30)


def test_an_embedding_out_of_range_after_the_last_step_is_no_result() -> None:
    with pytest.raises(Diverged, match="not finite at epoch 6: embedding = nan"):
        fit(epochs=1, lr=1e30)


def test_the_program_clusters_without_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its main model starts with attention weight 0, also where the first centroids come from."""
    seen = []
    original = method_module.initial_codes
    monkeypatch.setattr(
        method_module,
        "initial_codes",
        lambda network, setting: seen.append(float(network.attention_weight)) or original(network, setting),
    )
    fit(variant="paper_code", pretrain_joint_epochs=5)
    fit(pretrain_joint_epochs=5)
    assert seen[0] == 0 != seen[1]


def test_pretraining_stops_at_a_loss_that_is_not_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Setting, "adjacency_error", lambda *_: torch.tensor(float("nan")))
    with pytest.raises(Diverged, match="not finite at epoch 2: igae_features = .*, igae_graph = nan"):
        fit()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"teleport": 0.0}, "method.teleport must be a probability above 0, at most 1, got 0.0"),
        ({"lr": 0.0}, "method.lr must be a positive number, got 0.0"),
        ({"epochs": -1}, "method.epochs must be at least 0"),
        ({"n_top_genes": 0}, "method.n_top_genes must be at least 1"),
        ({"edge_removal": 1.0}, r"method.edge_removal must be in \[0, 1\)"),
        ({"min_cells": -1}, "method.min_cells must be at least 0"),
        ({"marginals": "size"}, "method.marginals.*'sizes'"),
        ({"assign": "argmax"}, "method.assign.*'argmax_q'"),
        ({"without": "zimb"}, "method.without.*'zinb'"),
        ({"without": "none+zinb"}, "parts once each, .* got none.zinb"),
        ({"without": "zinb+zinb"}, "parts once each"),
        ({"variant": "papercode"}, "paper_code"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ScSiameseCluConfig(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metric": "eucl"}, "method.metric.*'euclidean'"),
        ({"n_neighbors": 0}, "method.n_neighbors must be at least 1, got 0"),
        ({"symmetrise": "x"}, "method.symmetrise"),
    ],
)
def test_graphs_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ScSiameseCluConfig(**settings)


def test_the_variant_resolves_what_is_left_open() -> None:
    default, program = ScSiameseCluConfig(), ScSiameseCluConfig(variant="paper_code")
    assert (default.metric_used, default.symmetrise_used, default.min_cells_used) == ("euclidean", "max", 3)
    assert (program.metric_used, program.symmetrise_used, program.min_cells_used) == ("heat", "none", 0)
    chosen = dataclasses.replace(program, metric="p", n_neighbors=5, symmetrise="max", min_cells=2)
    assert (chosen.metric_used, chosen.symmetrise_used, chosen.min_cells_used) == ("p", "max", 2)
