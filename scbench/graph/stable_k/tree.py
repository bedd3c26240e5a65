"""The number of clusters by splitting parents until none falls apart sooner than a cloud without structure."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from scbench.errors import DataError
from scbench.graph.stable_k.canonical_order import canonical_order
from scbench.graph.stable_k.curve import Curve, curve_of
from scbench.graph.stable_k.result import KEstimate, Parent
from scbench.graph.stable_k.rule import LEAST_CELLS, MOST_CELLS, N_COMPONENTS
from scbench.graph.stable_k.split import Trial, try_split
from scbench.method import Counts
from scbench.preprocessing.prepare import STANDARD_RECIPE, principal_components

__all__ = ["log_totals", "split_all", "stable_k"]

_STREAM = 0x57AB


def stable_k(counts: Counts, seed: int = 0, *, with_curve: bool = False) -> KEstimate:
    """Return the number of clusters and what speaks for it.

    All cells are one parent. A parent that :func:`scbench.graph.stable_k.split.try_split` takes apart is replaced by
    its parts, each of which is a parent then; K is the number of parents that stay together. All are judged on the
    principal components of all cells, with a graph of their own. The result does not depend on the order of the rows,
    but for identical cells. Of more than ``MOST_CELLS`` cells, so many are drawn and the others are not looked at.

    Args:
        counts: (n_cells, n_genes).
        seed: of subsamples, clouds and Leiden; >= 0.
        with_curve: also make the curve, which K does not need and which takes most of the time.

    Raises:
        DataError: for fewer than ``LEAST_CELLS`` cells, or as ``principal_components``.
        ValueError: for a negative seed.
    """
    n_cells = counts.matrix.shape[0]
    if n_cells < LEAST_CELLS:
        raise DataError(
            f"{n_cells} cells are too few to estimate the number of clusters from, which takes {LEAST_CELLS}; "
            "give the number (n_clusters=2)"
        )
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    rng = np.random.default_rng([_STREAM, seed])
    cells = canonical_order(counts.matrix)
    if n_cells > MOST_CELLS:
        cells = cells[np.sort(rng.choice(n_cells, MOST_CELLS, replace=False))]
    used = csr_matrix(counts.matrix[cells])
    points = principal_components(Counts(used, None, counts.is_counts), STANDARD_RECIPE, N_COMPONENTS)
    depth = log_totals(used)
    labels, stability, parents = split_all(points, depth, rng, seed)
    curve = curve_of(points, depth, rng, seed) if with_curve else None
    return _in_order(labels, stability, parents, cells, seed, curve)


def log_totals(matrix: csr_matrix) -> np.ndarray:
    """Return log(1 + total) of each cell, (n_cells,) float64."""
    found: np.ndarray = np.log1p(np.asarray(matrix.sum(axis=1, dtype=np.float64)).ravel())
    return found


def split_all(
    points: np.ndarray, depth: np.ndarray, rng: np.random.Generator, seed: int
) -> tuple[np.ndarray, list[float], list[Parent]]:
    """Return the parent that each cell ends in, the stability of each, and all parents that were tried."""
    labels = np.zeros(len(points), dtype=np.int64)
    stability = [float("nan")]  # of all cells together, which are no part of anything
    parents: list[Parent] = []
    waiting = [(0, 0)]  # label, place of the parent in parents + 1
    while waiting:
        label, above = waiting.pop()
        cells = np.flatnonzero(labels == label)
        trial = try_split(points[cells], depth[cells], rng, seed)
        parents.append(_told(trial, len(cells), above, stability[label]))
        if trial.verdict != "split":
            continue
        names = [label, *range(len(stability), len(stability) + len(trial.stability) - 1)]
        stability += [0.0] * (len(names) - 1)
        for name, one in zip(names, trial.stability.tolist(), strict=True):
            stability[name] = one
        labels[cells] = np.array(names)[trial.children]
        waiting += [(name, len(parents)) for name in names]
    return labels, stability, parents


def _told(trial: Trial, n_cells: int, above: int, stability: float) -> Parent:
    """Return the parent as the result tells it."""
    return Parent(
        n_cells=n_cells,
        above=above - 1 if above else None,
        stability=stability,
        verdict=trial.verdict,
        n_parts=len(trial.stability) if trial.verdict == "split" else 1,
        parts_stability=float(trial.stability.mean()) if len(trial.stability) else float("nan"),
        lowest=trial.lowest,
        null=tuple(trial.null.tolist()),
    )


def _in_order(
    labels: np.ndarray, stability: list[float], parents: list[Parent], cells: np.ndarray, seed: int, curve: Curve | None
) -> KEstimate:
    """Return the result with the largest cluster first, and the cells increasing."""
    sizes = np.bincount(labels, minlength=len(stability))
    largest_first = np.argsort(-sizes, kind="stable")
    place = np.argsort(largest_first)
    rows = np.argsort(cells)
    return KEstimate(
        k=len(stability),
        rule="stability",
        seed=seed,
        cells=cells[rows],
        labels=place[labels[rows]],
        stability=np.array(stability)[largest_first],
        parents=tuple(parents),
        curve=curve,
    )
