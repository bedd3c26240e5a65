"""The neighbour graphs of the released program, without its use of labels; for ``paper_code`` and for comparison."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from scbench.names import check_choice

__all__ = ["program_graph"]

_ENTRIES_AT_ONCE = 2**22


def program_graph(features: np.ndarray, metric: str, k: int) -> csr_matrix:
    """Return the directed 0/1 graph of each cell's ``k + 1`` most similar cells, itself left out.

    - "heat": exp(-d^2 / 2) of the Manhattan distance d. On a thousand z-scored genes it is 0 for nearly all pairs, and
      the neighbours are then arbitrary: the program's default is a graph of noise.
    - "p": inner product after the mean of the whole matrix is subtracted (not Pearson's correlation).
    - "cos": inner product of features turned into 0 and 1 (positive).
    - "ncos": the same with rows that sum to 1.

    The program also drops edges between cells of one type, that is, it uses the labels; this function cannot. It
    changes no input, where the program's "cos" and "ncos" overwrite the features.

    Args:
        features: (n_cells, n_features), z-scored genes.
        metric: one of the four.
        k: at least 1; capped at ``n_cells - 1``.

    Returns:
        (n_cells, n_cells) float32 CSR. A cell that is not among its own ``k + 1`` most similar has ``k + 1`` edges.

    Raises:
        ConfigError: for an unknown metric.
    """
    check_choice("metric", metric, ("heat", "p", "cos", "ncos"))
    n_cells = len(features)
    n_top = min(k + 1, n_cells)
    x = np.asarray(features, dtype=np.float64)
    if metric == "p":
        x = x - x.mean()
    elif metric in ("cos", "ncos"):
        x = (x > 0).astype(np.float64)
        if metric == "ncos":
            x /= np.maximum(x.sum(axis=1, keepdims=True), 1)
    n_rows = max(1, _ENTRIES_AT_ONCE // n_cells)
    chosen = []
    for start in range(0, n_cells, n_rows):
        rows = x[start : start + n_rows]
        similarity = np.exp(-0.5 * cdist(rows, x, "cityblock") ** 2) if metric == "heat" else rows @ x.T
        chosen.append(np.argpartition(similarity, n_cells - n_top, axis=1)[:, n_cells - n_top :])
    columns = np.concatenate(chosen)
    rows = np.repeat(np.arange(n_cells), n_top)
    others = columns.ravel() != rows
    ones = np.ones(int(others.sum()), dtype=np.float32)
    graph = csr_matrix((ones, (rows[others], columns.ravel()[others])), shape=(n_cells, n_cells))
    graph.sort_indices()
    return graph
