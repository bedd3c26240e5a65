"""Label-free scores in a space that no method owns: components and neighbours of the field's standard recipe."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from scbench.inputs import InputCache
from scbench.method import Counts
from scbench.metrics.internal import modularity, silhouette
from scbench.metrics.registry import LABEL_FREE, METRICS
from scbench.names import check_choice
from scbench.preprocessing.prepare import STANDARD_RECIPE, principal_components

__all__ = ["FixedSpace", "SpaceScore", "modularity_of", "silhouette_of"]

SpaceScore = Literal["modularity", "silhouette_pca"]  # label-free metrics that a run can be watched by

_N_COMPONENTS = 20
_N_NEIGHBORS = 20  # the cell itself counted
_SAMPLE_SIZE = 5000
_SAMPLE_SEED = 0


class FixedSpace:
    """The 20 principal components of ``STANDARD_RECIPE`` and their 20 nearest neighbours, whatever a method uses.

    Both are computed when first asked for, or come from the cache that runs share.

    Args:
        counts: of the cells that labels will be given for, in the same order.
        cache: serves derived inputs of that very matrix, or None.
    """

    def __init__(self, counts: Counts, cache: InputCache | None = None) -> None:
        self._counts = counts
        self._cache = cache

    @cached_property
    def components(self) -> np.ndarray:
        """(n_cells, 20) float32, fewer columns in a very small dataset."""
        return principal_components(self._counts, STANDARD_RECIPE, _N_COMPONENTS, self._cache)

    @cached_property
    def graph(self) -> csr_matrix:
        """(n_cells, n_cells) weights of neighbours."""
        from scbench.graph.neighbours import neighbour_graph  # with scikit-learn, which no command needs to start a run

        return neighbour_graph(self._counts, STANDARD_RECIPE, _N_COMPONENTS, _N_NEIGHBORS, self._cache)

    def prepare(self, score: SpaceScore) -> None:
        """Compute what a score needs, so that it is quick to ask for later."""
        _ = self.graph if score == "modularity" else self.components

    def score(self, score: SpaceScore, labels: np.ndarray) -> float:
        """Return a score of a partition; more is better.

        Args:
            score: "modularity" of the neighbour graph, or "silhouette_pca" of at most 5000 cells, always the same.
            labels: (n_cells,) integers.

        Raises:
            ConfigError: for an unknown score.
            ValueError: if there is not one label for each cell.
        """
        check_choice("score", score, LABEL_FREE)
        return METRICS[score].of(labels, self)


def modularity_of(labels: np.ndarray, space: FixedSpace) -> float:
    """Return the modularity of labels, (n_cells,) integers, on the space's graph."""
    return modularity(space.graph, labels)


def silhouette_of(labels: np.ndarray, space: FixedSpace) -> float:
    """Return the silhouette of labels, (n_cells,) integers, on the space's components."""
    return silhouette(space.components, labels, _SAMPLE_SIZE, _SAMPLE_SEED)
