"""The graph of each stage and view: normalised, pruned, diffused."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, diags, identity

from scbench.graph.neighbours import normalize_adj

__all__ = ["column_normalised", "diffusion_matrix", "prune_edges", "prune_rows", "random_walk", "without_lowest"]

_ENTRIES_AT_ONCE = 2**22


def random_walk(graph: csr_matrix, *, by_columns: bool = False) -> csr_matrix:
    """Return D^-1 (A + I), D the row sums; by column sums, as the released program has it, when asked for."""
    return column_normalised(graph) if by_columns else normalize_adj(graph, "row", self_loops=True)


def column_normalised(graph: csr_matrix) -> csr_matrix:
    """Return D^-1 (A + I) with D the **column** sums: on a directed graph its rows do not sum to 1."""
    looped = csr_matrix(graph + identity(graph.shape[0], dtype=graph.dtype))
    return csr_matrix(diags(1 / _column_sums(looped)) @ looped, dtype=graph.dtype)


def diffusion_matrix(graph: csr_matrix) -> csr_matrix:
    """Return D^-1/2 (A + I) D^-1/2 with D the column sums; symmetric when the graph is."""
    looped = csr_matrix(graph + identity(graph.shape[0], dtype=graph.dtype))
    root = diags(_column_sums(looped) ** -0.5)
    return csr_matrix(root @ looped @ root, dtype=graph.dtype)


def _column_sums(looped: csr_matrix) -> np.ndarray:
    """Return the column sums of a graph with self loops: at least 1 each."""
    return np.asarray(looped.sum(axis=0, dtype=np.float64)).ravel()


def prune_edges(graph: csr_matrix, codes: np.ndarray, share: float) -> csr_matrix:
    """Return the graph without the given share of its edges: those whose cells have the least cosine similarity.

    Args:
        graph: (n_cells, n_cells) CSR; not changed. An edge may be there in one direction or in both.
        codes: (n_cells, n_latent) of the graph autoencoder.
        share: in [0, 1); round(share * n_edges) edges go.

    Source: the paper's edge removal; one cut for all edges, and both directions of an edge go together.
    """
    entries = graph.tocoo()
    low, high = np.minimum(entries.row, entries.col), np.maximum(entries.row, entries.col)
    edges, edge_of_entry = np.unique(low.astype(np.int64) * graph.shape[0] + high, return_inverse=True)
    n_removed = round(share * len(edges))
    if n_removed == 0:
        return graph
    units = codes / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1e-12)
    similarity = np.einsum("ij,ij->i", units[edges // graph.shape[0]], units[edges % graph.shape[0]])
    is_kept = np.ones(len(edges), dtype=bool)
    is_kept[np.argsort(similarity, kind="stable")[:n_removed]] = False
    kept = is_kept[edge_of_entry]
    return csr_matrix((entries.data[kept], (entries.row[kept], entries.col[kept])), shape=graph.shape)


def prune_rows(graph: csr_matrix, codes: np.ndarray, share: float) -> csr_matrix:
    """Return the graph as the released program prunes it.

    In each row the entries at the round(share * n_cells) columns of lowest sigmoid(z_i . z_j) go, edges or not: a
    neighbour is rarely among them. On a copy; the program changes its graph in place. Time n^2, memory n.
    """
    n_cells = graph.shape[0]
    n_lowest = round(share * n_cells)
    if n_lowest == 0:
        return graph
    n_rows = max(1, _ENTRIES_AT_ONCE // n_cells)
    parts = []
    for start in range(0, n_cells, n_rows):
        similarity = 1 / (1 + np.exp(-np.clip(codes[start : start + n_rows] @ codes.T, -80, 80)))
        parts.append(without_lowest(graph[start : start + n_rows], similarity, n_lowest))
    counts = np.concatenate([np.diff(part.indptr) for part in parts])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    indices, data = (np.concatenate([getattr(part, name) for part in parts]) for name in ("indices", "data"))
    return csr_matrix((data, indices, indptr), shape=graph.shape)


def without_lowest(rows: csr_matrix, similarity: np.ndarray, n_lowest: int) -> csr_matrix:
    """Return some rows of a graph without the entries at each row's ``n_lowest`` columns of lowest similarity."""
    lowest = np.argpartition(similarity, n_lowest - 1, axis=1)[:, :n_lowest]
    is_low = np.zeros(similarity.shape, dtype=bool)
    np.put_along_axis(is_low, lowest, True, axis=1)
    entries = rows.tocoo()
    kept = ~is_low[entries.row, entries.col]
    return csr_matrix((entries.data[kept], (entries.row[kept], entries.col[kept])), shape=rows.shape)
