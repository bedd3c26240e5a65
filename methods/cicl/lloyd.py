"""k-means on the device of the points: every distance by one matrix product, nothing of size cells x cells.

The final labels come from scikit-learn (``scbench.kmeans``); this one serves the centroids during training, where
copying all representations to the host in every epoch would cost more than the step on a GPU.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

__all__ = ["Partition", "cluster_means", "cold_start", "nearest", "sample_size", "warm_start"]

_MOST_ROUNDS = 100
# Centroids have settled when their squared moves sum to less than this share of the mean variance (scikit-learn's).
_SETTLED = 1e-4
# Starts are compared on so many cells at most; the best one goes on with all.
_SAMPLE = 20_000


class Partition(NamedTuple):
    """Labels (n_cells,) int64, centroids (n_clusters, n_features) and the sum of squared distances, a scalar."""

    labels: Tensor
    centroids: Tensor
    inertia: Tensor


def nearest(points: Tensor, centroids: Tensor) -> Partition:
    """Return each point's nearest centroid; ``centroids`` are kept as they are.

    Args:
        points: (n_cells, n_features) float32.
        centroids: (n_clusters, n_features), same device.
    """
    origin = points.mean(dim=0)  # differences of large numbers would cost digits
    moved, centres = points - origin, centroids - origin
    scores = torch.addmm(centres.square().sum(dim=1), moved, centres.T, alpha=-2)
    least = scores.min(dim=1)
    distances = (least.values + moved.square().sum(dim=1)).clamp(min=0)
    return Partition(least.indices, centroids, distances.sum(dtype=torch.float64))


def warm_start(points: Tensor, centroids: Tensor) -> Partition:
    """Return the partition that Lloyd's rounds reach from ``centroids``.

    An empty cluster goes on from the point farthest from its centroid.

    Args:
        points: (n_cells, n_features) float32.
        centroids: (n_clusters, n_features), same device; not changed.
    """
    origin = points.mean(dim=0)
    moved, centres = points - origin, centroids - origin
    lengths = moved.square().sum(dim=1)
    settled = _SETTLED * float(lengths.mean()) / points.shape[1]
    for _ in range(_MOST_ROUNDS):
        scores = torch.addmm(centres.square().sum(dim=1), moved, centres.T, alpha=-2)
        least = scores.min(dim=1)
        before = centres
        centres, sizes = _means_and_sizes(moved, least.indices, len(centres))
        n_empty, shift = torch.stack([(sizes == 0).sum(), (centres - before).square().sum()]).tolist()  # waits once
        if n_empty:
            centres[sizes == 0] = moved[(least.values + lengths).topk(int(n_empty)).indices]
            shift = float((centres - before).square().sum())
        if shift <= settled:
            break
    return nearest(points, centres + origin)


def sample_size(n_points: int, n_clusters: int) -> int:
    """Return the number of points that :func:`cold_start` compares its starts on."""
    return min(n_points, max(_SAMPLE, n_clusters))


def cold_start(points: Tensor, n_clusters: int, n_starts: int, generator: torch.Generator) -> Partition:
    """Return the best partition of ``n_starts`` k-means++ starts.

    Args:
        points: (n_cells, n_features) float32.
        n_clusters: between 1 and n_cells.
        n_starts: at least 1; they are compared on 20 000 random points when there are more.
        generator: CPU generator, so that draws are the same on every device.

    Source: Arthur and Vassilvitskii 2007.
    """
    sample = points
    n_compared = sample_size(len(points), n_clusters)
    if n_compared < len(points):
        chosen = torch.randperm(len(points), generator=generator)[:n_compared]
        sample = points[chosen.to(points.device)]
    starts = _plus_plus(sample, n_clusters, n_starts, generator)
    found = [warm_start(sample, start) for start in starts]
    best = found[int(torch.stack([partition.inertia for partition in found]).argmin())]
    return best if sample is points else warm_start(points, best.centroids)


def cluster_means(points: Tensor, labels: Tensor, n_clusters: int) -> Tensor:
    """Return the mean of the points of each cluster, (n_clusters, n_features); 0 for an empty one.

    By a product with the membership matrix, whose sums are the same at each call, unlike those of scattered adds on a
    GPU.
    """
    return _means_and_sizes(points, labels, n_clusters)[0]


def _means_and_sizes(points: Tensor, labels: Tensor, n_clusters: int) -> tuple[Tensor, Tensor]:
    """Return the means of :func:`cluster_means` and the number of points of each, (n_clusters,)."""
    members = one_hot(labels, n_clusters).to(points.dtype)
    sizes = members.sum(dim=0)
    return members.T @ points / sizes.clamp(min=1)[:, None], sizes


def _plus_plus(points: Tensor, n_clusters: int, n_starts: int, generator: torch.Generator) -> Tensor:
    """Return (n_starts, n_clusters, n_features) starting centroids, drawn with odds of the squared distance."""
    n_points, device = len(points), points.device
    moved = points - points.mean(dim=0)
    lengths = moved.square().sum(dim=1, keepdim=True)
    chosen = torch.randint(n_points, (n_starts,), generator=generator).to(device)
    picked = [chosen]
    distances = torch.full((n_points, n_starts), torch.inf, device=device)
    for _ in range(n_clusters - 1):
        to_last = lengths + lengths[chosen].T - 2 * moved @ moved[chosen].T
        distances = torch.minimum(distances, to_last.clamp(min=0))
        running = distances.T.double().cumsum(dim=1)
        lots = torch.rand((n_starts, 1), generator=generator, dtype=torch.float64).to(device)
        chosen = torch.searchsorted(running, lots * running[:, -1:], right=True)[:, 0].clamp(max=n_points - 1)
        picked.append(chosen)
    return points[torch.stack(picked, dim=1)]
