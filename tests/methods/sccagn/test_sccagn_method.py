from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.fitted import Fitted
from scbench_methods.sccagn.method import ScCagn
from scbench_methods.sccagn.transfer import transfer
from scipy.sparse import csr_matrix
from torch.utils._python_dispatch import TorchDispatchMode

from scbench.errors import DataError
from scbench.kmeans import kmeans
from scbench.method import Clustering, Counts, Diverged, RunContext
from scbench.nn import edges as edges_module
from scbench.nn.plateau import Plateau
from scbench.run.seeding import seed_process
from scbench.testing import toy_counts

SHORT: dict[str, Any] = {"pretrain_epochs": 3, "pretrain_least_steps": 0, "epochs": 5, "restarts": 2, "n_init": 2}
COUNTS = toy_counts(120, 150)
PHASE_TERMS = {"discriminator", "clustering", "graph_clustering", "reconstruction", "generator"}


class Listener:
    """What a run reports, in order; an epoch that came twice is no dictionary."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.kept: list[tuple[int, np.ndarray]] = []
        self.told: list[tuple[int, np.ndarray]] = []

    @property
    def history(self) -> dict[int, dict[str, float]]:
        return self._once(self.rows)

    @property
    def snapshots(self) -> dict[int, np.ndarray]:
        return self._once(self.kept)

    @property
    def reports(self) -> dict[int, np.ndarray]:
        return self._once(self.told)

    @staticmethod
    def _once(pairs: list[tuple[int, Any]]) -> dict[int, Any]:
        epochs = [epoch for epoch, _ in pairs]
        assert len(set(epochs)) == len(epochs), epochs
        assert min(epochs, default=0) >= 0
        return dict(pairs)


def fit_whole(counts: Counts = COUNTS, k: int = 4, seed: int = 0, **settings: Any) -> tuple[Fitted, Listener]:
    seen = Listener()
    run = RunContext(
        seed,
        on_log=lambda epoch, values: seen.rows.append((epoch, values)),
        on_snapshot=lambda epoch, labels: seen.kept.append((epoch, labels)),
        on_report=lambda step, labels: seen.told.append((step, labels)),
        snapshots=True,
    )
    seed_process(seed, uses_torch=True)
    return ScCagn(ScCagnConfig(**{**SHORT, **settings})).fit(counts, k, run), seen


def fit(counts: Counts = COUNTS, k: int = 4, seed: int = 0, **settings: Any) -> tuple[Clustering, Listener]:
    fitted, seen = fit_whole(counts, k, seed, **settings)
    return fitted.clustering, seen


@cache
def plain() -> Clustering:
    """The result that others are compared with; never to be changed."""
    return fit()[0]


def weights(fitted: Fitted) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in fitted.network.named_parameters()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_one_clock_counts_both_phases(variant: str) -> None:
    found, seen = fit(variant=variant)
    assert [set(values) for values in seen.history.values()] == [{"pretraining"}] * 3 + [PHASE_TERMS] * 5
    assert list(seen.history) == list(range(8))
    assert list(seen.snapshots) == [2, 3, 4, 5, 6, 7]
    assert list(seen.reports) == [3, 4, 5, 6, 7]
    np.testing.assert_array_equal(seen.snapshots[7], found.labels)
    assert (found.info["pretrain_epochs"], found.info["epochs"]) == (3, 5)


def test_labels_are_the_most_likely_cluster_after_the_last_update() -> None:
    fitted, _ = fit_whole()
    found = fitted.clustering
    assert found.soft is not None
    assert found.embedding is not None
    assert found.embedding.shape == (120, 8)
    np.testing.assert_allclose(found.soft.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found.labels, found.soft.argmax(axis=1))
    centroids = fitted.network.centroids.detach().numpy()
    squared = ((found.embedding[:, None] - centroids[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(found.labels, squared.argmin(axis=1))
    assert found.info["n_clusters_found"] == len(np.unique(found.labels))


def test_a_snapshot_is_what_a_shorter_run_would_have_returned() -> None:
    _, seen = fit()
    for epochs in (1, 3):
        np.testing.assert_array_equal(fit(epochs=epochs)[0].labels, seen.snapshots[2 + epochs])


def test_without_a_main_phase_labels_are_those_of_k_means() -> None:
    for variant in ("default", "paper_code"):
        fitted, seen = fit_whole(epochs=0, variant=variant)
        assert list(seen.snapshots) == [2]
        if variant == "default":
            np.testing.assert_array_equal(fitted.clustering.labels, seen.snapshots[2])


def test_centroids_start_from_the_fused_latent_or_from_the_autoencoders() -> None:
    fused, _ = fit_whole(epochs=0)
    z = fused.clustering.embedding
    assert z is not None
    np.testing.assert_allclose(fused.network.centroids.detach(), kmeans(z, 4, 0, n_init=2)[1], atol=1e-5)
    plain, _ = fit_whole(epochs=0, centroids_from="autoencoder")
    with torch.no_grad():
        z = plain.network.autoencoder.encode(torch.tensor(plain.inputs.x)).numpy()
    np.testing.assert_allclose(plain.network.centroids.detach(), kmeans(z, 4, 0, n_init=2)[1], atol=1e-4)


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_a_seed_decides_everything(variant: str) -> None:
    first, again, other = (fit(variant=variant, seed=seed)[0] for seed in (0, 0, 1))
    assert first.embedding is not None
    np.testing.assert_array_equal(first.labels, again.labels)
    np.testing.assert_array_equal(first.embedding, again.embedding)
    assert not np.array_equal(first.embedding, other.embedding)


def test_the_programs_adversarial_term_moves_no_weight() -> None:
    """It is computed on a latent from before training, so the model's path does not depend on its weight."""
    with_it, without, none = (
        weights(fit_whole(variant="paper_code", **kw)[0])
        for kw in ({}, {"adversarial_weight": 50.0}, {"adversarial": False})
    )
    assert same(with_it, without)
    assert same(with_it, none)


