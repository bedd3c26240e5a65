"""Label-free scores in a space that no method owns: components and neighbours of the field's standard recipe."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from scbench.inputs import InputCache
from scbench.method import Counts
from scbench.metrics.internal import modularity, silhouette
from scbench.names import check_choice
from scbench.preprocess import STANDARD_RECIPE, principal_components

__all__ = ["SPACE_SCORES", "FixedSpace", "SpaceScore"]

SpaceScore = Literal["modularity", "silhouette_pca"]
SPACE_SCORES = ("modularity", "silhouette_pca")

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
        from scbench.graph import neighbour_graph  # with scikit-learn, which no command needs to start a run

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
        check_choice("score", score, SPACE_SCORES)
        if score == "modularity":
            return modularity(self.graph, labels)
        return silhouette(self.components, labels, _SAMPLE_SIZE, _SAMPLE_SEED)
