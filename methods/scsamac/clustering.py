"""Stage 2: network and centroids together, until the labels settle."""

from __future__ import annotations

import numpy as np
import torch
from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.ending import Ending
from scbench_methods.scsamac.evaluation import Evaluation
from scbench_methods.scsamac.losses import cluster_level_loss, sorted_wasserstein
from scbench_methods.scsamac.model import LATENT_WIDTH, Network
from scbench_methods.scsamac.views import count_loss, encode
from torch import Tensor, nn

from scbench.method import RunContext
from scbench.nn.assignment import soft_assignment, soft_kmeans_loss, target_distribution
from scbench.nn.optimisers import Adadelta
from scbench.nn.train import run_epochs

__all__ = ["ClusterTraining"]

_ADADELTA_EPS = 1e-6


class ClusterTraining:
    """Train a pre-trained network and centroids on counts, assignments and views.

    Args:
        network: changed in place.
        evaluation: of that network.
        cells: the inputs.
        centroids: (n_clusters, 32) to start from.
        run: takes terms, labels and snapshots of each epoch.

    Attributes:
        latent, soft: (n_cells, 32) and (n_cells, n_clusters) of the last evaluation.
        epochs: epochs trained so far.
        stop_reason: why :meth:`fit` ended.
        changed: share of the labels that changed in the last epoch; None before the second evaluation.
    """

    latent: Tensor
    soft: Tensor

    def __init__(
        self, network: Network, evaluation: Evaluation, cells: Cells, centroids: np.ndarray, run: RunContext
    ) -> None:
        self.network = network
        self.cells = cells
        self.centroids = nn.Parameter(torch.tensor(centroids, dtype=cells.dtype, device=cells.device))
        self.head: nn.Linear | None = None
        if cells.config.cluster_head == "trained" and cells.config.cluster_level_weight > 0:
            self.head = self._new_head()
        self.epochs = 0
        self.stop_reason = ""
        self.changed: float | None = None
        self._evaluation = evaluation
        self._run = run
        self._target = torch.empty(0)
        self._places = torch.empty(cells.n_cells, dtype=torch.int64)
        self._places[cells.taught] = torch.arange(len(cells.taught))
        trained = [*network.parameters(), self.centroids, *([] if self.head is None else self.head.parameters())]
        config = cells.config
        self._optimiser = Adadelta(trained, config.cluster_lr, rho=config.rho, eps=_ADADELTA_EPS)

    def _new_head(self) -> nn.Linear:
        """Return an untrained map from latent to clusters."""
        return nn.Linear(LATENT_WIDTH, len(self.centroids)).to(self.cells.device, self.cells.dtype)

    def fit(self, first_epoch: int) -> None:
        """Alternate evaluation and one epoch of training; the result is that of the last evaluation.

        With ``budget=fast`` it also ends, after one more evaluation, at the plateau of the total loss.

        Args:
            first_epoch: number of the first epoch in the run's history.

        Raises:
            Diverged: when a loss or the latent is not finite.
        """
        config = self.cells.config
        most = config.epochs
        self.network.train(config.clustering_dropout)
        ending = Ending(config.budget, self._weights)
        labels: Tensor | None = None
        while True:
            epoch = first_epoch + self.epochs
            previous, labels = labels, self._evaluate(epoch)
            if previous is not None:
                taught = self.cells.taught.to(labels.device)
                self.changed = float((labels != previous)[taught].double().mean())
            if self.changed is not None and self.changed < config.tol:
                self.stop_reason = "labels settled"
            elif ending.reason:
                self.stop_reason = ending.reason
            elif self.epochs >= most:
                self.stop_reason = "epochs"
            values = {} if self.changed is None else {"label_change": self.changed}
            if self.stop_reason:
                self._run.log(epoch, **values)
                return
            terms = self._train(epoch)
            self._run.log(epoch, **values, **terms)
            self.epochs += 1
            ending.is_reached(terms)

    @property
    def _weights(self) -> dict[str, float]:
        """Weight of each term in the total loss; mere numbers, which nothing lowers, have none."""
        config = self.cells.config
        weights = {config.likelihood: 1.0, "soft_kmeans": config.clustering_weight * config.soft_kmeans_weight}
        if config.wasserstein == "sorted":
            weights["wasserstein"] = config.clustering_weight * config.wasserstein_weight
        if self.head is not None:
            weights["cluster_level"] = config.clustering_weight * config.cluster_level_weight
        return weights

    def _evaluate(self, epoch: int) -> Tensor:
        """Make latent, assignment and target anew; return the labels of all cells."""
        with torch.no_grad():
            self.latent = self._evaluation.latent(max(0, epoch - 1))
            self.soft = soft_assignment(self.latent, self.centroids, self.cells.config.dof)
            self._target = target_distribution(self.soft[self.cells.taught.to(self.soft.device)])
        labels = self.soft.argmax(dim=1)
        shown = labels.cpu().numpy()
        self._run.snapshot(epoch, shown)
        self._run.report(epoch, shown)
        return labels

    def _train(self, epoch: int) -> dict[str, float]:
        """Run one epoch and return its mean terms."""
        config = self.cells.config
        (terms,) = run_epochs(
            self._step,
            len(self.cells.taught),
            self.cells.config.batch_size,
            1,
            self.cells.order,
            shuffle=config.shuffle_clustering,
            min_batch=self.cells.least_batch,
            first_epoch=epoch,
        )
        return terms

    def _step(self, indices: Tensor) -> dict[str, Tensor]:
        """Take one step; return the unweighted terms."""
        terms = self.losses(self.cells.taught[indices])
        weights = self._weights
        self._optimiser.zero_grad()
        torch.stack([weights[name] * term for name, term in terms.items() if name in weights]).sum().backward()
        self._optimiser.step()
        return terms

    def losses(self, chosen: Tensor) -> dict[str, Tensor]:
        """Return the unweighted terms of the loss for a batch; those without a weight are left out.

        Args:
            chosen: (n_chosen,) int64 on the CPU, cells with counts.
        """
        config, network, cells = self.cells.config, self.network, self.cells
        is_compared = config.cluster_level_weight > 0
        batch = cells.batch(chosen)
        x = cells.scaled(batch)
        latent = encode(network, cells, x, ("noisy", "clean", *(["masked"] if self.head is not None else [])))
        terms = {config.likelihood: count_loss(network, cells, latent[0], batch)}
        if config.wasserstein_weight > 0:
            terms["wasserstein"] = self._wasserstein(latent[1], chosen)
        if config.soft_kmeans_weight > 0:
            terms["soft_kmeans"] = soft_kmeans_loss(latent[1], self.centroids)
        if is_compared and self.head is not None:
            views = [self.head(view).softmax(dim=1) for view in (latent[1], latent[2])]
            terms["cluster_level"] = cluster_level_loss(views[0], views[1], config.margin)
        elif is_compared:
            terms["cluster_level"] = self._untrained_cluster_level(x, latent[1])
        return terms

    def _wasserstein(self, latent: Tensor, chosen: Tensor) -> Tensor:
        """Return the distance of the assignment from its target; in the form "detached" a mere number."""
        is_detached = self.cells.config.wasserstein == "detached"
        soft = soft_assignment(latent, self.centroids, self.cells.config.dof)
        target = self._target[self._places[chosen].to(latent.device)]
        return sorted_wasserstein(target, soft.detach() if is_detached else soft)

    @torch.no_grad()
    def _untrained_cluster_level(self, x: Tensor, latent: Tensor) -> Tensor:
        """Return what the released program computes: new random heads, one for each view; a mere number."""
        (masked,) = encode(self.network, self.cells, x, ("masked",))
        return cluster_level_loss(self._new_head()(latent), self._new_head()(masked), self.cells.config.margin)
