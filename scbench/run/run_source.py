"""Where runs come from that are thought of while others are under way, as a search does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from scbench.run.plan import PlannedRun

if TYPE_CHECKING:
    from scbench.metrics.fixed_space import SpaceScore

__all__ = ["RunSource"]


class RunSource(Protocol):
    """Someone who has more runs when there is room, and a say in how far they go."""

    def more(self) -> Sequence[PlannedRun]:
        """Return runs to add, now that a slot is free and none waits for it; empty when there are none by now."""

    def watches(self, run: PlannedRun) -> SpaceScore | None:
        """Return the score by which a run that is about to start is watched, None to let it be."""

    def gives_up(self, run: PlannedRun, number: int, value: float) -> bool:
        """Return whether to give up a run that is watched, after its report ``number`` (from 0) scored ``value``."""
