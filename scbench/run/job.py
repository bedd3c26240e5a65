"""What the process of a run is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scbench.metrics.fixed_space import SpaceScore
from scbench.run.plan import PlannedRun

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """What a worker process is given.

    Attributes:
        run: the planned run.
        device: ``cpu`` or ``cuda:<n>``, n as the parent counts.
        visible: the run's CUDA_VISIBLE_DEVICES.
        threads: threads to compute with.
        store: root of the run store.
        work: the run's temporary folder.
        provenance: what all runs of the command share.
        watch: score of what the method reports by which a search may give the run up; None without a search.
        keeps_snapshots: whether snapshots are stored although the protocol does not ask for them.
    """

    run: PlannedRun
    device: str
    visible: str
    threads: int
    store: Path
    work: Path
    provenance: dict[str, Any]
    watch: SpaceScore | None = None
    keeps_snapshots: bool = False
