"""CICL: wiring of input, training and read-out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scbench_methods.cicl.config import CiclConfig
from scbench_methods.cicl.lloyd import cluster_means, nearest, sample_size
from scbench_methods.cicl.read_out import in_mini_batches, kmeans_labels
from scbench_methods.cicl.training import Training
from torch import Tensor

from scbench.errors import ConfigError, DataError
from scbench.method import Clustering, Counts, RunContext, check_n_clusters
from scbench.nn.assignment import soft_assignment
from scbench.preprocessing.prepare import Prepared, prepare
from scbench.preprocessing.recipe import Recipe

__all__ = ["Cicl"]

_FROZEN_SNAPSHOT_EVERY = 5  # epochs; the released program evaluates so often


class Cicl:
    """Cluster-aware iterative contrastive learning.

    Source: CICL (arXiv 2312.16600; IEEE BIBM 2024, doi 10.1109/BIBM62325.2024.10822557).
    """

    def __init__(self, config: CiclConfig | None = None) -> None:
        self.config = config or CiclConfig()

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        """Return labels, representations and Student-t memberships.

        Log-normalised input starts at the choice of genes. Cells without counts are not learnt from and get the
        nearest cluster.

        Raises:
            ValueError: when ``n_clusters`` is below 1 or above the number of cells.
            ConfigError: when ``batch_size`` is below ``n_clusters``, unless the input is read out.
            DataError: when fewer than two cells, or fewer than ``n_clusters``, have counts, or fewer than two genes.
            Diverged: when a loss is not finite.
        """
        config = self.config
        check_n_clusters(n_clusters, counts.matrix.shape[0])
        recipe = Recipe(hvg=config.n_top_genes, scale=True, clip=config.scale_clip)
        prepared = prepare(counts, recipe, run.cache)
        self._check(prepared, n_clusters)
        x = torch.tensor(prepared.x, device=run.device)
        taught = torch.from_numpy(np.flatnonzero(prepared.nonempty)).to(run.device)
        used = {"n_genes_used": x.shape[1], "read_out_by": self._read_out_by(len(taught))}
        if config.read_out == "input":
            found = self._by_kmeans(x, taught, n_clusters, run.seed)
            return replace(found, info=used | {"epochs_run": 0, "stop_reason": "input is read out"})
        training = Training(config, x, taught, n_clusters, run)

        def watch(epoch: int) -> None:
            is_due = config.centroids != "frozen" or epoch % _FROZEN_SNAPSHOT_EVERY == 0
            can_be_read = config.read_out != "centroid" or training.epochs_run >= config.warmup_epochs
            if run.snapshots and is_due and can_be_read:
                run.snapshot(epoch, self._read_out(training).labels)

        training.fit(watch)
        done = {
            "epochs_run": training.epochs_run,
            "stop_reason": training.stop_reason,
            "precision": str(training.product_type).removeprefix("torch."),
            "cold_restarts_won": training.pseudo.n_cold_wins,
            "starts_compared_on": self._compared_on(len(taught), n_clusters),
        }
        return replace(self._read_out(training), info=used | done)

    def _check(self, prepared: Prepared, n_clusters: int) -> None:
        """Refuse what cannot be contrasted."""
        n_taught, n_genes = int(prepared.nonempty.sum()), prepared.x.shape[1]
        if n_taught < max(2, n_clusters):
            raise DataError(
                f"CICL contrasts cells with each other and needs at least {max(2, n_clusters)} cells with counts for "
                f"{n_clusters} clusters, got {n_taught}"
            )
        if n_genes < 2:
            raise DataError(f"CICL normalises each cell over its genes and needs at least 2, got {n_genes}")
        if self.config.read_out != "input" and self.config.batch_size < n_clusters:
            raise ConfigError(
                f"method.batch_size must be at least the number of clusters, got {self.config.batch_size} for "
                f"{n_clusters} clusters; raise it, or leave it at its default"
            )

    def _read_out_by(self, n_taught: int) -> str:
        """Return how the final labels are found, for the run's record."""
        if self.config.read_out == "centroid":
            return "nearest centroid"
        return "k-means in mini-batches" if in_mini_batches(n_taught) else "k-means"

    def _compared_on(self, n_taught: int, n_clusters: int) -> str:
        """Return the cells that starts of the centroids are compared on, for the run's record."""
        n_compared = sample_size(n_taught, n_clusters)
        return "all cells" if n_compared == n_taught else f"{n_compared} random cells"

    def _read_out(self, training: Training) -> Clustering:
        """Return labels, representations and memberships of all cells at this point of the training."""
        points = training.represent(training.x)
        if self.config.read_out == "kmeans":
            return self._by_kmeans(points, training.taught, training.pseudo.n_clusters, training.run.seed)
        return self._clustering(training.pseudo.of(points), points, training.pseudo.partition.centroids)

    def _by_kmeans(self, points: Tensor, taught: Tensor, n_clusters: int, seed: int) -> Clustering:
        """Return the clusters that k-means finds in the rows ``taught``; other rows join the nearest one."""
        config, seen = self.config, points[taught]
        on_host = kmeans_labels(seen.cpu().numpy(), n_clusters, seed, config.final_start, config.final_n_init)
        found = torch.from_numpy(on_host).to(points.device)
        centroids = cluster_means(seen, found, n_clusters)
        labels = nearest(points, centroids).labels
        labels[taught] = found
        return self._clustering(labels, points, centroids)

    def _clustering(self, labels: Tensor, points: Tensor, centroids: Tensor) -> Clustering:
        """Return the result with its Student-t memberships, on the host."""
        soft = soft_assignment(points, centroids, self.config.dof)
        return Clustering(labels.cpu().numpy(), embedding=points.cpu().numpy(), soft=soft.cpu().numpy())
