"""The table at the end of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from scbench.consoles import PlainTable, needed_width, print_whole, say
from scbench.store.record import first_line
from scbench.tables.columns import LABEL_FREE_FIELD, columns_of
from scbench.tables.rows import BEST_NOTE, TableRow, differences, has_best, summarise, tuned_note

__all__ = ["print_summary"]

_REASONS_SHOWN = 5


def print_summary(records: Sequence[Mapping[str, Any]], store: Path, console: Console, n_cached: int) -> None:
    """Print the table of these records, the reasons of failures, and where the records are."""
    rows = summarise(records)
    table = _table(rows, by_dataset=False)
    if console.is_terminal and needed_width(console, table) > console.width:
        table = _table(rows, by_dataset=True)
    # A number is never cut: where even the narrow table does not fit, the terminal may wrap its lines.
    print_whole(console, table)
    for row in rows:
        _print_failures(row, console)
    if any(status != "interrupted" for row in rows for _, status, _ in row.cell.failures):
        say(console, "failed runs are tried again with retry_failed=true; each has its run.log in the store", "yellow")
    if has_best(rows):
        say(console, BEST_NOTE)
    tuned = tuned_note(rows)
    if tuned:
        say(console, tuned)
    cached = f" ({n_cached} of {len(records)} were there before)" if n_cached else ""
    if any(LABEL_FREE_FIELD in record for record in records):
        say(
            console,
            "without annotated types: ARI of seeds is the mean over all pairs of a method's seeds (1: the same labels "
            "each time), silhouette is on the field's standard components; neither says that labels are right",
        )
        say(console, f"mean over seeds; records{cached}: {store}")
        return
    say(console, f"mean ± sd over seeds, in percent; records{cached}: {store}")


def _table(rows: Sequence[TableRow], *, by_dataset: bool) -> PlainTable:
    """Return the table; with ``by_dataset`` a dataset's name has a line of its own and names are short."""
    columns = columns_of(rows)
    names = ["dataset", "method", *(column.heading for column in columns)]
    if by_dataset:
        names = [name.replace(" ", "\n").replace("given/", "given\n/") for name in names[1:]]
    table = PlainTable.of_columns(*names, left=1 if by_dataset else 2, gap=1 if by_dataset else 2)
    last = None
    for row, difference in zip(rows, differences(rows), strict=True):
        method = f"{row.short_label if by_dataset else row.label} {difference}".rstrip()
        numbers = [column.text(row) for column in columns]
        style = "yellow" if row.cell.failures else None
        if not by_dataset:
            table.add_row(row.dataset, method, *numbers, style=style)
            continue
        if row.dataset != last:
            table.add_row(row.dataset, style="bold")
            last = row.dataset
        table.add_row(f"  {method}", *numbers, style=style)
    return table


def _print_failures(row: TableRow, console: Console) -> None:
    """Print why runs of a row are missing from its means."""
    seeds: dict[tuple[str, str], list[str]] = {}
    for seed, status, message in row.cell.failures:
        seeds.setdefault((status, first_line(message)), []).append(str(seed))
    for (status, message), of_reason in list(seeds.items())[:_REASONS_SHOWN]:
        count = f"{len(of_reason)} x {status} (seed {', '.join(of_reason)})"
        say(console, f"{row.short_label} on {row.dataset}: {count}: {message}", "yellow")
    left_out = len(seeds) - _REASONS_SHOWN
    if left_out > 0:
        say(console, f"{row.short_label} on {row.dataset}: {left_out} more reasons in the records", "yellow")
