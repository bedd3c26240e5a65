"""The table at the end of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from scbench.report.table import BEST_NOTE, TableRow, cells, differences, has_best, headers, summarise, tuned_note
from scbench.run.record import first_line

__all__ = ["print_summary"]

_REASONS_SHOWN = 5


def print_summary(records: Sequence[Mapping[str, Any]], store: Path, console: Console, n_cached: int) -> None:
    """Print the table of these records, the reasons of failures, and where the records are."""
    rows = summarise(records)
    table = _table(rows, by_dataset=False)
    if console.is_terminal and _width(table, console) > console.width:
        table = _table(rows, by_dataset=True)
    # A number is never cut: where even the narrow table does not fit, the terminal may wrap its lines.
    console.width = max(console.width, _width(table, console))
    console.print(table)
    for row in rows:
        _print_failures(row, console)
    if any(status != "interrupted" for row in rows for _, status, _ in row.failures):
        _say(console, "failed runs are tried again with retry_failed=true; each has its run.log in the store", "yellow")
    if has_best(rows):
        _say(console, BEST_NOTE)
    tuned = tuned_note(rows)
    if tuned:
        _say(console, tuned)
    cached = f" ({n_cached} of {len(records)} were there before)" if n_cached else ""
    _say(console, f"mean ± sd over seeds, in percent; records{cached}: {store}")


def _table(rows: Sequence[TableRow], *, by_dataset: bool) -> Table:
    """Return the table; with ``by_dataset`` a dataset's name has a line of its own and names are short."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1 if by_dataset else 2, 0, 0))
    with_best = has_best(rows)
    for header in headers(with_best=with_best)[1 if by_dataset else 0 :]:
        is_name = header in ("dataset", "method")
        table.add_column(
            header.replace(" ", "\n").replace("given/", "given\n/") if by_dataset else header,
            justify="left" if is_name else "right",
            no_wrap=True,
        )
    last = None
    for row, difference in zip(rows, differences(rows), strict=True):
        dataset, method, *numbers = cells(row, with_best=with_best, short=by_dataset)
        method += f" {difference}" if difference else ""
        style = None if row.n_ok == row.n else "yellow"
        if not by_dataset:
            table.add_row(dataset, method, *numbers, style=style)
            continue
        if dataset != last:
            table.add_row(Text(dataset, style="bold"))
            last = dataset
        table.add_row(f"  {method}", *numbers, style=style)
    return table


def _width(table: Table, console: Console) -> int:
    """Return the number of columns that the table needs."""
    return Measurement.get(console, console.options.update(max_width=10_000), table).maximum


def _print_failures(row: TableRow, console: Console) -> None:
    """Print why runs of a row are missing from its means."""
    seeds: dict[tuple[str, str], list[str]] = {}
    for seed, status, message in row.failures:
        seeds.setdefault((status, first_line(message)), []).append(str(seed))
    for (status, message), of_reason in list(seeds.items())[:_REASONS_SHOWN]:
        count = f"{len(of_reason)} x {status} (seed {', '.join(of_reason)})"
        _say(console, f"{row.short_label} on {row.dataset}: {count}: {message}", "yellow")
    left_out = len(seeds) - _REASONS_SHOWN
    if left_out > 0:
        _say(console, f"{row.short_label} on {row.dataset}: {left_out} more reasons in the records", "yellow")


def _say(console: Console, line: str, style: str = "") -> None:
    """Print one line without wrapping it or reading it as markup."""
    console.print(Text(line, style=style), soft_wrap=True)
