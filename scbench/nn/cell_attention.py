"""Multi-head attention in which the tokens are cells."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

__all__ = ["CellAttention", "dropout_attention"]

_BLOCK_SCORES = 2**17  # scores at hand at once; three arrays of this size stay in a core's cache


class CellAttention(nn.Module):
    """Let each cell attend to the cells of a set; the result depends on which cells are in the set.

    Args:
        width: of a cell's representation and of the result.
        n_heads: heads of width / n_heads each.
        dropout: rate in [0, 1) on the attention weights, in training mode.
        residual: add the input to the result.
        generator: of the dropout on the CPU; None for torch's process-wide one. On other devices the device's
            process-wide generator draws.

    Raises:
        ValueError: if ``width`` is no multiple of ``n_heads``, or ``dropout`` is out of range.

    Source: Vaswani et al. 2017, section 3.2.2, without positions.
    """

    def __init__(
        self,
        width: int,
        n_heads: int,
        *,
        dropout: float = 0.0,
        residual: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if n_heads < 1 or width % n_heads:
            raise ValueError(f"width must be a multiple of n_heads, got {width} and {n_heads}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {dropout}")
        self.n_heads = n_heads
        self.dropout = dropout
        self.residual = residual
        self._generator = generator
        # Queries, keys and values in one product; the default initialisation depends on the input width only.
        self.project = nn.Linear(width, 3 * width)
        self.combine = nn.Linear(width, width)

    def forward(self, cells: Tensor, others: Tensor | None = None) -> Tensor:
        """Return what each of ``cells`` gathers.

        Args:
            cells: (..., n_cells, width); leading axes are sets that do not see each other.
            others: (..., n_others, width), the cells that are attended to; None for ``cells`` themselves.

        Returns:
            Same shape as ``cells``.
        """
        width = cells.shape[-1]
        if others is None:
            queries, keys, values = self.project(cells).split(width, dim=-1)
        else:
            weight, bias = self.project.weight, self.project.bias
            queries = linear(cells, weight[:width], bias[:width])
            keys, values = linear(others, weight[width:], bias[width:]).split(width, dim=-1)
        gathered = self._attend(*(self._heads(part) for part in (queries, keys, values)))
        result: Tensor = self.combine(gathered.transpose(-3, -2).reshape(cells.shape))
        return result + cells if self.residual else result

    def _heads(self, part: Tensor) -> Tensor:
        """Return (..., n_heads, n_cells, head width)."""
        heads: Tensor = part.unflatten(-1, (self.n_heads, -1)).transpose(-3, -2)
        return heads

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return the weighted means of the values, by the cheapest way there is."""
        rate = self.dropout if self.training else 0.0
        if rate > 0 and queries.device.type == "cpu":
            flat = [part.flatten(0, -3) for part in (queries, keys, values)]
            return dropout_attention(flat[0], flat[1], flat[2], rate, self._generator).view(queries.shape)
        # Only with four axes are the scores never held all at once.
        sets = [part.reshape(-1, *part.shape[-3:]) for part in (queries, keys, values)]
        gathered: Tensor = scaled_dot_product_attention(sets[0], sets[1], sets[2], dropout_p=rate)
        return gathered.reshape(queries.shape)


def dropout_attention(
    queries: Tensor, keys: Tensor, values: Tensor, rate: float, generator: torch.Generator | None = None
) -> Tensor:
    """Return softmax(Q K^T / sqrt(width)) V with dropout on the softmax; it keeps no scores for the backward pass.

    torch's own dropout draws a number for each score, which costs more than the rest of the attention on a CPU. Here
    as many places as a Poisson number of mean -n log(1 - rate) are drawn with replacement, so each score is hit
    independently with probability ``rate``: the same distribution from a tenth of the numbers.

    Args:
        queries: (n_sets, n_cells, width).
        keys, values: (n_sets, n_others, width).
        rate: in [0, 1).
        generator: of the places, on the CPU as ``queries`` are; None for torch's process-wide one.

    Returns:
        Same shape as ``queries``.

    Raises:
        ValueError: if ``rate`` is out of range.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate must be in [0, 1), got {rate}")
    scaled = queries * queries.shape[-1] ** -0.5
    result: Tensor = _DropoutAttention.apply(scaled, keys, values, rate, generator)  # type: ignore[no-untyped-call]
    return result


class _DropoutAttention(torch.autograd.Function):
    """softmax(Q K^T) V with dropout, some sets at a time; the backward pass makes the scores again."""

    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, keys: Tensor, values: Tensor, rate: float, generator: torch.Generator | None
    ) -> Tensor:
        ctx.rate = rate
        ctx.rows = _rows_at_once(queries, keys)
        result = torch.empty_like(queries)
        dropped = []
        for rows, (attention,) in _pieces(queries, keys, ctx.rows, 1):
            torch.softmax(torch.bmm(queries[rows], keys[rows].mT, out=attention), dim=-1, out=attention)
            n_scores = attention.numel()
            n_draws = torch.poisson(torch.tensor(-n_scores * math.log1p(-rate), dtype=torch.float64), generator)
            dropped.append(torch.randint(n_scores, (int(n_draws),), generator=generator, device=queries.device))
            attention.view(-1).index_fill_(0, dropped[-1], 0)
            torch.bmm(attention, values[rows], out=result[rows])
        ctx.save_for_backward(queries, keys, values, *dropped)
        return result.mul_(1 / (1 - rate))

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, values, *dropped = ctx.saved_tensors
        outer = outputs[0] * (1 / (1 - ctx.rate))
        slopes = [torch.empty_like(part) for part in (queries, keys, values)]
        for at, (rows, (attention, thinned, slope)) in zip(dropped, _pieces(queries, keys, ctx.rows, 3), strict=True):
            torch.softmax(torch.bmm(queries[rows], keys[rows].mT, out=attention), dim=-1, out=attention)
            thinned.copy_(attention).view(-1).index_fill_(0, at, 0)
            torch.bmm(thinned.mT, outer[rows], out=slopes[2][rows])
            torch.bmm(outer[rows], values[rows].mT, out=slope).view(-1).index_fill_(0, at, 0)
            # The slope of a softmax: attention * (slope - its mean under the attention).
            slope.sub_((slope * attention).sum(dim=-1, keepdim=True)).mul_(attention)
            torch.bmm(slope, keys[rows], out=slopes[0][rows])
            torch.bmm(slope.mT, queries[rows], out=slopes[1][rows])
        return *slopes, None, None


def _rows_at_once(queries: Tensor, keys: Tensor) -> int:
    """Return how many sets make a block."""
    return max(1, min(len(queries), _BLOCK_SCORES // max(1, queries.shape[1] * keys.shape[1])))


def _pieces(queries: Tensor, keys: Tensor, n_rows: int, n_arrays: int) -> list[tuple[slice, list[Tensor]]]:
    """Return blocks of sets, each with arrays for its scores; all blocks write to the same memory."""
    shape = (n_rows, queries.shape[1], keys.shape[1])
    scratch = [queries.new_empty(shape) for _ in range(n_arrays)]
    starts = range(0, len(queries), n_rows)
    stops = [min(start + n_rows, len(queries)) for start in starts]
    return [
        (slice(start, stop), [array[: stop - start] for array in scratch])
        for start, stop in zip(starts, stops, strict=True)
    ]
