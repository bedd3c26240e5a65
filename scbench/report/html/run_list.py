"""The runs of a report as the page holds them: numbers by column, shared content once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scbench.metrics.registry import HEADLINE
from scbench.report.content import Content
from scbench.report.html.distinct import Distinct
from scbench.store.paths_in_text import without_folders
from scbench.store.record import first_line
from scbench.tables.cell import code_of
from scbench.tables.measures import MEASURES

__all__ = ["cell_places", "run_list"]

_INFO_LETTERS = 400_000  # of what methods tell about their runs; the rest stays in the records
_TRACEBACK_LETTERS = 600_000
_LONGEST_REASON = 300
_LONGEST_TRACEBACK = 4_000  # its end: that is where the reason stands


def cell_places(content: Content) -> dict[tuple[str, str], int]:
    """Return the position of each cell of the report, by entry and dataset."""
    names = [(entry.name, dataset) for entry in content.entries for dataset in sorted(entry.cells)]
    return {name: place for place, name in enumerate(names)}


def run_list(content: Content) -> dict[str, Any]:
    """Return every cell with its runs, and what runs share.

    Returns:
        ``columns`` (names of the values of a run), ``cells`` (entry, dataset, n_ok/n with K, folder, runs), and the
        lists that runs point into: ``settings``, ``origins``, ``infos``, ``reasons`` and ``tracebacks``.
    """
    settings, origins, reasons = Distinct(), Distinct(), Distinct()
    infos, tracebacks = Distinct(_INFO_LETTERS), Distinct(_TRACEBACK_LETTERS)
    datasets = {name: place for place, name in enumerate(content.datasets)}
    cells = []
    for number, entry in enumerate(content.entries):
        for dataset in sorted(entry.cells):
            cell = entry.cells[dataset]
            runs = []
            for record in cell.records:
                error = record["error"] or {}
                reason = first_line(str(error.get("message", "")))[:_LONGEST_REASON] if error else ""
                runs.append(
                    [
                        record["seed"],
                        record["status"],
                        record["key"],
                        record["n_clusters_found"],
                        [_rounded(measure.of(record), measure.name) for measure in MEASURES.values()],
                        _best(record),
                        settings.place(_setting(record)),
                        origins.place(_origin(record)),
                        infos.place(record.get("info")),
                        (record["provenance"].get("started_at") or ""),
                        reasons.place(without_folders(f"{error.get('type', '')}: {reason}") if error else ""),
                        tracebacks.place(without_folders(str(error.get("traceback") or ""), 3)[-_LONGEST_TRACEBACK:]),
                    ]
                )
            detail = f"{len(cell.ok)}/{len(cell.records)}, K {cell.k_shown}"
            folder = content.folders[cell.keys[0]].rpartition("/")[0]
            cells.append([number, datasets[dataset], detail, folder, runs])
    columns = ["seed", "status", "key", "k_found", "measures", "best", "setting", "origin", "info"]
    return {
        "columns": [*columns, "started", "reason", "traceback"],
        "cells": cells,
        "settings": settings.values,
        "origins": origins.values,
        "infos": infos.values,
        "reasons": reasons.values,
        "tracebacks": tracebacks.values,
    }


def _rounded(value: float | None, name: str) -> float | None:
    """Return a stored value without digits that nobody reads."""
    if value is None:
        return None
    return float(round(value, 5 if MEASURES[name].is_score else 3))


def _best(record: Mapping[str, Any]) -> list[float] | None:
    """Return the epoch that is best by the true labels with its ACC, NMI and ARI; None without snapshots."""
    best = record["best_epoch"]
    if not best:
        return None
    return [
        best["epoch"],
        *(None if best.get(name) is None else round(best[name], 5) for name in HEADLINE),
    ]


def _setting(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the run was told to do."""
    preset = record.get("preset")
    return {
        "variant": record["variant"],
        "protocol": record["protocol"],
        "preset": (preset or {}).get("name") or "none",
        "tuned with labels": "yes" if record.get("tuned_with_labels") else "no",
        "parameters": record["params"],
    }


def _origin(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the run was made, from what data, by which code."""
    provenance = {name: value for name, value in record["provenance"].items() if name != "started_at"}
    return {
        "code": code_of(record),
        "device": record["device"],
        "threads": record["threads"],
        "cells x genes": f"{record['n_cells']} x {record['n_genes']}",
        "K given": f"{record['n_clusters_requested']} (rule: {record.get('n_clusters_rule') or 'not recorded'})",
        "data": without_folders(record["data"]),
        "provenance": without_folders(provenance),
    }
