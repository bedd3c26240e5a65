"""Slopes of the negative binomial along the linear outputs that its parameters are made from."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from scbench.nn.likelihood import CountHeads

__all__ = ["Activations", "activated", "at_counts"]


class Activations(NamedTuple):
    """Mean and inverse dispersion of a block, and what leads back to the linear layers."""

    mean: Tensor
    disp: Tensor
    mean_inside: Tensor | None
    disp_inside: Tensor | None
    d_softplus: Tensor

    def through(self, d_mean: Tensor, d_disp: Tensor) -> tuple[Tensor, Tensor]:
        """Return the slopes along the linear outputs; changes its arguments.

        Args:
            d_mean: along the logarithm of the mean.
            d_disp: along the inverse dispersion.
        """
        d_disp.mul_(self.d_softplus)
        for slope, inside in ((d_mean, self.mean_inside), (d_disp, self.disp_inside)):
            if inside is not None:
                slope.mul_(inside)
        return d_mean, d_disp


def activated(log_mean: Tensor, raw_disp: Tensor, size_factors: Tensor, heads: CountHeads) -> Activations:
    """Return mean and inverse dispersion; the linear outputs are used up."""
    mean_inside = _clamp_(log_mean, *heads.log_mean_clip)
    mean = log_mean.exp_().mul_(size_factors)
    disp = softplus(raw_disp)
    d_softplus = torch.sigmoid_(raw_disp)
    disp_inside = _clamp_(disp, *heads.disp_clip)
    return Activations(mean, disp, mean_inside, disp_inside, d_softplus)


def at_counts(x: Tensor, mu: Tensor, theta: Tensor, log_ratio: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the negative log-likelihood of non-zero counts without log(x!), and its slopes along log mu and theta."""
    over = (theta + x) / (theta + mu)
    nll = torch.lgamma(theta) - torch.lgamma(theta + x) + (theta + x) * log_ratio + x * torch.log(theta / mu)
    d_log_mean = mu * over - x
    d_theta = torch.digamma(theta) - torch.digamma(theta + x) + log_ratio + (x - mu * over) / theta
    return nll, d_log_mean, d_theta


def _clamp_(values: Tensor, low: float, high: float) -> Tensor | None:
    """Clamp in place; return where the values were within the bounds, or None when all are known to have been."""
    if values.device.type == "cpu":  # elsewhere the question would cost a round trip
        least, most = values.aminmax()
        if bool((least >= low) & (most <= high)):
            return None
    inside = (values >= low) & (values <= high)
    values.clamp_(low, high)
    return inside
