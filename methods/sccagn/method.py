"""scCAGN: inputs, pre-trained autoencoder, first centroids, main phase, labels."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import torch
from scbench_methods.sccagn.adversary import Game
from scbench_methods.sccagn.config import LATENT_WIDTH, ScCagnConfig
from scbench_methods.sccagn.course import step_size
from scbench_methods.sccagn.cross_attention import choose_reach
from scbench_methods.sccagn.dense_input import on_device
from scbench_methods.sccagn.fitted import Fitted, place_all
from scbench_methods.sccagn.gnn import CellGraph
from scbench_methods.sccagn.inputs import Inputs, make_inputs
from scbench_methods.sccagn.model import Network
from scbench_methods.sccagn.pretraining import Pretrained, n_starts, pretrain
from scbench_methods.sccagn.training import MainTraining
from torch import Tensor

from scbench.errors import DataError
from scbench.kmeans import kmeans
from scbench.method import Clustering, Counts, Diverged, RunContext, check_n_clusters
from scbench.nn.assignment import soft_assignment

__all__ = ["ScCagn"]

_UNTRAINED = 0.95  # share of the variance

_log = logging.getLogger(__name__)


class ScCagn:
    """Structural clustering with cross attention and an adversarial term.

    Source: scCAGN (BMC Genomics 2025, 26:749). The default repairs what the released program does not do as the paper
    says, as far as that can be used; ``variant="paper_code"`` keeps the program's behaviour, its use of labels
    excepted. README.md lists every difference.
    """

    def __init__(self, config: ScCagnConfig | None = None) -> None:
        self.config = config or ScCagnConfig()

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        """Return labels, the fused latent (n_cells, 8) and memberships; see :meth:`fit`."""
        return self.fit(counts, n_clusters, run).clustering

    def fit(self, counts: Counts, n_clusters: int, run: RunContext) -> Fitted:
        """Return the trained network with the clusters of ``counts``.

        Cells without counts, and those that ``filter_cells`` takes out, are not learnt from and get the cluster that
        the network gives to a cell without neighbours.

        Raises:
            ValueError: when ``n_clusters`` is below 1 or above the number of cells.
            DataError: when too few cells can be learnt from, or the counts cannot be prepared.
            Diverged: when a loss is not finite.
        """
        check_n_clusters(n_clusters, counts.matrix.shape[0])
        config = self.config
        inputs = make_inputs(counts, config, run.cache)
        n_taught = int(inputs.taught.sum())
        if n_taught < n_clusters:
            raise DataError(
                f"scCAGN needs a cell to learn from for each cluster, got {n_taught} for {n_clusters} clusters; "
                "ask for fewer clusters, or remove the cells without counts"
            )
        x = on_device(inputs.x, inputs.taught, run.device)
        pretrained = pretrain(x, n_clusters, config, run)
        training = self._main_training(x, inputs, pretrained, n_clusters, run)
        first_labels = self._start(training, x, pretrained, n_clusters, run)
        first_epoch = len(pretrained.history)
        if run.snapshots and first_epoch > 0:  # without pre-training no epoch has ended yet
            run.snapshot(first_epoch - 1, self._everywhere(first_labels, training.network, inputs, run))

        def on_epoch(epoch: int, labels: Tensor) -> None:
            seen = labels.cpu().numpy()
            run.report(epoch, seen)
            if run.snapshots:
                run.snapshot(epoch, self._everywhere(seen, training.network, inputs, run))

        training.fit(first_epoch, on_epoch)
        info = {
            "n_genes_used": int(inputs.x.shape[1]),
            "n_cells_left_out": int((~inputs.taught).sum()),
            "n_neighbours_kept": inputs.n_directed_edges,
            "distances_of": inputs.measured_on,
            "attention": self._attention_record(training),
            "restart_kept": pretrained.restart,
            "restart_chosen_by": pretrained.chosen_by,
            "silhouette": None if math.isnan(pretrained.silhouette) else pretrained.silhouette,
            "unexplained_variance": self._unexplained(x, pretrained),
            "pretrain_epochs": first_epoch,
            "pretrain_stop_reason": pretrained.stop_reason,
            "pretrain_batch_used": min(len(x), step_size(len(x), config)) if first_epoch > 0 else None,
            "epochs": training.epochs,
            "stop_reason": training.stop_reason,
        }
        clustering = self._clustering(training, inputs, n_clusters, run, info)
        return Fitted(training.network, clustering, inputs, config, run.device)

    def _unexplained(self, x: Tensor, pretrained: Pretrained) -> float | None:
        """Return the error of pre-training as a share of the variance of the input; None where there is neither."""
        variance = float(x.var(dim=0, correction=0).mean())
        if not pretrained.history or variance == 0:
            return None
        share = pretrained.history[-1] / variance
        if share > _UNTRAINED:
            _log.warning(
                "the autoencoder leaves %.0f %% of the variance unexplained after %d epochs on %d cells: its latent "
                "says little; a smaller method.batch_size or more method.pretrain_epochs gives it more steps",
                100 * share,
                len(pretrained.history),
                len(x),
            )
        return share

    def _main_training(
        self, x: Tensor, inputs: Inputs, pretrained: Pretrained, n_clusters: int, run: RunContext
    ) -> MainTraining:
        """Return the main phase before its first step; centroids are not set yet."""
        config = self.config
        frozen = None
        if not config.live_latent:
            with torch.no_grad():
                frozen = pretrained.autoencoder.encode(x)
        network = Network(pretrained.autoencoder, n_clusters, config).to(run.device)
        graph = CellGraph(inputs.graph, config.norm, run.device)
        reach = choose_reach(config, len(x), run.generator, run.device)
        game = None
        if config.main_theta > 0:
            draws = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=run.generator)))
            game = Game(config, LATENT_WIDTH, run.device, draws)
        return MainTraining(network, x, graph, reach, game, frozen, config, run)

    def _start(
        self, training: MainTraining, x: Tensor, pretrained: Pretrained, n_clusters: int, run: RunContext
    ) -> np.ndarray:
        """Set the first centroids and return the labels that go with them."""
        labels, centroids = pretrained.labels, pretrained.centroids
        if self.config.centroids_from == "fused":
            latent = training.embed()[0].cpu().numpy()
            labels, centroids, _ = kmeans(latent, n_clusters, run.seed, n_init=n_starts(self.config, len(x)))
        training.network.set_centroids(centroids)
        return labels

    def _everywhere(self, labels: np.ndarray, network: Network, inputs: Inputs, run: RunContext) -> np.ndarray:
        """Return labels of all cells; those that were not learnt from are placed by the network as it is."""
        if inputs.taught.all():
            return labels
        _, soft = place_all(network, inputs.x, inputs.taught, inputs.graph, self.config, run.device)
        everywhere: np.ndarray = soft.argmax(axis=1)
        everywhere[inputs.taught] = labels
        return everywhere

    def _attention_record(self, training: MainTraining) -> str:
        """Return whom a cell attends to, for the run's record."""
        return training.reach.name if self.config.join == "ca" else f"none: fusion is {self.config.join}"

    def _clustering(
        self, training: MainTraining, inputs: Inputs, n_clusters: int, run: RunContext, info: dict[str, Any]
    ) -> Clustering:
        """Return the result after the last update.

        Without the divergence that moves the centroids they would still be at their start, so k-means on the latent
        takes their place.
        """
        config, network = self.config, training.network
        latent, soft = place_all(network, inputs.x, inputs.taught, inputs.graph, config, run.device)
        last_epoch = info["pretrain_epochs"] + training.epochs - 1
        if not np.isfinite(latent).all():
            raise Diverged(max(0, last_epoch), {"latent": float("nan")})
        info["labels_from"] = "memberships"
        if config.assignment_weight == 0:
            found = latent[inputs.taught]
            _, centroids, _ = kmeans(found, n_clusters, run.seed, n_init=n_starts(config, len(found)))
            network.set_centroids(centroids)
            soft = soft_assignment(torch.as_tensor(latent), torch.as_tensor(centroids)).numpy()
            info["labels_from"] = "k-means on the latent: nothing moves the centroids"
        labels = soft.argmax(axis=1).astype(np.int64)
        if training.epochs > 0:
            run.report(last_epoch, labels)
            run.snapshot(last_epoch, labels)
        info["n_clusters_found"] = len(np.unique(labels))
        return Clustering(labels, embedding=latent, soft=soft, info=info)
