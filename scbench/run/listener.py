"""What the engine tells whoever watches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from scbench.run.plan import PlannedRun

__all__ = ["Listener", "Listeners"]


class Listener(Protocol):
    """Someone who is told what happens; nothing it does can change a run."""

    def started(self, run: PlannedRun, device: str) -> None:
        """A run has got a process on a device."""

    def progress(self, run: PlannedRun, epoch: int, values: Mapping[str, float]) -> None:
        """A run has logged an epoch."""

    def ended(self, run: PlannedRun, record: Mapping[str, Any], *, will_retry: bool = False) -> None:
        """A run has ended; ``will_retry`` when it is to be tried once more."""

    def stopping(self) -> None:
        """No further run will start, and those that run are asked to end."""

    def tick(self) -> None:
        """At least a second has passed, or something has happened."""


class Listeners:
    """Several who listen."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def started(self, run: PlannedRun, device: str) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.started(run, device)

    def progress(self, run: PlannedRun, epoch: int, values: Mapping[str, float]) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.progress(run, epoch, values)

    def ended(self, run: PlannedRun, record: Mapping[str, Any], *, will_retry: bool = False) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.ended(run, record, will_retry=will_retry)

    def stopping(self) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.stopping()

    def tick(self) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.tick()
