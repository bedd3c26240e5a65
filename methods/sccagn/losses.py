"""Memberships in log space, their divergence from a target, and the reconstruction error."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from scbench.nn.assignment import squared_distances
from scbench.nn.precomputed import with_gradients

__all__ = ["divergence", "log_memberships", "reconstruction_error"]

_LEAST = math.log(1e-12)
_ROWS_AT_ONCE = 4096


def log_memberships(latent: Tensor, centroids: Tensor) -> Tensor:
    """Return log q, q the Student-t memberships with one degree of freedom, (n_cells, n_clusters)."""
    return torch.log1p(squared_distances(latent, centroids)).neg().log_softmax(dim=1)


def divergence(target: Tensor, log_soft: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of memberships from a target, in nats, as a mean over cells.

    Args:
        target: (n_cells, n_clusters) probabilities.
        log_soft: (n_cells, n_clusters) logarithms, cut at log 1e-12.
    """
    return (torch.xlogy(target, target) - target * log_soft.clamp(min=_LEAST)).sum(dim=1).mean()


def reconstruction_error(hidden: Tensor, output: nn.Module, x: Tensor) -> Tensor:
    """Return the mean over all entries of (output(hidden) - x)^2.

    The estimate of x is made and forgotten some rows at a time, its gradients beside it: it would be the largest
    array of all.

    Args:
        hidden: (n_cells, width).
        output: a linear layer from width to n_genes.
        x: (n_cells, n_genes).

    Raises:
        TypeError: if ``output`` is no linear layer.
    """
    if not isinstance(output, nn.Linear):
        raise TypeError(f"the output layer must be linear, got {type(output).__name__}")
    scale = 2 / max(1, x.numel())
    weight, bias = output.weight, output.bias
    total = torch.zeros((), dtype=torch.float64, device=x.device)
    slopes = [torch.empty_like(hidden), torch.zeros_like(weight), torch.zeros_like(bias)]
    with torch.no_grad():
        for start in range(0, len(x), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            gap = torch.addmm(bias, hidden[rows], weight.T).sub_(x[rows])
            total += torch.linalg.vector_norm(gap).double().square()
            torch.mm(gap.mul_(scale), weight, out=slopes[0][rows])
            slopes[1].addmm_(gap.T, hidden[rows])
            slopes[2] += gap.sum(dim=0)
    return with_gradients((total / x.numel()).to(x.dtype), (hidden, weight, bias), slopes)
