"""scSiameseClu: inputs, three stages of pre-training, main training, labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scbench_methods.scsiameseclu.config import ScSiameseCluConfig
from scbench_methods.scsiameseclu.inputs import Inputs, make_inputs
from scbench_methods.scsiameseclu.model import Network
from scbench_methods.scsiameseclu.pretraining import initial_codes, pretrain
from scbench_methods.scsiameseclu.setting import Setting, Stage
from scbench_methods.scsiameseclu.training import MainTraining, Views
from scbench_methods.scsiameseclu.views import diffusion_matrix, prune_edges, prune_rows, random_walk
from torch import Tensor

from scbench.kmeans import kmeans
from scbench.method import Clustering, Counts, Diverged, RunContext, check_n_clusters
from scbench.nn.assignment import soft_assignment
from scbench.nn.diffusion import DirectedPpr, Ppr
from scbench.nn.precision import product_type
from scbench.nn.propagate import SparseGraph
from scbench.nn.sparse_counts import SparseCounts

__all__ = ["ScSiameseClu"]

_MANY_CELLS = 100_000


class ScSiameseClu:
    """Siamese clustering of an augmented graph of cells.

    Source: "scSiameseClu" (IJCAI 2025, arXiv 2505.12626). The default repairs what the released program does not do
    as the paper says; ``variant="paper_code"`` keeps the program's behaviour, its use of labels excepted. README.md
    lists every difference.
    """

    def __init__(self, config: ScSiameseCluConfig | None = None) -> None:
        self.config = config or ScSiameseCluConfig()

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        """Return labels, the embedding (n_cells, 20) and soft assignments.

        With ``assign="kmeans"`` the soft assignment is to the centroids of the final k-means, so that it agrees with
        the labels; with "argmax_q" it is the trained one.

        Raises:
            ValueError: when ``n_clusters`` is below 1 or above the number of cells.
            DataError: when the counts cannot be prepared.
            Diverged: when a loss is not finite.
        """
        check_n_clusters(n_clusters, counts.matrix.shape[0])
        config = self.config
        inputs = make_inputs(counts, config, run.cache)
        setting = Setting(inputs, config, run)
        network = self._network(inputs, setting)
        phases = pretrain(network, setting, self._igae_stage(inputs, setting))
        main_starts = sum(phase.epochs for phase in phases.values())
        if config.is_paper_code:
            with torch.no_grad():
                network.attention_weight.zero_()  # not loaded by the program, also for its centroids
        latent, graph_codes = initial_codes(network, setting)
        _check_finite(latent, main_starts)
        memberships, centroids, _ = kmeans(latent, n_clusters, run.seed, n_init=self._n_init(len(latent)))
        run.snapshot(main_starts - 1, memberships)
        training = MainTraining(
            network,
            centroids,
            memberships,
            self._views(inputs, graph_codes, setting),
            self._sparse_counts(inputs, setting),
            setting,
        )
        phases["main"] = training.run_epochs(main_starts, lambda *seen: self._after_epoch(n_clusters, run, *seen))
        info = {
            "budget": config.budget,
            "precision": str(network.product_type).removeprefix("torch."),
            "epochs": main_starts + phases["main"].epochs,
            "epochs_of_phases": {name: phase.epochs for name, phase in phases.items()},
            "stop_reasons": {name: phase.stop_reason for name, phase in phases.items()},
            "main_training_starts_at_epoch": main_starts,
            "n_components": setting.n_features,
            "n_edges": int(inputs.graph.nnz),
            "n_edges_after_removal": training.views.n_edges,
            "metric": config.metric_used,
            "zinb": self._zinb_input(inputs),
            "n_init": self._n_init(setting.n_cells),
            **setting.approximations(),
        }
        return self._clustering(training, n_clusters, run, info)

    def _network(self, inputs: Inputs, setting: Setting) -> Network:
        """Return the untrained network; its count heads predict the genes, in ``paper_code`` the components."""
        counts_genes = inputs.counts is not None and not self.config.is_paper_code
        n_outputs = inputs.counts.shape[1] if counts_genes and inputs.counts is not None else setting.n_features
        kind = product_type(self.config.precision, setting.x.device)
        return Network(setting.n_cells, setting.n_features, n_outputs, kind).to(setting.x.device)

    def _igae_stage(self, inputs: Inputs, setting: Setting) -> Stage:
        """Return the graph of the second stage: the normalised one; in ``paper_code`` the raw one."""
        return setting.stage(inputs.graph) if self.config.is_paper_code else setting.normalised

    def _views(self, inputs: Inputs, graph_codes: np.ndarray, setting: Setting) -> Views:
        """Return the graphs of the two views."""
        config, device = self.config, setting.x.device
        by_columns = config.is_paper_code
        if by_columns:
            pruned = prune_rows(inputs.graph, graph_codes, config.edge_removal)
        else:
            pruned = prune_edges(inputs.graph, graph_codes, config.edge_removal)
        spread = diffusion_matrix(inputs.graph)
        is_directed = config.symmetrise_used == "none"
        diffused = (DirectedPpr if is_directed else Ppr)(spread, config.teleport, device=device)
        return Views(SparseGraph(random_walk(pruned, by_columns=by_columns), device), diffused, int(pruned.nnz))

    def _zinb_input(self, inputs: Inputs) -> str:
        """Return what the ZINB loss is computed on, for the run's record."""
        if "zinb" in self.config.left_out:
            return "left out"
        if self.config.is_paper_code:
            return "principal components"
        return "off: the input is log-normalised" if inputs.counts is None else "counts of the variable genes"

    def _sparse_counts(self, inputs: Inputs, setting: Setting) -> SparseCounts | None:
        """Return the counts for the ZINB loss, or None when it does not see counts."""
        if inputs.counts is None or self.config.is_paper_code or "zinb" in self.config.left_out:
            return None
        return SparseCounts(inputs.counts, setting.size_factors, setting.x.device).made_ready()

    def _n_init(self, n_cells: int) -> int:
        """Return the number of k-means starts; fewer in very large sets, where they cost most and differ least."""
        return min(self.config.n_init, 5) if n_cells > _MANY_CELLS else self.config.n_init

    def _after_epoch(self, n_clusters: int, run: RunContext, epoch: int, latent: Tensor, soft: Tensor) -> None:
        """Report the soft assignment to a search; cluster this epoch's embedding only when snapshots are kept."""
        run.report(epoch, soft.argmax(dim=1).cpu().numpy())
        if run.snapshots:
            found = kmeans(latent.cpu().numpy(), n_clusters, run.seed, n_init=self._n_init(len(latent)))
            run.snapshot(epoch, found[0])

    def _clustering(self, training: MainTraining, n_clusters: int, run: RunContext, info: dict[str, Any]) -> Clustering:
        """Return labels of the noise-free embedding; in ``paper_code`` of the last epoch's noisy one."""
        is_noisy = self.config.is_paper_code and training.last_pass is not None
        latent, soft = training.last_pass if is_noisy and training.last_pass else training.embed()
        embedding = latent.cpu().numpy()
        _check_finite(embedding, info["epochs"])
        if self.config.assign == "argmax_q":
            labels = soft.argmax(dim=1).cpu().numpy()
        else:
            labels, centroids, _ = kmeans(embedding, n_clusters, run.seed, n_init=self._n_init(len(embedding)))
            soft = soft_assignment(latent, torch.tensor(centroids, dtype=latent.dtype, device=latent.device))
        info["n_clusters_found"] = len(np.unique(labels))
        return Clustering(labels, embedding=embedding, soft=soft.cpu().numpy(), info=info)


def _check_finite(embedding: np.ndarray, n_epochs: int) -> None:
    """Refuse an embedding that the last step has driven out of range: no loss came after it."""
    if not np.isfinite(embedding).all():
        raise Diverged(max(0, n_epochs - 1), {"embedding": float("nan")})
