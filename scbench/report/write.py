"""Write a report: the same store gives the same bytes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from scbench.errors import StoreError
from scbench.report.checks import Check
from scbench.report.content import Content
from scbench.report.csv_tables import long_lines, wide_lines, write_csv
from scbench.report.gaps import Gap
from scbench.report.html.document import document
from scbench.report.html.page import page
from scbench.report.leftovers import remove_leftovers
from scbench.report.markdown import CELLS_FILE, runs_markdown
from scbench.report.overview import OVERVIEW_FILE, overview_markdown
from scbench.report.pages import all_gaps, checks_markdown, gaps_markdown, tables_latex, tables_markdown
from scbench.report.statistics_page import Comparisons, comparisons_of, pair_lines, rank_lines, statistics_markdown
from scbench.report.summary_files import write_summary
from scbench.whole_file import temporary_beside

if TYPE_CHECKING:
    from scbench.report.figures.draw import Drawing  # matplotlib, which a report without figures does not need
    from scbench.report.markers.collect import MarkerReport

__all__ = ["write_report"]


def write_report(
    content: Content, out: Path, title: str, draw: Drawing | None = None, markers: MarkerReport | None = None
) -> list[Path]:
    """Write all pages and tables, and figures with ``draw``, and return their paths.

    Args:
        content: what to show.
        out: folder, made when it does not exist.
        title: heading of the pages with tables.
        draw: draws the figures; None leaves them out.
        markers: of the clusters; None leaves them out.

    Raises:
        StoreError: when ``out`` cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        staged = temporary_beside(out / "report")
        staged.mkdir()
        try:
            paths = _moved(_all(content, staged, title, draw, markers), staged, out)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        paths.append(remove_leftovers(out, paths))
    except OSError as error:
        raise StoreError(f"cannot write the tables to {out} ({error.strerror or error}); choose out=DIR") from error
    return paths


def _all(content: Content, out: Path, title: str, draw: Drawing | None, markers: MarkerReport | None) -> list[Path]:
    """Write everything to a folder."""
    paths = write_summary(content.records, out)
    paths += _tables(content, out, title, markers)
    comparisons, said = comparisons_of(content)
    paths += _statistics(content, comparisons, said, out)
    paths += _gaps_and_checks(content, out)
    figures = [] if draw is None else draw(content, comparisons, out / "figures", markers)
    return [*paths, *figures, _html(content, comparisons, said, title, draw, figures, markers, out / "report.html")]


def _moved(paths: Sequence[Path], staged: Path, out: Path) -> list[Path]:
    """Move the files of a report that is complete to their places; one that is not leaves the last as it was."""
    moved = [out / path.relative_to(staged) for path in paths]
    for path, place in zip(paths, moved, strict=True):
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)
    return moved


def _tables(content: Content, out: Path, title: str, markers: MarkerReport | None) -> list[Path]:
    """Write the tables as Markdown, CSV and LaTeX, the runs behind their cells, and markers."""
    paths = [
        _text(out / OVERVIEW_FILE, overview_markdown(content, title)),
        _text(out / "tables.md", tables_markdown(content, title) + _section(markers)),
        _text(out / CELLS_FILE, runs_markdown(content.entries, content.folders)),
        _csv(out / "long.csv", long_lines(content.entries, [*content.datasets, *content.absent], content.measures)),
    ]
    for measure in content.measures:
        paths.append(_csv(out / f"wide_{measure.name}.csv", wide_lines(content.entries, content.datasets, measure)))
        paths.append(_text(out / f"table_{measure.name}.tex", tables_latex(content, measure)))
    if markers is not None:
        from scbench.report.markers.pages import write_markers

        paths += write_markers(markers, out)
    return paths


def _section(markers: MarkerReport | None) -> str:
    """Return what the page of tables says about markers; nothing without them."""
    if markers is None:
        return ""
    from scbench.report.markers.pages import markers_section

    return f"\n{markers_section(markers)}\n"


def _statistics(content: Content, comparisons: Comparisons, said: list[str], out: Path) -> list[Path]:
    """Write the page of statistics and its CSV files."""
    return [
        _text(out / "statistics.md", statistics_markdown(comparisons, said, list(content.measures))),
        _csv(out / "ranks.csv", rank_lines(comparisons)),
        _csv(out / "pairs.csv", pair_lines(comparisons)),
    ]


def _gaps_and_checks(content: Content, out: Path) -> list[Path]:
    """Write the page of gaps and that of checks, with their CSV files; a heading stands even without lines."""
    gaps, checks = all_gaps(content), content.checks
    return [
        _text(out / "gaps.md", gaps_markdown(gaps)),
        _csv(out / "gaps.csv", [asdict(gap) for gap in gaps], [field.name for field in fields(Gap)]),
        _text(out / "checks.md", checks_markdown(checks)),
        _csv(out / "checks.csv", [asdict(check) for check in checks], [field.name for field in fields(Check)]),
    ]


def _html(
    content: Content,
    comparisons: Comparisons,
    said: list[str],
    title: str,
    draw: Drawing | None,
    figures: Sequence[Path],
    markers: MarkerReport | None,
    path: Path,
) -> Path:
    """Write the page with everything in one file."""
    truths, layouts, layout = ({}, {}, "pca") if draw is None else (draw.truths, draw.layouts, draw.layout)
    shown = document(content, comparisons, said, title, truths, layouts, layout)
    if markers is not None:
        from scbench.report.html.marker_list import marker_list

        shown["markers"] = marker_list(markers)
    return _text(path, page(shown, figures))


def _text(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _csv(path: Path, lines: Sequence[dict[str, object]], columns: Sequence[str] | None = None) -> Path:
    write_csv(path, lines, columns)
    return path
