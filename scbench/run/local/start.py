"""Give a run its process: a work folder, a job, a pipe, and a child of the fork server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scbench.config.schema import LocalEngine
from scbench.run.local.devices import Device
from scbench.run.local.guard import Guard
from scbench.run.local.job import Job
from scbench.run.local.orphans import in_reach
from scbench.run.local.process import signals_held, start_process
from scbench.run.local.running import Running
from scbench.run.local.worker import worker_main
from scbench.run.plan import PlannedRun
from scbench.store.store import Store

if TYPE_CHECKING:
    from scbench.metrics.fixed_space import SpaceScore

__all__ = ["NotStarted", "Starter"]


class NotStarted(Exception):  # noqa: N818 - no error of the program: the run is tried again by the same command
    """A run has got no process; the message says why."""


class Starter:
    """Starts processes of runs.

    Args:
        context: multiprocessing's, with the fork server. (``Any``: the stubs do not name it.)
        guard: ends what runs leave.
        store: where work folders are.
        engine: threads, snapshots to keep.
        provenance: shared part of all records.
    """

    def __init__(
        self, context: Any, guard: Guard, store: Store, engine: LocalEngine, provenance: Mapping[str, Any]
    ) -> None:
        self._context = context
        self._guard = guard
        self._store = store
        self._engine = engine
        self._provenance = provenance

    def start(self, run: PlannedRun, device: Device, watch: SpaceScore | None, *, is_alone: bool) -> Running:
        """Start one process.

        Args:
            run: what it does.
            device: the slot.
            watch: the score by which it is watched, if it is.
            is_alone: whether it has a GPU to itself.

        Raises:
            NotStarted: when the store cannot be written, or no process can be started.
        """
        store, engine = self._store, self._engine
        try:
            work = store.work_folder(run.run_id)
        except OSError as error:
            raise NotStarted(f"the store {store.root} cannot be written: {error}") from error
        ours, theirs = self._context.Pipe()
        provenance = {**self._provenance, "started_at": datetime.now(UTC).isoformat(timespec="seconds")}
        shown = device.name, device.visible
        job = Job(run, *shown, engine.threads, store.root, work, provenance, watch, engine.keep_snapshots)
        # The name can be seen in the process, so it says nothing about the dataset.
        given = (worker_main, job.for_fit(), theirs, store.lock_of(work))
        process = self._context.Process(target=in_reach, args=given, name=f"scbench-{run.key[:16]}")
        try:
            self._guard.start()
            with signals_held():
                start_process(process)
        except (EOFError, OSError) as error:
            store.leave(work)
            raise NotStarted(f"its process cannot be started: {error}") from error
        finally:
            theirs.close()
        return Running(job, device, process, ours, time.monotonic(), is_alone)
