"""Pre-training: independent restarts of the autoencoder, and the choice of one of them without labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scbench_methods.sccagn.adversary import Game
from scbench_methods.sccagn.config import LATENT_WIDTH, ScCagnConfig
from scbench_methods.sccagn.model import Autoencoder
from scbench_methods.sccagn.restarts import LatentSlopes, Restarts
from torch import Tensor

from scbench.kmeans import kmeans
from scbench.method import Diverged, RunContext

__all__ = ["Pretrained", "learning_rate", "n_starts", "pretrain", "step_size"]

_DECAY, _EPOCHS_AT_ONE_RATE = 0.1, 20  # released program
_SILHOUETTE_CELLS = 5000
_MANY_CELLS = 100_000


@dataclass(frozen=True)
class Pretrained:
    """The restart that was kept.

    Attributes:
        autoencoder: on the run's device.
        labels, centroids: of k-means on its latent, (n_cells,) and (n_clusters, 8).
        restart: its number.
        silhouette: of these labels; NaN where it is not defined.
        chosen_by: "silhouette", "reconstruction" where that is not defined, or "only one".
        history: (n_epochs,) its mean squared error in each epoch.
    """

    autoencoder: Autoencoder
    labels: np.ndarray
    centroids: np.ndarray
    restart: int
    silhouette: float
    chosen_by: str
    history: list[float]


def learning_rate(first: float, epoch: int) -> float:
    """Return the step size in an epoch of a phase: a tenth after every 20 epochs."""
    return first * _DECAY ** (epoch // _EPOCHS_AT_ONE_RATE)


def n_starts(config: ScCagnConfig, n_cells: int) -> int:
    """Return the number of k-means starts; fewer in very large sets, where they cost most and differ least."""
    return min(config.n_init, 5) if n_cells > _MANY_CELLS else config.n_init


def pretrain(x: Tensor, n_clusters: int, config: ScCagnConfig, run: RunContext) -> Pretrained:
    """Train all restarts and return the one whose k-means on the latent has the best silhouette.

    Each restart has its own weights, order of cells and, with an adversarial term, discriminator. On a CPU they are
    trained one after the other, since the parameters of one fill its cache; on other devices side by side.

    Args:
        x: (n_cells, n_genes) on the run's device.
        n_clusters: K.
        config: of the method.
        run: device and randomness; takes the errors of the kept restart.

    Raises:
        Diverged: when a loss is not finite.
    """
    n_restarts = config.restarts
    at_once = 1 if x.device.type == "cpu" else n_restarts
    best: Pretrained | None = None
    for first in range(0, n_restarts, at_once):
        members = [Autoencoder(x.shape[1]) for _ in range(min(at_once, n_restarts - first))]
        restarts = Restarts(members, x.device)
        errors = _train(restarts, x, config, run)
        for i, latent in enumerate(restarts.encode(x)):
            found = _judged(latent, n_clusters, first + i, errors[:, i].tolist(), members[i], config, run.seed)
            if best is None or _is_better(found, best):
                restarts.copy_to(members[i], i)
                best = found
    if best is None:
        raise RuntimeError("there was no restart")
    for epoch, error in enumerate(best.history):
        run.log(epoch, pretraining=error)
    best.autoencoder.to(x.device)
    return best


def _train(restarts: Restarts, x: Tensor, config: ScCagnConfig, run: RunContext) -> Tensor:
    """Train for all epochs; return the mean squared error by epoch and restart, (n_epochs, n_restarts)."""
    n_cells, size = len(x), step_size(len(x), config)
    generators = [_offspring(run.generator) for _ in range(restarts.n_restarts)]
    slopes = _adversarial_slopes(restarts, config, x.device, generators) if config.pretrain_theta > 0 else None
    least = _least_size(config)
    history = x.new_zeros(config.pretrain_epochs, restarts.n_restarts)
    for epoch in range(config.pretrain_epochs):
        orders = torch.stack([torch.randperm(n_cells, generator=generator) for generator in generators])
        batches = list(orders.to(x.device).split(size, dim=1))
        if len(batches) > 1 and batches[-1].shape[1] < least:
            last = batches.pop()
            batches[-1] = torch.cat([batches[-1], last], dim=1)
        lr = learning_rate(config.lr, epoch)
        for chosen in batches:
            batch = x.index_select(0, chosen.reshape(-1)).view(*chosen.shape, -1)
            history[epoch] += restarts.step(batch, lr, slopes) * (chosen.shape[1] / n_cells)
        if not bool(torch.isfinite(history[epoch]).all()):
            raise Diverged(epoch, {"pretraining": float(history[epoch].max())})
    return history.cpu()


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


def _adversarial_slopes(
    restarts: Restarts, config: ScCagnConfig, device: torch.device, generators: list[torch.Generator]
) -> LatentSlopes:
    """Return what teaches each restart's discriminator and gives the gradient of what it asks of the encoder."""
    games = [Game(config, LATENT_WIDTH, device, _offspring(generator)) for generator in generators]

    @torch.enable_grad()
    def slopes(latents: Tensor) -> Tensor:
        parts = []
        for game, latent in zip(games, latents.detach(), strict=True):
            game.teach(latent)
            free = latent.clone().requires_grad_()
            (slope,) = torch.autograd.grad(config.pretrain_theta * game.encoder_loss(free), free)
            parts.append(slope)
        return torch.stack(parts)

    return slopes


def _judged(
    latent: Tensor,
    n_clusters: int,
    restart: int,
    history: list[float],
    autoencoder: Autoencoder,
    config: ScCagnConfig,
    seed: int,
) -> Pretrained:
    """Return a restart with its clusters and their silhouette."""
    z = latent.cpu().numpy()
    if not np.isfinite(z).all():
        raise Diverged(max(0, config.pretrain_epochs - 1), {"latent": math.nan})
    labels, centroids, _ = kmeans(z, n_clusters, seed, n_init=n_starts(config, len(z)))
    is_only_one = config.restarts == 1
    silhouette = math.nan if is_only_one else _silhouette(z, labels, seed)
    chosen_by = "only one" if is_only_one else "reconstruction" if math.isnan(silhouette) else "silhouette"
    return Pretrained(autoencoder, labels, centroids, restart, silhouette, chosen_by, history)


def _silhouette(latent: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """Return the silhouette of at most 5000 cells; NaN when they are in one cluster, or each in its own."""
    from sklearn.metrics import silhouette_score

    if len(labels) > _SILHOUETTE_CELLS:
        chosen = np.random.default_rng(seed).choice(len(labels), _SILHOUETTE_CELLS, replace=False)
        latent, labels = latent[chosen], labels[chosen]
    if not 1 < len(np.unique(labels)) < len(labels):
        return math.nan
    return float(silhouette_score(latent, labels))


def _is_better(one: Pretrained, other: Pretrained) -> bool:
    """Return whether a restart is to be kept instead of another: any silhouette beats none."""
    return _loss_of(one) < _loss_of(other)


def _loss_of(found: Pretrained) -> tuple[bool, float]:
    """Return what the choice of a restart makes small; an order of all restarts, so theirs does not matter."""
    if not math.isnan(found.silhouette):
        return False, -found.silhouette
    return True, found.history[-1] if found.history else 0.0
