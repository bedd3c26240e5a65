"""The whole method: input, bad input, read-outs, snapshots, variants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.cicl.config import CiclConfig
from scbench_methods.cicl.method import Cicl
from scbench_methods.cicl.read_out import kmeans_labels
from scipy.sparse import csr_matrix
from sklearn.metrics import adjusted_rand_score

from scbench.errors import ConfigError, DataError
from scbench.method import Clustering, Counts, RunContext
from scbench.preprocessing.prepare import prepare
from scbench.preprocessing.recipe import Recipe
from scbench.result_check import check_clustering
from scbench.testing import toy_counts

TINY: dict[str, Any] = {
    "n_top_genes": 40,
    "n_layers": 1,
    "n_heads": 1,
    "value_width": 8,
    "ffn_width": 8,
    "head_hidden": 16,
    "projection_width": 8,
    "epochs": 3,
    "min_epochs": 0,
}
COUNTS = toy_counts(80, 120)


def fit(
    counts: Counts = COUNTS, n_clusters: int = 4, seed: int = 0, run: RunContext | None = None, **given: Any
) -> Clustering:
    torch.manual_seed(seed)
    found = Cicl(CiclConfig(**(TINY | given))).fit_predict(counts, n_clusters, run or RunContext(seed))
    check_clustering(found, counts.matrix.shape[0])
    return found


def counts_of(dense: np.ndarray, is_counts: bool = True) -> Counts:
    return Counts(csr_matrix(dense.astype(np.float32)), None, is_counts)


@pytest.mark.parametrize("variant", CiclConfig.VARIANTS)
def test_every_variant_labels_all_cells_and_says_what_it_did(variant: str) -> None:
    found = fit(variant=variant)
    assert found.embedding is not None
    assert found.soft is not None
    assert (found.embedding.shape, found.soft.shape) == ((80, 40), (80, 4))
    assert found.info["epochs_run"] == 3
    assert found.info["stop_reason"] == "epochs"
    assert found.info["n_genes_used"] == 40


def test_without_epochs_the_untrained_encoder_is_clustered() -> None:
    found = fit(epochs=0)
    assert found.info["epochs_run"] == 0
    assert len(np.unique(found.labels)) == 4


def test_labels_are_kmeans_on_the_representation() -> None:
    found = fit()
    assert found.embedding is not None
    np.testing.assert_array_equal(found.labels, kmeans_labels(found.embedding, 4, 0, "k-means++", 10))


def test_the_centroid_read_out_is_the_nearest_training_centroid() -> None:
    seen: list[np.ndarray] = []
    run = RunContext(0, on_report=lambda _, labels: seen.append(labels))
    found = fit(run=run, read_out="centroid")
    np.testing.assert_array_equal(found.labels, seen[-1])


def test_the_floor_is_kmeans_on_the_input_without_training() -> None:
    rows: list[dict[str, float]] = []
    found = fit(read_out="input", run=RunContext(0, on_log=lambda _, values: rows.append(values)))
    assert (rows, found.info["epochs_run"]) == ([], 0)
    z_scores = prepare(COUNTS, Recipe(hvg=40, scale=True)).x
    np.testing.assert_array_equal(found.labels, kmeans_labels(z_scores, 4, 0, "k-means++", 10))
    np.testing.assert_array_equal(found.embedding, z_scores)


def test_memberships_favour_the_own_cluster() -> None:
    found = fit()
    assert found.soft is not None
    assert (found.soft.argmax(axis=1) == found.labels).mean() > 0.95


@pytest.mark.parametrize("start", ["k-means++", "random"])
def test_separated_groups_are_read_out(start: str) -> None:
    groups = np.arange(4).repeat(25)
    points = (40 * np.eye(4)[groups] + np.random.default_rng(0).normal(size=(100, 4))).astype(np.float32)
    assert adjusted_rand_score(groups, kmeans_labels(points, 4, 0, start, 20)) == 1


def test_very_many_cells_are_read_out_in_mini_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    from scbench_methods.cicl import read_out

    monkeypatch.setattr(read_out, "_MOST_CELLS", 50)
    groups = np.arange(4).repeat(25)
    points = (40 * np.eye(4)[groups] + np.random.default_rng(0).normal(size=(100, 4))).astype(np.float32)
    assert adjusted_rand_score(groups, kmeans_labels(points, 4, 0, "k-means++", 10)) == 1


def test_snapshots_come_after_every_epoch_and_the_last_is_the_result() -> None:
    kept: dict[int, np.ndarray] = {}
    run = RunContext(0, on_snapshot=lambda epoch, labels: kept.update({epoch: labels}), snapshots=True)
    found = fit(run=run)
    assert list(kept) == [0, 1, 2]
    np.testing.assert_array_equal(kept[2], found.labels)


def test_snapshots_change_nothing_and_are_not_made_unasked() -> None:
    kept: list[int] = []
    plain = fit(run=RunContext(0, on_snapshot=lambda epoch, _: kept.append(epoch)))
    asked = fit(run=RunContext(0, on_snapshot=lambda *_: None, snapshots=True))
    assert kept == []
    np.testing.assert_array_equal(plain.labels, asked.labels)


def test_the_released_program_is_looked_at_every_five_epochs() -> None:
    kept: list[int] = []
    run = RunContext(0, on_snapshot=lambda epoch, _: kept.append(epoch), snapshots=True)
    fit(run=run, variant="paper_code", epochs=11)
    assert kept == [0, 5, 10]


@pytest.mark.parametrize(("read_out", "epochs"), [("centroid", [1, 2, 3]), ("kmeans", [0, 1, 2, 3])])
def test_without_centroids_there_is_no_snapshot_of_them(read_out: str, epochs: list[int]) -> None:
    kept: dict[int, np.ndarray] = {}
    run = RunContext(0, on_snapshot=lambda epoch, labels: kept.update({epoch: labels}), snapshots=True)
    found = fit(run=run, read_out=read_out, warmup_epochs=2, epochs=4)
    assert list(kept) == epochs
    np.testing.assert_array_equal(kept[3], found.labels)


def test_the_record_names_the_approximations(monkeypatch: pytest.MonkeyPatch) -> None:
    from scbench_methods.cicl import lloyd, read_out

    def said(**given: Any) -> tuple[Any, Any]:
        info = fit(**given).info
        return info.get("starts_compared_on"), info["read_out_by"]

    assert said() == ("all cells", "k-means")
    assert said(read_out="centroid") == ("all cells", "nearest centroid")
    assert said(read_out="input") == (None, "k-means")
    monkeypatch.setattr(lloyd, "_SAMPLE", 79)
    monkeypatch.setattr(read_out, "_MOST_CELLS", 79)
    assert said() == ("79 random cells", "k-means in mini-batches")
    assert said(read_out="input") == (None, "k-means in mini-batches")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_record_says_what_products_were_computed_in(precision: str) -> None:
    assert fit(precision=precision).info["precision"] == precision
    assert "precision" not in fit(precision=precision, read_out="input").info  # computes none


def test_each_epoch_is_logged_with_losses_and_label_change() -> None:
    rows: list[dict[str, float]] = []
    fit(run=RunContext(0, on_log=lambda _, values: rows.append(values)))
    assert [set(row) for row in rows] == [{"loss", "instance", "cluster", "inertia", "changed"}] * 3


def test_log_normalised_input_starts_at_the_choice_of_genes() -> None:
    library = np.asarray(COUNTS.matrix.sum(axis=1))
    logs = np.log1p(COUNTS.matrix.toarray() / (library / np.median(library)))
    np.testing.assert_array_equal(fit(counts_of(logs, is_counts=False)).labels, fit().labels)


def test_cells_without_counts_do_not_move_the_others() -> None:
    dense = COUNTS.matrix.toarray()
    with_empty = np.vstack([np.zeros((2, dense.shape[1])), dense])
    found = fit(counts_of(with_empty))
    np.testing.assert_array_equal(found.labels[2:], fit().labels)
    assert found.labels[0] == found.labels[1]


def test_fewer_genes_than_asked_for_are_all_used() -> None:
    assert fit(n_top_genes=500).info["n_genes_used"] == (COUNTS.matrix.sum(axis=0) > 0).sum()


def test_genes_that_are_constant_after_selection_do_no_harm() -> None:
    dense = np.zeros((40, 6))
    dense[:, 0] = np.random.default_rng(0).poisson(20, size=40)
    dense[:, 1] = dense[:, 0]
    dense[:, 2:4] = dense[:, :1]
    dense[:, 4] = np.arange(40)
    found = fit(counts_of(dense), n_top_genes=6)
    assert np.isfinite(found.embedding).all()


def test_all_cells_alike_end_with_a_defined_result() -> None:
    found = fit(counts_of(np.ones((30, 10))), n_clusters=3)
    assert len(found.labels) == 30


def test_one_cluster_is_one_label() -> None:
    rows: list[dict[str, float]] = []
    found = fit(n_clusters=1, run=RunContext(0, on_log=lambda _, values: rows.append(values)))
    assert set(found.labels.tolist()) == {0}
    assert all(row["cluster"] == 0 for row in rows)


def test_as_many_clusters_as_cells_work() -> None:
    few = Counts(csr_matrix(COUNTS.matrix[:6]))
    assert len(np.unique(fit(few, n_clusters=6).labels)) == 6


def test_two_cells_are_enough() -> None:
    assert sorted(fit(Counts(csr_matrix(COUNTS.matrix[:2])), n_clusters=2).labels.tolist()) == [0, 1]


def test_a_single_cell_cannot_be_contrasted() -> None:
    with pytest.raises(DataError, match="needs at least 2 cells with counts for 1 clusters, got 1"):
        fit(Counts(csr_matrix(COUNTS.matrix[:1])), n_clusters=1)


def test_cells_with_counts_must_be_as_many_as_clusters() -> None:
    dense = COUNTS.matrix.toarray()[:10]
    dense[3:] = 0
    with pytest.raises(DataError, match="needs at least 4 cells with counts for 4 clusters, got 3"):
        fit(counts_of(dense))


def test_one_gene_cannot_be_normalised_over_genes() -> None:
    with pytest.raises(DataError, match="normalises each cell over its genes and needs at least 2, got 1"):
        fit(Counts(csr_matrix(COUNTS.matrix[:, COUNTS.matrix.sum(axis=0).argmax()])))


def test_batches_smaller_than_the_number_of_clusters_are_refused() -> None:
    with pytest.raises(ConfigError, match="batch_size must be at least the number of clusters, got 3 for 4 clusters"):
        fit(batch_size=3)
    assert len(np.unique(fit(batch_size=3, read_out="input").labels)) == 4  # makes no batches


def test_more_clusters_than_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="n_clusters is 81 but there are only 80 cells"):
        fit(n_clusters=81)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(DataError, match="counts must not be negative"):
        fit(counts_of(-COUNTS.matrix.toarray()))


@pytest.mark.parametrize(
    "given",
    [
        {"cluster_weight": 0.0},
        {"cluster_positive": "mean_log"},
        {"cluster_positive": "own_pair", "cluster_reduction": "sum_of_cluster_means"},
        {"similarity": "dot"},
        {"n_layers": 2},
        {"noise_std": 0.0},
        {"noise_gene_fraction": 0.3},
        {"noise": "unit_interval"},
        {"scale_clip": 1.0},
    ],
    ids=str,
)
def test_every_switch_of_the_papers_studies_changes_the_representation(given: dict[str, Any]) -> None:
    plain, switched = fit().embedding, fit(**given).embedding
    assert plain is not None
    assert switched is not None
    assert not np.allclose(plain, switched, atol=1e-7)