def test_the_defaults_adversarial_term_does() -> None:
    with_it, without = (weights(fit_whole(adversarial_weight=theta)[0]) for theta in (1e-4, 0.0))
    assert not same(with_it, without)
    none = weights(fit_whole(adversarial=False)[0])
    assert same(without, none)


@pytest.mark.parametrize(
    "settings",
    [
        {"gnn": "gat"},
        {"gnn": "sage"},
        {"fusion": "none"},
        {"fusion": "concat"},
        {"fusion": "multiply"},
        *({"n_heads": heads} for heads in (0, 1, 2, 8)),
        *({"target_temperature": tau} for tau in (0.1, 0.3, 1.0, 2.0)),
        {"adversarial": False},
        {"attention": "landmarks", "n_landmarks": 20},
        {"attention": "neighbors"},
        {"assignment_weight": 0.0, "graph_head_weight": 0.0},
        {"reconstruction_weight": 0.0},
        {"adversarial_weight": 0.0, "reconstruction_weight": 0.0},
        {"pretrain_adversarial_weight": 1e-4},
        {"norm": "row"},
        {"head_relu": True},
        {"phi": 0.4},
        {"gene_selection": "std", "n_top_genes": 60},
        {"input_transform": "zscore"},
        {"input_transform": "zscore_quantile_l2"},
        {"n_neighbors": 5},
        {"prune": False},
        {"discriminator_norm": "batch"},
        {"adv_loss": "bce"},
        {"prior_is_real": False},
    ],
    ids=str,
)
def test_every_switch_changes_the_result(settings: dict[str, Any]) -> None:
    found, _ = fit(**settings)
    assert plain().embedding is not None
    assert found.embedding is not None
    assert np.isfinite(found.embedding).all()
    assert not np.array_equal(plain().embedding, found.embedding)


def test_all_landmarks_are_exact() -> None:
    all_of_them, _ = fit(attention="landmarks", n_landmarks=120)
    assert plain().info["attention"] == all_of_them.info["attention"] == "exact"
    by_series, _ = fit(exact_attention_cells=100, n_landmarks=30)
    assert by_series.info["attention"] == fit(attention="series")[0].info["attention"] == "exact, by series"
    # Adamax turns the rounding of a gradient near 0 into steps of up to lr, 1e-3, and there were five of them.
    np.testing.assert_allclose(by_series.embedding, plain().embedding, atol=5e-3)
    assert (by_series.labels == plain().labels).mean() > 0.95
    assert fit(attention="landmarks", n_landmarks=30)[0].info["attention"] == "30 random cells"
    wide, _ = fit(exact_attention_cells=100, n_landmarks=30, n_heads=2)
    assert wide.info["attention"] == "30 random cells"
    assert fit(attention="neighbors")[0].info["attention"] == "graph neighbours"
    assert fit(n_heads=0)[0].info["attention"] == "none: fusion is none"


@pytest.mark.parametrize("eps_r", [0.0, 1e-3])
def test_centroids_that_nothing_moves_give_way_to_k_means(eps_r: float) -> None:
    fitted, _ = fit_whole(assignment_weight=0.0, graph_head_weight=eps_r)
    found = fitted.clustering
    assert found.embedding is not None
    assert found.info["labels_from"].startswith("k-means")
    expected, centroids, _ = kmeans(found.embedding, 4, 0, n_init=2)
    np.testing.assert_array_equal(found.labels, expected)
    np.testing.assert_allclose(fitted.network.centroids.detach(), centroids)


