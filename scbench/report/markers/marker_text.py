"""What has to be said beside markers, and their tables as lines of text."""

from __future__ import annotations

import numpy as np

from scbench.report.markers.collect import FLOOR, DatasetMarkers, Grouping, MarkerReport
from scbench.report.markers.ranking import LEAST_CELLS, SHOWN, TOP

__all__ = ["SENTENCES", "cluster_table", "mean_table", "untested_sentence"]

SENTENCES = (
    "Each cluster of the first seed that ended well is tested against all other cells, gene by gene: Wilcoxon rank sum "
    "with correction for ties (scanpy) on ln(1 + counts per 10 000), or on the logarithms of a dataset that has no "
    "counts. Markers are ordered by score (z of the rank sum); p-values are two-sided, adjusted after Benjamini and "
    "Hochberg over all genes of the cluster.",
    "Markers are tested on the same cells whose expression defined the clusters, so their p-values are not calibrated "
    "(double dipping): they order genes and prove nothing.",
    f"Overlap: the share of a cluster's {TOP} best markers (half of the genes, where there are fewer than {2 * TOP}) "
    "that are among as many best markers of an annotated type. The annotation is read after every run has ended and "
    "serves this score alone; no method sees it.",
    "A mean says little without its floor: the control random, or the annotated types shuffled among the cells "
    f"({FLOOR!r}, one draw). It lies above chance, since the best of several types counts and the markers of noise "
    "are not drawn evenly from all genes. "
    "Several clusters may have the same best type, so a high mean does not say that every type was found.",
    f"Clusters with fewer than {LEAST_CELLS} cells are named and not tested; a mean that leaves some out has the "
    "number of tested clusters, of all, behind it.",
)


def mean_table(report: MarkerReport) -> list[list[str]]:
    """Return the mean overlap in percent of every method (rows) on every dataset, the first line the heading.

    ``72.2 (13/19)`` is a mean over 13 of 19 clusters, as the others are too small to test.
    The last line has the share by chance: two sets of genes drawn at random.
    """
    datasets = [one for one in report.datasets if one.types]
    names = list(dict.fromkeys(grouping.name for one in datasets for grouping in one.groupings))
    lines = [["method", *(one.dataset for one in datasets)]]
    for name in names:
        found = [next((grouping for grouping in one.groupings if grouping.name == name), None) for one in datasets]
        lines.append([name, *("" if one is None else _mean(one) for one in found)])
    if datasets:
        lines.append(["by chance", *(_percent(_n_top(one) / one.n_genes) for one in datasets)])
    return lines


def cluster_table(dataset: DatasetMarkers, grouping: Grouping) -> list[list[str]]:
    """Return one line per tested group: cells, its best type with the share in percent, and its 20 best markers."""
    is_compared = grouping.shared is not None and grouping is not dataset.annotated
    lines = [["cluster", "cells", *(["best type", "shared (%)"] if is_compared else []), "best markers"]]
    best, share = grouping.best if is_compared else (np.empty(0, dtype=int), np.empty(0))
    for place, code in enumerate(grouping.markers.groups):
        line = [grouping.names[code], str(grouping.sizes[code])]
        if is_compared:
            line += [dataset.types[best[place]] if best[place] >= 0 else "none", _percent(float(share[place]))]
        lines.append([*line, ", ".join(grouping.genes[place, :SHOWN])])
    return lines


def untested_sentence(grouping: Grouping) -> str:
    """Return which groups were not tested; empty for none."""
    return f"Not tested: {', '.join(grouping.untested)}." if grouping.untested else ""


def _mean(grouping: Grouping) -> str:
    """Return the mean share over tested clusters, and their number where it is not all."""
    share, n = grouping.best[1], len(grouping.names)
    return _percent(float(share.mean())) + ("" if len(share) == n else f" ({len(share)}/{n})")


def _n_top(dataset: DatasetMarkers) -> int:
    """Return how many markers of a group are compared."""
    return int(dataset.groupings[0].markers.genes.shape[1]) if dataset.groupings else 0


def _percent(share: float) -> str:
    """Return a share in percent."""
    return f"{100 * share:.1f}"
