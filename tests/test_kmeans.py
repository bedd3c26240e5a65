import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.kmeans import kmeans


def blobs(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(60, 3)) + np.repeat(np.eye(3) * 20, 20, axis=0)).astype(np.float32)


def test_separate_groups_are_found() -> None:
    x = blobs()
    labels, centroids, inertia = kmeans(x, 3, seed=0)
    assert labels.dtype == np.int64
    assert [len(set(labels[i : i + 20])) for i in (0, 20, 40)] == [1, 1, 1]
    for k in range(3):
        np.testing.assert_allclose(centroids[k], x[labels == k].mean(axis=0), rtol=1e-4, atol=1e-4)
    assert inertia == pytest.approx(float(((x - centroids[labels]) ** 2).sum()), rel=1e-4)


def test_same_seed_gives_the_same_labels() -> None:
    x = np.random.default_rng(1).normal(size=(200, 5)).astype(np.float32)
    one, two, other = (kmeans(x, 8, seed, n_init=1) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
    assert (one[0] != other[0]).any()


def test_more_runs_are_never_worse() -> None:
    x = np.random.default_rng(1).normal(size=(200, 5))
    assert kmeans(x, 8, seed=0, n_init=20)[2] <= kmeans(x, 8, seed=0, n_init=1)[2] + 1e-9


def test_sparse_input_is_accepted() -> None:
    x = blobs()
    np.testing.assert_array_equal(kmeans(csr_matrix(x), 3, seed=0)[0], kmeans(x, 3, seed=0)[0])


def test_repeated_points_give_fewer_clusters_without_a_warning() -> None:
    x = np.repeat(np.array([[0.0, 0], [5, 5]]), 4, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        labels, centroids, inertia = kmeans(x, 4, seed=0)
    assert len(set(labels)) == 2
    assert centroids.shape == (4, 2)
    assert inertia == 0


def test_one_cell_is_one_cluster() -> None:
    labels, centroids, _ = kmeans(np.ones((1, 2)), 1, seed=0)
    assert labels.tolist() == [0]
    np.testing.assert_array_equal(centroids, [[1, 1]])


def test_input_is_not_changed() -> None:
    x = blobs()
    before = x.copy()
    x.flags.writeable = False
    kmeans(x, 3, seed=0)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("n_clusters", [0, 61])
def test_impossible_numbers_of_clusters_are_refused(n_clusters: int) -> None:
    with pytest.raises(ValueError, match=f"between 1 and the 60 cells, got {n_clusters}"):
        kmeans(blobs(), n_clusters, seed=0)


def test_number_of_runs_must_be_positive() -> None:
    with pytest.raises(ValueError, match="n_init must be at least 1, got 0"):
        kmeans(blobs(), 2, seed=0, n_init=0)
