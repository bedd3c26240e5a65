"""When a run that still works has to be stopped: too long, too large, or because nothing is to go on."""

from __future__ import annotations

import time

from scbench.config.schema import LocalEngine
from scbench.run.process import resident_bytes

__all__ = ["MEMORY_CHECK_SECONDS", "Limits"]

MEMORY_CHECK_SECONDS = 0.5


class Limits:
    """The limits of an engine.

    Args:
        engine: time and memory that a run may take.
    """

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self._last_memory_check = 0.0

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
        if self._engine.memory_gb is None or now - self._last_memory_check <= MEMORY_CHECK_SECONDS:
            return False
        self._last_memory_check = now
        return True

    def over_memory(self, pid: int | None) -> tuple[str, str] | None:
        """Return status and message for a process that is too large, with all that it started; else None."""
        limit, used = self._engine.memory_gb, resident_bytes(pid)
        if limit is None or used <= limit * 2**30:
            return None
        return "oom", f"{used / 2**30:.2f} GiB resident, over engine.memory_gb={limit:g}"