def test_no_loss_at_all_trains_nothing() -> None:
    nothing = {"assignment_weight": 0.0, "graph_head_weight": 0.0, "reconstruction_weight": 0.0, "adversarial": False}
    trained, untrained = (weights(fit_whole(epochs=epochs, **nothing)[0]) for epochs in (4, 0))
    assert same(trained, untrained)


def test_the_reconstruction_error_falls() -> None:
    _, seen = fit(pretrain_epochs=10, epochs=20)
    errors = [values["reconstruction"] for values in seen.history.values() if "reconstruction" in values]
    assert errors[-1] < 0.9 * errors[0]


def test_the_programs_discriminator_stays_at_its_bound() -> None:
    _, seen = fit(variant="paper_code", epochs=15)
    assert min(values["discriminator"] for values in seen.history.values() if "discriminator" in values) >= 0.6931


def test_settled_labels_end_the_main_phase() -> None:
    found, seen = fit(tol=1.0)
    assert found.info["stop_reason"] == "labels settled"
    assert found.info["epochs"] == 1  # the second pass sees that no more than all labels changed
    np.testing.assert_array_equal(found.labels, seen.snapshots[3])
    assert (list(seen.snapshots), list(seen.reports)) == ([2, 3], [3])
    assert plain().info["stop_reason"] == "epochs"


def test_fast_ends_the_main_phase_where_the_rule_says() -> None:
    settings: dict[str, Any] = {"epochs": 60, "pretrain_epochs": 4, "lr": 3e-3}
    found, seen = fit(**settings, budget="fast")
    config, plateau = ScCagnConfig(), Plateau()
    weight = {
        "clustering": config.assignment_weight,
        "graph_clustering": config.graph_head_weight,
        "reconstruction": config.reconstruction_weight,
        "generator": config.main_theta,
    }
    rows = [values for values in seen.history.values() if "pretraining" not in values]
    told = [plateau.update(sum(weight[name] * row[name] for name in weight)) for row in rows]
    assert told == [False] * (len(told) - 1) + [True]
    assert (found.info["epochs"], found.info["stop_reason"]) == (len(told), "plateau")
    assert (found.info["pretrain_epochs"], found.info["pretrain_stop_reason"]) == (4, "epochs")
    np.testing.assert_array_equal(found.labels, fit(**settings | {"epochs": len(told)})[0].labels)
    assert plain().info["pretrain_stop_reason"] == "epochs"


def test_settled_labels_are_told_once_also_where_k_means_finds_them() -> None:
    found, seen = fit(tol=1.0, assignment_weight=0.0)
    assert (list(seen.snapshots), list(seen.reports)) == ([2, 3], [3])
    np.testing.assert_array_equal(found.labels, seen.snapshots[3])
    np.testing.assert_array_equal(found.labels, seen.reports[3])


def test_a_run_without_pretraining_has_no_snapshot_before_its_first_epoch() -> None:
    found, seen = fit(pretrain_epochs=0)
    assert list(seen.snapshots) == list(seen.reports) == [0, 1, 2, 3, 4]
    assert found.info["pretrain_batch_used"] is None


def test_the_first_labels_of_all_cells_are_found_for_a_snapshot_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScCagn, "_everywhere", lambda *_: pytest.fail("nobody asked for a snapshot"))
    seed_process(0, uses_torch=True)
    found = ScCagn(ScCagnConfig(**SHORT)).fit(COUNTS, 4, RunContext(0)).clustering
    monkeypatch.undo()
    np.testing.assert_array_equal(found.labels, plain().labels)


@pytest.mark.parametrize(
    ("settings", "size"), [({"pretrain_least_steps": None}, 1), ({"pretrain_least_steps": 30}, 12), ({}, 16)]
)
def test_the_record_has_the_batch_that_was_used(settings: dict[str, Any], size: int) -> None:
    assert fit(**settings)[0].info["pretrain_batch_used"] == size


