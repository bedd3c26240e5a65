"""The time that a whole benchmark may take, shared by its rows."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["TimeLeft"]


class TimeLeft:
    """Give each row its limit, or less where less is left.

    Args:
        total_seconds: of all rows together, from now.
        clock: monotonic seconds.
    """

    def __init__(self, total_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + total_seconds

    def limit(self, wanted_seconds: float, least_seconds: float = 1.0) -> float | None:
        """Return the seconds that a row gets, at most those wanted; None where less than ``least_seconds`` is left."""
        left = self._end - self._clock()
        return None if left < least_seconds else min(wanted_seconds, left)
