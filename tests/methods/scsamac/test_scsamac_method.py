from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.scsamac import start as start_module
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.method import ScSamac
from scipy.sparse import csr_matrix
from torch.utils._python_dispatch import TorchDispatchMode

from scbench.errors import DataError
from scbench.method import Clustering, Counts, Diverged, RunContext
from scbench.nn.optimisers import Adadelta
from scbench.run.seeding import seed_process
from scbench.testing import toy_counts

SHORT: dict[str, Any] = {"pretrain_epochs": 2, "epochs": 3, "n_init": 2, "tol": 0.0}
COUNTS = toy_counts(120, 150)


class Listener:
    """What a run reports."""

    def __init__(self) -> None:
        self.history: dict[int, dict[str, float]] = {}
        self.snapshots: dict[int, np.ndarray] = {}
        self.reports: dict[int, np.ndarray] = {}


def fit(counts: Counts = COUNTS, k: int = 4, seed: int = 0, **settings: Any) -> tuple[Clustering, Listener]:
    seen = Listener()
    run = RunContext(
        seed,
        on_log=lambda epoch, values: seen.history.update({epoch: values}),
        on_snapshot=lambda epoch, labels: seen.snapshots.update({epoch: labels}),
        on_report=lambda step, labels: seen.reports.update({step: labels}),
        snapshots=True,
    )
    seed_process(seed, uses_torch=True)
    return ScSamac(ScSamacConfig(**{**SHORT, **settings})).fit_predict(counts, k, run), seen


@pytest.mark.parametrize("variant", ["default", "paper_code"])
@pytest.mark.parametrize("likelihood", ["nb", "zinb"])
def test_one_clock_counts_both_stages(variant: str, likelihood: str) -> None:
    found, seen = fit(variant=variant, likelihood=likelihood)
    terms = {likelihood, "wasserstein", "soft_kmeans", "cluster_level"}
    assert [set(values) for values in seen.history.values()] == [
        {likelihood, "contrast"},
        {likelihood, "contrast"},
        terms,
        terms | {"label_change"},
        terms | {"label_change"},
        {"label_change"},
    ]
    assert list(seen.history) == list(range(6))
    assert list(seen.snapshots) == [1, 2, 3, 4, 5]
    assert list(seen.reports) == [2, 3, 4, 5]
    assert found.info["pretrain_epochs"] == 2
    assert found.info["clustering_epochs"] == 3
    assert found.info["stop_reason"] == "epochs"


def test_labels_are_the_most_likely_cluster_of_the_last_evaluation() -> None:
    found, seen = fit()
    assert found.soft is not None
    assert found.embedding is not None
    assert found.embedding.shape == (120, 32)
    assert found.soft.shape == (120, 4)
    np.testing.assert_allclose(found.soft.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found.labels, found.soft.argmax(axis=1))
    np.testing.assert_array_equal(found.labels, seen.snapshots[5])
    assert set(found.labels) <= set(range(4))


def test_without_clustering_epochs_labels_are_those_of_k_means() -> None:
    """The first snapshot is k-means on the pre-trained latent; its cells are at their nearest centroid."""
    found, seen = fit(epochs=0)
    assert list(seen.snapshots) == [1, 2]
    np.testing.assert_array_equal(seen.snapshots[1], seen.snapshots[2])
    np.testing.assert_array_equal(found.labels, seen.snapshots[1])
    assert found.info["share_moved_since_first_clusters"] == 0


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_a_seed_decides_everything(variant: str) -> None:
    first, again, other = (fit(variant=variant, seed=seed)[0] for seed in (0, 0, 1))
    assert first.embedding is not None
    np.testing.assert_array_equal(first.labels, again.labels)
    np.testing.assert_array_equal(first.embedding, again.embedding)
    assert not np.array_equal(first.embedding, other.embedding)


@pytest.mark.parametrize(
    "settings",
    [
        {"contrast_weight": 0.0},
        {"cluster_level_weight": 0.0},
        {"contrast_normalize": True},
        {"saliency": "counts"},
        {"n_top_genes": 40},
        {"gene_selection": "zero_rate", "n_top_genes": 40},
        {"noise_std": 0.1},
        {"precision": "bfloat16"},
        {"attention_scope": "blocks"},
        {"likelihood": "zinb"},
    ],
)
def test_every_switch_changes_the_result(settings: dict[str, Any]) -> None:
    plain, found = fit(batch_size=60)[0], fit(batch_size=60, **settings)[0]
    assert plain.embedding is not None
    assert found.embedding is not None
    assert np.isfinite(found.embedding).all()
    assert not np.array_equal(plain.embedding, found.embedding)


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_more_clusters_than_cells_in_a_batch_are_allowed(variant: str) -> None:
    found, _ = fit(k=50, batch_size=30, variant=variant)
    assert found.soft is not None
    assert found.soft.shape == (120, 50)
    assert 0 <= found.labels.min() <= found.labels.max() < 50


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_one_cluster_is_one_label(variant: str) -> None:
    assert set(fit(k=1, variant=variant)[0].labels) == {0}


