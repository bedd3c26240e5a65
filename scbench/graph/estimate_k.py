"""A label-free estimate of the number of clusters, the same for every method (``n_clusters=estimate``).

Two rules. ``resolution_1``, the default: what a user of the standard workflow gets, the number of Leiden communities
at resolution 1 (the default of the field's tools) on the 20-nearest-neighbour graph of 20 principal components; it
tends to over-split large and continuous datasets. ``stability``: parents are split while they fall apart sooner than a
cloud without structure (``scbench.graph.stable_k``). No constant of either was chosen by looking at labels of cells.
The second was to become the default if it came nearer to annotated types; it did not (``docs/estimate-k.md``), so it
is there for the evidence that it gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_matrix

from scbench.graph.communities import communities
from scbench.graph.neighbours import neighbour_graph
from scbench.graph.stable_k.tree import stable_k
from scbench.inputs import Derived, InputCache, derive
from scbench.method import Counts
from scbench.names import check_choice
from scbench.preprocessing.prepare import STANDARD_RECIPE

__all__ = ["DEFAULT_ESTIMATE", "ESTIMATES", "communities_at_resolution_1", "estimate_n_clusters", "k_with_evidence"]

ESTIMATES = ("resolution_1", "stability")
DEFAULT_ESTIMATE: Final = "resolution_1"

_N_COMPONENTS = 20
_N_NEIGHBORS = 20
_RESOLUTION = 1.0
_SEED = 0


def estimate_n_clusters(counts: Counts, cache: InputCache | None = None) -> int:
    """Return the number of clusters of ``counts`` by the rule ``resolution_1``, at least 1.

    Args:
        counts: (n_cells, n_genes) counts.
        cache: serves the neighbour graph when it has been computed before.
    """
    return len(np.unique(communities_at_resolution_1(counts, cache)))


def communities_at_resolution_1(counts: Counts, cache: InputCache | None = None) -> np.ndarray:
    """Return the Leiden communities whose number is the estimate of the rule ``resolution_1``, (n_cells,) int64."""
    graph = neighbour_graph(counts, STANDARD_RECIPE, _N_COMPONENTS, _N_NEIGHBORS, cache)
    return communities(graph, "leiden", _RESOLUTION, _SEED)


def k_with_evidence(
    counts: Counts, rule: str = DEFAULT_ESTIMATE, cache: InputCache | None = None
) -> tuple[int, Mapping[str, Any]]:
    """Return the number of clusters by a rule, and what speaks for it as numbers and texts.

    Args:
        counts: (n_cells, n_genes) counts, in any order.
        rule: ``stability`` (seed 0) or ``resolution_1``.
        cache: serves what has been computed before.

    Raises:
        ConfigError: for another rule.
        DataError: for too few cells (``stability``).
    """
    check_choice("estimate", rule, ESTIMATES)
    if rule == "resolution_1":
        return estimate_n_clusters(counts, cache), {"rule": rule}

    def compute(matrix: csr_matrix, _: InputCache | None) -> Derived:
        found = stable_k(Counts(matrix, None, counts.is_counts), _SEED)
        text = json.dumps(found.evidence(), allow_nan=False)
        return Derived(shared={"evidence": np.frombuffer(text.encode(), dtype=np.uint8)})

    kept = derive(counts.matrix, "stable_k", {"is_counts": counts.is_counts}, compute, cache).shared["evidence"]
    evidence: dict[str, Any] = json.loads(np.asarray(kept).tobytes())
    return int(evidence["k"]), evidence
