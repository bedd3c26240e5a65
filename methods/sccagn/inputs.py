"""What the networks see, as far as it does not depend on the seed: scaled values of variable genes, and the graph."""

from __future__ import annotations

import logging
import math
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.dense_input import dense_input, sparse_steps
from scbench_methods.sccagn.reference import make_reference, on_the_scale_of
from scipy.sparse import csr_matrix

from scbench.errors import DataError
from scbench.graph.neighbours import knn_graph
from scbench.inputs import Derived, InputCache, derive
from scbench.method import Counts
from scbench.preprocessing.pca import pca_scores
from scbench.preprocessing.prepare import Recipe, prepare

__all__ = ["CELL_FILTER", "Inputs", "cell_graph", "make_inputs", "n_with_values", "recipe_of", "require_enough"]

CELL_FILTER = 0.01  # paper: a cell has to show more than this share of the genes

_STEPS: dict[str, dict[str, Any]] = {
    "minmax_l2": {"minmax": "gene", "l2_cell": True},
    "ceil_minmax_l2": {"ceil_log": True, "minmax": "gene", "l2_cell": True},
    "zscore_quantile_l2": {"scale": True, "quantile": True, "l2_cell": True},
    "zscore": {"scale": True},
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inputs:
    """Seed-free inputs.

    Attributes:
        x: (n_cells, n_genes) float32.
        taught: (n_cells,) bool, the cells that the method learns from; the others are placed afterwards.
        graph: (n_taught, n_taught) float32 CSR of 0 and 1, symmetric, without self loops.
        n_directed_edges: neighbours left after pruning, before edges are made mutual.
        measured_on: what the distances are of.
        usable: the counts that were learnt from, in their places.
        recipe: the steps from these to x.
    """

    x: np.ndarray
    taught: np.ndarray
    graph: csr_matrix
    n_directed_edges: int
    measured_on: str
    usable: Counts
    recipe: Recipe


def recipe_of(config: ScCagnConfig, n_nonempty: int) -> Recipe:
    """Return the steps from counts to x, for so many cells that have counts."""
    return Recipe(
        min_cells=math.floor(config.min_cell_share * n_nonempty) + 1,
        hvg=config.n_top_genes,
        hvg_flavor="std" if config.gene_selection == "std" else "seurat",
        **_STEPS[config.input_transform],
    )


def make_inputs(counts: Counts, config: ScCagnConfig, cache: InputCache | None) -> Inputs:
    """Return the inputs of a run.

    Raises:
        DataError: when fewer cells than a neighbourhood needs can be learnt from, or ``prepare`` refuses the counts.
    """
    recipe = recipe_of(config, n_with_values(counts.matrix))
    usable = counts
    if config.filter_cells:
        usable, recipe = _without_poor_cells(counts, recipe, cache), replace(recipe, min_cells=0)
    # First, so that what it is made of is gone when the input is made anew in the run's own order.
    graph, n_directed = _graph_of(usable, recipe, config, cache)
    x, taught = _dense(usable, recipe, cache)
    require_enough(int(taught.sum()), config)
    is_left_out = ~taught & (np.diff(counts.matrix.indptr) > 0)
    if is_left_out.any():
        _log.info("%d of %d cells show too few genes to be learnt from", int(is_left_out.sum()), len(taught))
        rest = Counts(csr_matrix(counts.matrix[is_left_out]), None, counts.is_counts)  # the same columns
        x[is_left_out] = on_the_scale_of(make_reference(usable, recipe), rest)
    return Inputs(
        x=x,
        taught=taught,
        graph=graph if taught.all() else csr_matrix(graph[taught][:, taught]),
        n_directed_edges=n_directed,
        measured_on=_measured_on(int(taught.sum()), config),
        usable=usable,
        recipe=recipe,
    )


def n_with_values(matrix: csr_matrix) -> int:
    """Return the number of rows with a value other than 0."""
    sizes = np.add.reduceat(np.append(matrix.data != 0, False).astype(np.int64), matrix.indptr[:-1])
    return int((sizes[np.diff(matrix.indptr) > 0] > 0).sum())


def require_enough(n_taught: int, config: ScCagnConfig) -> None:
    """Refuse sets in which a cell has too few others.

    Raises:
        DataError: with fewer than k + 1 cells.
    """
    least = config.n_neighbors + 1
    if n_taught < least:
        raise DataError(
            f"scCAGN joins each cell with its {config.n_neighbors} nearest others and needs {least} cells with counts, "
            f"got {n_taught}; give more cells, or a smaller method.graph.k"
        )


def cell_graph(x: np.ndarray, config: ScCagnConfig) -> tuple[csr_matrix, int]:
    """Return the graph of cells and its number of directed edges.

    Args:
        x: (n_cells, n_genes) float32.
        config: of the graph.

    Returns:
        (n_cells, n_cells) float32 CSR; two cells are joined when either kept the other as its neighbour.
    """
    points = x if len(x) <= config.exact_neighbour_cells else pca_scores(x, config.n_components)
    directed = knn_graph(points, config.n_neighbors, prune="mean+std" if config.prune else "none")
    return csr_matrix(directed.maximum(directed.T)), int(directed.nnz)


def _measured_on(n_cells: int, config: ScCagnConfig) -> str:
    """Return what the distances of the graph are of, for the run's record."""
    is_exact = n_cells <= config.exact_neighbour_cells
    return "all variable genes" if is_exact else f"{config.n_components} principal components"


def _dense(counts: Counts, recipe: Recipe, cache: InputCache | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the dense input of all cells, and whether each has counts; the cache holds the sparse form of it."""
    done = prepare(counts, sparse_steps(recipe), cache)
    return dense_input(cast(csr_matrix, done.x), done.nonempty, recipe), done.nonempty


def _spread(graph: csr_matrix, taught: np.ndarray) -> csr_matrix:
    """Return the graph of some of the cells as one of all; the others have no edge."""
    if taught.all():
        return graph
    places = np.flatnonzero(taught)
    entries = graph.tocoo()
    n = len(taught)
    return csr_matrix((entries.data, (places[entries.row], places[entries.col])), shape=(n, n))


def _without_poor_cells(counts: Counts, recipe: Recipe, cache: InputCache | None) -> Counts:
    """Return the counts of the genes that pass their filter, and none of the cells that show too few of these.

    Both keep their places; a cell without counts has no part in any statistic.
    """
    found = prepare(counts, Recipe(min_cells=recipe.min_cells), cache)
    is_rich = np.diff(found.counts.indptr) / found.counts.shape[1] > CELL_FILTER
    is_gene = np.zeros(counts.matrix.shape[1], dtype=bool)
    is_gene[found.genes] = True
    entries = counts.matrix.tocoo()
    kept = is_rich[entries.row] & is_gene[entries.col]
    matrix = csr_matrix((entries.data[kept], (entries.row[kept], entries.col[kept])), shape=counts.matrix.shape)
    if not is_rich.any():
        raise DataError(
            f"no cell shows more than {CELL_FILTER:.0%} of the {found.counts.shape[1]} genes; "
            "use method.filter_cells=false"
        )
    return Counts(matrix, counts.genes, counts.is_counts)


def _graph_of(usable: Counts, recipe: Recipe, config: ScCagnConfig, cache: InputCache | None) -> tuple[csr_matrix, int]:
    """Return the graph of all cells, those without counts without an edge, and its number of directed edges."""

    def compute(rows: csr_matrix, inner: InputCache | None) -> Derived:
        x, taught = _dense(Counts(rows, None, usable.is_counts), recipe, inner)
        require_enough(int(taught.sum()), config)
        graph, n_directed = cell_graph(x if taught.all() else x[taught], config)
        spread = _spread(graph, taught)
        return Derived(cell_by_cell={"graph": spread}, shared={"n_directed": np.array(n_directed)})

    params = {
        "recipe": asdict(recipe),
        "is_counts": usable.is_counts,
        "k": config.n_neighbors,
        "prune": config.prune,
        "exact_neighbour_cells": config.exact_neighbour_cells,
        "n_components": config.n_components,
    }
    found = derive(usable.matrix, "sccagn_graph", params, compute, cache)
    return found.cell_by_cell["graph"], int(found.shared["n_directed"])
