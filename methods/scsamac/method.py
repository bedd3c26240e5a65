"""scSAMAC: inputs, pre-training, first clusters, clustering."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.clustering import ClusterTraining
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.evaluation import Evaluation
from scbench_methods.scsamac.inputs import Inputs, make_inputs
from scbench_methods.scsamac.model import Network
from scbench_methods.scsamac.pretraining import pretrain
from scbench_methods.scsamac.start import Start, first_clusters

from scbench.errors import DataError
from scbench.method import Clustering, Counts, RunContext, check_n_clusters
from scbench.nn.assignment import squared_distances

__all__ = ["ScSamac"]

_LOG = logging.getLogger(__name__)


class ScSamac:
    """Saliency-adjusted masking induced attention contrastive learning.

    Source: scSAMAC (Li et al., Briefings in Bioinformatics, 2025). The default repairs terms that have no gradient in
    the released program and does not depend on the order of the cells; ``variant="paper_code"`` keeps the program's
    behaviour. README.md lists every difference.
    """

    def __init__(self, config: ScSamacConfig | None = None) -> None:
        self.config = config or ScSamacConfig()

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        """Return labels, the latent (n_cells, 32) and Student-t memberships.

        Cells without counts are not learnt from and get the nearest cluster.

        Raises:
            ValueError: when ``n_clusters`` is below 1 or above the number of cells.
            DataError: when the values are log-normalised, fewer cells than ``n_clusters`` have counts, or the counts
                cannot be prepared.
            Diverged: when a loss or the latent is not finite.
        """
        check_n_clusters(n_clusters, counts.matrix.shape[0])
        config = self.config
        inputs = make_inputs(counts, config, run.cache)
        self._check(inputs, n_clusters)
        cells = Cells(inputs, config, run)
        network = Network(cells.n_genes, config.likelihood, config.n_heads, config.dropout, cells.generator).to(
            cells.device, cells.dtype
        )
        first_epoch, pretrain_stop_reason = pretrain(network, cells, run)
        if pretrain_stop_reason == "plateau":
            _LOG.warning(
                "scSAMAC: budget=fast ended pre-training after %d of %d epochs; the loss is flat before types are "
                "learnt, and on simulated counts such runs found none: compare with budget=paper before use",
                first_epoch,
                config.pretrain_epochs,
            )
        evaluation = Evaluation(network, cells)
        latent = evaluation.latent(max(0, first_epoch - 1))
        host = latent.cpu().numpy().astype(np.float32)
        start = first_clusters(host[cells.taught.numpy()], n_clusters, config, run.seed)
        first_labels = self._all_labels(host, cells, start)
        run.snapshot(first_epoch - 1, first_labels)
        training = ClusterTraining(network, evaluation, cells, start.centroids, run)
        training.fit(first_epoch)
        labels = training.soft.argmax(dim=1).cpu().numpy()
        info = {
            "n_genes_used": cells.n_genes,
            "precision": cells.precision,
            "n_cells_without_counts": len(cells.empty),
            "masked_share_expected": cells.masked_share,
            "k_mode": start.k_mode,
            "n_latent_communities": start.n_communities,
            "pretrain_epochs": first_epoch,
            "pretrain_stop_reason": pretrain_stop_reason,
            "clustering_epochs": training.epochs,
            "stop_reason": training.stop_reason,
            "label_change": training.changed,
            "share_moved_since_first_clusters": float((labels != first_labels).mean()),
            "attention_of_evaluation": evaluation.scope,
        }
        return self._clustering(training, labels, n_clusters, info)

    def _check(self, inputs: Inputs, n_clusters: int) -> None:
        """Refuse what k-means cannot start from."""
        n_taught = int(inputs.nonempty.sum())
        if n_taught < n_clusters:
            raise DataError(
                f"scSAMAC needs a cell with counts for each cluster, got {n_taught} for {n_clusters} clusters; "
                "ask for fewer clusters or remove the cells without counts"
            )

    def _all_labels(self, latent: np.ndarray, cells: Cells, start: Start) -> np.ndarray:
        """Return first labels of all cells; those without counts get the nearest centroid's."""
        distances = squared_distances(torch.from_numpy(latent), torch.from_numpy(start.centroids))
        labels = distances.argmin(dim=1).numpy()
        labels[cells.taught.numpy()] = start.labels
        return labels

    def _clustering(
        self, training: ClusterTraining, labels: np.ndarray, n_clusters: int, info: dict[str, Any]
    ) -> Clustering:
        """Return the result; clusters that were asked for and not found are columns of zeros."""
        soft = training.soft.cpu().numpy().astype(np.float32)
        padded = np.zeros((len(soft), n_clusters), dtype=np.float32)
        padded[:, : soft.shape[1]] = soft
        embedding = training.latent.cpu().numpy().astype(np.float32)
        return Clustering(labels.astype(np.int64), embedding=embedding, soft=padded, info=info)
