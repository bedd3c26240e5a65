from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from scbench.metrics import score
from scbench.metrics.average_linkage import average_linkage


def test_a_hand_made_tree_is_cut_where_it_says() -> None:
    points = np.array([0.0, 1.0, 10.0, 12.0, 30.0])
    distances = np.abs(points[:, None] - points)
    sizes = np.ones(5, dtype=np.int64)
    assert average_linkage(distances, sizes, 5).tolist() == [0, 1, 2, 3, 4]
    assert average_linkage(distances, sizes, 4).tolist() == [0, 0, 1, 2, 3]
    assert average_linkage(distances, sizes, 3).tolist() == [0, 0, 1, 1, 2]
    assert average_linkage(distances, sizes, 2).tolist() == [0, 0, 0, 0, 1]
    assert average_linkage(distances, sizes, 1).tolist() == [0] * 5


def test_sizes_decide_which_mean_is_nearer() -> None:
    """The pair (0, 1) has its mean at 0.09 when its first point is ten cells, and at 0.91 when its second is."""
    points = np.array([0.0, 1.0, 2.5, 4.4])
    distances = np.abs(points[:, None] - points)
    assert average_linkage(distances, np.array([10, 1, 1, 1]), 2).tolist() == [0, 0, 1, 1]
    assert average_linkage(distances, np.array([1, 10, 1, 1]), 2).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("seed", range(8))
def test_it_is_scipys_tree_of_all_cells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, sizes = rng.normal(size=(40, 3)), rng.integers(1, 9, 40)
    of_cell = np.repeat(np.arange(40), sizes)
    tree = linkage(pdist(points[of_cell]), "average")
    for n_clusters in (1, 2, 5, 17, 40):
        expected = fcluster(tree, n_clusters, "maxclust")
        found = average_linkage(squareform(pdist(points)), sizes, n_clusters)
        assert len(np.unique(found)) == n_clusters
        assert score(expected, found[of_cell])["ari"] == 1.0


def test_equal_distances_give_a_tree_and_the_input_stays() -> None:
    distances = 1.0 - np.eye(7)
    before = distances.copy()
    assert [len(np.unique(average_linkage(distances, np.ones(7), k))) for k in range(1, 8)] == list(range(1, 8))
    np.testing.assert_array_equal(distances, before)


@pytest.mark.parametrize("n_clusters", [0, 4])
def test_a_number_of_clusters_that_cannot_be_is_refused(n_clusters: int) -> None:
    with pytest.raises(ValueError, match=f"between 1 and the 3 points, got {n_clusters}"):
        average_linkage(1.0 - np.eye(3), np.ones(3), n_clusters)
