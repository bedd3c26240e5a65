"""What the networks see: principal components, counts of the variable genes, and the graph of cells."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal, cast

import numpy as np
from scbench_methods.scsiameseclu.config import PROGRAM_METRICS, ScSiameseCluConfig
from scbench_methods.scsiameseclu.program_graph import program_graph
from scipy.sparse import csr_matrix

from scbench.graph.neighbours import Metric, knn_graph
from scbench.inputs import Derived, InputCache, derive
from scbench.method import Counts
from scbench.preprocessing.prepare import Recipe, prepare, principal_components

__all__ = ["Inputs", "make_inputs"]


@dataclass(frozen=True)
class Inputs:
    """Seed-free inputs.

    Attributes:
        x: (n_cells, n_components) float32 principal components.
        counts: (n_cells, n_genes) CSR raw counts of the variable genes; None when the input is log-normalised.
        size_factors: (n_cells,) float32.
        graph: (n_cells, n_cells) float32 CSR, no self loops.
    """

    x: np.ndarray
    counts: csr_matrix | None
    size_factors: np.ndarray
    graph: csr_matrix


def make_inputs(counts: Counts, config: ScSiameseCluConfig, cache: InputCache | None) -> Inputs:
    """Return the inputs of a run.

    Counts are rounded to whole numbers; scaled to the median library; ln(1 + x); variable genes; z-scores without
    clipping; exact principal components.

    Raises:
        DataError: as ``scbench.preprocessing.prepare.prepare``.
    """
    recipe = Recipe(round_counts="round", min_cells=config.min_cells_used, hvg=config.n_top_genes, scale=True)
    x = principal_components(counts, recipe, config.n_components, cache)
    unscaled = prepare(counts, replace(recipe, scale=False), cache)
    return Inputs(
        x=x,
        counts=unscaled.counts if counts.is_counts else None,
        size_factors=unscaled.size_factors,
        graph=_graph(counts, recipe, config, cache),
    )


def _graph(counts: Counts, recipe: Recipe, config: ScSiameseCluConfig, cache: InputCache | None) -> csr_matrix:
    """Return the graph of cells."""
    symmetrise = cast(Literal["none", "max", "mean"], config.symmetrise_used)
    if config.metric_used in PROGRAM_METRICS:
        # Not cached: ties are broken by position, so the graph has to be made in the order that the method sees.
        scaled = cast(np.ndarray, prepare(counts, recipe, cache).x)
        return _made_mutual(program_graph(scaled, config.metric_used, config.n_neighbors), symmetrise)

    def compute(matrix: csr_matrix, inner: InputCache | None) -> Derived:
        here = Counts(matrix, None, counts.is_counts)
        scores = principal_components(here, recipe, config.n_components, inner)
        graph = knn_graph(scores, config.n_neighbors, cast(Metric, config.metric_used), symmetrize=symmetrise)
        return Derived(cell_by_cell={"graph": graph})

    params = {
        "recipe": asdict(recipe),
        "is_counts": counts.is_counts,
        "n_components": config.n_components,
        "metric": config.metric_used,
        "k": config.n_neighbors,
        "symmetrise": symmetrise,
    }
    return derive(counts.matrix, "knn_graph", params, compute, cache).cell_by_cell["graph"]


def _made_mutual(graph: csr_matrix, symmetrise: str) -> csr_matrix:
    """Return the graph with edges in both directions, or as it is."""
    if symmetrise == "max":
        return csr_matrix(graph.maximum(graph.T))
    return csr_matrix((graph + graph.T) * np.float32(0.5)) if symmetrise == "mean" else graph