def test_an_autoencoder_that_has_learnt_little_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    little, _ = fit(pretrain_epochs=1, epochs=1)
    assert little.info["unexplained_variance"] > 0.95
    assert "of the variance unexplained after 1 epochs on 120 cells" in caplog.text
    caplog.clear()
    more, seen = fit(pretrain_epochs=40, batch_size=2, epochs=1, lr=3e-3)
    assert more.info["unexplained_variance"] < 0.9
    assert not caplog.text
    x = fit_whole(pretrain_epochs=1, epochs=1)[0].inputs.x
    assert more.info["unexplained_variance"] == pytest.approx(
        seen.history[39]["pretraining"] / x.var(axis=0).mean(), rel=1e-4
    )
    assert fit(pretrain_epochs=0)[0].info["unexplained_variance"] is None


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_one_cluster_is_one_label(variant: str) -> None:
    found, _ = fit(k=1, variant=variant)
    assert set(found.labels) == {0}
    assert found.info["restart_chosen_by"] == "reconstruction"
    assert found.info["silhouette"] is None


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_cells_and_genes_without_counts_are_labelled_and_left_out(variant: str) -> None:
    dense = COUNTS.matrix.toarray()
    dense[[0, 7, 119]] = 0
    dense[:, :5] = 0
    found, seen = fit(Counts(csr_matrix(dense)), variant=variant)
    assert found.info["n_cells_left_out"] == 3
    assert len({int(label) for label in found.labels[[0, 7, 119]]}) == 1
    assert found.embedding is not None
    np.testing.assert_array_equal(found.embedding[0], found.embedding[7])
    assert all(len(labels) == 120 and labels.min() >= 0 for labels in seen.snapshots.values())
    fuller, _ = fit(Counts(csr_matrix(np.delete(dense, [0, 7, 119], axis=0))), variant=variant)
    assert fuller.embedding is not None
    # Cells without counts change nothing for the others.
    np.testing.assert_allclose(np.delete(found.embedding, [0, 7, 119], axis=0), fuller.embedding, atol=1e-5)


def test_a_cell_without_variable_genes_is_learnt_from() -> None:
    dense = COUNTS.matrix.toarray()
    dense[3] = 0
    dense[3, 5:7] = 1
    found, _ = fit(Counts(csr_matrix(dense)), n_top_genes=10)
    assert found.info["n_cells_left_out"] == 0
    assert found.embedding is not None
    assert np.isfinite(found.embedding).all()


def test_log_normalised_values_are_taken_as_they_are() -> None:
    found, _ = fit(Counts(COUNTS.matrix.log1p(), None, is_counts=False))
    assert len(found.labels) == 120


def test_duplicate_cells_share_a_label() -> None:
    dense = np.repeat(COUNTS.matrix.toarray()[:12], 5, axis=0)
    found, _ = fit(Counts(csr_matrix(dense)), 3, n_neighbors=4)
    assert all(len(set(found.labels[i : i + 5])) == 1 for i in range(0, 60, 5))


def test_what_cannot_be_clustered_is_refused() -> None:
    few = Counts(csr_matrix(COUNTS.matrix[:10]))
    with pytest.raises(DataError, match="needs 11 cells with counts, got 10"):
        fit(few, 2)
    dense = COUNTS.matrix.toarray()
    dense[12:] = 0
    with pytest.raises(DataError, match="a cell to learn from for each cluster, got 12 for 13 clusters"):
        fit(Counts(csr_matrix(dense)), 13)
    with pytest.raises(ValueError, match="n_clusters is 121 but there are only 120 cells"):
        fit(k=121)


@pytest.mark.parametrize(
    ("settings", "epoch", "term"),
    [({"lr": 1e30}, 0, "pretraining"), ({"lr": 1e30, "pretrain_epochs": 0}, 1, "reconstruction")],
)
def test_a_loss_that_is_not_finite_ends_the_run(settings: dict[str, Any], epoch: int, term: str) -> None:
    with pytest.raises(Diverged) as caught:
        fit(**settings)
    assert caught.value.epoch == epoch
    assert term in caught.value.terms


def test_a_last_step_out_of_range_ends_the_run() -> None:
    with pytest.raises(Diverged) as caught:
        fit(lr=1e30, pretrain_epochs=0, epochs=1)
    assert set(caught.value.terms) == {"latent"}


def halves() -> tuple[Counts, Counts]:
    return Counts(csr_matrix(COUNTS.matrix[:70])), Counts(csr_matrix(COUNTS.matrix[70:]))


@pytest.mark.parametrize("settings", [{}, {"variant": "paper_code"}, {"gnn": "gat"}, {"gnn": "sage"}], ids=str)
def test_transfer_changes_no_parameter(settings: dict[str, Any]) -> None:
    source, target = halves()
    fitted, _ = fit_whole(source, **settings)
    before, kept = weights(fitted), fitted.clustering.labels.copy()
    state = {name: value.clone() for name, value in fitted.network.state_dict().items()}
    slopes = {name: p.grad.clone() for name, p in fitted.network.named_parameters() if p.grad is not None}
    found = fitted.predict(target)
    assert same(before, weights(fitted))
    assert same(state, fitted.network.state_dict())
    assert slopes
    assert same(slopes, {name: p.grad for name, p in fitted.network.named_parameters() if p.grad is not None})
    np.testing.assert_array_equal(fitted.clustering.labels, kept)
    assert found.soft is not None
    assert found.soft.shape == (50, 4)
    np.testing.assert_array_equal(found.labels, found.soft.argmax(axis=1))
    np.testing.assert_array_equal(found.labels, fitted.predict(target).labels)


