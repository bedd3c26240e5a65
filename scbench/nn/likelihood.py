"""Negative binomial and zero-inflated negative binomial likelihoods of counts, and the layer that feeds them."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["CountHeads", "CountParams", "Reduction", "nb_nll", "zinb_nll"]

Reduction = Literal["mean", "sum", "none"]

# Values up to this count as zero, which lets float noise pass.
_ZERO = 1e-8


class CountParams(NamedTuple):
    """Parameters of a count distribution.

    Attributes:
        mean: (n_cells, n_genes), size factors included, > 0.
        disp: (n_cells, n_genes) or (n_genes,), inverse dispersion theta: variance = mean + mean^2 / theta.
        pi: (n_cells, n_genes) probability of an extra zero, in (0, 1); None for a negative binomial.
    """

    mean: Tensor
    disp: Tensor
    pi: Tensor | None


def nb_nll(counts: Tensor, mean: Tensor, disp: Tensor, *, eps: float = 1e-10, reduction: Reduction = "mean") -> Tensor:
    """Return the negative log-likelihood of a negative binomial, in nats.

    Args:
        counts: (n_cells, n_genes) raw counts, >= 0.
        mean: (n_cells, n_genes), size factors included, >= 0.
        disp: inverse dispersion, > 0, broadcast against ``mean``. In float32 keep it at 1e4 or below: the
            difference of two log-gammas loses its digits beyond.
        eps: added inside logarithms.
        reduction: over all entries.

    Returns:
        A scalar, or (n_cells, n_genes) for "none".

    Raises:
        ValueError: for an unknown reduction.

    Source: Eraslan et al. 2019 (DCA), methods; the form that all programs in this family use.
    """
    log_gammas = torch.lgamma(disp + eps) + torch.lgamma(counts + 1) - torch.lgamma(counts + disp + eps)
    rates = (disp + counts) * torch.log1p(mean / (disp + eps))
    nll = log_gammas + rates + counts * (torch.log(disp + eps) - torch.log(mean + eps))
    return _reduced(nll, reduction)


def zinb_nll(
    counts: Tensor,
    mean: Tensor,
    disp: Tensor,
    pi: Tensor,
    *,
    ridge: float = 0.0,
    eps: float = 1e-10,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return the negative log-likelihood of a zero-inflated negative binomial, in nats.

    Entries of at most 1e-8 (negative ones too) take the branch for zeros.

    Args:
        counts, mean, disp, eps, reduction: as in :func:`nb_nll`.
        pi: (n_cells, n_genes) probability of an extra zero, in [0, 1].
        ridge: adds ``ridge * pi**2`` to each entry.

    Raises:
        ValueError: for an unknown reduction.

    Source: Eraslan et al. 2019 (DCA). The branch for zeros is computed in log space, so (theta / (theta + mean)) ^
    theta does not underflow.
    """
    log_pi, log_rest = torch.log(pi + eps), torch.log(1 - pi + eps)
    # The unused branch must stay finite, or its gradient would be NaN times 0.
    nonzero = nb_nll(counts.clamp(min=0), mean, disp, eps=eps, reduction="none") - log_rest
    log_nb_zero = disp * (torch.log(disp + eps) - torch.log(disp + mean + eps))
    zero = -torch.logaddexp(log_pi, log_rest + log_nb_zero)
    nll = torch.where(counts <= _ZERO, zero, nonzero)
    if ridge:
        nll = nll + ridge * pi.square()
    return _reduced(nll, reduction)


def _reduced(values: Tensor, reduction: str) -> Tensor:
    """Apply the reduction."""
    if reduction == "mean":
        return values.mean()
    if reduction == "sum":
        return values.sum()
    if reduction == "none":
        return values
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")


class CountHeads(nn.Module):
    """Map decoder activations to the parameters of a count distribution.

    mean = exp, disp = softplus, pi = sigmoid, each of a linear layer (named ``mean``, ``disp``, ``pi``); mean and
    disp are clipped, the mean before it is multiplied by the size factor.

    Args:
        n_hidden: width of the activations.
        n_genes: number of genes.
        kind: "zinb"; "nb" without pi; "nb_const" with one disp for each gene instead of each entry.
        mean_clip, disp_clip: lowest and highest value.

    Raises:
        ValueError: for an unknown kind.
    """

    def __init__(
        self,
        n_hidden: int,
        n_genes: int,
        kind: Literal["zinb", "nb", "nb_const"] = "zinb",
        mean_clip: tuple[float, float] = (1e-5, 1e6),
        disp_clip: tuple[float, float] = (1e-4, 1e4),
    ) -> None:
        super().__init__()
        if kind not in ("zinb", "nb", "nb_const"):
            raise ValueError(f"kind must be 'zinb', 'nb' or 'nb_const', got {kind!r}")
        self.log_mean_clip = (math.log(mean_clip[0]), math.log(mean_clip[1]))
        self.disp_clip = disp_clip
        self.mean = nn.Linear(n_hidden, n_genes)
        self.disp: nn.Linear | nn.Parameter = (
            nn.Parameter(torch.zeros(n_genes)) if kind == "nb_const" else nn.Linear(n_hidden, n_genes)
        )
        self.pi = nn.Linear(n_hidden, n_genes) if kind == "zinb" else None

    def forward(self, hidden: Tensor, size_factors: Tensor | None = None) -> CountParams:
        """Return the parameters.

        Args:
            hidden: (n_cells, n_hidden).
            size_factors: (n_cells,), multiplied into the mean; None for 1.
        """
        # Clipping the exponent equals clipping the mean, without an infinite exp that would make the gradient NaN.
        mean = self.mean(hidden).clamp(*self.log_mean_clip).exp()
        if size_factors is not None:
            mean = mean * size_factors[:, None]
        raw_disp = self.disp(hidden) if isinstance(self.disp, nn.Linear) else self.disp
        disp = nn.functional.softplus(raw_disp).clamp(*self.disp_clip)
        return CountParams(mean, disp, None if self.pi is None else torch.sigmoid(self.pi(hidden)))
