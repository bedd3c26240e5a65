"""Pre-training: independent restarts of the autoencoder, and the choice of one of them without labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.course import Course
from scbench_methods.sccagn.model import Autoencoder
from torch import Tensor

from scbench.kmeans import kmeans
from scbench.method import Diverged, RunContext

__all__ = ["Pretrained", "n_starts", "pretrain"]

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
        stop_reason: of its training, "epochs" or "plateau".
    """

    autoencoder: Autoencoder
    labels: np.ndarray
    centroids: np.ndarray
    restart: int
    silhouette: float
    chosen_by: str
    history: list[float]
    stop_reason: str = "epochs"


@dataclass(frozen=True)
class _Candidate:
    """The best restart so far, and where its training goes on."""

    found: Pretrained
    course: Course
    member: int


def n_starts(config: ScCagnConfig, n_cells: int) -> int:
    """Return the number of k-means starts; fewer in very large sets, where they cost most and differ least."""
    return min(config.n_init, 5) if n_cells > _MANY_CELLS else config.n_init


def pretrain(x: Tensor, n_clusters: int, config: ScCagnConfig, run: RunContext) -> Pretrained:
    """Train restarts and return the one whose k-means on the latent has the best silhouette.

    The choice falls after ``trial_epochs``, and the chosen one alone goes on. Each restart has its own weights, order
    of cells and, with an adversarial term, discriminator, so the chosen one ends where it would have ended in any
    case. On a CPU restarts are trained one after the other, since the parameters of one fill its cache, and with
    ``budget=fast`` everywhere, since each ends for itself; else side by side.

    Args:
        x: (n_cells, n_genes) on the run's device.
        n_clusters: K.
        config: of the method.
        run: device and randomness; takes the errors of the kept restart.

    Raises:
        Diverged: when a loss is not finite.
    """
    n_restarts = config.restarts
    at_once = 1 if x.device.type == "cpu" or config.budget == "fast" else n_restarts
    whole = config.pretrain_epochs
    trial = whole if n_restarts == 1 or config.trial_epochs == 0 else min(config.trial_epochs, whole)
    best: _Candidate | None = None
    for first in range(0, n_restarts, at_once):
        members = [Autoencoder(x.shape[1]) for _ in range(min(at_once, n_restarts - first))]
        course = Course(members, x, config, run)
        course.train(trial)
        for i, latent in enumerate(course.restarts.encode(x)):
            found = _judged(latent, n_clusters, first + i, course.history(i), members[i], config, run.seed)
            if best is None or _is_better(found, best.found):
                best = _Candidate(found, course, i)
    if best is None:
        raise RuntimeError("there was no restart")
    kept = _finished(best, x, n_clusters, config, run.seed)
    for epoch, error in enumerate(kept.history):
        run.log(epoch, pretraining=error)
    kept.autoencoder.to(x.device)
    return kept


def _finished(best: _Candidate, x: Tensor, n_clusters: int, config: ScCagnConfig, seed: int) -> Pretrained:
    """Return the chosen restart after the rest of its training."""
    found, course, member = best.found, best.course, best.member
    if len(found.history) < config.pretrain_epochs and course.stop_reason == "epochs":
        course.keep(member)
        member = 0
        course.train(config.pretrain_epochs)
        (latent,) = course.restarts.encode(x)
        found = _judged(latent, n_clusters, found.restart, course.history(0), found.autoencoder, config, seed)
    course.restarts.copy_to(found.autoencoder, member)
    return replace(found, stop_reason=course.stop_reason)


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
        raise Diverged(max(0, len(history) - 1), {"latent": math.nan})
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
