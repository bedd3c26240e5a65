"""Centroids and pseudo-labels: where they come from, and how they follow the representation."""

from __future__ import annotations

import torch
from scbench_methods.cicl.lloyd import Partition, cluster_means, cold_start, nearest, warm_start
from scipy.optimize import linear_sum_assignment
from torch import Tensor

__all__ = ["PseudoLabels", "keep_names"]


class PseudoLabels:
    """The partition that the cluster-aware loss uses.

    Lloyd's rounds go on from the last centroids, so that clusters keep their numbers; every ``cold_restart_every``
    updates fresh starts are tried as well, and win when their inertia is lower. Their clusters then get the numbers
    of the old ones they overlap with most, so that a change of labels is a change of the partition.

    Args:
        n_clusters: between 1 and the number of cells.
        n_starts: k-means++ starts of the first and of every cold partition.
        cold_restart_every: updates between cold restarts; 0 = never.
        generator: CPU generator of the starts.
    """

    def __init__(self, n_clusters: int, n_starts: int, cold_restart_every: int, generator: torch.Generator) -> None:
        self.n_clusters = n_clusters
        self.n_cold_wins = 0
        self._n_starts = n_starts
        self._cold_restart_every = cold_restart_every
        self._generator = generator
        self._n_updates = 0

    def start(self, points: Tensor, source: Tensor) -> Partition:
        """Return the partition of ``source`` by k-means, with the centroids of its clusters in ``points``.

        Args:
            points: (n_cells, n_features) representations.
            source: (n_cells, any) what k-means is run on: ``points`` itself, or the input.
        """
        found = cold_start(source, self.n_clusters, self._n_starts, self._generator)
        if source is not points:
            found = found._replace(centroids=cluster_means(points, found.labels, self.n_clusters))
        self.partition = found
        return found

    def follow(self, points: Tensor) -> Partition:
        """Return the partition of the same cells after the encoder has moved them."""
        self._n_updates += 1
        found = warm_start(points, self.partition.centroids)
        if self._cold_restart_every and self._n_updates % self._cold_restart_every == 0:
            cold = cold_start(points, self.n_clusters, self._n_starts, self._generator)
            if float(cold.inertia) < float(found.inertia):
                self.n_cold_wins += 1
                found = keep_names(cold, found.labels)
        self.partition = found
        return found

    def follow_batch(self, points: Tensor) -> Tensor:
        """Return labels of a mini-batch after Lloyd's rounds on it alone; its centroids are the next batch's start."""
        self.partition = warm_start(points, self.partition.centroids)
        return self.partition.labels

    def of(self, points: Tensor) -> Tensor:
        """Return the nearest centroid of each point; centroids stay."""
        return nearest(points, self.partition.centroids).labels


def keep_names(partition: Partition, previous: Tensor) -> Partition:
    """Return ``partition`` with its clusters numbered so that the most cells keep their number.

    Args:
        partition: with centroids of all clusters.
        previous: (n_cells,) labels before, of as many clusters.
    """
    k = len(partition.centroids)
    overlap = torch.bincount(partition.labels * k + previous, minlength=k * k).view(k, k)
    new, old = linear_sum_assignment(overlap.cpu().numpy(), maximize=True)
    names = torch.empty(k, dtype=torch.int64)
    names[torch.from_numpy(new)] = torch.from_numpy(old)
    names = names.to(previous.device)
    centroids = torch.empty_like(partition.centroids)
    centroids[names] = partition.centroids
    return Partition(names[partition.labels], centroids, partition.inertia)
