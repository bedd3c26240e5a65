"""The clustering terms that are scSAMAC's own; they take tensors and return scalars."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["cluster_level_loss", "sorted_wasserstein"]


def sorted_wasserstein(target: Tensor, soft: Tensor) -> Tensor:
    """Return the Wasserstein-1 distance between all entries of ``target`` and all entries of ``soft``.

    Both are taken as bags of numbers: which cell and which cluster an entry belongs to does not matter. In one
    dimension the best plan joins the sorted values, so no plan is searched and the gradient is exact.

    Args:
        target, soft: (n_cells, n_clusters).

    Raises:
        ValueError: if the shapes differ.

    Source: scSAMAC (Li et al. 2025), eq. 18, as the released program computes it (there without a gradient).
    """
    if target.shape != soft.shape:
        raise ValueError(f"target and soft must have one shape, got {tuple(target.shape)} and {tuple(soft.shape)}")
    return (target.flatten().sort().values - soft.flatten().sort().values).abs().mean()


def cluster_level_loss(view: Tensor, masked: Tensor, margin: float = 1.0) -> Tensor:
    """Return how far the same clusters of two views are apart, plus how much different ones are nearer than a margin.

    With D_ij the Euclidean distance of column i of ``view`` and column j of ``masked``:
    (sum_i D_ii^2 + sum_{i != j} max(0, margin - D_ij)^2) / K^2.

    Args:
        view, masked: (n_cells, n_clusters), row i of both is cell i.
        margin: >= 0.

    Raises:
        ValueError: if the shapes differ.

    Source: scSAMAC (Li et al. 2025), eqs. 20 to 22. Eq. 21 prints max(0, -m ||.||)^2, which is always 0;
    this is the contrastive form with a margin that the released program computes.
    """
    if view.shape != masked.shape:
        raise ValueError(f"views must have one shape, got {tuple(view.shape)} and {tuple(masked.shape)}")
    # From differences: the slope at a distance of 0 is 0, not NaN.
    distances = torch.cdist(view.T, masked.T, compute_mode="donot_use_mm_for_euclid_dist")
    n_clusters = len(distances)
    same = torch.eye(n_clusters, dtype=torch.bool, device=view.device)
    return torch.where(same, distances, (margin - distances).clamp(min=0)).square().sum() / n_clusters**2
