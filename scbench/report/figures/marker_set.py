"""All figures of markers of a report."""

from __future__ import annotations

from pathlib import Path

from scbench.escape import figure_text
from scbench.report.figures.files import file_stem, save
from scbench.report.figures.marker_dots import marker_dots
from scbench.report.figures.marker_heat import marker_heat
from scbench.report.figures.marker_overlap import marker_overlap
from scbench.report.figures.marker_violins import marker_violins
from scbench.report.markers.collect import FLOOR, MarkerReport

__all__ = ["draw_markers"]


def draw_markers(report: MarkerReport, folder: Path) -> list[Path]:
    """Write dot plot, heat map, violins and overlap of every method and of the types, and return their paths.

    The shuffled types have no figures: their overlap is a floor, and their markers are noise.
    """
    paths: list[Path] = []
    for dataset in report.datasets:
        for number, grouping in enumerate(one for one in dataset.all if one.name != FLOOR):
            about = f"{grouping.name} on {dataset.dataset}"
            title = figure_text(about if grouping.seed is None else f"{about}, seed {grouping.seed}")
            figures = {
                "dots": marker_dots(grouping, title),
                "heat": marker_heat(grouping, title),
                "violins": marker_violins(grouping, title),
                "overlap": None if grouping is dataset.annotated else marker_overlap(dataset, grouping, title),
            }
            for kind, figure in figures.items():
                if figure is not None:
                    paths += save(figure, folder, f"{file_stem(grouping.name, dataset.dataset)}_{number}_marker_{kind}")
    return paths
