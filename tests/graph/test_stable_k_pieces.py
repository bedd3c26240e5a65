"""The pieces of the stability rule: Jaccard index, cloud without structure, order of cells, graph, falling apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.graph.communities import communities
from scbench.graph.neighbours import umap_connectivities
from scbench.graph.stable_k.canonical_order import canonical_order
from scbench.graph.stable_k.cell_graph import CellGraph
from scbench.graph.stable_k.falling_apart import falls_apart, lowest_resolution, stability_of_clusters
from scbench.graph.stable_k.jaccard import best_jaccard
from scbench.graph.stable_k.rule import RESOLUTIONS, neighbours_of
from scbench.graph.stable_k.structureless import structureless


def blobs(*sizes: int, distance: float = 12.0, n_components: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return points of spherical clusters on one axis each, and the cluster of each."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    points = rng.normal(size=(len(labels), n_components))
    points[np.arange(len(labels)), labels] += distance
    return points.astype(np.float32), labels


def test_jaccard_by_hand() -> None:
    """{a, b, c} and {d, e} against {a, b}, {c, d, e}: 2/3 with the first, 2/3 with the second."""
    found = best_jaccard(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1]), 2)
    np.testing.assert_allclose(found, [2 / 3, 2 / 3])


def test_jaccard_as_sets_say() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 4, 30), rng.integers(0, 6, 30)
        slow = []
        for one in range(4):
            mine = set(np.flatnonzero(a == one))
            others = [set(np.flatnonzero(b == other)) for other in range(6)]
            slow.append(max(len(mine & other) / len(mine | other) for other in others) if mine else np.nan)
        np.testing.assert_allclose(best_jaccard(a, b, 4), slow)


def test_jaccard_does_not_depend_on_names_or_order() -> None:
    rng = np.random.default_rng(1)
    a, b, order, names = rng.integers(0, 4, 50), rng.integers(0, 5, 50), rng.permutation(50), rng.permutation(5)
    expected = best_jaccard(a, b, 4)
    np.testing.assert_allclose(best_jaccard(a[order], names[b][order], 4), expected)
    np.testing.assert_allclose(best_jaccard(rng.permutation(4)[a], b, 4).sum(), expected.sum())
    np.testing.assert_array_equal(best_jaccard(a, a, 4), np.ones(4))


def test_jaccard_of_an_absent_cluster_is_unknown_and_other_cells_are_refused() -> None:
    assert np.isnan(best_jaccard(np.array([0, 2]), np.array([0, 0]), 3)).tolist() == [False, True, False]
    with pytest.raises(ValueError, match="two partitions of the same cells are needed, got 2 and 1 cells"):
        best_jaccard(np.array([0, 0]), np.array([0]), 1)


def test_a_cloud_has_the_mean_the_covariance_and_the_distances_of_the_cells() -> None:
    rng = np.random.default_rng(0)
    points = (rng.standard_t(4, size=(400, 3)) @ np.array([[3.0, 1, 0], [0, 1, 0], [0, 0, 0.1]]) + 5).astype(np.float32)
    cloud = structureless(points, rng.normal(size=400), rng)
    np.testing.assert_allclose(cloud.mean(axis=0), points.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(np.cov(cloud.T), np.cov(points.T), rtol=1e-3, atol=1e-3)
    inverse = np.linalg.inv(np.cov(points.T, ddof=0))
    distances = []
    for one in (points, cloud):
        centred = one - points.mean(axis=0)
        distances.append(np.sort(np.einsum("ij,jk,ik->i", centred, inverse, centred)))
    np.testing.assert_allclose(distances[1], distances[0], rtol=0.3, atol=0.1)
    assert np.corrcoef(distances)[0, 1] > 0.99


def test_a_cloud_has_no_gap() -> None:
    points, _ = blobs(300, 300)
    axis = points[:300].mean(axis=0) - points[300:].mean(axis=0)
    axis /= np.linalg.norm(axis)
    middle = points.mean(axis=0)

    def share_near_the_middle(cloud: np.ndarray) -> float:
        return float((np.abs((cloud - middle) @ axis) < 3).mean())

    assert share_near_the_middle(points) == 0
    assert share_near_the_middle(structureless(points, np.zeros(600), np.random.default_rng(0))) > 0.15


def test_a_cloud_of_equal_points_is_that_point() -> None:
    points = np.full((6, 4), 2.0, dtype=np.float32)
    np.testing.assert_array_equal(structureless(points, np.zeros(6), np.random.default_rng(0)), points)


def test_the_order_of_cells_follows_from_their_counts() -> None:
    rng = np.random.default_rng(0)
    counts = csr_matrix(rng.poisson(0.5, (60, 40)).astype(np.float32))
    expected = counts[canonical_order(counts)].toarray()
    for _ in range(3):
        shuffled = counts[rng.permutation(60)]
        np.testing.assert_array_equal(shuffled[canonical_order(shuffled)].toarray(), expected)


def test_the_order_is_that_of_exact_sums() -> None:
    counts = csr_matrix(np.array([[0, 2, 1], [3, 0, 0], [0, 0, 0], [1, 1, 1]], dtype=np.float32))
    odd = [int(one) * 2 + 1 for one in np.random.default_rng(0x5AB1E).integers(0, 2**63, 3, dtype=np.uint64)]
    sums = [
        sum(int(np.float32(value).view(np.uint32)) * odd[gene] for gene, value in enumerate(row)) % 2**64
        for row in counts.toarray()
    ]
    assert canonical_order(counts).tolist() == sorted(range(4), key=sums.__getitem__)


def test_the_graph_gives_the_communities_of_the_shared_block() -> None:
    points, _ = blobs(40, 60, 50, distance=4)
    graph = CellGraph.of_points(points, 15, seed=3)
    for resolution in (0.1, 0.5, 1.0):
        expected = communities(umap_connectivities(points, 15), "leiden", resolution, 3)
        np.testing.assert_array_equal(graph.communities(resolution), expected)
    part = np.arange(40)
    assert len(graph.part(part).communities(0.02)) == 40


def test_cells_fall_apart_when_two_communities_have_five_cells() -> None:
    assert falls_apart(np.repeat([0, 1], [5, 5]))
    assert not falls_apart(np.repeat([0, 1, 2], [20, 4, 4]))


def test_the_lowest_resolution_is_that_of_a_scan() -> None:
    for sizes, distance in (((60, 60), 4.5), ((30, 90), 6.0), ((120,), 0.0)):
        graph = CellGraph.of_points(blobs(*sizes, distance=distance)[0], 15, seed=0)
        scanned = next(i for i, one in enumerate(RESOLUTIONS) if falls_apart(graph.communities(one)))
        assert abs(lowest_resolution(graph) - scanned) <= 2  # Leiden is not quite monotone in the resolution


def test_separate_groups_fall_apart_at_once_and_are_found_again_always() -> None:
    points, labels = blobs(50, 50, distance=60)
    graph = CellGraph.of_points(points, 10, seed=0)
    assert lowest_resolution(graph) == 0
    kept = np.arange(0, 100, 2)
    np.testing.assert_array_equal(stability_of_clusters(labels, 0.05, [(kept, graph.part(kept))]), [1, 1])


def test_a_cluster_is_unstable_when_subsamples_do_not_show_it() -> None:
    points, _ = blobs(50, 50, distance=60)
    graph = CellGraph.of_points(points, 10, seed=0)
    halves = np.tile([0, 1], 50)  # across both groups: each half shares 25 cells of 75 with each group
    everything = np.arange(100)
    np.testing.assert_allclose(stability_of_clusters(halves, 0.05, [(everything, graph)]), [1 / 3, 1 / 3])


@pytest.mark.parametrize(("n_cells", "expected"), [(10, 6), (48, 6), (80, 10), (160, 20), (20_000, 20)])
def test_few_cells_get_fewer_neighbours(n_cells: int, expected: int) -> None:
    assert neighbours_of(n_cells) == expected
