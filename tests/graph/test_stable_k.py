"""The stability rule as a whole: one cluster without structure, the true number with it, and what it says of both."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.data.config import SimulatedDataset
from scbench.data.simulate import simulate
from scbench.errors import ConfigError, DataError
from scbench.graph.communities import communities
from scbench.graph.estimate_k import estimate_n_clusters, k_with_evidence
from scbench.graph.neighbours import neighbour_graph
from scbench.graph.stable_k import tree
from scbench.graph.stable_k.result import KEstimate
from scbench.graph.stable_k.split import try_split
from scbench.graph.stable_k.tree import stable_k
from scbench.method import Counts
from scbench.metrics.external import score
from scbench.preprocessing.prepare import STANDARD_RECIPE


def simulated(n_cells: int, n_types: int, separation: float = 2.0, seed: int = 0) -> tuple[Counts, np.ndarray]:
    config = SimulatedDataset(
        name="s", n_cells=n_cells, n_genes=3000, n_types=n_types, separation=separation, imbalance=2.0, seed=seed
    )
    made = simulate(config)
    return Counts(made.matrix, None, True), np.asarray(made.labels)


@pytest.fixture(scope="module")
def four() -> tuple[Counts, np.ndarray, KEstimate]:
    counts, types = simulated(240, 4)
    return counts, types, stable_k(counts, with_curve=True)


@pytest.mark.parametrize("seed", range(3))
def test_cells_without_types_are_one_cluster(seed: int) -> None:
    """Independent genes given the library: the null that a user would write down, which is not the rule's own."""
    assert stable_k(simulated(200, 1, seed=seed)[0]) == 1


def test_a_gradient_is_one_cluster() -> None:
    rng = np.random.default_rng(0)
    place, slopes = rng.normal(size=(400, 1)), rng.normal(0, 0.5, (1, 1500)) * (rng.random((1, 1500)) < 0.1)
    means = np.exp(rng.normal(-1.5, 1.0, 1500) + place @ slopes)
    counts = Counts(csr_matrix(rng.poisson(means).astype(np.float32)), None, True)
    assert stable_k(counts) == 1
    assert estimate_n_clusters(counts) > 3


def test_types_that_are_well_apart_are_found(four: tuple[Counts, np.ndarray, KEstimate]) -> None:
    _, types, found = four
    assert found == 4
    assert score(types, found.labels)["ari"] > 0.95
    assert (found.stability > 0.9).all()
    assert list(found.sizes) == sorted(found.sizes, reverse=True)


def test_twelve_small_types_are_found() -> None:
    counts, types = simulated(240, 12, separation=3.0)
    found = stable_k(counts)
    assert abs(found - 12) <= 1  # of 20 cells each, one may be cut in two
    assert score(types, found.labels)["ari"] > 0.9


def test_a_seed_gives_the_same_and_the_order_of_the_cells_does_not_matter(
    four: tuple[Counts, np.ndarray, KEstimate],
) -> None:
    counts, _, found = four
    order = np.random.default_rng(1).permutation(240)
    again = stable_k(Counts(csr_matrix(counts.matrix[order]), None, True))
    np.testing.assert_array_equal(again.labels, found.labels[order])
    np.testing.assert_array_equal(again.stability, found.stability)
    assert repr(again.parents) == repr(found.parents)
    other = stable_k(counts, seed=5)
    assert other == 4
    assert repr(other.parents) != repr(found.parents)


def test_the_curve_does_not_change_k(four: tuple[Counts, np.ndarray, KEstimate]) -> None:
    counts, _, found = four
    without = stable_k(counts)
    assert without.curve is None
    np.testing.assert_array_equal(without.labels, found.labels)


def test_the_curve_is_above_its_null_where_leiden_finds_the_types(four: tuple[Counts, np.ndarray, KEstimate]) -> None:
    curve = four[2].curve
    assert curve is not None
    n = len(curve.resolutions)
    assert (curve.k.shape, curve.stability.shape, curve.null_k.shape) == ((n,), (n,), (n,))
    assert curve.null_stability.shape == (n, 3)
    assert (np.diff(curve.null_stability, axis=1) >= 0).all()
    at_four = curve.k == 4
    assert at_four.any()
    assert (curve.stability[at_four] > curve.null_stability[at_four, 2]).all()
    assert (curve.stability[curve.k == 1] == 0).all()


def test_parents_say_what_was_split_and_why_not(four: tuple[Counts, np.ndarray, KEstimate]) -> None:
    found = four[2]
    first = found.parents[0]
    assert (first.n_cells, first.above, first.verdict) == (240, None, "split")
    assert first.lowest < min(first.null)
    ends = [parent for parent in found.parents if parent.verdict != "split"]
    assert sorted(parent.n_cells for parent in ends) == sorted(found.sizes)
    assert {parent.verdict for parent in ends} == {"not told apart from noise"}
    for parent in found.parents[1:]:
        assert parent.above is not None
        assert found.parents[parent.above].verdict == "split"
    table = found.table
    assert list(table["n_cells"]) == [parent.n_cells for parent in found.parents]
    assert table.index.name == "parent"


