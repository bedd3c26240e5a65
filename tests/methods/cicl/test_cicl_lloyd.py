"""k-means on the device against scikit-learn, brute force and hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scbench_methods.cicl import lloyd
from scbench_methods.cicl.lloyd import cluster_means, cold_start, nearest, warm_start
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score


def blobs(n: int = 300, k: int = 5, spread: float = 1.0, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, 8)) * 4
    return torch.from_numpy((centres[rng.integers(k, size=n)] + spread * rng.normal(size=(n, 8))).astype(np.float32))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_nearest_centroid_is_that_of_all_distances(offset: float) -> None:
    points, centroids = blobs() + offset, blobs(7, seed=1) + offset
    distances = torch.cdist(points.double(), centroids.double())
    found = nearest(points, centroids)
    assert torch.equal(found.labels, distances.argmin(dim=1))
    assert float(found.inertia) == pytest.approx(float(distances.min(dim=1).values.square().sum()), rel=1e-4)
    assert torch.equal(found.centroids, centroids)


def test_warm_start_is_lloyds_algorithm_of_scikit_learn() -> None:
    points = blobs(spread=3.0)
    start = points[:5].clone()
    found = warm_start(points, start)
    reference = KMeans(5, init=start.numpy(), n_init=1).fit(points.numpy())
    assert adjusted_rand_score(found.labels, reference.labels_) == 1
    assert float(found.inertia) == pytest.approx(reference.inertia_, rel=1e-4)
    torch.testing.assert_close(start, points[:5])


def test_warm_start_never_raises_the_inertia() -> None:
    points = blobs(spread=3.0)
    for seed in range(5):
        start = points[torch.randperm(300, generator=generator(seed))[:5]]
        assert float(warm_start(points, start).inertia) <= float(nearest(points, start).inertia)


def test_an_empty_cluster_goes_on_at_the_farthest_cell() -> None:
    points = torch.tensor([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1], [9.0, 9.0]])
    start = torch.tensor([[0.0, 0.0], [-50.0, -50.0]])
    found = warm_start(points, start)
    assert found.labels.tolist() == [0, 0, 0, 1]
    torch.testing.assert_close(found.centroids[1], points[3])


def test_cold_start_is_as_good_as_scikit_learn() -> None:
    for seed in range(3):
        points = blobs(spread=2.5, k=8, seed=seed)
        found = cold_start(points, 8, 10, generator())
        reference = KMeans(8, n_init=10, random_state=0).fit(points.numpy())
        assert float(found.inertia) <= reference.inertia_ * 1.02
        assert len(found.labels.unique()) == 8


def test_separated_groups_are_found() -> None:
    truth = torch.arange(5).repeat(20)
    points = 30 * torch.eye(5)[truth] + torch.randn(100, 5, generator=generator(3))
    assert adjusted_rand_score(cold_start(points, 5, 10, generator()).labels, truth) == 1


def test_first_centroids_are_drawn_with_odds_of_the_squared_distance() -> None:
    """From 0, the point at 3 has odds 9 : 1 against the one at 1; from 1 the one at 3 has 4 : 1, and so on."""
    points = torch.tensor([[0.0], [1.0], [3.0]])
    starts = lloyd._plus_plus(points, 2, 20_000, generator())[:, :, 0]
    pairs = {
        (a, b): float(((starts[:, 0] == a) & (starts[:, 1] == b)).double().mean()) for a in (0, 1, 3) for b in (0, 1, 3)
    }
    expected = {(0, 1): 1 / 10, (0, 3): 9 / 10, (1, 0): 1 / 5, (1, 3): 4 / 5, (3, 0): 9 / 13, (3, 1): 4 / 13}
    for pair, share in pairs.items():
        assert share == pytest.approx(expected.get(pair, 0) / 3, abs=0.02)


def test_large_sets_are_seeded_on_a_sample_and_partitioned_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    points = blobs(400, spread=0.5)
    whole = cold_start(points, 5, 5, generator())
    monkeypatch.setattr(lloyd, "_SAMPLE", 100)
    sampled = cold_start(points, 5, 5, generator())
    assert len(sampled.labels) == 400
    assert adjusted_rand_score(sampled.labels, whole.labels) == 1


def test_fewer_distinct_points_than_clusters_end_and_stay_finite() -> None:
    points = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).repeat(5, 1)
    found = cold_start(points, 4, 3, generator())
    assert float(found.inertia) == 0
    assert torch.isfinite(found.centroids).all()
    assert len(found.labels.unique()) == 2


def test_means_are_those_of_each_cluster_and_zero_for_an_empty_one() -> None:
    points = torch.tensor([[1.0, 2.0], [3.0, 4.0], [10.0, 0.0]])
    assert cluster_means(points, torch.tensor([2, 2, 0]), 3).tolist() == [[10.0, 0.0], [0.0, 0.0], [2.0, 3.0]]


def test_the_generator_decides() -> None:
    points = blobs(spread=5.0)
    first, again, other = (cold_start(points, 9, 1, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.labels, again.labels)
    assert not torch.equal(first.centroids, other.centroids)
