"""The SLURM engine: array jobs that each run the local queue on a part of the plan, and a command that watches them.

The command only submits, looks and tells; everything that matters is in the store and in SLURM's queue. Killed and
given again, it finds the jobs that are under way, waits for them, and submits what is in none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scbench.config.schema import RunConfig, SlurmEngine, parse_devices
from scbench.consoles import ProgressConsole, say
from scbench.errors import ConfigError
from scbench.run.interrupts import Interrupts
from scbench.run.listener import Listener
from scbench.run.local.process import tail
from scbench.run.new_record import failed_record
from scbench.run.plan import PlannedRun
from scbench.run.slurm.ledger import Submission, close, open_submissions, submission_lock
from scbench.run.slurm.queue import JobState, cancel, require_slurm, states
from scbench.run.slurm.submit import chunks_of, submit
from scbench.run.to_make import must_be_made
from scbench.store.record import is_failure
from scbench.store.store import Store

__all__ = ["LOOKS_UNTIL_OVER", "SlurmRunner", "check_slurm", "how_it_ended", "is_live"]

_LOG = logging.getLogger(__name__)
LOOKS_UNTIL_OVER = 3  # a job may be requeued, and a shared disk may show its records late
_LOOKS_AFTER_CANCEL = 12


def check_slurm(engine: SlurmEngine, device: object) -> None:
    """Check what can be checked before anything is planned.

    Raises:
        ConfigError: when SLURM is not here, or ``device`` does not fit what jobs ask for.
    """
    names = parse_devices(device)
    if len(names) > 1 or names[0] not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device={device} names GPUs, but SLURM chooses them; use engine.gpus_per_job=N")
    if names == ["cuda"] and not engine.gpus_per_job:
        raise ConfigError("device=cuda, but engine.gpus_per_job=0 asks SLURM for no GPU; set engine.gpus_per_job=1")
    require_slurm()


class SlurmRunner:
    """Have planned runs made by SLURM jobs.

    Args:
        store: where the jobs write to; it has to be seen from all nodes.
        config: engine, device and fail_fast are taken from it.
        configs: the configuration of each run, by run_id.
        listener: the display.
        provenance: shared part of all records.
    """

    def __init__(
        self,
        store: Store,
        config: RunConfig,
        configs: Mapping[str, RunConfig],
        listener: Listener,
        provenance: Mapping[str, Any],
    ) -> None:
        self._store = store
        self._config = config
        self._engine: SlurmEngine = config.engine
        self._configs = configs
        self._listener = listener
        self._provenance = provenance
        self._records: dict[str, dict[str, Any]] = {}
        self._looks_over: dict[tuple[str, int], int] = {}
        self._is_silent = False

    def execute(self, runs: Sequence[PlannedRun]) -> dict[str, dict[str, Any]]:
        """Submit what is in no job yet, wait for all, and return their records by run_id.

        Runs whose job ended without making them have a record that says so and is not stored.

        Raises:
            ConfigError: when SLURM does not answer, or refuses the jobs.
        """
        self._before = self._failures(runs)
        with Interrupts() as interrupts:
            self._jobs = self._submit(runs)
            waiting = {run.run_id: run for run in runs}
            while waiting:
                self._collect(waiting)
                self._note_lost(waiting)
                self._listener.tick()
                failed = self._config.fail_fast and any(map(is_failure, self._records.values()))
                if waiting and (interrupts.count or failed):
                    self._stop(waiting, interrupts, must_cancel=failed)
                    break
                if waiting:
                    interrupts.wait([], self._engine.poll_seconds)
        return self._records

    def _failures(self, runs: Sequence[PlannedRun]) -> dict[str, str | None]:
        """Return when the failed attempts started that are to be replaced."""
        records = ((run.run_id, self._store.find(run.dataset.name, run.config.name, run.key)) for run in runs)
        return {run_id: record["provenance"]["started_at"] for run_id, record in records if record is not None}

    def _submit(self, runs: Sequence[PlannedRun]) -> dict[str, tuple[Submission, int]]:
        """Submit the runs that are in no job, and return the job of each: its array and its index there."""
        with submission_lock(self._store.root):
            jobs = self._under_way()
            n_found = sum(run.run_id in jobs for run in runs)
            new = [run for run in runs if run.run_id not in jobs]
            n_jobs = 0
            for device, chunks in chunks_of(new, self._engine, str(self._config.device)):
                argv = self._provenance["argv"]
                array = submit(self._store, device, chunks, self._configs, self._before, argv)
                n_jobs += len(chunks)
                jobs |= {run_id: (array, index) for index, chunk in enumerate(array.chunks) for run_id in chunk}
        found = f"; {n_found} runs are in jobs submitted before" if n_found else ""
        _progress_line(f"submitted {len(new)} runs in {n_jobs} jobs{found}")
        return {run.run_id: jobs[run.run_id] for run in runs}

    def _under_way(self) -> dict[str, tuple[Submission, int]]:
        """Return the job of each run that is in one, and close the arrays that are over."""
        arrays = list(open_submissions(self._store.root))
        queue = states([array.name for array in arrays])
        if queue is None:
            raise ConfigError("SLURM does not answer (squeue failed); try again when it does, or use engine=local")
        jobs: dict[str, tuple[Submission, int]] = {}
        for array in arrays:
            live = [index for index in range(len(array.chunks)) if is_live(queue.get((array.name, index)))]
            if not live:
                close(array)
            jobs |= {run_id: (array, index) for index in live for run_id in array.chunks[index]}
        return jobs

    def _collect(self, waiting: dict[str, PlannedRun]) -> None:
        """Take the records that have come."""
        for run_id, run in list(waiting.items()):
            if not (self._store.folder(run.dataset.name, run.config.name, run.key) / "record.json").exists():
                continue
            record = self._store.find(run.dataset.name, run.config.name, run.key)
            if record is not None and not must_be_made(record, replaced=self._before.get(run_id)):
                self._end(waiting, run_id, record)

    def _note_lost(self, waiting: dict[str, PlannedRun]) -> None:
        """Give up the runs whose job has ended without them."""
        arrays = {self._jobs[run_id][0].name: self._jobs[run_id][0] for run_id in waiting}
        queue = states(list(arrays))
        if queue is None:
            if not self._is_silent:
                _LOG.warning("SLURM does not answer; still waiting for %d runs", len(waiting))
            self._is_silent = True
            return
        self._is_silent = False
        for job in {(self._jobs[run_id][0].name, self._jobs[run_id][1]) for run_id in waiting}:
            self._looks_over[job] = 0 if is_live(queue.get(job)) else self._looks_over.get(job, 0) + 1
        for run_id in list(waiting):
            array, index = self._jobs[run_id]
            if self._looks_over[array.name, index] >= LOOKS_UNTIL_OVER:
                self._end(waiting, run_id, self._lost(waiting[run_id], array, queue.get((array.name, index))))

    def _lost(self, run: PlannedRun, array: Submission, job: JobState | None) -> dict[str, Any]:
        """Return the record of a run that its job did not make; one of an interrupted run says more."""
        stored = self._store.find(run.dataset.name, run.config.name, run.key)
        if stored is not None and stored["status"] == "interrupted":
            return stored
        which, log = how_it_ended(array, job)
        return self._not_made(run, f"{which} before this run was made; see {log}; the same command goes on")

    def _stop(self, waiting: dict[str, PlannedRun], interrupts: Interrupts, *, must_cancel: bool) -> None:
        """Stop waiting, and cancel the jobs when that is asked for."""
        names = sorted({self._jobs[run_id][0].name for run_id in waiting})
        if must_cancel or self._engine.cancel_on_interrupt:
            self._listener.stopping()
            if not cancel(names):
                _LOG.warning("SLURM did not take the order; cancel the jobs with scancel --name=%s", ",".join(names))
            for _ in range(_LOOKS_AFTER_CANCEL):  # running runs are ended in order, and note it
                if interrupts.count > 1 or not waiting:
                    break
                self._collect(waiting)
                self._note_lost(waiting)
                interrupts.wait([], min(1.0, self._engine.poll_seconds))
            message = "its job was cancelled; the same command goes on from here"
        else:
            jobs = f"scancel --name={','.join(names)} cancels them"
            _progress_line(
                f"the jobs go on, and the same command finds them; {jobs}, and so does engine.cancel_on_interrupt=true"
            )
            message = "its job goes on; the same command finds it"
        for run_id in list(waiting):
            self._end(waiting, run_id, self._not_made(waiting[run_id], message))

    def _end(self, waiting: dict[str, PlannedRun], run_id: str, record: dict[str, Any]) -> None:
        """Take a run off the list."""
        self._records[run_id] = record
        self._listener.ended(waiting.pop(run_id), record)

    def _not_made(self, run: PlannedRun, message: str) -> dict[str, Any]:
        about = (run, "cpu", self._engine.threads, self._provenance)
        return failed_record(*about, status="interrupted", message=message, kind="NotMade")


def how_it_ended(array: Submission, job: JobState | None) -> tuple[str, Path]:
    """Return how a job of an array has ended, with the last line of its log, and where that log is."""
    which = f"job {job.number} ended as {job.state}" if job else "its job has left the queue"
    log = array.folder / f"{job.number if job else '*'}_0_log.err"
    # srun has the last word, which only repeats that there was an error.
    said = [line for line in tail(log).splitlines() if line.strip() and not line.startswith("srun:")]
    return which + (f" ({said[-1].strip()})" if said else ""), log


def is_live(job: JobState | None) -> bool:
    """Return whether a job is in the queue and has not ended."""
    return job is not None and not job.is_over


def _progress_line(line: str) -> None:
    """Write one line to stderr."""
    say(ProgressConsole(), line)
