"""Attention of cells to each other by inner products of their codes."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

__all__ = ["landmark_attention", "self_attention"]

_ROWS_AT_ONCE = 8192


def self_attention(latent: Tensor) -> Tensor:
    """Return softmax(Z Z^T) Z, rows of the softmax over all cells, without temperature.

    The kernel goes through blocks and recomputes them for the backward pass: time n^2, memory n.

    Args:
        latent: (n_cells, n_latent) Z.

    Returns:
        (n_cells, n_latent).
    """
    heads = latent[None, None]
    return scaled_dot_product_attention(heads, heads, heads, scale=1.0)[0, 0]


def landmark_attention(latent: Tensor, n_landmarks: int, generator: torch.Generator) -> Tensor:
    """Return an estimate of :func:`self_attention` from each cell itself and random landmark cells.

    A landmark stands for (n_cells - 1) / n_landmarks cells; the cell itself, often its own nearest, is exact. With
    all other cells as landmarks the result is that of :func:`self_attention`.

    Args:
        latent: (n_cells, n_latent).
        n_landmarks: at least 1; capped at ``n_cells``.
        generator: CPU generator of the draw; a new draw at each call.

    Returns:
        (n_cells, n_latent).

    Raises:
        ValueError: if ``n_landmarks`` is below 1.
    """
    if n_landmarks < 1:
        raise ValueError(f"n_landmarks must be at least 1, got {n_landmarks}")
    n_cells = len(latent)
    chosen = torch.randperm(n_cells, generator=generator)[:n_landmarks].to(latent.device)
    landmarks = latent[chosen]
    cells = torch.arange(n_cells, device=latent.device)
    pieces = [
        checkpoint(_attend, latent[rows], landmarks, rows[:, None] == chosen, n_cells, use_reentrant=False)
        for rows in cells.split(_ROWS_AT_ONCE)
    ]
    return torch.cat(pieces)


def _attend(queries: Tensor, landmarks: Tensor, is_self: Tensor, n_cells: int) -> Tensor:
    """Return the attention of some cells to themselves and to landmarks that are others."""
    n_others = (~is_self).sum(dim=1)
    log_weight = torch.log((n_cells - 1) / n_others.clamp(min=1).to(queries.dtype))
    to_landmarks = (queries @ landmarks.T + log_weight[:, None]).masked_fill(is_self, -math.inf)
    to_self = queries.square().sum(dim=1, keepdim=True)
    attention = torch.cat([to_landmarks, to_self], dim=1).softmax(dim=1)
    return attention[:, :-1] @ landmarks + attention[:, -1:] * queries
