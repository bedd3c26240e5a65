"""When a run that still works has to be stopped: too long, too large, or because nothing is to go on."""

from __future__ import annotations

import time
from collections.abc import Sequence

from scbench.config.schema import LocalEngine
from scbench.run.local.process_tree import descendants, proportional_bytes, resident_bytes

__all__ = ["MEMORY_CHECK_SECONDS", "Limits"]

MEMORY_CHECK_SECONDS = 0.5
_COST_FACTOR = 50  # looking at memory takes at most 2 % of one core


class Limits:
    """The limits of an engine.

    Args:
        engine: time and memory that a run may take.
    """

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self._last_memory_check = 0.0
        self._memory_check_cost = 0.0

    def over_time(self, started: float) -> tuple[str, str] | None:
        """Return status and message for a run that has taken too long, else None.

        Args:
            started: monotonic time of its start.
        """
        limit = self._engine.timeout_min
        if limit is None or time.monotonic() - started <= limit * 60:
            return None
        return "timeout", f"not finished after engine.timeout_min={limit:g} minutes"

    def memory_is_due(self) -> bool:
        """Return whether memory has to be looked at again; asking for the sizes of processes costs time."""
        now = time.monotonic()
        pause = max(MEMORY_CHECK_SECONDS, _COST_FACTOR * self._memory_check_cost)
        if self._engine.memory_gb is None or now - self._last_memory_check <= pause:
            return False
        self._last_memory_check = now
        self._memory_check_cost = 0.0
        return True

    def over_memory(self, pid: int | None) -> tuple[str, str] | None:
        """Return status and message for a run whose processes are too large together; else None.

        Memory that they share is counted once (:func:`proportional_bytes`), and looked at only when the sum that
        counts it for each of them is over the limit.

        Args:
            pid: of the run's own process.
        """
        limit = self._engine.memory_gb
        if limit is None or pid is None:
            return None
        started = time.thread_time()
        used = self._used_bytes([pid, *descendants(pid)], limit * 2**30)
        self._memory_check_cost += time.thread_time() - started
        if used <= limit * 2**30:
            return None
        return "oom", f"{used / 2**30:.2f} GiB resident, over engine.memory_gb={limit:g}"

    def _used_bytes(self, pids: Sequence[int], limit_bytes: float) -> int:
        """Return the memory of processes, as exactly as is needed to tell whether it is over the limit."""
        at_most = resident_bytes(pids)
        return at_most if at_most <= limit_bytes else proportional_bytes(pids)