@pytest.mark.parametrize("transform", ["minmax_l2", "ceil_minmax_l2", "zscore"])
def test_cells_transferred_to_themselves_keep_their_clusters(transform: str) -> None:
    fitted, _ = fit_whole(input_transform=transform)
    again = fitted.predict(COUNTS)
    assert fitted.clustering.embedding is not None
    np.testing.assert_allclose(again.embedding, fitted.clustering.embedding, atol=2e-4)
    assert (again.labels == fitted.clustering.labels).mean() > 0.98


def test_genes_of_one_name_are_told_apart_where_both_sets_list_them_alike() -> None:
    names = np.array([f"g{i % 75}" for i in range(150)], dtype=object)
    fitted, _ = fit_whole(Counts(COUNTS.matrix, names))
    again = fitted.predict(Counts(COUNTS.matrix, names.copy()))
    np.testing.assert_allclose(again.embedding, fitted.clustering.embedding, atol=2e-4)
    dense = COUNTS.matrix.toarray()
    dense[5] = 0
    dense[5, 140] = 4  # one of 150 genes, and the second of its name
    unnamed, named = (
        fit_whole(Counts(csr_matrix(dense), given), filter_cells=True)[0].inputs.x for given in (None, names)
    )
    np.testing.assert_array_equal(named, unnamed)


def test_counts_in_genes_that_the_source_does_not_show_are_none() -> None:
    dense = COUNTS.matrix.toarray()
    source, target = dense[:70].copy(), dense[70:].copy()
    source[:, 140:] = 0
    target[3] = 0
    without, with_some = Counts(csr_matrix(target)), target.copy()
    with_some[3, 145] = 5
    fitted, _ = fit_whole(Counts(csr_matrix(source)))
    found, expected = fitted.predict(Counts(csr_matrix(with_some))), fitted.predict(without)
    assert found.info["n_cells_left_out"] == 1
    np.testing.assert_array_equal(found.embedding, expected.embedding)


def test_transfer_is_fit_and_predict() -> None:
    source, target = halves()
    fitted, _ = fit_whole(source)
    seed_process(0, uses_torch=True)
    both = transfer(source, target, 4, RunContext(0), ScCagnConfig(**SHORT))
    np.testing.assert_array_equal(both.learnt.labels, fitted.clustering.labels)
    np.testing.assert_array_equal(both.placed.labels, fitted.predict(target).labels)
    assert both.placed.info["n_cells_left_out"] == 0


def test_transfer_needs_a_neighbourhood_and_places_cells_without_counts() -> None:
    source, target = halves()
    fitted, _ = fit_whole(source)
    with pytest.raises(DataError, match="needs 11 cells with counts, got 5"):
        fitted.predict(Counts(csr_matrix(target.matrix[:5])))
    dense = target.matrix.toarray()
    dense[3] = 0
    found = fitted.predict(Counts(csr_matrix(dense)))
    assert found.info["n_cells_left_out"] == 1
    assert 0 <= found.labels[3] < 4


class _LargestTensor(TorchDispatchMode):
    """Notes the largest result of any operation."""

    n_entries = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for item in result if isinstance(result, list | tuple) else [result]:
            if isinstance(item, torch.Tensor) and item.layout == torch.strided:
                self.n_entries = max(self.n_entries, item.numel())
        return result


@pytest.mark.parametrize("settings", [{}, {"gnn": "gat", "attention": "neighbors"}, {"gnn": "sage"}], ids=str)
def test_no_array_is_as_large_as_cells_by_cells(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges_module, "_ENTRIES_AT_ONCE", 2**17)
    n, genes = 1200, 60
    counts = Counts(csr_matrix(np.random.default_rng(0).poisson(0.5, (n, genes)).astype(np.float32)))
    seed_process(0, uses_torch=True)
    config = ScCagnConfig(**{**SHORT, "pretrain_epochs": 1, "epochs": 2, **settings})
    with _LargestTensor() as largest:
        ScCagn(config).fit_predict(counts, 3, RunContext(0))
    assert n * 100 <= largest.n_entries < n * n / 2
