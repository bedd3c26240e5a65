"""Likelihoods of sparse counts under dense predictions, one block of cells at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn

from scbench.nn.count_batch import CountBatch, CountBlock, CountRows, blocks_by_rows
from scbench.nn.count_slopes import activated, at_counts
from scbench.nn.likelihood import CountHeads
from scbench.nn.precomputed import with_gradients

__all__ = ["SparseCounts", "nb_loss", "zinb_loss"]

# Predictions in one block. On a CPU a dozen arrays of this size stay in the cache; a GPU wants few, large kernels.
_BLOCK_ENTRIES = 2**17
_BLOCK_ENTRIES_GPU = 2**22
_EPS = 1e-10  # inside logarithms, as everywhere in this family of programs


class SparseCounts:
    """Counts on a device, ready for :func:`nb_loss` and :func:`zinb_loss`, all of them or a batch of cells at a time.

    Args:
        counts: (n_cells, n_genes) CSR, >= 0.
        size_factors: (n_cells,) float tensor.
        device: where the predictions are made.
    """

    def __init__(self, counts: csr_matrix, size_factors: Tensor, device: torch.device | str = "cpu") -> None:
        self.n_cells, self.n_genes = counts.shape
        self.size_factors = size_factors.to(device)
        self._counts = counts
        self._device = torch.device(device)

    @property
    def _block_entries(self) -> int:
        """Return about how many predictions make a block."""
        return _BLOCK_ENTRIES if self._device.type == "cpu" else _BLOCK_ENTRIES_GPU

    @cached_property
    def _rows(self) -> CountRows:
        """The counts on the device, made at the first batch."""
        return CountRows(self._counts, self._device)

    @cached_property
    def blocks(self) -> list[CountBlock]:
        """All cells, made at the first loss over all of them, and kept with positions of 32 bits."""
        everything = CountRows(self._counts, self._device)
        n_rows = max(64, self._block_entries // max(1, self.n_genes))
        blocks = []
        for start in range(0, self.n_cells, n_rows):
            stop = min(start + n_rows, self.n_cells)
            (block,) = blocks_by_rows(everything.gather(torch.arange(start, stop)), n_rows)
            blocks.append(block._replace(rows=slice(start, stop), where=block.where.int()))
        return blocks

    def made_ready(self) -> SparseCounts:
        """Make the blocks now, before others need the memory that this takes; return itself."""
        _ = self.blocks
        return self

    def batch(self, cells: Tensor) -> CountBatch:
        """Return the counts of some cells.

        Args:
            cells: (n_chosen,) int64 on the CPU; in any order.
        """
        chosen = self._rows.gather(cells)
        size_factors = self.size_factors[cells.to(self._device)]
        return CountBatch(chosen, size_factors, self._block_entries)


_BlockNll = Callable[[list[Tensor], CountBlock, Tensor, CountHeads], tuple[Tensor, tuple[Tensor, ...]]]


def nb_loss(hidden: Tensor, heads: CountHeads, counts: SparseCounts | CountBatch) -> Tensor:
    """Return the mean over all entries of the negative binomial's negative log-likelihood, in nats.

    The same as ``nb_nll(counts, *heads(hidden, size_factors))`` with its clips, to rounding, at the price described
    at :func:`zinb_loss`. Under autocast the matrix products run in its type, all else in that of the weights.

    Args:
        hidden: (n_cells, n_hidden) decoder activations.
        heads: of kind "nb".
        counts: of the same cells.

    Raises:
        ValueError: if the heads are of another kind, or cells do not match.

    Source: Eraslan et al. 2019 (DCA); with mean mu and inverse dispersion theta, -log P(0) = theta log(1 + mu / theta).
    """
    if heads.pi is not None or not isinstance(heads.disp, nn.Linear):
        raise ValueError("heads must be of kind 'nb'")
    return _loss(hidden, heads, (heads.mean, heads.disp), counts, _nb_block)


def zinb_loss(hidden: Tensor, heads: CountHeads, counts: SparseCounts | CountBatch) -> Tensor:
    """Return the mean over all entries of the zero-inflated negative binomial's negative log-likelihood, in nats.

    The same as ``zinb_nll(counts, *heads(hidden, size_factors))`` with its clips, to rounding; but log-gammas are
    taken at the non-zero counts only, the gradient is computed beside the value, and of the (n_cells, n_genes)
    predictions only one block exists at a time. Where an extra zero is certain to 1e-10, a count keeps its pull on the
    logit, which the dense form loses to its eps. Under autocast the matrix products run in its type, all else in that
    of the weights.

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
    return _loss(hidden, heads, (heads.mean, heads.disp, heads.pi), counts, _zinb_block)


