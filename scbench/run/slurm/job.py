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
from scbench.consoles import ProgressConsole
from scbench.errors import DataError
from scbench.run.display import PlainDisplay, Tally
from scbench.run.listener import Listeners
from scbench.run.local.devices import resolve_devices
from scbench.run.local.engine import LocalRunner
from scbench.run.open_datasets import open_all
from scbench.run.provenance import collect_provenance
from scbench.run.sweep_file import SweepFile
from scbench.run.to_make import must_be_made
from scbench.store.store import Store

__all__ = ["ChunkJob", "job_number"]


@dataclass(frozen=True)
class ChunkJob:
    """A chunk of a plan; submitit carries it to the node and calls it there, after a requeue once more.

    Attributes:
        configs: configurations that the runs come from, with the seeds of this chunk only.
        run_ids: the runs of this chunk.
        before: start times of failed records that are to be replaced, by run_id.
        store: root of the store.
        device: ``cuda`` for a job that has asked for a GPU, else ``cpu``.
        argv: the command that submitted it.
    """

    configs: tuple[RunConfig, ...]
    run_ids: tuple[str, ...]
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
        by_id = {run.run_id: run for run in open_all(self.configs).runs}
        foreign = [run_id for run_id in self.run_ids if run_id not in by_id]
        if foreign:
            raise DataError(
                f"{foreign[0]} is another run on this node, found {sorted(by_id)}; the datasets, the code and the "
                "packages have to be the same on all nodes"
            )
        runs = [by_id[run_id] for run_id in self.run_ids if not self._is_settled(store, run_id)]
        if not runs:
            return
        slots = resolve_devices(self.device, engine, any_uses_torch=self.device != "cpu")
        provenance = collect_provenance(self.argv)
        n_before = len(self.run_ids) - len(runs)
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

    def _is_settled(self, store: Store, run_id: str) -> bool:
        dataset, method, key = run_id.split("/")
        return not must_be_made(store.find(dataset, method, key), replaced=self.before.get(run_id))


def job_number() -> str:
    """Return the number of this job as people write it."""
    array, index = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{index}" if array and index else os.environ.get("SLURM_JOB_ID", "unknown")
