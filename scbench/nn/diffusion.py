"""Personalised PageRank diffusion over a graph of cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from scbench.nn.propagate import sparse_product, to_torch

__all__ = ["DirectedPpr", "Ppr"]

_DENSE_CELLS = 1200
_COLUMNS_AT_ONCE = 64


class _Polynomials(torch.autograd.Function):
    """Polynomials of a symmetric matrix, in Chebyshev form, times ``values``: one recurrence serves all."""

    @staticmethod
    def forward(
        ctx: Any, values: Tensor, matrix: Tensor, polynomials: Sequence[tuple[float, ...]]
    ) -> tuple[Tensor, ...]:
        ctx.matrix, ctx.polynomials = matrix, polynomials
        results = tuple(torch.empty_like(values) for _ in polynomials)
        for columns in _column_pieces(values):
            found = _chebyshev_sums(matrix, values[:, columns].contiguous(), polynomials)
            for result, part in zip(results, found, strict=True):
                result[:, columns] = part
        return results

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _weighted_sum(ctx.matrix, gradients, ctx.polynomials), None, None


def _column_pieces(values: Tensor) -> list[slice]:
    """Return the columns, a few at a time: what is gathered from then stays near, and less is held at once."""
    width = values.shape[1]
    step = _COLUMNS_AT_ONCE if values.device.type == "cpu" else max(1, width)
    return [slice(start, start + step) for start in range(0, width, step)]


def _chebyshev_sums(matrix: Tensor, values: Tensor, polynomials: Sequence[tuple[float, ...]]) -> list[Tensor]:
    """Return p(matrix) values of each polynomial."""
    before, now = values, sparse_product(matrix, values)
    results = [c[0] * before + c[1] * now for c in polynomials]
    for k in range(2, len(polynomials[0])):
        # The sum is written over what is no longer needed; the values themselves are the caller's.
        room = torch.empty_like(values) if k == 2 else before
        before, now = now, torch.addmm(before, matrix, now, beta=-1, alpha=2, out=room)
        for result, c in zip(results, polynomials, strict=True):
            if c[k]:
                result.add_(now, alpha=c[k])
    return results


def _weighted_sum(matrix: Tensor, gradients: Sequence[Tensor], polynomials: Sequence[tuple[float, ...]]) -> Tensor:
    """Return sum_i p_i(matrix) gradients[i]; the matrix is symmetric."""
    result = torch.empty_like(gradients[0], memory_format=torch.contiguous_format)
    for columns in _column_pieces(result):
        result[:, columns] = _clenshaw(matrix, [g[:, columns].contiguous() for g in gradients], polynomials)
    return result


def _clenshaw(matrix: Tensor, gradients: Sequence[Tensor], polynomials: Sequence[tuple[float, ...]]) -> Tensor:
    """Return the sum by one recurrence for all polynomials (Clenshaw's)."""

    def term(k: int) -> Tensor:
        scaled = gradients[0] * polynomials[0][k]
        for gradient, polynomial in zip(gradients[1:], polynomials[1:], strict=True):
            if polynomial[k]:
                scaled.add_(gradient, alpha=polynomial[k])
        return scaled

    last = len(polynomials[0]) - 1
    after, now = torch.zeros_like(gradients[0]), term(last)
    for k in range(last - 1, 0, -1):
        rest = term(k).sub_(after)
        after, now = now, torch.addmm(rest, matrix, now, alpha=2, out=rest)
    rest = term(0).sub_(after)
    return torch.addmm(rest, matrix, now, out=rest)


class Ppr:
    """Personalised PageRank diffusion alpha (I - (1 - alpha) S)^-1 on an undirected graph.

    In up to 1200 cells the inverse and its square are formed, which is faster there. In more they never are: both are
    expanded in Chebyshev polynomials of S. With alpha = 0.2 the error halves with every product with S; the plain
    (Horner) series loses a fifth each time. One recurrence gives ``twice`` both of its results, and its backward pass
    is one more recurrence: no intermediate state is kept.

    Args:
        symmetric: (n_cells, n_cells) CSR, symmetric, eigenvalues in [-1, 1] (D^-1/2 (A + I) D^-1/2 has them).
        alpha: teleport probability in (0, 1].
        tol: of the expansion: bound on the error of either result, relative to the 2-norm of a column of ``values``.
        device, dtype: as for :class:`SparseGraph`.

    Raises:
        ValueError: if ``alpha`` is out of range.

    Source: Klicpera et al. 2019 (diffusion); Mason and Handscomb 2003, sections 2.4 and 5 (expansion, Clenshaw).
    """

    def __init__(
        self,
        symmetric: csr_matrix,
        alpha: float,
        *,
        tol: float = 1e-4,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        _check_alpha(alpha)
        self._dense: Tensor | None = None
        if symmetric.shape[0] <= _DENSE_CELLS:
            self._dense = _dense_powers(symmetric, alpha).to(device, dtype)
            return
        self._matrix = to_torch(symmetric, device, dtype)
        first, second = (_chebyshev(alpha, power, tol) for power in (1, 2))
        length = max(len(first), len(second))
        self._first, self._second = ((*c, *[0.0] * (length - len(c))) for c in (first, second))
        self._only_first = first

    def once(self, values: Tensor) -> Tensor:
        """Return the diffused values, (n_cells, width)."""
        if self._dense is not None:
            return self._dense[: len(values)] @ values
        result: tuple[Tensor, ...] = _Polynomials.apply(values, self._matrix, (self._only_first,))  # type: ignore[no-untyped-call]
        return result[0]

    def twice(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values diffused once and twice."""
        if self._dense is not None:
            once, twice = (self._dense @ values).chunk(2)
            return once, twice
        result: tuple[Tensor, Tensor] = _Polynomials.apply(values, self._matrix, (self._first, self._second))  # type: ignore[no-untyped-call]
        return result

    @torch.no_grad()
    def slopes(self, first: Tensor, second: Tensor | None = None) -> Tensor:
        """Return A^T first + A^T A^T second, the backward pass of :meth:`once` and :meth:`twice`."""
        if self._dense is not None:
            if second is None:
                return self._dense[: len(first)].T @ first
            return self._dense.T @ torch.cat([first, second])
        if second is None:
            return _weighted_sum(self._matrix, (first,), (self._only_first,))
        return _weighted_sum(self._matrix, (first, second), (self._first, self._second))


def _dense_powers(symmetric: csr_matrix, alpha: float) -> Tensor:
    """Return the diffusion matrix and, below it, its square: (2 n_cells, n_cells) float64."""
    system = np.eye(symmetric.shape[0]) - (1 - alpha) * symmetric.toarray().astype(np.float64)
    inverse = alpha * np.linalg.inv(system)
    return torch.tensor(np.vstack([inverse, inverse @ inverse]))


def _chebyshev(alpha: float, power: int, tol: float) -> tuple[float, ...]:
    """Return the coefficients of (alpha / (1 - (1 - alpha) x))^power on [-1, 1], at least two.

    Polynomials of degree k are at most 1 there, so the tail that is cut off sums to at most ``tol``.
    """
    degree = 16
    while True:
        nodes = np.polynomial.chebyshev.chebpts1(degree + 1)
        values = (alpha / (1 - (1 - alpha) * nodes)) ** power
        found = np.polynomial.chebyshev.chebfit(nodes, values, degree)
        tail = np.cumsum(np.abs(found[::-1]))[::-1]
        if abs(found[-1]) < 1e-3 * tol:
            length = max(2, int(np.searchsorted(-tail, -tol)))
            return tuple(float(c) for c in found[:length])
        degree *= 2


class DirectedPpr:
    """Personalised PageRank diffusion on any graph, by Horner's rule for the Neumann series.

    Args:
        matrix: (n_cells, n_cells) CSR with spectral radius at most 1.
        alpha, tol, device, dtype: as for :class:`Ppr`; the series stops when (1 - alpha)^steps < ``tol``.

    Raises:
        ValueError: if ``alpha`` is out of range.
    """

    def __init__(
        self,
        matrix: csr_matrix,
        alpha: float,
        *,
        tol: float = 1e-4,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        _check_alpha(alpha)
        self._graph = (to_torch(matrix, device, dtype), to_torch(csr_matrix(matrix.T), device, dtype))
        self._alpha = alpha
        self._steps = 0 if alpha == 1 else math.ceil(math.log(tol) / math.log1p(-alpha))

    def once(self, values: Tensor) -> Tensor:
        """Return the diffused values, (n_cells, width)."""
        result: Tensor = _Horner.apply(values, *self._graph, self._alpha, self._steps)  # type: ignore[no-untyped-call]
        return result

    def twice(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values diffused once and twice."""
        first = self.once(values)
        return first, self.once(first)

    @torch.no_grad()
    def slopes(self, first: Tensor, second: Tensor | None = None) -> Tensor:
        """Return A^T first + A^T A^T second, the backward pass of :meth:`once` and :meth:`twice`."""
        transpose = self._graph[1]
        if second is not None:
            first = first + _horner(second.contiguous(), transpose, self._alpha, self._steps)
        return _horner(first.contiguous(), transpose, self._alpha, self._steps)


class _Horner(torch.autograd.Function):
    """H <- (1 - alpha) M H + alpha H_0; the backward pass is the same with the transpose of M."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, matrix: Tensor, transpose: Tensor, alpha: float, steps: int) -> Tensor:
        ctx.transpose, ctx.alpha, ctx.steps = transpose, alpha, steps
        return _horner(values, matrix, alpha, steps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None, None]:
        return _horner(gradients[0].contiguous(), ctx.transpose, ctx.alpha, ctx.steps), None, None, None, None


def _horner(values: Tensor, matrix: Tensor, alpha: float, steps: int) -> Tensor:
    """Return the truncated series."""
    result = alpha * values
    for _ in range(steps):
        result = torch.addmm(values, matrix, result, beta=alpha, alpha=1 - alpha)
    return result


def _check_alpha(alpha: float) -> None:
    """Refuse a teleport probability that is none."""
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha is a probability above 0, at most 1; got {alpha}")