@pytest.mark.parametrize("least_batch", [1, 32])
@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_a_last_batch_of_one_cell_is_harmless(variant: str, least_batch: int) -> None:
    found, seen = fit(batch_size=119, variant=variant, least_batch=least_batch)
    assert found.embedding is not None
    assert np.isfinite(found.embedding).all()
    assert all(np.isfinite(value) for values in seen.history.values() for value in values.values())


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_cells_and_genes_without_counts_are_labelled_and_left_out(variant: str) -> None:
    dense = COUNTS.matrix.toarray()
    dense[[0, 7, 119]] = 0
    dense[:, :5] = 0
    found, seen = fit(Counts(csr_matrix(dense)), variant=variant)
    assert found.info["n_cells_without_counts"] == 3
    assert found.info["n_genes_used"] == int((dense.sum(axis=0) >= 1).sum())
    assert len(found.labels) == 120
    assert found.labels.min() >= 0
    assert all(labels.min() >= 0 for labels in seen.snapshots.values())


def test_more_clusters_than_cells_with_counts_are_refused() -> None:
    dense = COUNTS.matrix.toarray()
    dense[5:] = 0
    with pytest.raises(DataError, match="a cell with counts for each cluster, got 5 for 6 clusters"):
        fit(Counts(csr_matrix(dense)), 6)


def test_log_normalised_values_are_refused() -> None:
    with pytest.raises(DataError, match="defined for counts only"):
        fit(Counts(COUNTS.matrix.log1p(), None, is_counts=False))


@pytest.mark.parametrize(("settings", "epoch"), [({"lr": 1e30}, 1), ({"cluster_lr": 1e30}, 2)])
def test_a_loss_that_is_not_finite_ends_the_run(settings: dict[str, Any], epoch: int) -> None:
    with pytest.raises(Diverged) as caught:
        fit(batch_size=120 if "lr" in settings else 60, **settings)
    assert caught.value.epoch == epoch
    assert "nb" in caught.value.terms


@pytest.mark.parametrize(
    ("settings", "k", "epoch"),
    [
        ({"lr": 1e30, "pretrain_epochs": 1}, 4, 0),
        ({"cluster_lr": 1e30, "epochs": 1}, 4, 2),
        ({"cluster_lr": 1e30, "tol": 0.001}, 1, 2),
    ],
)
def test_weights_that_the_last_step_ruins_end_the_run(settings: dict[str, Any], k: int, epoch: int) -> None:
    """Losses are taken before the step, so that of an epoch's last batch shows in no loss."""
    with pytest.raises(Diverged, match="latent = ") as caught:
        fit(k=k, batch_size=120, **settings)
    assert caught.value.epoch == epoch


def test_the_precision_is_on_record() -> None:
    found = [fit(precision=precision)[0].info["precision"] for precision in ("auto", "float64", "bfloat16")]
    assert found == ["float32", "float64", "bfloat16 wide products, else float32"]


def test_an_estimate_fills_the_missing_clusters_with_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_module, "communities", lambda graph, *_: np.arange(graph.shape[0]) % 2)
    found, _ = fit(k=5, estimate_k="latent")
    assert found.soft is not None
    assert found.soft.shape == (120, 5)
    assert not found.soft[:, 2:].any()
    assert set(found.labels) <= {0, 1}
    assert found.info["n_latent_communities"] == 2


class _LargestTensor(TorchDispatchMode):
    """Notes the largest result of any operation."""

    n_entries = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for item in result if isinstance(result, list | tuple) else [result]:
            if isinstance(item, torch.Tensor):
                self.n_entries = max(self.n_entries, item.numel())
        return result


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_no_array_is_as_large_as_cells_by_genes_or_cells_by_cells(
    variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    n, genes = 700, 600
    monkeypatch.setattr(csr_matrix, "toarray", lambda *_: pytest.fail("counts were made dense"))
    counts = Counts(csr_matrix(np.random.default_rng(0).poisson(0.1, (n, genes)).astype(np.float32)))
    seed_process(0, uses_torch=True)
    config = ScSamacConfig(**{**SHORT, "variant": variant, "pretrain_epochs": 1, "epochs": 1, "batch_size": 64})
    with _LargestTensor() as largest:
        ScSamac(config).fit_predict(counts, 3, RunContext(0))
    assert 64 * genes <= largest.n_entries < n * genes


def test_adadelta_trains_network_head_and_centroids() -> None:
    trained: list[int] = []
    init = Adadelta.__init__

    def spy(self: Adadelta, params: Any, *settings: Any, **options: Any) -> None:
        held = list(params)
        trained.append(sum(p.numel() for p in held))
        init(self, held, *settings, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Adadelta, "__init__", spy)
        default, program = fit(), fit(variant="paper_code")
    n_head = 32 * 4 + 4
    assert trained[0] - trained[1] == n_head
    assert default[0].info["k_mode"] == program[0].info["k_mode"] == "given"
