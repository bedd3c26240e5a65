"""Markers as files: a page in Markdown and three CSV tables."""

from __future__ import annotations

from pathlib import Path

from scbench.escape import markdown_text
from scbench.report.csv_tables import write_csv
from scbench.report.markdown import table_markdown
from scbench.report.markers.collect import DatasetMarkers, MarkerReport
from scbench.report.markers.csv_lines import (
    MARKER_COLUMNS,
    MEAN_COLUMNS,
    OVERLAP_COLUMNS,
    marker_lines,
    mean_lines,
    overlap_lines,
)
from scbench.report.markers.marker_text import SENTENCES, cluster_table, mean_table, untested_sentence

__all__ = ["MEANS_TITLE", "markers_section", "write_markers"]

MEANS_TITLE = "Mean share (%) of a cluster's best markers that its best annotated type shares"


def write_markers(report: MarkerReport, out: Path) -> list[Path]:
    """Write ``markers.md``, ``markers.csv``, ``marker_overlap.csv`` and ``marker_means.csv`` to an existing folder.

    Headings of CSV files stand even without lines.
    """
    paths = [out / name for name in ("markers.md", "markers.csv", "marker_overlap.csv", "marker_means.csv")]
    paths[0].write_text(_page(report), encoding="utf-8")
    write_csv(paths[1], marker_lines(report), MARKER_COLUMNS)
    write_csv(paths[2], overlap_lines(report), OVERLAP_COLUMNS)
    write_csv(paths[3], mean_lines(report), MEAN_COLUMNS)
    return paths


def markers_section(report: MarkerReport) -> str:
    """Return the section of the page of tables: the means, and where the rest is."""
    means = mean_table(report)
    parts = ["## Marker genes"]
    if len(means) > 1:
        parts += [
            f"{MEANS_TITLE}. One run of each method; labels are used for this score alone.",
            table_markdown(means),
        ]
    parts.append("Markers of every cluster, and how these numbers come about: [markers.md](markers.md).")
    return "\n\n".join(parts)


def _page(report: MarkerReport) -> str:
    """Return the page."""
    parts = ["# Marker genes", *SENTENCES]
    parts.append("All numbers are in `markers.csv`, `marker_overlap.csv` and `marker_means.csv`.")
    means = mean_table(report)
    if len(means) > 1:
        parts += [f"## {MEANS_TITLE}", table_markdown(means)]
    if report.left_out:
        parts += [
            "## Left out",
            "\n".join(f"- {markdown_text(reason, starts_block=True)}" for reason in report.left_out),
        ]
    for dataset in report.datasets:
        parts += [f"## {markdown_text(dataset.dataset)}", _about(dataset)]
        for grouping in dataset.all:
            seed = "" if grouping.seed is None else f", seed {grouping.seed}"
            parts += [
                f"### {markdown_text(f'{grouping.name} on {dataset.dataset}{seed}')}",
                table_markdown(cluster_table(dataset, grouping)),
            ]
            parts += [markdown_text(sentence) for sentence in [untested_sentence(grouping)] if sentence]
    return "\n\n".join(parts) + "\n"


def _about(dataset: DatasetMarkers) -> str:
    """Return what was ranked."""
    about = f"{dataset.n_genes} expressed genes"
    if dataset.n_repeated:
        about += f"; {dataset.n_repeated} names that come again are told apart by -1, -2, ..."
    if not dataset.types:
        about += "; no annotated types at hand, so there is no overlap"
    return about + "."
