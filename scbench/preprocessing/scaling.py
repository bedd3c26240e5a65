"""Scaling of genes and cells: moments of sparse columns, z-scores, unit ranges, quantiles, unit lengths."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from scbench.inputs import Array

__all__ = [
    "clipped_deviations",
    "column_moments",
    "pieces",
    "row_repeat",
    "to_uniform_quantiles",
    "to_unit_range",
    "to_unit_rows",
    "to_z_scores",
]

_N_QUANTILES = 1000
# Sums run over so many entries at once, over fewer in matrices that have more: temporaries of 8 MiB, not of 128.
_ENTRIES_AT_ONCE = 1 << 24
_FEW_ENTRIES = 1 << 20
# A standard deviation below this share of the mean is rounding, not variation.
_CONSTANT = 1e-10


def pieces(n_entries: int) -> list[slice]:
    """Return slices of stored entries to sum over one after the other.

    Up to 16.7 million entries are one piece, so that their sums do not depend on the size of a piece.
    """
    step = _ENTRIES_AT_ONCE if n_entries <= _ENTRIES_AT_ONCE else _FEW_ENTRIES
    return [slice(start, start + step) for start in range(0, n_entries, step)]


def row_repeat(values: np.ndarray, x: csr_matrix) -> np.ndarray:
    """Return ``values``, one for each row of ``x``, repeated for each stored entry of the row."""
    return np.repeat(values, np.diff(x.indptr))


def column_moments(x: csr_matrix, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (ddof 1) of each column of ``x``, in float64.

    Args:
        x: (n, n_columns) CSR.
        n_rows: number of rows that count; the other ``n - n_rows`` rows must hold no entry.

    Returns:
        Two (n_columns,) vectors. The standard deviation of a constant column, or of a single row, is exactly 0.
    """
    n_columns = x.shape[1]
    total, squares, stored = np.zeros(n_columns), np.zeros(n_columns), np.zeros(n_columns)
    for piece in pieces(x.nnz):
        total += np.bincount(x.indices[piece], weights=x.data[piece], minlength=n_columns)
        stored += np.bincount(x.indices[piece], minlength=n_columns)
    mean = total / n_rows
    # The second pass keeps the digits that a sum of squares minus a squared sum would lose.
    for piece in pieces(x.nnz):
        deviations = x.data[piece] - mean[x.indices[piece]]
        squares += np.bincount(x.indices[piece], weights=deviations**2, minlength=n_columns)
    squares += (n_rows - stored) * mean**2
    sd = np.sqrt(squares / max(n_rows - 1, 1))
    return mean, np.where(sd > _CONSTANT * np.abs(mean), sd, 0.0)


def _scaling_moments(x: csr_matrix, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return :func:`column_moments` with 1 for a standard deviation of 0, to divide by."""
    mean, sd = column_moments(x, n_rows)
    return mean, np.where(sd > 0, sd, 1.0)


def to_z_scores(x: csr_matrix, n_rows: int, clip: float | None) -> np.ndarray:
    """Return the dense z-scores of the columns of ``x``, cut to [-clip, clip]; see :func:`column_moments`."""
    mean, sd = _scaling_moments(x, n_rows)
    dense = x.toarray()
    dense -= mean.astype(x.dtype)
    dense /= sd.astype(x.dtype)
    if clip is not None:
        np.clip(dense, -clip, clip, out=dense)
    return dense


def clipped_deviations(x: csr_matrix, n_rows: int, clip: float | None) -> csr_matrix:
    """Return a CSR matrix that differs from :func:`to_z_scores` by a constant in each column.

    A zero of ``x`` has the same z-score all over its column; with that value as the origin, the z-scored and cut
    matrix is as sparse as ``x``. Anything that centres its columns, such as PCA, sees the same matrix.
    """
    mean, sd = _scaling_moments(x, n_rows)
    of_zero = -mean / sd
    if clip is not None:
        of_zero = np.clip(of_zero, -clip, clip)
    data = np.empty(x.nnz, dtype=np.float32)
    for i in range(0, x.nnz, _FEW_ENTRIES):
        piece = slice(i, i + _FEW_ENTRIES)
        columns = x.indices[piece]
        scores = (x.data[piece] - mean[columns]) / sd[columns]
        if clip is not None:
            np.clip(scores, -clip, clip, out=scores)
        data[piece] = scores - of_zero[columns]
    return csr_matrix((data, x.indices, x.indptr), shape=x.shape)


def to_unit_range(x: np.ndarray, axis: int, rows: np.ndarray) -> np.ndarray:
    """Map ``x`` in place to [0, 1] along ``axis``, and return it: 0 for each gene, 1 for each cell.

    A constant gene or cell becomes 0.

    Args:
        x: (n_cells, n_genes) dense; it is overwritten, for a large matrix has no room for copies beside it.
        axis: 0 or 1.
        rows: (n_cells,) bool, the cells whose values define the range of a gene; others are cut to it.
    """
    source = x if axis == 1 or rows.all() else x[rows]
    low, high = source.min(axis=axis, keepdims=True), source.max(axis=axis, keepdims=True)
    x -= low
    x /= np.where(high > low, high - low, 1)
    return np.clip(x, 0, 1, out=x)


def to_uniform_quantiles(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Map each column of ``x`` in place to its quantiles in [0, 1], as scikit-learn does with 1000, and return it.

    Args:
        x: (n_cells, n_genes) dense floats; it is overwritten.
        rows: (n_cells,) bool, the cells that define the quantiles.
    """
    from sklearn.preprocessing import QuantileTransformer

    source = x if rows.all() else x[rows]
    transformer = QuantileTransformer(n_quantiles=min(_N_QUANTILES, len(source)), subsample=None, copy=False)
    return np.asarray(transformer.fit(source).transform(x), dtype=x.dtype)


def to_unit_rows(x: Array) -> Array:
    """Return ``x`` with rows of Euclidean length 1; a row of zeros stays."""
    if isinstance(x, np.ndarray):
        lengths = np.linalg.norm(x, axis=1, keepdims=True)
        return x / np.where(lengths > 0, lengths, 1)
    lengths = np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel())
    data = x.data / row_repeat(np.where(lengths > 0, lengths, 1).astype(x.dtype), x)
    return csr_matrix((data, x.indices, x.indptr), shape=x.shape)