def _loss(
    hidden: Tensor,
    heads: CountHeads,
    layers: Sequence[nn.Linear],
    counts: SparseCounts | CountBatch,
    block_nll: _BlockNll,
) -> Tensor:
    """Return the mean of the blocks' likelihoods, with its gradient along ``hidden`` and the layers."""
    if len(hidden) != counts.n_cells:
        raise ValueError(f"hidden has {len(hidden)} rows but there are counts of {counts.n_cells} cells")
    kind = hidden.device.type
    product_type = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
    inputs = [hidden, *(p for layer in layers for p in (layer.weight, layer.bias))]
    gradients = [torch.zeros_like(tensor) for tensor in inputs]
    total = torch.zeros((), dtype=torch.float64, device=hidden.device)
    scale = 1.0 / (counts.n_cells * counts.n_genes)
    with torch.no_grad(), torch.autocast(kind, enabled=False):
        weights = [layer.weight.to(product_type) for layer in layers]
        for block in counts.blocks:
            rows, genes = block.rows, block.genes
            part = hidden[rows].to(product_type)
            logits = [
                _add_product_(layer.bias[genes].repeat(len(part), 1), part, weight[genes].T)
                for layer, weight in zip(layers, weights, strict=True)
            ]
            value, slopes = block_nll(logits, block, counts.size_factors[rows, None], heads)
            total += value
            for i, (weight, slope) in enumerate(zip(weights, slopes, strict=True)):
                narrow = slope.to(product_type)
                _add_product_(gradients[0][rows], narrow, weight[genes], scale)
                _add_product_(gradients[1 + 2 * i][genes], narrow.T, part, scale)
                gradients[2 + 2 * i][genes].add_(slope.sum(dim=0), alpha=scale)
    return with_gradients((total * scale).to(hidden.dtype), inputs, gradients)


def _add_product_(out: Tensor, a: Tensor, b: Tensor, alpha: float = 1.0) -> Tensor:
    """Add alpha * a @ b to ``out``, which may be of a wider type."""
    return out.addmm_(a, b, alpha=alpha) if out.dtype == a.dtype else out.add_(a @ b, alpha=alpha)


def _nb_block(
    logits: list[Tensor], block: CountBlock, size_factors: Tensor, heads: CountHeads
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the summed negative log-likelihood of a block and its slopes along the two linear outputs."""
    active = activated(logits[0], logits[1], size_factors, heads)
    mean, disp = active.mean, active.disp
    rate = mean / disp
    log_ratio = torch.log1p(rate)  # log(1 + mu / theta)
    total = torch.dot(disp.view(-1), log_ratio.view(-1)).double()
    above = rate + 1
    # As if every count were zero; the entries with counts are put right below.
    d_mean = mean / above
    d_disp = log_ratio - rate.div_(above)

    at = block.where.long()
    mu, theta, log_r = (whole.view(-1)[at] for whole in (mean, disp, log_ratio))
    nll, slope_mean, slope_disp = at_counts(block.values.to(mu.dtype), mu, theta, log_r)
    total = total + (nll - theta * log_r).sum(dtype=torch.float64) + block.log_factorials
    d_mean.view(-1)[at] = slope_mean
    d_disp.view(-1)[at] = slope_disp
    return total, active.through(d_mean, d_disp)


def _zinb_block(
    logits: list[Tensor], block: CountBlock, size_factors: Tensor, heads: CountHeads
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the summed negative log-likelihood of a block and its slopes along the three linear outputs."""
    active = activated(logits[0], logits[1], size_factors, heads)
    mean, disp, pi = active.mean, active.disp, logits[2].sigmoid_()
    rate = mean / disp
    log_ratio = torch.log1p(rate)
    nb_zero = (disp * log_ratio).neg_().exp_()
    zero = (1 - pi).mul_(nb_zero).add_(pi).add_(_EPS)
    extra = torch.div(pi, zero, out=nb_zero)  # probability that a zero is an extra one
    counted = 1 - extra
    above = rate + 1
    d_mean = (counted * mean).div_(above)
    d_disp = torch.sub(log_ratio, rate.div_(above), out=above).mul_(counted)
    d_pi = torch.sub(pi, extra, out=extra)
    log_zero = zero.log_()

    at = block.where.long()
    mu, theta, log_r, pi_at = (whole.view(-1)[at] for whole in (mean, disp, log_ratio, pi))
    nll, slope_mean, slope_disp = at_counts(block.values.to(mu.dtype), mu, theta, log_r)
    nll -= torch.log(1 - pi_at + _EPS)
    total = log_zero.view(-1)[at].sum(dtype=torch.float64) - log_zero.sum(dim=1).sum(dtype=torch.float64)
    total = total + nll.sum(dtype=torch.float64) + block.log_factorials
    d_mean.view(-1)[at] = slope_mean
    d_disp.view(-1)[at] = slope_disp
    d_pi.view(-1)[at] = pi_at
    return total, (*active.through(d_mean, d_disp), d_pi)
