"""``compare.html``: one page that opens offline, runs no script and asks for nothing."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scbench.escape import html_text
from scbench.own_cells.comparison.tables import CONSENSUS, ComparisonTables
from scbench.own_cells.static_page import html_table, static_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["comparison_page", "picture"]

_SHOWN = 50  # cells that methods disagree on, and markers of a cluster
_HEADINGS: Mapping[str, tuple[str, str, Callable[[float], str]]] = {
    "n_clusters": ("K found", "mean over seeds", lambda value: f"{value:.1f}".removesuffix(".0")),
    "seconds": ("s/run", "mean over seeds", lambda value: f"{value:.1f}"),
    "memory_mib": ("peak MiB", "largest of its runs", lambda value: f"{value:.0f}"),
    "seed_ari_mean": (
        "ARI of seeds",
        "mean over all pairs of its seeds: 1 is the same labels each time",
        "{:.3f}".format,
    ),
    "seed_ari_sd": ("sd", "of the same", "{:.3f}".format),
    "modularity": ("modularity", "of its labels on the common neighbour graph", "{:.3f}".format),
    "silhouette_pca": ("silhouette", "in the common 20 components", "{:.3f}".format),
    "cluster_stability_mean": ("stability", "Jaccard of its clusters over seeds, mean", "{:.2f}".format),
    "cluster_stability_least": ("least stable", "the same of its least stable cluster", "{:.2f}".format),
    "n_seeds": ("seeds", "runs that are ok", "{:.0f}".format),
    "n_failed": ("failed", "runs that are not", "{:.0f}".format),
    "acc": ("ACC %", "against the labels that were given", lambda value: f"{100 * value:.1f}"),
    "nmi": ("NMI %", "against the labels that were given", lambda value: f"{100 * value:.1f}"),
    "ari": ("ARI %", "against the labels that were given", lambda value: f"{100 * value:.1f}"),
}


def comparison_page(comparison: ComparisonTables, pictures: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        comparison: what to show.
        pictures: addresses of figures (``data:``) by heading; empty where they cannot be drawn.
    """
    parts = [
        f"<p>{len(comparison.labels)} cells, {len(comparison.methods)} methods. No column below knows annotated types"
        + (
            ", but ACC, NMI and ARI."
            if "ari" in comparison.table
            else ". None says that labels are right: methods that agree may share an error."
        )
        + "</p>",
        *(f'<p class="quiet">{html_text(note)}</p>' for note in comparison.notes),
        "<h2>Methods</h2>",
        _methods(comparison.table),
    ]
    if pictures:
        parts.append(
            '<p class="quiet">A cluster has the number and the colour of the consensus cluster that it shares most '
            "cells with.</p>"
        )
    for heading, address in pictures.items():
        parts += [f"<h2>{html_text(heading)}</h2>", f'<img src="{html_text(address)}" alt="{html_text(heading)}">']
    if not pictures:
        parts += ["<h2>Agreement between methods (ARI)</h2>", _table(comparison.agreement, "method", "{:.2f}".format)]
    parts += ["<h2>Clusters of the consensus of all methods</h2>", _clusters(comparison)]
    parts += _odd_cells(comparison)
    if comparison.markers is not None:
        parts += ["<h2>Markers of the consensus clusters</h2>", _markers(comparison)]
    return static_page(f"Methods on {comparison.name}", parts)


def picture(figure: Figure) -> str:
    """Return a figure as the address of an SVG image; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, facecolor="white")
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _methods(table: pd.DataFrame) -> str:
    """Return the table of methods with the meaning of its columns below."""
    columns = [name for name in _HEADINGS if name in table and (name != "n_failed" or table[name].any())]
    rows = [
        [str(method), *(_number(row[name], _HEADINGS[name][2]) for name in columns)] for method, row in table.iterrows()
    ]
    meanings = "; ".join(f"{_HEADINGS[name][0]}: {_HEADINGS[name][1]}" for name in columns)
    shown = html_table(["method", *(_HEADINGS[name][0] for name in columns)], rows)
    return f'{shown}<p class="quiet">{html_text(meanings)}.</p>'


def _clusters(comparison: ComparisonTables) -> str:
    """Return the table of consensus clusters."""
    table = comparison.clusters
    heads = ["cluster", "cells", "agreement", "found by", *comparison.methods]
    rows = [
        [
            str(cluster),
            f"{int(row['n_cells'])}",
            f"{row['agreement']:.2f}",
            f"{int(row['found_by'])} of {len(comparison.methods)}",
            *(f"{row[name]:.2f}" for name in comparison.methods),
        ]
        for cluster, row in table.iterrows()
    ]
    meaning = (
        "agreement: with how many of the other cells of its cluster a cell is together, mean over methods and cells; "
        "found by: methods with a cluster whose Jaccard index with it is above 0.5, and that index by method"
    )
    return f'{html_table(heads, rows)}<p class="quiet">{meaning}.</p>'


def _odd_cells(comparison: ComparisonTables) -> list[str]:
    """Return the cells on which methods disagree most."""
    odd = comparison.disagreed()
    share = len(odd) / len(comparison.labels)
    parts = [
        "<h2>Cells on which methods disagree</h2>",
        f"<p>{len(odd)} of {len(comparison.labels)} cells ({share:.1%}) are with fewer than half of their cluster, on "
        "average over methods. All are in cells.csv.</p>",
    ]
    if len(odd):
        heads = ["cell", *comparison.methods, CONSENSUS, "agreement"]
        rows = [
            [str(cell), *(str(row[name]) for name in (*comparison.methods, CONSENSUS)), f"{row['agreement']:.2f}"]
            for cell, row in odd.head(_SHOWN).iterrows()
        ]
        parts.append(html_table(heads, rows))
    return parts


def _markers(comparison: ComparisonTables) -> str:
    """Return the best markers of each cluster in a line, or why there are none."""
    if comparison.markers is None or comparison.markers.said:
        return f"<p>{html_text('' if comparison.markers is None else comparison.markers.said)}</p>"
    table = comparison.markers.table
    rows = [
        [str(cluster), ", ".join(of_cluster["gene"].head(_SHOWN // 5))]
        for cluster, of_cluster in table.groupby("cluster")
    ]
    return html_table(["cluster", "best markers (Wilcoxon), the best first; all in markers.csv"], rows)


def _table(table: pd.DataFrame, corner: str, shown: Callable[[float], str]) -> str:
    """Return a table of numbers."""
    rows = [
        [str(name), *(_number(value, shown) for value in row)]
        for name, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    return html_table([corner, *map(str, table.columns)], rows)


def _number(value: Any, shown: Callable[[float], str]) -> str:  # Any: a cell of a data frame
    """Return a number as people read it; a dash for none."""
    return "-" if np.isnan(value) else re.sub(r"^-(0\.?0*)$", r"\1", shown(float(value)))
