"""Contrastive losses between two views of the same cells."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.functional import normalize as unit_rows

__all__ = ["nt_xent"]


def nt_xent(view_a: Tensor, view_b: Tensor, tau: float, *, normalize: bool = True) -> Tensor:
    """Return the normalised temperature-scaled cross-entropy over both views.

    Each of the 2 n_cells rows has the other view of its cell as the positive and all rows but itself in the
    denominator; the loss is the mean of the 2 n_cells terms.

    Args:
        view_a, view_b: (n_cells, n_features), row i of both is cell i.
        tau: temperature, > 0.
        normalize: compare directions (cosine); otherwise inner products of the rows as they are.

    Returns:
        A scalar, computed in float32 or better; 0 for a single cell.

    Raises:
        ValueError: if the shapes differ or ``tau`` is not positive.

    Source: Chen et al. 2020 (SimCLR), eq. 1.
    """
    if view_a.shape != view_b.shape:
        raise ValueError(f"views must have one shape, got {tuple(view_a.shape)} and {tuple(view_b.shape)}")
    if tau <= 0:
        raise ValueError(f"tau must be > 0, got {tau}")
    n_cells = len(view_a)
    both = torch.cat([view_a, view_b])
    if normalize:
        both = unit_rows(both, dim=1)
    logits = both @ both.T / tau
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    logits = logits.masked_fill(torch.eye(2 * n_cells, dtype=torch.bool, device=both.device), -torch.inf)
    positives = torch.arange(2 * n_cells, device=both.device).roll(n_cells)
    return cross_entropy(logits, positives)
