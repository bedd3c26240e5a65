"""Lets tests of faults import what they share, and prints what they found as one table (``make faults``)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

for _folder in ("faults", "store"):
    sys.path.insert(0, str(Path(__file__).parents[1] / _folder))

_NAME = "fault"
_COLUMNS = ("fault", "tried", "lost", "torn", "ended with", "seconds")

Note = Callable[..., None]


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Return a function that adds a row to the table: what was done, how often, what it cost, how it ended."""
    started = time.monotonic()

    def add(fault: str, *, tried: int, ended: object, lost: int = 0, torn: int = 0) -> None:
        record_property(_NAME, [fault, tried, lost, torn, str(ended), f"{time.monotonic() - started:.1f}"])

    return add


def pytest_terminal_summary(terminalreporter: Any) -> None:  # Any: the class is private to pytest
    """Print the table when all tests were asked for."""
    if terminalreporter.config.option.markexpr:
        return
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    called = [report for report in reports if getattr(report, "when", "") == "call"]
    noted = [value for one in called for name, value in one.user_properties if name == _NAME]
    rows = [[*map(str, row)] for row in (_COLUMNS, *sorted(noted, key=lambda row: row[0]))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    terminalreporter.write_line("")
    for row in rows if noted else ():
        terminalreporter.write_line("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)))
    kills = [row for row in noted if row[0].startswith("kill")]
    if kills:
        total, lost, torn = (sum(row[column] for row in kills) for column in (1, 2, 3))
        terminalreporter.write_line(f"{total} kills, {lost} lost, {torn} torn")
