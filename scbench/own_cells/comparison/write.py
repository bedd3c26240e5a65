"""The files of a comparison."""

from __future__ import annotations

import csv
import io
import logging
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from scbench.errors import StoreError
from scbench.escape import csv_row
from scbench.own_cells.comparison.page import comparison_page, picture
from scbench.own_cells.comparison.tables import ComparisonTables
from scbench.whole_file import write_whole

__all__ = ["PAGE", "write_comparison"]

PAGE = "compare.html"

_LOG = logging.getLogger(__name__)
_PACKAGES = ("matplotlib", "umap")


def write_comparison(comparison: ComparisonTables, out: Path) -> list[Path]:
    """Write page and tables, each whole, and return their paths, the page first.

    Without matplotlib or umap-learn there are no figures, and a line says how to have them.

    Raises:
        StoreError: the folder cannot be written.
    """
    pictures = _pictures(comparison)
    tables = {
        "table.csv": comparison.table,
        "labels.csv": comparison.labels,
        "agreement.csv": comparison.agreement,
        "cells.csv": comparison.cells,
        "clusters.csv": comparison.clusters,
    }
    if comparison.markers is not None and not comparison.markers.said:
        tables["markers.csv"] = comparison.markers.table.set_index("cluster")
    contents = {PAGE: comparison_page(comparison, pictures).encode("utf-8", "backslashreplace")}
    contents |= {name: _csv(table) for name, table in tables.items()}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_whole(out / name, content)
    except OSError as error:
        raise StoreError(f"cannot write to {out} ({error.strerror or error}); choose another folder") from error
    return [out / name for name in contents]


def _pictures(comparison: ComparisonTables) -> dict[str, str]:
    """Return the figures by heading."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        _LOG.warning("figures are left out: %s is not installed; pip install 'scbench[report]'", " and ".join(missing))
        return {}
    from scbench.own_cells.comparison.figures import agreement_figure, stability_figure, umap_figure
    from scbench.report.figures.files import style

    with style():
        drawn = {
            "Labels beside each other (UMAP of the common components)": umap_figure(comparison),
            "Agreement between methods": agreement_figure(comparison),
            "Agreement between seeds": stability_figure(comparison),
        }
        return {heading: picture(figure) for heading, figure in drawn.items()}


def _csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV that no spreadsheet runs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    name = table.index.name or ("cell" if len(table) else "")
    writer.writerow(csv_row([name, *table.columns]))
    for row in table.itertuples():
        writer.writerow(csv_row(["" if pd.isna(value) else value for value in row]))
    return text.getvalue().encode("utf-8", "backslashreplace")
