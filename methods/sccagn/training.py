"""The main phase: both networks and the centroids, one step an epoch on all cells."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from scbench_methods.sccagn.adversary import Game
from scbench_methods.sccagn.by_blocks import encode, reconstruction
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.course import learning_rate
from scbench_methods.sccagn.cross_attention import Reach
from scbench_methods.sccagn.gnn import CellGraph
from scbench_methods.sccagn.losses import divergence, log_memberships
from scbench_methods.sccagn.model import Network
from torch import Tensor

from scbench.method import Diverged, RunContext
from scbench.nn.assignment import target_distribution
from scbench.nn.optimisers import Adamax
from scbench.nn.plateau import Plateau
from scbench.nn.train import LabelChangeStop

__all__ = ["MainTraining"]

OnEpoch = Callable[[int, Tensor], None]


class MainTraining:
    """Train a network and its centroids.

    With ``budget=fast`` the phase ends at the plateau of its whole loss, the sum of all weighted terms.

    Args:
        network: changed in place; its centroids are set.
        x: (n_cells, n_genes) on the run's device.
        graph: of the same cells.
        reach: of the cross attention.
        game: the discriminator, or None.
        frozen_latent: (n_cells, 8) that the adversarial term sees instead of the current latent, or None.
        config: of the method.
        run: takes the terms of the loss.
    """

    def __init__(
        self,
        network: Network,
        x: Tensor,
        graph: CellGraph,
        reach: Reach,
        game: Game | None,
        frozen_latent: Tensor | None,
        config: ScCagnConfig,
        run: RunContext,
    ) -> None:
        self.network = network
        self.epochs = 0
        self.stop_reason = "epochs"
        self._x, self._graph, self.reach = x, graph, reach
        self._game, self._frozen = game, frozen_latent
        self._config, self._run = config, run

    def fit(self, first_epoch: int, on_epoch: OnEpoch) -> None:
        """Train for all epochs, or until labels have settled or the loss is on its plateau.

        Args:
            first_epoch: number of the first.
            on_epoch: called with the number of each epoch but the last and the labels after it; the pass of the next
                epoch gives them, so they cost nothing. Those of the last are the caller's to find.

        Raises:
            Diverged: when a loss is not finite.
        """
        config = self._config
        optimiser = Adamax(self.network.parameters(), config.lr)
        stop = None if config.tol is None else LabelChangeStop(config.tol)
        plateau = Plateau() if config.budget == "fast" else None
        for i in range(config.epochs):
            for group in optimiser.groups:
                group.lr = learning_rate(config.lr, i)
            codes, latent, log_q = self._pass()
            labels = log_q.detach().argmax(dim=1)
            if stop is not None and stop.update(labels):
                self.stop_reason = "labels settled"
                return
            if i > 0:
                on_epoch(first_epoch + i - 1, labels)
            measured = {}
            if self._game is not None:  # before its opinion is asked for
                measured["discriminator"] = self._game.teach(self._seen_by_discriminator(latent))
            terms = self._losses(codes, latent, log_q)
            values = _numbers(measured | {name: term.detach() for name, (_, term) in terms.items()})
            if not all(math.isfinite(value) for value in values.values()):
                raise Diverged(first_epoch + i, values)
            total = torch.stack([weight * term for weight, term in terms.values()]).sum() if terms else None
            if total is not None and total.requires_grad:
                optimiser.zero_grad()
                total.backward()
                optimiser.step()
            self._run.log(first_epoch + i, **values)
            self.epochs = i + 1
            if plateau is not None and total is not None and plateau.update(float(total.detach())):
                self.stop_reason = "plateau"
                return
            del codes, latent, log_q, terms, total  # or this epoch's activations would live on through the next pass

    @torch.no_grad()
    def embed(self) -> tuple[Tensor, Tensor]:
        """Return latent and memberships of the network as it is."""
        _, latent, log_q = self._pass()
        return latent, log_q.exp()

    def _pass(self) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return graph codes, fused latent and log memberships."""
        codes = self.network.graph_codes(self._x, self._graph)
        latent = encode(self.network, self._x, codes)
        return codes, latent, log_memberships(latent, self.network.centroids)

    def _losses(self, codes: list[Tensor], latent: Tensor, log_q: Tensor) -> dict[str, tuple[float, Tensor]]:
        """Return weight and value of each term.

        A term without a weight is not computed, but for the divergences: when one has a weight, both are logged.
        """
        config = self._config
        terms: dict[str, tuple[float, Tensor]] = {}
        if config.assignment_weight > 0 or config.graph_head_weight > 0:
            target = target_distribution(log_q.exp(), config.target_temperature)
            terms["clustering"] = config.assignment_weight, divergence(target, log_q)
            terms["graph_clustering"] = config.graph_head_weight, divergence(target, codes[3].log_softmax(dim=1))
        if config.reconstruction_weight > 0:
            met = self.network.meet(latent, codes[2], self.reach, self._graph)
            terms["reconstruction"] = config.reconstruction_weight, reconstruction(self.network, met, codes, self._x)
        if self._game is not None:
            terms["generator"] = config.main_theta, self._game.encoder_loss(self._seen_by_discriminator(latent))
        return terms

    def _seen_by_discriminator(self, latent: Tensor) -> Tensor:
        """Return the latent of the adversarial term."""
        return latent if self._frozen is None else self._frozen


def _numbers(scalars: dict[str, Tensor]) -> dict[str, float]:
    """Return numbers; a GPU is waited for once."""
    return dict(zip(scalars, torch.stack(list(scalars.values())).tolist(), strict=True)) if scalars else {}
