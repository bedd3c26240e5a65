"""What one job of an array does on its node: the runs of its chunk that nobody has made yet, by the local queue."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scbench.config.schema import RunConfig
from scbench.errors import DataError
from scbench.run.consoles import ProgressConsole
from scbench.run.devices import resolve_devices
from scbench.run.display import PlainDisplay, Tally
from scbench.run.engine import LocalRunner
from scbench.run.listener import Listeners
from scbench.run.opening import open_all
from scbench.run.provenance import collect_provenance
from scbench.run.store import Store
from scbench.run.sweep_file import SweepFile

__all__ = ["ChunkJob", "is_settled", "job_number"]


@dataclass(frozen=True)
class ChunkJob:
    """A chunk of a plan; submitit carries it to the node and calls it there, after a requeue once more.

    Attributes:
        configs: configurations that the runs come from, with the seeds of this chunk only.
        places: the runs of this chunk.
        before: start times of failed records that are to be replaced, by place.
        store: root of the store.
        device: ``cuda`` for a job that has asked for a GPU, else ``cpu``.
        argv: the command that submitted it.
    """

    configs: tuple[RunConfig, ...]
    places: tuple[str, ...]
    before: Mapping[str, str | None]
    store: Path
    device: str
    argv: tuple[str, ...]

    def __call__(self) -> None:
        """Make the runs that are missing.

        Raises:
            DataError: when a dataset is not the same here as where the command was given.
            ScbenchError: when a dataset cannot be opened here, or the GPU is not there.
        """
        engine = dataclasses.replace(self.configs[0].engine, cpu_slots=self.configs[0].engine.slots_per_job)
        store = Store(self.store)
        by_place = {run.place: run for run in open_all(self.configs).runs}
        foreign = [place for place in self.places if place not in by_place]
        if foreign:
            raise DataError(
                f"{foreign[0]} is another run on this node, found {sorted(by_place)}; the datasets, the code and the "
                "packages have to be the same on all nodes"
            )
        runs = [by_place[place] for place in self.places if not self._is_settled(store, place)]
        if not runs:
            return
        slots = resolve_devices(self.device, engine, any_uses_torch=self.device != "cpu")
        provenance = collect_provenance(self.argv)
        n_before = len(self.places) - len(runs)
        with (
            PlainDisplay(ProgressConsole(), Tally(len(runs), n_before)) as display,
            SweepFile(store.root, ["job", *self.argv], len(runs), n_before, job=job_number()) as file,
        ):
            fail_fast = self.configs[0].fail_fast
            LocalRunner(store, engine, slots, Listeners([display, file]), provenance, fail_fast=fail_fast).execute(runs)
        sys.stderr.flush()

    def checkpoint(self, *_: Any, **__: Any) -> Any:  # submitit's class, and its arguments
        """Return what is to be done after a requeue: the same, for the store knows what is finished."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _is_settled(self, store: Store, place: str) -> bool:
        dataset, method, key = place.split("/")
        return is_settled(store.find(dataset, method, key), self.before.get(place))


def is_settled(record: Mapping[str, Any] | None, before: str | None) -> bool:
    """Return whether a run needs nothing more: it is ok, or failed in another attempt than the one to be replaced.

    Args:
        record: what the store has.
        before: when the attempt started that is to be replaced; None when there is none.
    """
    if record is None or record["status"] == "interrupted":
        return False
    return record["status"] == "ok" or record["provenance"]["started_at"] != before or before is None


def job_number() -> str:
    """Return the number of this job as people write it."""
    array, index = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{index}" if array and index else os.environ.get("SLURM_JOB_ID", "unknown")
