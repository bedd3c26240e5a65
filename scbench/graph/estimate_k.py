"""A label-free estimate of the number of clusters, the same for every method (``n_clusters=estimate``).

It is what a user of the standard workflow gets: the number of Leiden communities at resolution 1 (the default of
the field's tools) on the 20-nearest-neighbour graph of 20 principal components. No constant was chosen by looking
at labels. It tends to over-split large and continuous datasets.
"""

from __future__ import annotations

import numpy as np

from scbench.graph.communities import communities
from scbench.graph.neighbours import neighbour_graph
from scbench.inputs import InputCache
from scbench.method import Counts
from scbench.preprocessing.prepare import STANDARD_RECIPE

__all__ = ["estimate_n_clusters"]

_N_COMPONENTS = 20
_N_NEIGHBORS = 20
_RESOLUTION = 1.0
_SEED = 0


def estimate_n_clusters(counts: Counts, cache: InputCache | None = None) -> int:
    """Return the estimated number of clusters of ``counts``, at least 1.

    Args:
        counts: (n_cells, n_genes) counts.
        cache: serves the neighbour graph when it has been computed before.
    """
    graph = neighbour_graph(counts, STANDARD_RECIPE, _N_COMPONENTS, _N_NEIGHBORS, cache)
    return len(np.unique(communities(graph, "leiden", _RESOLUTION, _SEED)))
