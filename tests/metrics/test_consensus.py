from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.metrics import adjusted_rand_score

from scbench.metrics import consensus as module
from scbench.metrics.consensus import consensus, spread


def noisy(
    n_partitions: int, n_cells: int = 90, n_clusters: int = 3, share: float = 0.2, seed: int = 0
) -> list[np.ndarray]:
    """Return partitions that each move a share of the cells of the same one, with names of their own."""
    rng = np.random.default_rng(seed)
    true = np.arange(n_cells) % n_clusters
    found = []
    for _ in range(n_partitions):
        moved = np.where(rng.random(n_cells) < share, rng.integers(0, n_clusters, n_cells), true)
        found.append(rng.permutation(n_clusters)[moved] * 7)
    return found


def together(partitions: list[np.ndarray]) -> np.ndarray:
    return np.mean([labels[:, None] == labels for labels in partitions], axis=0)


def test_a_hand_made_case() -> None:
    done = consensus([np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 1, 0, 0, 0]), np.array([5, 5, 3, 3, 3, 3])])
    assert done.labels.tolist() in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(done.agreement, [5 / 6, 5 / 6, 2 / 3, 1, 1, 1])
    assert done.attached == 0


def test_equal_partitions_under_other_names_come_back_with_full_agreement() -> None:
    done = consensus([np.array([4, 4, 9, 9, 9]), np.array([1, 1, 0, 0, 0])])
    assert done.labels.tolist() == [1, 1, 0, 0, 0]
    assert done.agreement.tolist() == [1.0] * 5
    assert (done.mean_ari, done.taken) == (1.0, None)


@pytest.mark.parametrize("seed", range(6))
def test_labels_are_those_of_the_tree_of_all_cells(seed: int) -> None:
    partitions = noisy(29, seed=seed)
    done = consensus(partitions, 3)
    tree = linkage(squareform(1 - together(partitions), checks=False), "average")
    expected = fcluster(tree, 3, "maxclust")
    assert done.taken is None
    assert adjusted_rand_score(expected, done.labels) == 1
    assert done.mean_ari == pytest.approx(np.mean([adjusted_rand_score(done.labels, one) for one in partitions]))


def test_agreement_is_the_mean_over_the_other_cells_of_the_cluster() -> None:
    partitions = noisy(7, share=0.4)
    done = consensus(partitions, 3)
    shares = together(partitions)
    for cell, label in enumerate(done.labels):
        others = [other for other in np.flatnonzero(done.labels == label) if other != cell]
        assert done.agreement[cell] == pytest.approx(shares[cell, others].mean())


def test_a_cell_that_is_alone_agrees_as_often_as_it_is_alone() -> None:
    done = consensus([np.array([0, 0, 0, 1]), np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]), np.array([0, 0, 0, 2])])
    assert done.labels.tolist() == [0, 0, 0, 1]
    assert done.agreement.tolist() == [1, 1, 1, 0.75]


def test_noise_of_single_partitions_is_voted_out() -> None:
    done = consensus(noisy(15, share=0.3), 3)
    assert adjusted_rand_score(np.arange(90) % 3, done.labels) > 0.95
    assert done.agreement.min() > 0.2


def test_order_of_cells_and_names_of_clusters_do_not_matter() -> None:
    partitions = noisy(9, share=0.3)
    done = consensus(partitions, 3)
    order = np.random.default_rng(1).permutation(90)
    moved = consensus([labels[order] for labels in partitions], 3)
    np.testing.assert_array_equal(moved.labels, done.labels[order])
    np.testing.assert_allclose(moved.agreement, done.agreement[order])


def test_it_starts_from_a_partition_where_the_tree_sets_odd_cells_apart() -> None:
    """Two odd cells are nowhere with the others; cut at two, the tree has them apart and all others in one cluster."""
    half = np.arange(60) % 2
    rng = np.random.default_rng(0)
    partitions = [np.where(rng.random(60) < 0.35, rng.integers(0, 2, 60), half) for _ in range(6)]
    partitions = [np.concatenate([labels, [2, 2]]) for labels in partitions] + [np.concatenate([half, [0, 1]])]
    done = consensus(partitions, 2)
    assert done.taken == 6
    assert adjusted_rand_score(half, done.labels[:60]) > 0.8
    assert done.mean_ari == pytest.approx(np.mean([adjusted_rand_score(done.labels, one) for one in partitions]))
    assert done.mean_ari > np.mean([adjusted_rand_score(partitions[6], one) for one in partitions[:6]])


@pytest.mark.parametrize("seed", range(4))
def test_no_partition_of_as_many_clusters_agrees_better_with_the_others(seed: int) -> None:
    partitions = noisy(5, share=0.7, seed=seed)
    done = consensus(partitions, 3)
    for number, one in enumerate(partitions):
        others = partitions[:number] + partitions[number + 1 :]
        assert done.mean_ari >= np.mean([adjusted_rand_score(one, other) for other in others]) - 1e-12


def test_rare_profiles_join_the_cluster_they_are_most_often_with(monkeypatch: pytest.MonkeyPatch) -> None:
    partitions = noisy(12, n_cells=300, share=0.15)
    whole = consensus(partitions, 3)
    monkeypatch.setattr(module, "_MOST_ANCHORS", 60)
    monkeypatch.setattr(module, "_AT_ONCE", 30)
    part = consensus(partitions, 3)
    assert whole.attached == 0 < part.attached < 1
    assert adjusted_rand_score(whole.labels, part.labels) == 1
    np.testing.assert_allclose(part.agreement, whole.agreement)


def test_the_number_of_clusters_is_the_median_and_never_more_than_can_be_told_apart() -> None:
    two, three = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])
    assert len(np.unique(consensus([two, three, three]).labels)) == 3
    assert len(np.unique(consensus([two, two, three]).labels)) == 2
    assert len(np.unique(consensus([two, three]).labels)) == 2
    assert len(np.unique(consensus([two, two], 4).labels)) == 2


def test_clusters_are_numbered_by_size() -> None:
    labels = consensus(noisy(5, n_cells=61, n_clusters=4), 4).labels
    sizes = np.bincount(labels)
    assert (np.diff(sizes) <= 0).all()


def test_the_spread_is_mean_and_sample_sd_over_pairs() -> None:
    partitions = noisy(5, share=0.5)
    pairs = [adjusted_rand_score(a, b) for a, b in combinations(partitions, 2)]
    found = spread(partitions)
    assert found.mean_ari == pytest.approx(np.mean(pairs))
    assert found.sd_ari == pytest.approx(np.std(pairs, ddof=1))
    assert spread(partitions[:2]) == (pytest.approx(adjusted_rand_score(*partitions[:2])), 0.0)
    assert spread([np.zeros(4, dtype=int)] * 3) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("partitions", "n_clusters", "message"),
    [
        ([np.zeros(3, dtype=int)], None, "at least two partitions, got 1"),
        ([np.zeros(3, dtype=int), np.zeros(4, dtype=int)], None, "of the same cells, got 3 and 4"),
        ([np.zeros(0, dtype=int)] * 2, None, "of the same cells, got 0 and 0"),
        ([np.zeros(3), np.zeros(3)], None, r"\(n_cells,\) integers, got \(3,\) of float64"),
        ([np.zeros(3, dtype=int)] * 2, 0, "at least 1, got 0"),
    ],
)
def test_what_has_no_consensus_is_refused(partitions: list[np.ndarray], n_clusters: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        consensus(partitions, n_clusters)
