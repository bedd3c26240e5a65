"""Mean squared error between a graph and its inner-product estimate, without an n x n array."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from scipy.sparse import csr_matrix, triu
from torch import Tensor

from scbench.nn.precomputed import with_gradients
from scbench.nn.propagate import to_torch

__all__ = ["AdjacencyError"]

_BLOCK_ENTRIES = 2**18  # of one block of the estimate; 1 MiB of float32 stays in a core's cache
_TILE = 64
_EDGES = 2**15  # edges at a time: their codes are gathered


class AdjacencyError:
    """Mean over all pairs of cells of (sum_f w_f sigmoid(H_f H_f^T) - A)^2, and its gradient.

    ``exact`` goes through blocks of rows: time n^2, memory n. ``sampled`` is an unbiased estimate in time n: all
    edges count exactly, the squared estimate of all pairs is taken from random tiles. Two random orders of the cells
    are cut into pieces of 64, and piece t of the first is paired with piece t of the second, so in one draw each cell
    meets 64 others as a row and 64 as a column (a remainder below 64 sits out).

    Args:
        adjacency: (n_cells, n_cells) CSR, the target A; need not be symmetric.
        device: where the codes live.

    Source: Tu et al. 2021 (DFCN), the reconstruction of the adjacency matrix.
    """

    def __init__(self, adjacency: csr_matrix, device: torch.device | str = "cpu") -> None:
        self.n_cells = adjacency.shape[0]
        # The estimate is symmetric, so only A + A^T acts on it; the rest of the error is a constant.
        half = csr_matrix((adjacency + adjacency.T) * 0.5)
        self._squares = _sum_of_squares(adjacency)
        self._constant = self._squares - _sum_of_squares(half)
        upper = triu(half, format="csr")
        upper.sort_indices()
        self._upper = upper
        self._device = torch.device(device)
        self._half = half

    @cached_property
    def _blocks(self) -> list[tuple[int, int, Tensor, Tensor]]:
        """The edges of each block of rows, made when the error over all pairs is first asked for."""
        return [self._block(start) for start in range(0, self.n_cells, self._rows)]

    @cached_property
    def _edges(self) -> _Edges:
        """The edges, made at the first estimate."""
        return _Edges(self._half, self._upper, self._device)

    @property
    def _rows(self) -> int:
        """Return the number of rows in a block."""
        return max(1, min(self.n_cells, max(64, _BLOCK_ENTRIES // self.n_cells)))

    def _block(self, start: int) -> tuple[int, int, Tensor, Tensor]:
        """Return first row, end, and the edges (flat place in the block, weight) of one block.

        The block's columns begin at its first row; in its diagonal tile edges stand on both sides of the diagonal.
        """
        stop = min(start + self._rows, self.n_cells)
        part = self._upper[start:stop].tocoo()
        row, col = part.row.astype(np.int64), part.col.astype(np.int64) - start
        mirrored = (col < stop - start) & (row != col)
        width = self.n_cells - start
        where = np.concatenate([row * width + col, col[mirrored] * width + row[mirrored]])
        value = np.concatenate([part.data, part.data[mirrored]])
        return (
            start,
            stop,
            torch.as_tensor(where, device=self._device),
            torch.as_tensor(value, dtype=torch.float32, device=self._device),
        )

    def exact(self, codes: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
        """Return the error over all pairs.

        Args:
            codes: each (n_cells, width_f).
            weights: one for each.

        Raises:
            ValueError: if codes and weights do not match each other or the graph.
        """
        self._check(codes, weights)
        plain = [code.detach() for code in codes]
        gradients = [torch.zeros_like(code) for code in plain]
        total = torch.zeros((), dtype=torch.float64, device=self._device)
        scale = 4.0 / self.n_cells**2
        for start, stop, where, value in self._blocks:
            size, width = stop - start, self.n_cells - start
            estimates = [torch.sigmoid_(code[start:stop] @ code[start:].T) for code in plain]
            error = _weighted_sum(estimates, weights)
            error.view(-1).index_add_(0, where, value.to(error.dtype), alpha=-1)
            # The block holds its part of the upper half; right of the diagonal tile every pair counts twice.
            flat, tile = error.view(-1), error[:, :size].reshape(-1)
            total = total + 2 * torch.dot(flat, flat).double() - torch.dot(tile, tile).double()
            for code, gradient, estimate, weight in zip(plain, gradients, estimates, weights, strict=True):
                slope = torch.addcmul(estimate, estimate, estimate, value=-1, out=estimate).mul_(error)
                gradient[start:stop].addmm_(slope, code[start:], alpha=scale * weight)
                if width > size:
                    gradient[stop:].addmm_(slope[:, size:].T, code[start:stop], alpha=scale * weight)
        mean = (total + self._constant) / self.n_cells**2
        return with_gradients(mean.to(plain[0].dtype), codes, gradients)

    def sampled(self, codes: Sequence[Tensor], weights: Sequence[float], generator: torch.Generator) -> Tensor:
        """Return an unbiased estimate of :meth:`exact`; it can be negative when the error is near 0.

        Args:
            codes, weights: as in :meth:`exact`.
            generator: CPU generator of the draw.

        Raises:
            ValueError: as :meth:`exact`.
        """
        self._check(codes, weights)
        plain = [code.detach() for code in codes]
        gradients = [torch.zeros_like(code) for code in plain]
        everywhere = self._tile_squares(plain, weights, generator, gradients)
        at_edges = self._edges.products(plain, weights, gradients, scale=-2.0 / self.n_cells**2)
        value = everywhere + at_edges + self._squares / self.n_cells**2
        return with_gradients(value.to(plain[0].dtype), codes, gradients)

    def _tile_squares(
        self, codes: list[Tensor], weights: Sequence[float], generator: torch.Generator, gradients: list[Tensor]
    ) -> Tensor:
        """Return the mean squared estimate over random tiles; add its slopes to ``gradients``."""
        size = min(_TILE, self.n_cells)
        n_tiles = self.n_cells // size
        rows, cols = (
            torch.randperm(self.n_cells, generator=generator)[: n_tiles * size].to(self._device) for _ in range(2)
        )
        left, right = ([code[order].view(n_tiles, size, -1) for code in codes] for order in (rows, cols))
        estimates = [torch.bmm(a, b.mT).sigmoid_() for a, b in zip(left, right, strict=True)]
        total = _weighted_sum(estimates, weights)
        value = total.square().mean(dtype=torch.float64)
        for a, b, gradient, estimate, weight in zip(left, right, gradients, estimates, weights, strict=True):
            slope = torch.addcmul(estimate, estimate, estimate, value=-1, out=estimate).mul_(total)
            slope.mul_(2 * weight / total.numel())
            gradient.index_add_(0, rows, torch.bmm(slope, b).flatten(0, 1))
            gradient.index_add_(0, cols, torch.bmm(slope.mT, a).flatten(0, 1))
        return value

    def _check(self, codes: Sequence[Tensor], weights: Sequence[float]) -> None:
        """Refuse codes of other cells."""
        if not codes or len(codes) != len(weights):
            raise ValueError(f"each code needs a weight, got {len(codes)} codes and {len(weights)} weights")
        for code in codes:
            if len(code) != self.n_cells:
                raise ValueError(f"the graph has {self.n_cells} cells but a code has {len(code)} rows")


class _Edges:
    """The edges of the symmetric half of the target, for sums over edges and their slopes.

    Args:
        half: (n_cells, n_cells) CSR, symmetric.
        upper: its part on and above the diagonal.
        device: where the codes live.
    """

    def __init__(self, half: csr_matrix, upper: csr_matrix, device: torch.device) -> None:
        edges = upper.tocoo()
        is_loop = edges.row == edges.col
        self._rows, self._cols = (
            torch.as_tensor(index, dtype=torch.int64, device=device) for index in (edges.row, edges.col)
        )
        weights = np.where(is_loop, 1.0, 2.0) * edges.data
        self._weights = torch.as_tensor(weights, dtype=torch.float32, device=device)
        # The slope at an edge acts on the codes of both ends: a symmetric matrix whose entries are found by number.
        numbers = csr_matrix((np.arange(1, edges.nnz + 1), (edges.row, edges.col)), shape=half.shape)
        mirrored = csr_matrix(numbers.maximum(numbers.T))
        self._number = torch.as_tensor(mirrored.data - 1, dtype=torch.int64, device=device)
        self._ends = to_torch(mirrored, device)
        loops = np.where(is_loop, 2.0, 1.0).astype(np.float32)
        self._twice_at_loops = torch.as_tensor(loops, device=device)

    def products(
        self, codes: list[Tensor], weights: Sequence[float], gradients: list[Tensor], *, scale: float
    ) -> Tensor:
        """Return scale * sum of target * estimate over all pairs; add its slopes to ``gradients``."""
        total = torch.zeros((), dtype=torch.float64, device=self._weights.device)
        for code, gradient, weight in zip(codes, gradients, weights, strict=True):
            products = [
                (code[rows] * code[cols]).sum(dim=1)
                for rows, cols in zip(self._rows.split(_EDGES), self._cols.split(_EDGES), strict=True)
            ]
            estimate = torch.cat(products).sigmoid_()
            factor = (scale * weight) * self._weights.to(code.dtype)
            total += torch.dot(factor, estimate).double()
            slope = factor * (estimate - estimate.square()) * self._twice_at_loops.to(code.dtype)
            values = slope[self._number]
            ends_matrix = torch.sparse_csr_tensor(
                self._ends.crow_indices(), self._ends.col_indices(), values, size=self._ends.shape
            )
            gradient += ends_matrix @ code
        return total


def _weighted_sum(parts: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Return sum_f weights[f] * parts[f]."""
    total = parts[0] * weights[0] if len(parts) == 1 or weights[0] != 1 else parts[0]
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        total = torch.add(total, part, alpha=weight)
    return total


def _sum_of_squares(matrix: csr_matrix) -> float:
    """Return the sum of the squared entries."""
    return float(np.square(matrix.data, dtype=np.float64).sum())
