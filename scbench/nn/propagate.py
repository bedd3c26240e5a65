"""Products with the (normalised) adjacency of a graph of cells; the adjacency is sparse or never formed."""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import torch
from scipy.sparse import csr_matrix
from torch import Tensor

__all__ = ["Propagator", "SparseGraph", "csr_tensor", "sparse_product", "to_torch"]


class Propagator(Protocol):
    """A fixed linear map A over cells that layers can apply."""

    def once(self, values: Tensor) -> Tensor:
        """Return A @ values."""
        ...

    def twice(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return A @ values and A @ A @ values."""
        ...

    def slopes(self, first: Tensor, second: Tensor | None = None) -> Tensor:
        """Return A^T first + A^T A^T second: the backward pass of :meth:`once` and :meth:`twice`."""
        ...


def to_torch(matrix: csr_matrix, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a scipy CSR matrix as a torch CSR tensor; indices of 32 bits where they suffice, which is faster."""
    whole = torch.int32 if max(matrix.nnz, *matrix.shape) < 2**31 else torch.int64
    parts = (matrix.indptr, whole), (matrix.indices, whole), (matrix.data, dtype)
    starts, columns, values = (torch.as_tensor(part, dtype=kind, device=device) for part, kind in parts)
    return csr_tensor(starts, columns, values, matrix.shape)


def csr_tensor(starts: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return a torch CSR tensor of its parts, all on one device, without torch's warning that CSR is young."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse (CSR tensor support|invariant checks)")
        return torch.sparse_csr_tensor(starts, columns, values, size=shape, device=values.device)


def sparse_product(matrix: Tensor, values: Tensor) -> Tensor:
    """Return matrix @ values, written once: the operator of torch fills its result with 0 and copies it twice.

    Args:
        matrix: (n, m) CSR.
        values: (m, width) without a gradient.
    """
    result = values.new_empty(matrix.shape[0], values.shape[1])
    return torch.addmm(result, matrix, values, beta=0, out=result)


class _Product(torch.autograd.Function):
    """A @ values with the transpose at hand, so that the backward pass need not sort the edges anew."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, matrix: Tensor, transpose: Tensor) -> Tensor:
        ctx.transpose = transpose
        return sparse_product(matrix, values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return sparse_product(ctx.transpose, gradients[0].contiguous()), None, None


class SparseGraph:
    """A sparse adjacency.

    Args:
        adjacency: (n_cells, n_cells) CSR, weights as they are to be used.
        device: where the values that it is applied to live.
        dtype: of these values.
    """

    def __init__(
        self, adjacency: csr_matrix, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        self._matrix = to_torch(adjacency, device, dtype)
        self._transpose = to_torch(csr_matrix(adjacency.T), device, dtype)

    def once(self, values: Tensor) -> Tensor:
        """Return A @ values, (n_cells, width)."""
        result: Tensor = _Product.apply(values, self._matrix, self._transpose)  # type: ignore[no-untyped-call]
        return result

    def twice(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return A @ values and A @ A @ values."""
        first = self.once(values)
        return first, self.once(first)

    @torch.no_grad()
    def slopes(self, first: Tensor, second: Tensor | None = None) -> Tensor:
        """Return A^T first + A^T A^T second: the backward pass of :meth:`once` and :meth:`twice`."""
        if second is not None:
            first = sparse_product(self._transpose, second.contiguous()).add_(first)
        return sparse_product(self._transpose, first.contiguous())
