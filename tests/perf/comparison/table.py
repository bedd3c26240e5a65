"""The table of a comparison: in a terminal, and as JSON or CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from comparison.figures import has_drifted, ratio
from comparison.rows import Line, Row

__all__ = ["Result", "shown", "write"]

_HEADER = ("what", "old", "new", "ratio", "target", "holds?")


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Attributes:
        row: name of its row.
        what, unit: of its values.
        old, new: medians; None where the row is left out.
        ratio: of new to old; ``ratio_least`` and ``ratio_most`` over the repeats, None with one.
        against: the commit, or scanpy.
        target, holds: what must be reached, and ``yes``, ``no`` or ``-``.
        product_before, product_after: GFLOP/s of a float32 product, one thread.
        how, command: where the figures are from.
        repeats: measurements of each.
        left_out: why there are no figures; empty when there are.
    """

    row: str
    what: str
    unit: str
    against: str
    target: str
    how: str
    command: str
    old: float | None = None
    new: float | None = None
    ratio: float | None = None
    ratio_least: float | None = None
    ratio_most: float | None = None
    holds: str = "-"
    product_before: float | None = None
    product_after: float | None = None
    repeats: int = 0
    left_out: str = ""

    @classmethod
    def of(
        cls,
        row: Row,
        line: Line,
        against: str,
        values: tuple[float, float],
        pairs: Sequence[tuple[float, float]],
        product: tuple[float, float],
    ) -> Result:
        """Return the line with its figures; ``values`` and ``pairs`` (of each repeat) are (old, new)."""
        ratios = [found for found in (ratio(new, old) for old, new in pairs) if found is not None]
        spread = (min(ratios), max(ratios)) if len(ratios) > 1 else (None, None)
        target = line.target
        return cls(
            *_words(row, line, against),
            *values,
            ratio(values[1], values[0]),
            *spread,
            "-" if target is None else target.verdict(*values),
            *product,
            len(pairs),
        )

    @classmethod
    def missing(cls, row: Row, line: Line, against: str, reason: str) -> Result:
        """Return the line without figures."""
        return cls(*_words(row, line, against), left_out=reason)

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        if self.left_out:
            return self.what, f"left out: {self.left_out}", "", "", self.target, "-"
        spread = "" if self.ratio_least is None else f" ({self.ratio_least:.2f} to {self.ratio_most:.2f})"
        times = "-" if self.ratio is None else f"{self.ratio:.2f}{spread}"
        is_unsure = has_drifted(self.product_before or 0.0, self.product_after or 0.0)
        return (
            self.what,
            self._value(self.old),
            self._value(self.new),
            times,
            self.target,
            self.holds + "?" * (is_unsure and self.holds != "-"),
        )

    def _value(self, value: float | None) -> str:
        return (
            "-" if value is None else f"{value:.3g} {self.unit}".strip() if value < 1e3 else f"{value:.0f} {self.unit}"
        )


def _words(row: Row, line: Line, against: str) -> tuple[str, ...]:
    instead = [] if row.instead is None else [row.instead.shown]
    command = "; ".join([*(case.shown for case in row.cases), *instead])
    return row.name, line.what, line.unit, against, "" if line.target is None else str(line.target), row.how, command


def shown(results: Sequence[Result]) -> str:
    """Return the table and, below it, how each row was measured."""
    lines = [_HEADER, *(result.cells for result in results)]
    whole = [cells for cells in lines if not cells[1].startswith("left out")]
    widths = [max(len(cells[i]) for cells in (lines if i == 0 else whole)) for i in range(len(_HEADER))]
    text = []
    for cells in lines:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        is_left_out = cells not in whole
        text.append(f"{padded[0]}  {cells[1]}" if is_left_out else "  ".join(padded).rstrip())
    for name in dict.fromkeys(result.row for result in results):
        first = next(result for result in results if result.row == name)
        product = (
            ""
            if first.product_before is None
            else (f"; float32 product {first.product_before:.0f} GFLOP/s before, {first.product_after:.0f} after")
        )
        text += [
            "",
            f"{name}: old is {first.against}, {first.repeats} of each; {first.how}{product}",
            f"  {first.command}",
        ]
    if any(cells[-1].endswith("?") for cells in lines[1:]):
        text += ["", "?: the product ran at another rate after the row than before; measure again on a quiet machine"]
    return "\n".join(text)


def write(results: Sequence[Result], path: Path) -> None:
    """Write all fields of all lines: a list of objects in ``.json``, else a table in CSV."""
    lines = [asdict(result) for result in results]
    if path.suffix == ".json":
        path.write_text(json.dumps(lines, indent=1) + "\n")
        return
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(Result.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(lines)