def test_parts_that_subsamples_do_not_show_are_not_split(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(120, 5)).astype(np.float32)
    points[:60, 0] += 12
    assert try_split(points, np.zeros(120), np.random.default_rng(0), 0).verdict == "split"
    monkeypatch.setattr("scbench.graph.stable_k.split.stability_of_clusters", lambda labels, *_: np.array([0.5, 0.6]))
    trial = try_split(points, np.zeros(120), np.random.default_rng(0), 0)
    assert (trial.verdict, trial.children.max(), list(trial.stability)) == ("not stable", 0, [0.5, 0.6])


def test_a_few_cells_are_not_split_any_more() -> None:
    trial = try_split(np.eye(9, dtype=np.float32), np.zeros(9), np.random.default_rng(0), 0)
    assert (trial.verdict, trial.children.tolist()) == ("too few cells", [0] * 9)


def test_it_is_a_number_that_can_be_pickled_compared_and_printed(four: tuple[Counts, np.ndarray, KEstimate]) -> None:
    found = four[2]
    assert isinstance(found, int)
    assert (found == 4, f"{found}", found + 1, list(range(10))[found], json.dumps(found)) == (True, "4", 5, 4, "4")
    copied = pickle.loads(pickle.dumps(found))
    assert copied == 4
    np.testing.assert_array_equal(copied.labels, found.labels)
    lines = repr(found).splitlines()
    assert lines[0] == "K = 4 by stability, from 240 cells (seed 0)"
    assert lines[1].startswith(f"  cells of each cluster (Jaccard stability): {found.sizes[0]} (")
    assert lines[2].endswith("parts left whole: 4 not told apart from noise")
    one = stable_k(simulated(60, 1)[0])
    assert repr(one).splitlines()[1] == "  all cells together: not told apart from noise"


def test_it_can_be_drawn(four: tuple[Counts, np.ndarray, KEstimate]) -> None:
    pytest.importorskip("matplotlib")
    with_curve, without = four[2].plot(), stable_k(simulated(60, 1)[0]).plot()
    assert [axes.get_xlabel() for axes in with_curve.axes] == ["resolution", "cluster, the largest first"]
    assert len(with_curve.axes[1].patches) == 4
    assert [axes.get_title() for axes in without.axes] == ["K = 1"]


def test_more_cells_than_the_most_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, types = simulated(400, 3)
    monkeypatch.setattr(tree, "MOST_CELLS", 150)
    seen = []
    judged = tree.principal_components
    monkeypatch.setattr(
        tree, "principal_components", lambda some, *rest: seen.append(some.matrix.shape[0]) or judged(some, *rest)
    )
    found = stable_k(counts)
    assert seen == [150]
    assert (len(found.cells), len(found.labels), len(np.unique(found.cells))) == (150, 150, 150)
    assert (np.diff(found.cells) > 0).all()
    assert found == 3
    assert score(types[found.cells], found.labels)["ari"] > 0.95
    order = np.random.default_rng(0).permutation(400)
    again = stable_k(Counts(csr_matrix(counts.matrix[order]), None, True))
    assert sorted(order[again.cells]) == list(found.cells)


def test_log_normalised_values_work() -> None:
    counts, types = simulated(240, 3)
    values = csr_matrix(np.log1p(counts.matrix.toarray()))
    found = stable_k(Counts(values, None, False))
    assert score(types, found.labels)["ari"] > 0.9


def test_equal_cells_are_one_cluster() -> None:
    assert stable_k(Counts(csr_matrix(np.ones((30, 20), dtype=np.float32)), None, True)) == 1


def test_bad_input_is_said() -> None:
    few = Counts(csr_matrix(np.eye(9, dtype=np.float32)), None, True)
    with pytest.raises(DataError, match="9 cells are too few to estimate the number of clusters from, which takes 10"):
        stable_k(few)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        stable_k(simulated(20, 1)[0], -1)
    with pytest.raises(ConfigError, match="unknown estimate 'stabilty'. Did you mean 'stability'"):
        k_with_evidence(few, "stabilty")


def test_resolution_1_is_what_it_was() -> None:
    counts, _ = simulated(240, 4)
    graph = neighbour_graph(counts, STANDARD_RECIPE, 20, 20)
    expected = int(communities(graph, "leiden", 1.0, 0).max()) + 1
    assert estimate_n_clusters(counts) == expected
    assert k_with_evidence(counts, "resolution_1") == (expected, {"rule": "resolution_1"})


def test_evidence_is_plain(four: tuple[Counts, np.ndarray, KEstimate]) -> None:
    counts, _, found = four
    k, evidence = k_with_evidence(counts, "stability")
    assert k == 4
    assert evidence == json.loads(json.dumps(found.evidence()))
    assert (evidence["rule"], evidence["k"], evidence["n_cells_used"]) == ("stability", 4, 240)
    assert evidence["cells"] == list(found.sizes)
