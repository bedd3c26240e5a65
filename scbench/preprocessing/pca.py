"""Principal components of large sparse matrices whose columns are centred and scaled on the fly."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from scbench.inputs import Array
from scbench.preprocessing.scaling import pieces

__all__ = ["pca_scores"]

# Up to this many columns the covariance matrix is formed (200 MB at 5000).
_GRAM_COLUMNS = 5000
_ROWS_AT_ONCE = 4096


def pca_scores(x: Array, n_components: int) -> np.ndarray:
    """Return the scores of the cells on the leading principal components of ``x``.

    The columns are centred, not scaled. Exact and without randomness; needs memory for the covariance and one block
    of rows beside ``x``. Each component points where its largest loading is positive, whatever the order of rows.

    Args:
        x: (n_cells, n_columns) float32, dense or CSR.
        n_components: at least 1; capped at ``min(n_cells - 1, n_columns)``.

    Returns:
        (n_cells, n_found) float32, by decreasing variance; zeros for a single cell.

    Raises:
        ValueError: if ``n_components`` is below 1.
    """
    if n_components < 1:
        raise ValueError(f"n_components must be at least 1, got {n_components}")
    n_cells, n_columns = x.shape
    n_found = min(n_components, n_cells - 1, n_columns)
    if n_found < 1:
        return np.zeros((n_cells, 1), dtype=np.float32)
    if n_columns > _GRAM_COLUMNS and n_found < min(n_cells, n_columns):
        return _by_lanczos(x, n_found)
    return _by_covariance(x, n_found)


def _by_covariance(x: Array, n_components: int) -> np.ndarray:
    """Return the scores from the eigenvectors of the scatter matrix.

    Blocks are multiplied in float32 and summed in float64.
    """
    n_cells, n_columns = x.shape
    mean = (_column_sums(x) / n_cells).astype(np.float32)
    scatter = np.zeros((n_columns, n_columns))
    for start in range(0, n_cells, _ROWS_AT_ONCE):
        rows = x[start : start + _ROWS_AT_ONCE]
        block = (rows if isinstance(rows, np.ndarray) else rows.toarray()) - mean
        scatter += block.T @ block
    last = n_columns - 1
    _, loadings = eigh(scatter, subset_by_index=[last - n_components + 1, last], overwrite_a=True)
    loadings = loadings[:, ::-1].astype(np.float32)
    largest = np.take_along_axis(loadings, np.abs(loadings).argmax(axis=0)[None, :], axis=0)
    loadings *= np.where(largest < 0, -1, 1).astype(np.float32)
    return np.asarray(x @ loadings - mean @ loadings, dtype=np.float32)


def _column_sums(x: Array) -> np.ndarray:
    """Return the (n_columns,) sums in float64."""
    if isinstance(x, np.ndarray) or len(parts := pieces(x.nnz)) < 2:
        return np.asarray(x.sum(axis=0, dtype=np.float64)).ravel()
    total = np.zeros(x.shape[1])  # scipy would convert the whole of it
    for part in parts:
        total += np.bincount(x.indices[part], weights=x.data[part], minlength=x.shape[1])
    return total


def _by_lanczos(x: Array, n_components: int) -> np.ndarray:
    """Return the scores by iterated products with ``x``, from a fixed start."""
    from sklearn.decomposition import PCA

    # scikit-learn centres implicitly and signs components as described above.
    if _is_constant(x):  # arpack cannot start from a matrix of zeros
        return np.zeros((x.shape[0], n_components), dtype=np.float32)
    scores = PCA(n_components, svd_solver="arpack", random_state=0).fit_transform(x)
    return np.asarray(scores, dtype=np.float32)


def _is_constant(x: Array) -> bool:
    """Return whether all rows of ``x`` are equal."""
    if isinstance(x, np.ndarray):
        return bool((x == x[0]).all())
    low, high = x.min(axis=0), x.max(axis=0)
    return not np.any((low - high).data)
