"""A page for tests of its structure and of its behaviour in a browser."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from marker_reports import report_of
from report_records import put, record

from scbench.report.content import read_content
from scbench.report.figures.true_types import as_truth
from scbench.report.html.document import document
from scbench.report.html.marker_list import marker_list
from scbench.report.html.page import page
from scbench.report.markers.collect import MarkerReport
from scbench.report.selection import Selection
from scbench.report.statistics_page import comparisons_of
from scbench.tables.measures import measures_of

EVIL = "\"quotes\" & <script>window.hurt = 1</script></script><img src=x onerror='window.hurt = 2'>"
MORE = ("g0", "g1", "g2", "g3", "g4")  # datasets that make the tables too wide for a sheet of paper
PUBLISHED = Path(__file__).parents[3] / "results" / "published"


def make_page(store: Path) -> str:
    """Return the page of a store with four methods, eight datasets, failures and text that looks like markup."""
    scores = {"m": 0.7, "alpha": 0.9, "leiden": 0.4, "louvain": 0.5}
    runs = [
        record(dataset, method, seed, score + 0.01 * seed - 0.1 * place)
        for place, dataset in enumerate(("d", "e"))
        for method, score in scores.items()
        for seed in (0, 1)
    ]
    error = {"type": "ValueError", "message": EVIL, "traceback": f"Traceback of {EVIL}"}
    runs.append(record("d", "m", 2, None, error=error))
    runs.append(record("f", "m", 0, None, error=error))
    runs.append(record("f", "alpha", 0, 0.3))
    runs += [record(dataset, "alpha", 0, 0.2) for dataset in MORE]
    put(store, *runs)
    content = read_content(store, Selection(), measures_of("acc,ari"), PUBLISHED)
    comparisons, said = comparisons_of(content)
    truth = as_truth(np.repeat(["T cell", "<b>B</b>"], [40, 20]))
    shown = document(content, comparisons, said, "Comparison", {"d": truth}, {}, "umap")
    small, other = report_of(3, gene=f"{EVIL} {{}}"), report_of(12, dataset="e")
    shown["markers"] = marker_list(MarkerReport((*small.datasets, *other.datasets), small.left_out))
    return page(shown, [])
