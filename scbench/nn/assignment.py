"""Soft membership of cells in clusters, and the losses that sharpen it."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["kl", "soft_assignment", "soft_kmeans_loss", "squared_distances", "target_distribution"]

_EPS = 1e-10


def squared_distances(latent: Tensor, centroids: Tensor) -> Tensor:
    """Return the squared Euclidean distance of each cell to each centroid.

    From differences, not from the expanded product: a far-away origin costs no digits.

    Args:
        latent: (n_cells, n_latent) float tensor.
        centroids: (n_clusters, n_latent), same dtype and device.

    Returns:
        (n_cells, n_clusters), >= 0.

    Raises:
        ValueError: if the latent sizes differ.
    """
    if latent.shape[1] != centroids.shape[1]:
        raise ValueError(f"latent has {latent.shape[1]} columns but centroids have {centroids.shape[1]}")
    return torch.cdist(latent, centroids, compute_mode="donot_use_mm_for_euclid_dist").square()


def soft_assignment(latent: Tensor, centroids: Tensor, dof: float = 1.0) -> Tensor:
    """Return the Student-t membership of each cell in each cluster.

    Args:
        latent: (n_cells, n_latent) float tensor.
        centroids: (n_clusters, n_latent), same dtype and device as ``latent``.
        dof: degrees of freedom of the kernel, > 0.

    Returns:
        (n_cells, n_clusters); every row sums to 1.

    Raises:
        ValueError: if the latent sizes differ or ``dof`` is not positive.

    Source: Xie et al. 2016, eq. 1. Works in log space, so far-away cells do not underflow.
    """
    if dof <= 0:
        raise ValueError(f"dof must be > 0, got {dof}")
    log_kernel = -(dof + 1) / 2 * torch.log1p(squared_distances(latent, centroids) / dof)
    return log_kernel.softmax(dim=1)


def target_distribution(soft: Tensor, tau: float = 1.0) -> Tensor:
    """Return the sharpened memberships that a clustering loss aims at; no gradient flows through them.

    Args:
        soft: (n_cells, n_clusters) memberships of **all** cells: the column sums are the cluster sizes.
        tau: > 0; below 1 sharpens more. 1 is DEC.

    Returns:
        (n_cells, n_clusters): with s = soft^(1/tau), proportional to s^2 / column sum of s; every row sums to 1.

    Raises:
        ValueError: if ``tau`` is not positive.

    Source: Xie et al. 2016, eq. 3. An empty cluster keeps weight 0 instead of 0 / 0.
    """
    if tau <= 0:
        raise ValueError(f"tau must be > 0, got {tau}")
    log_powered = soft.detach().log() / tau  # powers of small memberships would underflow
    log_sizes = log_powered.logsumexp(dim=0)
    log_sizes = torch.where(log_sizes.isneginf(), torch.zeros_like(log_sizes), log_sizes)
    return (2 * log_powered - log_sizes).softmax(dim=1)


def kl(target: Tensor, soft: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of ``soft`` from ``target``, in nats, as a mean over cells.

    Args:
        target: (n_cells, n_clusters) probabilities p; entries of 0 add nothing.
        soft: (n_cells, n_clusters) probabilities q, not logarithms; clamped to at least 1e-10.

    Returns:
        mean_i sum_k p log(p / q), a scalar.
    """
    return (torch.xlogy(target, target) - target * soft.clamp(min=_EPS).log()).sum(dim=1).mean()


def soft_kmeans_loss(latent: Tensor, centroids: Tensor, inflation: float = 2.0) -> Tensor:
    """Return the mean over cells of the weighted squared distance to the centroids.

    The weights are softmax(-inflation * distance^2), that is softmax(-distance^2) raised to ``inflation`` and
    renormalised. Gradients flow through weights and distances.

    Args:
        latent: (n_cells, n_latent).
        centroids: (n_clusters, n_latent).
        inflation: > 0.

    Raises:
        ValueError: if the latent sizes differ or ``inflation`` is not positive.

    Source: Chen et al. 2020 (scziDesk).
    """
    if inflation <= 0:
        raise ValueError(f"inflation must be > 0, got {inflation}")
    squared = squared_distances(latent, centroids)
    return ((-inflation * squared).softmax(dim=1) * squared).sum(dim=1).mean()
