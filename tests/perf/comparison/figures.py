"""What is computed from measurements: ratios, growth with the number of cells, and whether a target holds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["DRIFT", "Target", "exponent", "has_drifted", "ratio", "slope"]

DRIFT = 0.1  # share by which the rate of the float32 product may differ before and after a row


@dataclass(frozen=True)
class Target:
    """What must be reached.

    Attributes:
        at_most: the largest value that holds.
        of: ``ratio`` of new to old, or the ``new`` value itself.
    """

    at_most: float
    of: Literal["ratio", "new"] = "ratio"

    def verdict(self, old: float | None, new: float | None) -> str:
        """Return ``yes`` or ``no``, or ``-`` where what it asks of was not measured."""
        value = new if self.of == "new" else ratio(new, old)
        return "-" if value is None else "yes" if value <= self.at_most else "no"

    def __str__(self) -> str:
        """Show it as a table does."""
        return f"<= {self.at_most:g}" + (" x" if self.of == "ratio" else "")


def ratio(new: float | None, old: float | None) -> float | None:
    """Return new / old; None where one is missing, or where ``old`` is not above 0."""
    return None if new is None or old is None or old <= 0 else new / old


def exponent(n_cells: Sequence[int], seconds: Sequence[float]) -> float:
    """Return b of seconds ~ n^b, by least squares of the logarithms.

    Raises:
        ValueError: with fewer than two sizes, or when a value is not above 0.
    """
    if min(*seconds, *n_cells) <= 0:
        raise ValueError(f"an exponent is of values above 0, got {list(seconds)} at {list(n_cells)}")
    return slope([math.log(n) for n in n_cells], [math.log(value) for value in seconds])


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the slope of the line through the points, by least squares.

    Raises:
        ValueError: with fewer than two different values of ``x``.
    """
    if len(set(x)) < 2:
        raise ValueError(f"a slope is of two sizes or more, got {list(x)}")
    return statistics.linear_regression(x, y).slope


def has_drifted(before: float, after: float) -> bool:
    """Return whether the machine was not the same before and after, by the rates of one product."""
    return abs(after - before) > DRIFT * max(before, after)
