"""One run that has a process: how it is asked to end, and when it is killed."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

from scbench.run.local.devices import Device
from scbench.run.local.job import Job
from scbench.run.local.orphans import end_below
from scbench.run.local.process import signal_group

__all__ = ["Running"]

_SERVER_LOST = 255  # how a process seems to have ended when the server that it was forked from is gone


@dataclass
class Running:
    """A run under way.

    Attributes:
        job: what its process was given.
        device: the slot it holds.
        process: its process, with a group of its own.
        connection: to the process.
        started: monotonic time.
        is_alone: whether it has its GPU to itself.
        record: what the process sent at its end.
        stop_reason: status and message, when the engine stopped it.
        stop_asked: monotonic time since when it should be ending; 0 as long as it may work.
    """

    job: Job
    device: Device
    process: ForkServerProcess
    connection: Connection
    started: float
    is_alone: bool = False
    record: dict[str, Any] | None = None
    stop_reason: tuple[str, str] | None = None
    stop_asked: float = 0.0

    @property
    def is_ending(self) -> bool:
        """Return whether it has delivered its record or was asked to stop."""
        return self.record is not None or self.stop_reason is not None

    def stop(self, reason: tuple[str, str] | None) -> None:
        """Ask it to end when there is a reason to: status and message of its record."""
        if reason is None:
            return
        self.stop_reason = reason
        self.stop_asked = time.monotonic()
        signal_group(self.process, signal.SIGTERM)

    def kill_when_overdue(self, grace_seconds: float) -> None:
        """Kill a run that is ending and does not come to an end: a method that ignores signals, a thread at work."""
        now = time.monotonic()
        self.stop_asked = self.stop_asked or now
        if now - self.stop_asked > grace_seconds:
            self.kill()

    def kill(self) -> None:
        """Kill it with its group; what has left the group is for the guard to end."""
        signal_group(self.process, signal.SIGKILL)

    def clear(self) -> None:
        """Close the connection of a run that has ended, and end helpers that its method left behind."""
        self.connection.close()
        if self.process.exitcode == _SERVER_LOST and self.process.pid is not None:
            end_below(self.process.pid)  # it may be at work, and nobody adopts what it has
        self.kill()
