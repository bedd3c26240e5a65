"""Markers and overlaps as lines of CSV files, in stored units: shares are fractions."""

from __future__ import annotations

import numpy as np

from scbench.report.markers.collect import DatasetMarkers, Grouping, MarkerReport
from scbench.report.markers.ranking import SHOWN

__all__ = ["MARKER_COLUMNS", "MEAN_COLUMNS", "OVERLAP_COLUMNS", "marker_lines", "mean_lines", "overlap_lines"]

_WHOSE = ("dataset", "method", "seed", "key")
MARKER_COLUMNS = (
    *("dataset", "method", "seed", "cluster", "n_cells", "rank", "gene", "score", "log2_fold_change"),
    *("p", "p_adjusted", "share_inside", "share_outside"),
)
OVERLAP_COLUMNS = (*_WHOSE, "cluster", "n_cells", "type", "n_shared", "n_top", "share", "is_best")
MEAN_COLUMNS = (
    *_WHOSE,
    *("n_clusters", "n_tested", "untested", "n_types", "n_best_types", "n_top", "mean_best_share", "share_by_chance"),
)


def marker_lines(report: MarkerReport) -> list[dict[str, object]]:
    """Return one line per dataset, grouping, tested group and each of its 20 best markers."""
    lines: list[dict[str, object]] = []
    for dataset in report.datasets:
        for grouping in dataset.all:
            markers = grouping.markers
            for place, code in enumerate(markers.groups):
                for rank in range(min(SHOWN, markers.genes.shape[1])):
                    numbers = (
                        markers.score, markers.log2_fold_change, markers.p, markers.p_adjusted, markers.inside,
                        markers.outside,
                    )  # fmt: skip
                    about = (
                        dataset.dataset,
                        grouping.name,
                        _seed(grouping),
                        grouping.names[code],
                        grouping.sizes[code],
                    )
                    values = (*about, rank + 1, grouping.genes[place, rank], *(_short(n[place, rank]) for n in numbers))
                    lines.append(dict(zip(MARKER_COLUMNS, values, strict=True)))
    return lines


def overlap_lines(report: MarkerReport) -> list[dict[str, object]]:
    """Return one line per dataset, grouping, tested cluster and tested type."""
    lines: list[dict[str, object]] = []
    for dataset, grouping, shared in _compared(report):
        n_top = grouping.markers.genes.shape[1]
        best = grouping.best[0]
        for place, code in enumerate(grouping.markers.groups):
            for kind, name in enumerate(dataset.type_names):
                count = int(shared[place, kind])
                values = (
                    dataset.dataset, grouping.name, _seed(grouping), grouping.key, grouping.names[code],
                    grouping.sizes[code], name, count, n_top, _short(count / n_top), bool(best[place] == kind),
                )  # fmt: skip
                lines.append(dict(zip(OVERLAP_COLUMNS, values, strict=True)))
    return lines


def mean_lines(report: MarkerReport) -> list[dict[str, object]]:
    """Return one line per dataset and grouping: the mean over tested clusters of the share with the best type."""
    lines: list[dict[str, object]] = []
    for dataset, grouping, shared in _compared(report):
        best, share = grouping.best
        n_best_types = len(set(best[best >= 0].tolist()))
        n_top = grouping.markers.genes.shape[1]
        values = (
            dataset.dataset, grouping.name, _seed(grouping), grouping.key, len(grouping.names), len(best),
            "; ".join(grouping.untested), shared.shape[1], n_best_types, n_top,
            _short(float(share.mean())), _short(n_top / dataset.n_genes),
        )  # fmt: skip
        lines.append(dict(zip(MEAN_COLUMNS, values, strict=True)))
    return lines


def _compared(report: MarkerReport) -> list[tuple[DatasetMarkers, Grouping, np.ndarray]]:
    """Return the groupings of methods that were compared with types."""
    return [
        (dataset, grouping, grouping.shared)
        for dataset in report.datasets
        for grouping in dataset.groupings
        if grouping.shared is not None
    ]


def _seed(grouping: Grouping) -> int | str:
    """Return the seed; nothing for what no run made."""
    return "" if grouping.seed is None else grouping.seed


def _short(value: float) -> str:
    """Return six digits: more are rounding of single precision."""
    return f"{value:.6g}"
