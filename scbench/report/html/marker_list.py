"""Markers for the page: names of genes once for each dataset, and within a budget."""

from __future__ import annotations

from typing import Any

import numpy as np

from scbench.report.markers.collect import DatasetMarkers, Grouping, MarkerReport
from scbench.report.markers.marker_text import SENTENCES, mean_table, untested_sentence
from scbench.report.markers.pages import MEANS_TITLE
from scbench.report.markers.ranking import SHOWN
from scbench.store.record import canonical_json

__all__ = ["marker_list"]

_LETTERS = 900_000  # of JSON
_GENES = (SHOWN, 10, 5)  # of each cluster: as many as there is room for


def marker_list(report: MarkerReport) -> dict[str, Any]:
    """Return what the page shows about markers.

    Returns:
        ``sentences``, ``left_out``, ``means`` (a table), ``cut`` (what there was no room for; empty for nothing), and
        by dataset its gene names, its types and its ``groupings``: name, seed, what was not tested, and per tested
        cluster its name, cells and positions of its best markers among the names; ``shared`` has a row per cluster
        with the markers shared with each type, or is null.
    """
    means = mean_table(report)
    fixed = {
        "sentences": list(SENTENCES),
        "left_out": list(report.left_out),
        "means": {"caption": MEANS_TITLE, "columns": means[0], "rows": means[1:], "note": ""},
    }
    for n_genes in _GENES:
        for with_shared in (True, False):
            shown = [_dataset(one, n_genes, with_shared=with_shared) for one in report.datasets]
            if len(canonical_json({"datasets": shown})) <= _LETTERS:
                return {**fixed, "datasets": shown, "cut": _cut(n_genes, with_shared=with_shared)}
    return {**fixed, "datasets": [], "cut": "There is no room for markers of clusters here; they are in markers.csv."}


def _cut(n_genes: int, *, with_shared: bool) -> str:
    """Return what there was no room for."""
    parts = []
    if n_genes < SHOWN:
        parts.append(f"Only {n_genes} markers of each cluster have room here; markers.csv has {SHOWN}.")
    if not with_shared:
        parts.append("Overlaps with every type are in marker_overlap.csv; there is no room for them here.")
    return " ".join(parts)


def _dataset(dataset: DatasetMarkers, n_genes: int, *, with_shared: bool) -> dict[str, Any]:
    """Return the markers of one dataset."""
    shown = [grouping.genes[:, :n_genes] for grouping in dataset.all]
    names = list(dict.fromkeys(name for genes in shown for name in genes.ravel().tolist()))
    place = {name: number for number, name in enumerate(names)}
    return {
        "name": dataset.dataset,
        "genes": names,
        "types": list(dataset.types),
        "groupings": [
            _grouping(grouping, genes, place, is_type=grouping is dataset.annotated, with_shared=with_shared)
            for grouping, genes in zip(dataset.all, shown, strict=True)
        ],
    }


def _grouping(
    grouping: Grouping, genes: np.ndarray, place: dict[str, int], *, is_type: bool, with_shared: bool
) -> dict[str, Any]:
    """Return the markers of one way to group the cells; types are not compared with themselves."""
    shared = None if is_type else grouping.shared
    best = None if shared is None else grouping.best[0]
    return {
        "name": grouping.name,
        "seed": grouping.seed,
        "untested": untested_sentence(grouping),
        "n_top": int(grouping.markers.genes.shape[1]),
        "clusters": [
            [grouping.names[code], int(grouping.sizes[code]), [place[name] for name in row]]
            for code, row in zip(grouping.markers.groups, genes.tolist(), strict=True)
        ],
        "best": None if best is None else best.tolist(),
        "best_shared": None if shared is None else shared.max(axis=1).tolist(),
        "shared": shared.tolist() if shared is not None and with_shared else None,
    }
