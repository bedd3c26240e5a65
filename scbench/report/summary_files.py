"""``summary.csv``, ``summary.md`` and ``runs.csv``: every row of a store, comparable or not, and one line per run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scbench.escape import markdown_text
from scbench.report.csv_tables import write_csv
from scbench.report.markdown import table_markdown
from scbench.report.table import (
    BEST_NOTE,
    SCORES,
    TableRow,
    cells,
    differences,
    has_best,
    headers,
    is_tuned,
    preset_of,
    summarise,
    tuned_note,
)

__all__ = ["write_summary"]

_RUN_COLUMNS = ("dataset", "method", "variant", "protocol", "seed", "status", "key")


def write_summary(records: Sequence[Mapping[str, Any]], out: Path) -> list[Path]:
    """Write the three files to an existing folder and return their paths."""
    rows = sorted(summarise(records), key=lambda row: (row.dataset, row.label, row.setting))
    paths = [out / "summary.csv", out / "summary.md", out / "runs.csv"]
    write_csv(paths[0], _summary_lines(rows))
    paths[1].write_text(_markdown(rows), encoding="utf-8")
    write_csv(paths[2], _run_lines(records))
    return paths


def _summary_lines(rows: Sequence[TableRow]) -> list[dict[str, object]]:
    """Return one line per row of the table, numbers as fractions."""
    lines = []
    for row in rows:
        line: dict[str, object] = {
            "dataset": row.dataset,
            "method": row.method,
            "preset": row.preset,
            "tuned_with_labels": row.is_tuned,
            "setting": row.setting,
        }
        for name in SCORES:
            line[f"{name}_mean"], line[f"{name}_sd"] = row.scores[name]
        for name in SCORES if has_best(rows) else ():
            line[f"best_{name}_mean"], line[f"best_{name}_sd"] = (row.best or {}).get(name, ("", ""))
        line |= {
            "n_ok": row.n_ok,
            "n": row.n,
            "k_given": row.k_given,
            "k_found": " ".join(map(str, sorted(set(row.k_found)))),
            "seconds_mean": row.seconds,
            "peak_rss_bytes": row.peak_rss_bytes,
        }
        lines.append(line)
    return lines


def _run_lines(records: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """Return one line per run with its scores."""
    return [
        {
            **{name: record[name] for name in _RUN_COLUMNS},
            "preset": preset_of(record),
            "tuned_with_labels": is_tuned(record),
            **{name: record["metrics"][name] for name in SCORES},
        }
        for record in records
    ]


def _markdown(rows: Sequence[TableRow]) -> str:
    """Return the table as Markdown; what differs, and ``setting``, tell rows of the same names apart."""
    with_best = has_best(rows)
    names = [*headers(with_best=with_best), "setting"]
    lines = [names]
    for row, difference in zip(rows, differences(rows), strict=True):
        dataset, method, *numbers = cells(row, with_best=with_best)
        lines.append([dataset, f"{method} {difference}".rstrip(), *numbers, row.setting])
    body = table_markdown(lines)
    note = "Mean ± sd (sample) over seeds, in percent; runs that failed count in `ok` and in nothing else."
    notes = [
        markdown_text(text[0].upper() + text[1:] + ".")
        for text in (BEST_NOTE if with_best else None, tuned_note(rows))
        if text
    ]
    return "\n".join([body, "", note, *notes, ""])
