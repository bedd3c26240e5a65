"""Autoencoders in pre-training, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from scbench_methods.sccagn.adversary import Game
from scbench_methods.sccagn.config import LATENT_WIDTH, ScCagnConfig
from scbench_methods.sccagn.model import Autoencoder
from scbench_methods.sccagn.restarts import Restarts
from torch import Tensor

from scbench.method import Diverged, RunContext
from scbench.nn.plateau import Plateau

__all__ = ["Course", "learning_rate", "step_size"]

_DECAY, _EPOCHS_AT_ONE_RATE = 0.1, 20  # released program


def learning_rate(first: float, epoch: int) -> float:
    """Return the step size in an epoch of a phase: a tenth after every 20 epochs."""
    return first * _DECAY ** (epoch // _EPOCHS_AT_ONE_RATE)


class Course:
    """Autoencoders that are pre-trained side by side; each has its own order of cells and discriminator.

    Args:
        members: at least one; with ``budget=fast`` exactly one, since each ends for itself.
        x: (n_cells, n_genes) on the run's device.
        config: of the method.
        run: randomness.

    Attributes:
        restarts: the autoencoders in training.
        stop_reason: "plateau" once the loss has told it, else "epochs".
    """

    def __init__(self, members: Sequence[Autoencoder], x: Tensor, config: ScCagnConfig, run: RunContext) -> None:
        self.restarts = Restarts(members, x.device)
        self.stop_reason = "epochs"
        self._x, self._config = x, config
        self._generators = [_offspring(run.generator) for _ in members]
        self._games: list[Game] = []
        if config.pretrain_theta > 0:
            self._games = [Game(config, LATENT_WIDTH, x.device, _offspring(draws)) for draws in self._generators]
        self._errors: list[list[float]] = []
        self._plateau = Plateau() if config.budget == "fast" else None

    def history(self, member: int) -> list[float]:
        """Return the mean squared error of one restart in each epoch."""
        return [errors[member] for errors in self._errors]

    def train(self, until: int) -> None:
        """Train until so many epochs are over, or until the plateau of the error.

        Raises:
            Diverged: when a loss is not finite.
        """
        for epoch in range(len(self._errors), until):
            if self.stop_reason == "plateau":
                return
            errors = self._epoch(epoch).tolist()
            self._errors.append(errors)
            if not all(map(math.isfinite, errors)):
                raise Diverged(epoch, {"pretraining": max(errors)})
            if self._plateau is not None and self._plateau.update(errors[0]):
                self.stop_reason = "plateau"

    def keep(self, member: int) -> None:
        """Go on with one restart alone; it becomes number 0."""
        self.restarts.keep(member)
        self._generators = [self._generators[member]]
        self._games = self._games[member : member + 1]
        self._errors = [[errors[member]] for errors in self._errors]

    def _epoch(self, epoch: int) -> Tensor:
        """Train for an epoch; return the mean squared error of each restart."""
        x, n_cells, size = self._x, len(self._x), step_size(len(self._x), self._config)
        orders = torch.stack([torch.randperm(n_cells, generator=generator) for generator in self._generators])
        batches = list(orders.to(x.device).split(size, dim=1))
        if len(batches) > 1 and batches[-1].shape[1] < _least_size(self._config):
            last = batches.pop()
            batches[-1] = torch.cat([batches[-1], last], dim=1)
        lr = learning_rate(self._config.lr, epoch)
        slopes = self._latent_slopes if self._games else None
        errors = x.new_zeros(self.restarts.n_restarts)
        for chosen in batches:
            batch = x.index_select(0, chosen.reshape(-1)).view(*chosen.shape, -1)
            errors += self.restarts.step(batch, lr, slopes) * (chosen.shape[1] / n_cells)
        return errors

    @torch.enable_grad()
    def _latent_slopes(self, latents: Tensor) -> Tensor:
        """Teach each restart's discriminator and return the gradient of what it asks of the encoder."""
        parts = []
        for game, latent in zip(self._games, latents.detach(), strict=True):
            game.teach(latent)
            free = latent.clone().requires_grad_()
            (slope,) = torch.autograd.grad(self._config.pretrain_theta * game.encoder_loss(free), free)
            parts.append(slope)
        return torch.stack(parts)


def step_size(n_cells: int, config: ScCagnConfig) -> int:
    """Return the cells in a step of pre-training.

    At most ``batch_size``; fewer where pre-training would not come to ``pretrain_least_steps`` steps, so the size
    depends on ``pretrain_epochs`` too. Where cells times epochs are fewer than these steps, each cell is a step of its
    own (two cells for a discriminator's batch norm), and there are as many steps as that makes.
    """
    size, least_steps = config.batch_size, config.pretrain_least_steps
    if least_steps == 0:
        return size
    return max(_least_size(config), min(size, n_cells * config.pretrain_epochs // least_steps))


def _least_size(config: ScCagnConfig) -> int:
    """Return the smallest usable batch: a discriminator's batch norm cannot use one of a single cell."""
    return 2 if config.pretrain_theta > 0 and config.discriminator_norm == "batch" else 1


def _offspring(generator: torch.Generator) -> torch.Generator:
    """Return a generator of its own, seeded by a draw of another."""
    return torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
