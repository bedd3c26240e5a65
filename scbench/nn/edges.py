"""Attention along the edges of a graph of cells: a softmax over each cell's neighbours, and weighted sums of theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from scbench.nn.propagate import csr_tensor

__all__ = ["Edges"]

_ENTRIES_AT_ONCE = 2**22


class Edges:
    """The non-zero entries of an adjacency, row by row; their weights in it do not count.

    Args:
        adjacency: (n_cells, n_cells) CSR; row i holds what cell i gathers from.
        device: where the values that it is applied to live.

    Attributes:
        rows, columns: (n_edges,) int64, the gathering cell and the cell gathered from, sorted by row.
    """

    def __init__(self, adjacency: csr_matrix, device: torch.device | str = "cpu") -> None:
        sorted_rows = csr_matrix(adjacency)
        if not sorted_rows.has_sorted_indices:
            sorted_rows = sorted_rows.sorted_indices()
        self.n_cells: int = sorted_rows.shape[0]
        rows = np.repeat(np.arange(self.n_cells), np.diff(sorted_rows.indptr))
        by_column = np.lexsort((rows, sorted_rows.indices))
        starts = np.concatenate([[0], np.cumsum(np.bincount(sorted_rows.indices, minlength=self.n_cells))])
        self.rows = torch.as_tensor(rows, dtype=torch.int64, device=device)
        self.columns = torch.as_tensor(sorted_rows.indices, dtype=torch.int64, device=device)
        self._by_row = _Order(torch.as_tensor(sorted_rows.indptr, dtype=torch.int64, device=device), self.columns)
        self._by_column = _Order(
            torch.as_tensor(starts, dtype=torch.int64, device=device), self.rows[torch.as_tensor(by_column)]
        )
        self._place_by_column = torch.as_tensor(by_column, dtype=torch.int64, device=device)

    def softmax(self, scores: Tensor) -> Tensor:
        """Return scores (n_edges,) or (n_edges, n_heads) as weights that sum to 1 over each row's edges."""
        shape = (self.n_cells, *scores.shape[1:])
        rows = self.rows if scores.ndim == 1 else self.rows[:, None].expand_as(scores)
        largest = scores.new_zeros(shape).scatter_reduce(0, rows, scores.detach(), "amax", include_self=False)
        powers = (scores - largest[self.rows]).exp()
        return powers / scores.new_zeros(shape).index_add(0, self.rows, powers)[self.rows]

    def weighted_sum(self, weights: Tensor, values: Tensor) -> Tensor:
        """Return for each row the sum of its columns' ``values`` (n_cells, width) by ``weights`` (n_edges,).

        Nothing of the size edges x width is kept for the backward pass.
        """
        result: Tensor = _WeightedSum.apply(weights, values, self)  # type: ignore[no-untyped-call]
        return result

    def inner_products(self, left: Tensor, right: Tensor) -> Tensor:
        """Return left[row] . right[column] for each edge, (n_edges,); both are (n_cells, width)."""
        n_edges = max(1, _ENTRIES_AT_ONCE // left.shape[1])
        pieces = zip(self.rows.split(n_edges), self.columns.split(n_edges), strict=True)
        return torch.cat([(left[rows] * right[columns]).sum(dim=1) for rows, columns in pieces])

    def gathered(self, weights: Tensor, values: Tensor) -> Tensor:
        """Return the product with the matrix of these weights."""
        return self._by_row.matrix(weights) @ values

    def scattered(self, weights: Tensor, values: Tensor) -> Tensor:
        """Return the product with the transpose of the matrix of these weights."""
        return self._by_column.matrix(weights[self._place_by_column]) @ values


class _Order:
    """The pattern of a square matrix, entries in the order of its rows."""

    def __init__(self, starts: Tensor, columns: Tensor) -> None:
        self._starts, self._columns = starts, columns

    def matrix(self, weights: Tensor) -> Tensor:
        n = len(self._starts) - 1
        return csr_tensor(self._starts, self._columns, weights, (n, n))


class _WeightedSum(torch.autograd.Function):
    """A(weights) @ values with gradients to both."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, values: Tensor, edges: Edges) -> Tensor:
        ctx.save_for_backward(weights, values)
        ctx.edges = edges
        return edges.gathered(weights, values)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, Tensor, None]:
        weights, values = ctx.saved_tensors
        outer = outputs[0].contiguous()
        return ctx.edges.inner_products(outer, values), ctx.edges.scattered(weights, outer), None
