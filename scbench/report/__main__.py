"""``python -m scbench.report [store=DIR] [out=DIR]``: tables of everything in a store."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scbench.errors import ConfigError, ScbenchError, StoreError
from scbench.names import unknown
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
from scbench.run.store import Store

__all__ = ["main", "write_tables"]

_DEFAULTS = {"store": "results/runs", "out": "results/reference"}
_RUN_COLUMNS = ("dataset", "method", "variant", "protocol", "seed", "status", "key")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables and say where they are.

    Returns:
        0, or 2 when the command is wrong or the store cannot be read.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(given):
        sys.stdout.write(f"{__doc__}\n")
        return 0
    try:
        options = _options(given)
        written = write_tables(Path(options["store"]), Path(options["out"]))
    except ScbenchError as error:
        sys.stderr.write(f"scbench: {error}\n")
        return 2
    for path in written:
        sys.stdout.write(f"{path}\n")
    return 0


def write_tables(store: Path, out: Path) -> list[Path]:
    """Write ``summary.csv``, ``summary.md`` and ``runs.csv`` (one line per run); the same store gives the same bytes.

    Raises:
        StoreError: when the store does not exist or is empty, or ``out`` cannot be written.
    """
    records = list(Store(store).records())
    if not records:
        raise StoreError(f"store {store} holds no records; run something first, or give another folder with store=DIR")
    rows = sorted(summarise(records), key=lambda row: (row.dataset, row.label, row.setting))
    try:
        out.mkdir(parents=True, exist_ok=True)
        paths = [out / "summary.csv", out / "summary.md", out / "runs.csv"]
        _write_csv(paths[0], _summary_lines(rows))
        paths[1].write_text(_markdown(rows), encoding="utf-8")
        _write_csv(paths[2], _run_lines(records))
    except OSError as error:
        raise StoreError(f"cannot write the tables to {out} ({error.strerror or error}); choose out=DIR") from error
    return paths


def _options(arguments: Sequence[str]) -> dict[str, str]:
    """Read ``key=value`` arguments."""
    options = dict(_DEFAULTS)
    for argument in arguments:
        key, separator, value = argument.partition("=")
        if key not in options:
            raise ConfigError(unknown("key", key, options))
        if not separator or not value:
            raise ConfigError(f"{key} has no value; write {key}=DIR")
        options[key] = value
    return options


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


def _write_csv(path: Path, lines: Sequence[Mapping[str, object]]) -> None:
    """Write lines with the columns of the first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def _markdown(rows: Sequence[TableRow]) -> str:
    """Return the table as Markdown; what differs, and ``setting``, tell rows of the same names apart."""
    with_best = has_best(rows)
    names = [*headers(with_best=with_best), "setting"]
    lines = [names, ["---"] * len(names)]
    for row, difference in zip(rows, differences(rows), strict=True):
        dataset, method, *numbers = cells(row, with_best=with_best)
        lines.append([dataset, f"{method} {difference}".rstrip(), *numbers, row.setting])
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    note = "Mean ± sd (sample) over seeds, in percent; runs that failed count in `ok` and in nothing else."
    notes = [text[0].upper() + text[1:] + "." for text in (BEST_NOTE if with_best else None, tuned_note(rows)) if text]
    return "\n".join([body, "", note, *notes, ""])


if __name__ == "__main__":
    sys.exit(main())
