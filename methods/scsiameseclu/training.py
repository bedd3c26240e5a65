"""The main training: two noisy views, one fused embedding, counts, and a transport target."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scbench_methods.scsiameseclu import losses
from scbench_methods.scsiameseclu.model import Codes, Network
from scbench_methods.scsiameseclu.phases import Phase
from scbench_methods.scsiameseclu.setting import Setting
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from scbench.method import Diverged
from scbench.nn.assignment import kl, soft_assignment
from scbench.nn.igae import GraphPass, mean_over_views
from scbench.nn.likelihood import zinb_nll
from scbench.nn.optimisers import Adam
from scbench.nn.precision import wide_products
from scbench.nn.propagate import Propagator
from scbench.nn.sinkhorn import sinkhorn
from scbench.nn.sparse_counts import SparseCounts, zinb_loss

__all__ = ["MainTraining", "Views"]

_SINKHORN_ROUNDS = 1000
_LEAST_MEMBERSHIP = 1e-12


@dataclass(frozen=True)
class Views:
    """The graphs of the two views.

    Attributes:
        pruned: without the least similar edges, normalised.
        diffused: personalised PageRank on the whole graph.
        n_edges: non-zero entries of the pruned graph, before self loops.
    """

    pruned: Propagator
    diffused: Propagator
    n_edges: int


@dataclass(frozen=True)
class _Pass:
    """One forward pass."""

    codes: Codes
    latent: Tensor
    reconstructed: Tensor
    hidden: Tensor
    decoded: GraphPass


class MainTraining:
    """Train a pre-trained network and the centroids together.

    Args:
        network: changed in place.
        centroids: (n_clusters, 20) of the initial k-means.
        memberships: (n_cells,) its labels: the groups of the latent-level loss and the sizes of the target.
        views: the graphs.
        counts: raw counts for the ZINB loss, or None for a loss without it. In ``paper_code`` the loss takes the
            principal components instead.
        setting: inputs, configuration, randomness.
    """

    def __init__(
        self,
        network: Network,
        centroids: np.ndarray,
        memberships: np.ndarray,
        views: Views,
        counts: SparseCounts | None,
        setting: Setting,
    ) -> None:
        device = setting.x.device
        self.network = network
        self.views = views
        self.counts = counts
        self.setting = setting
        self.centroids = nn.Parameter(torch.tensor(centroids, dtype=torch.float32, device=device))
        self.centroids.requires_grad_(not setting.config.is_paper_code)
        self.memberships = torch.tensor(memberships, device=device)
        self._column_sums = self._cluster_sizes()
        self._target: Tensor | None = None
        self.last_pass: tuple[Tensor, Tensor] | None = None  # embedding and soft assignment before the last step

    def _cluster_sizes(self) -> Tensor:
        """Return the sizes that the target keeps, float64."""
        n_clusters = len(self.centroids)
        if self.setting.config.marginals == "uniform":
            return torch.full((n_clusters,), self.setting.n_cells / n_clusters, dtype=torch.float64)
        return torch.bincount(self.memberships.cpu(), minlength=n_clusters).double()

    def run_epochs(self, first_epoch: int, on_epoch: Callable[[int, Tensor, Tensor], None]) -> Phase:
        """Train for all epochs that the budget allows; return how long that was.

        Args:
            first_epoch: number of the first.
            on_epoch: called after each step with its number, and the embedding and soft assignment of the pass
                before the step.

        Raises:
            Diverged: when a loss is not finite.
        """
        config = self.setting.config
        parameters = [p for p in (*self.network.parameters(), self.centroids) if p.requires_grad]
        optimiser, phase = Adam(parameters, config.lr), Phase(config.budget)
        for i in range(config.epochs):
            passed = self._forward(self._noisy(), self._noisy(), propagated="propagation" not in config.left_out)
            soft = soft_assignment(passed.latent, self.centroids)
            if "transport" not in config.left_out and self._is_due(i):
                if not bool(torch.isfinite(soft).all()):
                    raise Diverged(first_epoch + i, {"transport": math.nan})
                self._target = self._transport_target(soft)
            terms = self._losses(passed, soft)
            each = torch.stack(list(terms.values())) if terms else passed.latent.sum()[None] * 0
            total = each.sum()
            values = dict(zip(terms, each.detach().tolist(), strict=False))  # one transfer for all terms
            if not all(math.isfinite(value) for value in values.values()):
                raise Diverged(first_epoch + i, values)
            optimiser.zero_grad()
            total.backward()
            optimiser.step()
            self.setting.run.log(first_epoch + i, **values)
            self.last_pass = passed.latent.detach(), soft.detach()
            del passed, soft, terms, each, total  # or this epoch's activations would live on through the next pass
            on_epoch(first_epoch + i, *self.last_pass)
            if phase.is_over(values):
                break
        return phase

    def _is_due(self, epoch: int) -> bool:
        """Return whether the target is made anew; the program's condition holds in epochs 0 to 9 and never again."""
        interval = self.setting.config.target_update_interval
        return epoch // interval == 0 if self.setting.config.is_paper_code else epoch % interval == 0

    def _transport_target(self, soft: Tensor) -> Tensor:
        """Return soft^exponent scaled to one unit for each cell and the cluster sizes; no gradient."""
        score = soft.detach().double().clamp(min=_LEAST_MEMBERSHIP)
        ones = torch.ones(len(score), dtype=torch.float64, device=score.device)
        sizes = self._column_sums.to(score.device)
        target = sinkhorn(score, ones, sizes, self.setting.config.exponent, n_iter=_SINKHORN_ROUNDS)
        return target.to(soft.dtype)

    def _noisy(self) -> Tensor:
        """Return the features times normal noise around 1; drawn on the CPU, so the same on every device."""
        x = self.setting.x
        noise = torch.randn(x.shape, generator=self.setting.run.generator).to(x.device)
        return noise.mul_(self.setting.config.noise_std).add_(1).mul_(x)

    def _forward(self, first: Tensor, second: Tensor, *, propagated: bool) -> _Pass:
        """Pass both views through the network; fusion and decoders work on the pruned graph."""
        network, views = self.network, self.views
        regulariser = None
        if propagated:
            is_program = self.setting.config.is_paper_code
            regulariser = losses.program_propagation_slopes if is_program else losses.propagation_slopes
        codes = network.encode([(first, views.pruned), (second, views.diffused)], regulariser)
        latent = network.fuse(codes, views.pruned, self.setting.attention)
        reconstructed, hidden = network.decode(latent)
        return _Pass(codes, latent, reconstructed, hidden, network.decode_graph(latent, views.pruned, regulariser))

    @torch.no_grad()
    def embed(self) -> tuple[Tensor, Tensor]:
        """Return embedding and soft assignment without noise."""
        codes = self.network.encode([(self.setting.x, self.views.pruned), (self.setting.x, self.views.diffused)])
        latent = self.network.fuse(codes, self.views.pruned, self.setting.attention)
        return latent, soft_assignment(latent, self.centroids)

    def _losses(self, passed: _Pass, soft: Tensor) -> dict[str, Tensor]:
        """Return the weighted terms of the loss, without those that are left out."""
        config = self.setting.config
        terms: dict[str, Callable[[_Pass], Tensor]] = {
            "cell_level": self._cell_level,
            "latent_level": self._latent_level,
            "propagation": lambda p: config.propagation_weight * self._propagation(p),
            "reconstruction": self._reconstruction,
            "zinb": lambda p: config.zinb_weight * self._zinb(p),
            "transport": lambda p: config.clustering_weight * self._clustering(soft),
        }
        left_out = set(config.left_out)
        if self.counts is None and not config.is_paper_code:
            left_out.add("zinb")
        return {name: term(passed) for name, term in terms.items() if name not in left_out}

    def _cell_level(self, passed: _Pass) -> Tensor:
        """Return the agreement of the views, cell by cell; weights as in DCRN's program."""
        ae, graph = passed.codes.ae, passed.codes.graph.codes
        return 0.1 * losses.cross_view_correlation(ae[0], ae[1]) + 5 * losses.cross_view_correlation(*graph)

    def _latent_level(self, passed: _Pass) -> Tensor:
        """Return the agreement of the views, feature by feature, over the group means."""
        total = torch.zeros((), device=passed.latent.device)
        for first, second in (passed.codes.ae, passed.codes.graph.codes):
            if self.setting.config.is_paper_code:
                total = total + losses.program_latent_level(first, second, len(self.centroids))
            else:
                means = [losses.group_means(codes, self.memberships).T for codes in (first, second)]
                total = total + losses.cross_view_correlation(*means)
        return total

    def _propagation(self, passed: _Pass) -> Tensor:
        """Return how much each graph layer's output changes when it is propagated once more."""
        loss = losses.program_propagation if self.setting.config.is_paper_code else losses.propagation
        total = torch.zeros((), device=passed.latent.device)
        for part in (passed.codes.graph, passed.decoded):
            last = loss(mean_over_views(part.propagated), mean_over_views(part.codes))
            total = total + (last if part.regularised is None else part.regularised + last)
        return total

    def _reconstruction(self, passed: _Pass) -> Tensor:
        """Return the error of features, smoothed features and graph; targets without noise, on the whole graph."""
        stage = self.setting.normalised
        (decoded,) = passed.decoded.codes
        graph = self.setting.adjacency_error(stage.error, passed.codes.graph.codes, decoded)
        return mse_loss(passed.reconstructed, self.setting.x) + mse_loss(decoded, stage.smoothed) + 0.1 * graph

    def _zinb(self, passed: _Pass) -> Tensor:
        """Return the likelihood of the counts; in ``paper_code`` of the components, with an untrained mean."""
        if self.counts is not None:
            with wide_products(passed.hidden.device, self.network.product_type):
                return zinb_loss(passed.hidden, self.network.heads, self.counts)
        mean, disp, pi = self.network.heads(passed.hidden, self.setting.size_factors)
        if pi is None:
            raise TypeError("the heads have no pi")
        return zinb_nll(self.setting.x, mean.detach(), disp, pi)

    def _clustering(self, soft: Tensor) -> Tensor:
        """Return the divergence of the soft assignment from its target."""
        if self._target is None:
            raise RuntimeError("the transport target has not been made")
        if self.setting.config.is_paper_code:
            return losses.program_clustering(self._target, soft)
        return kl(self._target, soft)
