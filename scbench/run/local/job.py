"""What is known of a run under way, and the part of it that the process with the method's code is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scbench.method import MethodConfig
from scbench.plugins import find
from scbench.run.plan import PlannedRun

if TYPE_CHECKING:
    from scbench.data.stored_counts import StoredCounts
    from scbench.metrics.fixed_space import SpaceScore

__all__ = ["FitJob", "Job", "is_foreign"]

_OWN = "scbench_methods."


@dataclass(frozen=True)
class FitJob:
    """All that the process of a run is given: nothing here names the dataset, its file or its labels.

    A method can find whatever its process holds, by the frames above it or the garbage collector.

    Attributes:
        config: the method's.
        n_clusters: how many are asked for.
        seed: the run's seed.
        counts: the counts, in an order that is not the file's.
        device: ``cpu`` or ``cuda:<n>``, n as the command counts.
        visible: the run's CUDA_VISIBLE_DEVICES.
        threads: threads to compute with.
        work: the run's temporary folder.
        watch: as in :class:`Job`.
        keeps_snapshots: whether snapshots are stored.
    """

    config: MethodConfig
    n_clusters: int
    seed: int
    counts: StoredCounts
    device: str
    visible: str
    threads: int
    work: Path
    watch: SpaceScore | None
    keeps_snapshots: bool


@dataclass(frozen=True)
class Job:
    """What the command knows of a run under way.

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

    def for_fit(self) -> FitJob:
        """Return what the process of the run is given."""
        run = self.run
        return FitJob(
            run.config,
            run.n_clusters,
            run.seed,
            run.dataset.stored,
            self.device,
            self.visible,
            self.threads,
            self.work,
            self.watch,
            self.keeps_snapshots or run.protocol == "published",
        )


def is_foreign(config: MethodConfig) -> bool:
    """Return whether a method comes from another package than scbench's own."""
    return not find(config.name).package.startswith(_OWN)
