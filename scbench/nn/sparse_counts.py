"""Likelihood of sparse counts under dense predictions, one block of cells at a time."""

from __future__ import annotations

from typing import NamedTuple

import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn
from torch.nn.functional import softplus

from scbench.nn.likelihood import CountHeads
from scbench.nn.precomputed import with_gradients

__all__ = ["SparseCounts", "zinb_loss"]

_BLOCK_ENTRIES = 2**17  # of one block of predictions; a dozen arrays of this size are at hand at once
_EPS = 1e-10  # inside logarithms, as everywhere in this family of programs


class _Block(NamedTuple):
    """The counts of some rows.

    Attributes:
        start, stop: the rows.
        where: (n_nonzero,) int64, positions in the flattened (stop - start, n_genes) block.
        values: (n_nonzero,) float32.
        log_factorials: sum of lgamma(values + 1).
    """

    start: int
    stop: int
    where: Tensor
    values: Tensor
    log_factorials: float


class SparseCounts:
    """Counts on a device, ready for :func:`zinb_loss`.

    Args:
        counts: (n_cells, n_genes) CSR, >= 0.
        size_factors: (n_cells,) float32 tensor.
        device: where the predictions are made.
    """

    def __init__(self, counts: csr_matrix, size_factors: Tensor, device: torch.device | str = "cpu") -> None:
        self.n_cells, self.n_genes = counts.shape
        self.size_factors = size_factors.to(device)
        n_rows = max(64, _BLOCK_ENTRIES // max(1, self.n_genes))
        self.blocks = [
            self._block(counts[start : start + n_rows], start, device) for start in range(0, self.n_cells, n_rows)
        ]

    def _block(self, rows: csr_matrix, start: int, device: torch.device | str) -> _Block:
        """Return the non-zero counts of ``rows``."""
        entries = rows.tocoo()
        where = torch.as_tensor(entries.row, dtype=torch.int64) * self.n_genes + torch.as_tensor(entries.col)
        values = torch.as_tensor(entries.data, dtype=torch.float32)
        log_factorials = float(torch.lgamma(values.double() + 1).sum())
        return _Block(start, start + rows.shape[0], where.to(device), values.to(device), log_factorials)


def zinb_loss(hidden: Tensor, heads: CountHeads, counts: SparseCounts) -> Tensor:
    """Return the mean over all entries of the zero-inflated negative binomial's negative log-likelihood, in nats.

    The same as ``zinb_nll(counts, *heads(hidden, size_factors))`` with its clips, to rounding; but log-gammas are
    taken at the non-zero counts only, the gradient is computed beside the value, and of the (n_cells, n_genes)
    predictions only one block exists at a time. Where an extra zero is certain to 1e-10, a count keeps its pull on the
    logit, which the dense form loses to its eps.

    Args:
        hidden: (n_cells, n_hidden) decoder activations.
        heads: of kind "zinb".
        counts: of the same cells.

    Raises:
        ValueError: if the heads are of another kind, or cells do not match.

    Source: Eraslan et al. 2019 (DCA); with mean mu, inverse dispersion theta and logit t of the extra zero,
    -log P(0) = softplus(t) - log(e^t + (theta / (theta + mu))^theta).
    """
    if heads.pi is None or not isinstance(heads.disp, nn.Linear):
        raise ValueError("heads must be of kind 'zinb'")
    if len(hidden) != counts.n_cells:
        raise ValueError(f"hidden has {len(hidden)} rows but there are counts of {counts.n_cells} cells")
    layers = (heads.mean, heads.disp, heads.pi)
    inputs = [hidden, *(p for layer in layers for p in (layer.weight, layer.bias))]
    gradients = [torch.zeros_like(tensor) for tensor in inputs]
    total = torch.zeros((), dtype=torch.float64, device=hidden.device)
    scale = 1.0 / (counts.n_cells * counts.n_genes)
    with torch.no_grad():
        for block in counts.blocks:
            rows = slice(block.start, block.stop)
            part = hidden[rows]
            logits = [torch.addmm(layer.bias, part, layer.weight.T) for layer in layers]
            value, slopes = _block_nll(logits, block, counts.size_factors[rows, None], heads)
            total += value
            for i, (layer, slope) in enumerate(zip(layers, slopes, strict=True)):
                gradients[0][rows].addmm_(slope, layer.weight, alpha=scale)
                gradients[1 + 2 * i].addmm_(slope.T, part, alpha=scale)
                gradients[2 + 2 * i].add_(slope.sum(dim=0), alpha=scale)
    return with_gradients((total * scale).to(hidden.dtype), inputs, gradients)


def _block_nll(
    logits: list[Tensor], block: _Block, size_factors: Tensor, heads: CountHeads
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Return the summed negative log-likelihood of a block and its slopes along the three linear outputs."""
    log_mean, raw_disp, pi_logit = logits
    mean_inside = _clamp_(log_mean, *heads.log_mean_clip)
    mean = log_mean.exp_().mul_(size_factors)
    free_disp = softplus(raw_disp)
    d_softplus = torch.expm1(-free_disp).neg_()  # the slope of softplus, sigmoid(raw), from its value
    disp_inside = _clamp_(free_disp, *heads.disp_clip)
    disp = free_disp
    pi = pi_logit.sigmoid_()

    rate = mean / disp
    log_ratio = torch.log1p(rate)  # log(1 + mu / theta)
    nb_zero = (disp * log_ratio).neg_().exp_()
    zero = pi + (1 - pi) * nb_zero + _EPS
    extra = pi / zero  # probability that a zero is an extra one
    counted = 1 - extra
    # As if every count were zero; the entries with counts are put right below.
    d_mean = counted / (1 + rate)
    d_disp = counted * (log_ratio - rate / (1 + rate))
    d_pi = pi - extra
    log_zero = zero.log_()

    x, at = block.values.to(mean.dtype), block.where
    mu, theta, log_r, pi_at = (whole.view(-1)[at] for whole in (mean, disp, log_ratio, pi))
    nll = torch.lgamma(theta) - torch.lgamma(theta + x) + (theta + x) * log_r + x * torch.log(theta / mu)
    nll -= torch.log(1 - pi_at + _EPS)
    total = log_zero.view(-1)[at].sum(dtype=torch.float64) - log_zero.sum(dtype=torch.float64)
    total = total + nll.sum(dtype=torch.float64) + block.log_factorials
    d_mean.view(-1)[at] = (theta + x) / (theta + mu) - x / mu
    d_disp.view(-1)[at] = (
        torch.digamma(theta) - torch.digamma(theta + x) + log_r - (theta + x) * mu / (theta * (theta + mu)) + x / theta
    )
    d_pi.view(-1)[at] = pi_at

    # Back through the activations, and through the clips where they cut.
    d_mean.mul_(mean)
    d_disp.mul_(d_softplus)
    for slope, inside in ((d_mean, mean_inside), (d_disp, disp_inside)):
        if inside is not None:
            slope.mul_(inside)
    return total, (d_mean, d_disp, d_pi)


def _clamp_(values: Tensor, low: float, high: float) -> Tensor | None:
    """Clamp in place; return where the values were within the bounds, or None when all were."""
    least, most = values.aminmax()
    if bool((least >= low) & (most <= high)):
        return None
    inside = (values >= low) & (values <= high)
    values.clamp_(low, high)
    return inside
