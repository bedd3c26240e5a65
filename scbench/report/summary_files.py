"""``summary.csv``, ``summary.md`` and ``runs.csv``: every row of a store, comparable or not, and one line per run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scbench.escape import markdown_text
from scbench.metrics.registry import HEADLINE
from scbench.report.csv_tables import write_csv
from scbench.report.markdown import table_markdown
from scbench.tables.columns import columns_of
from scbench.tables.rows import BEST_NOTE, TableRow, differences, has_best, is_tuned, preset_of, summarise, tuned_note

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
    lines, columns = [], sorted(columns_of(rows), key=lambda column: column.file_rank)
    for row in rows:
        line: dict[str, object] = {
            "dataset": row.dataset,
            "method": row.method,
            "preset": row.preset,
            "tuned_with_labels": row.is_tuned,
            "setting": row.setting,
        }
        for column in columns:
            line |= column.stored(row)
        lines.append(line)
    return lines


def _run_lines(records: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """Return one line per run with its scores."""
    return [
        {
            **{name: record[name] for name in _RUN_COLUMNS},
            "preset": preset_of(record),
            "tuned_with_labels": is_tuned(record),
            **{name: record["metrics"].get(name) for name in HEADLINE},
        }
        for record in records
    ]


def _markdown(rows: Sequence[TableRow]) -> str:
    """Return the table as Markdown; what differs, and ``setting``, tell rows of the same names apart."""
    columns = columns_of(rows)
    lines = [["dataset", "method", *(column.heading for column in columns), "setting"]]
    for row, difference in zip(rows, differences(rows), strict=True):
        name = f"{row.label} {difference}".rstrip()
        lines.append([row.dataset, name, *(column.text(row) for column in columns), row.setting])
    body = table_markdown(lines)
    note = "Mean ± sd (sample) over seeds, in percent; runs that failed count in `ok` and in nothing else."
    notes = [
        markdown_text(text[0].upper() + text[1:] + ".")
        for text in (BEST_NOTE if has_best(rows) else None, tuned_note(rows))
        if text
    ]
    return "\n".join([body, "", note, *notes, ""])
