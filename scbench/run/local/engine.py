"""The local engine: a queue, slots on devices, and one process per run, so that a run can only lose itself.

Processes are forked from a server process that has the libraries loaded (``multiprocessing``'s fork server), which
saves their import time per run. The server never touches CUDA, and does not import torch when a GPU is used.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from scbench.config.schema import LocalEngine
from scbench.errors import StoreError
from scbench.run.interrupts import Interrupts
from scbench.run.listener import Listener
from scbench.run.local.devices import Device, Slots
from scbench.run.local.exit_record import Endings
from scbench.run.local.fitted import fitted_of
from scbench.run.local.guard import Guard
from scbench.run.local.limits import MEMORY_CHECK_SECONDS, Limits
from scbench.run.local.modules_ahead import modules_ahead
from scbench.run.local.outcome import is_outcome, take_outcome
from scbench.run.local.process import server_environment
from scbench.run.local.running import Running
from scbench.run.local.scorer import Scorer
from scbench.run.local.start import NotStarted, Starter
from scbench.run.local.wire import Wire
from scbench.run.new_record import failed_record
from scbench.run.plan import PlannedRun
from scbench.run.run_source import RunSource
from scbench.store.record import is_failure
from scbench.store.store import Store

__all__ = ["LocalRunner"]

_TICK_SECONDS = 1.0  # for displays that show elapsed time
_BY_USER = "stopped by Ctrl-C or SIGTERM; the same command goes on from here"
_BY_FAILURE = "stopped because another run failed and fail_fast=true; the same command goes on from here"
_BY_DISK = "stopped because the store takes nothing more; free some space, and the same command goes on from here"


class LocalRunner:
    """Run planned runs on this machine.

    Args:
        store: where records go.
        engine: threads, limits, grace.
        slots: the devices.
        listener: the display.
        provenance: shared part of all records.
        fail_fast: end everything with the first run that fails.
        source: has more runs while others are under way.
    """

    def __init__(
        self,
        store: Store,
        engine: LocalEngine,
        slots: Slots,
        listener: Listener,
        provenance: Mapping[str, Any],
        *,
        fail_fast: bool = False,
        source: RunSource | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._slots = slots
        self._listener = listener
        self._provenance = dict(provenance)
        self._queue: deque[tuple[PlannedRun, bool]] = deque()
        self._running: dict[str, Running] = {}
        self._records: dict[str, dict[str, Any]] = {}
        self._interrupts = Interrupts()
        self._fail_fast = fail_fast
        self._source = source
        self._limits = Limits(engine)
        self._stopping = ""  # why nothing further starts
        self._endings = Endings(store)

    def execute(self, runs: Sequence[PlannedRun]) -> dict[str, dict[str, Any]]:
        """Run all, in their order where slots allow, and return their records by id.

        Runs that were not started, because of Ctrl-C or of a failure with ``fail_fast``, are absent.
        """
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["scbench.run.local.preload"])
        self._scorer, self._guard = Scorer(context), Guard(context)
        self._queue.extend((run, False) for run in runs)
        self._refill()
        self._starter = Starter(context, self._guard, self._store, self._engine, self._provenance)
        ahead = modules_ahead([run for run, _ in self._queue], has_gpus=bool(self._slots.gpus))
        with (
            server_environment(self._engine.threads, ahead),
            self._interrupts,
        ):
            try:
                while self._running or self._scorer.pending or (self._queue and not self._is_stopping()):
                    self._go_on()
            finally:
                for running in self._running.values():  # there are some after an error only: of a display, a search
                    running.kill()
                    running.process.join()
                self._guard.sweep()
                self._guard.close()
                self._scorer.close()
        for run, alone in self._queue:
            if alone:  # its failure was to be tried again, so it must not count as done
                self._store.forget_failure(run.dataset.name, run.config.name, run.key)
        return self._records

    def _go_on(self) -> None:
        """Start what can be started, wait for something to happen, and deal with it."""
        if not self._is_stopping():
            self._start_what_fits()
            while self._refill():
                self._start_what_fits()
        self._wait()
        self._enforce_limits()
        self._reap()
        self._refill()
        self._listener.tick()

    @property
    def was_interrupted(self) -> bool:
        """Return whether Ctrl-C or SIGTERM came."""
        return self._interrupts.count > 0

    def _refill(self) -> bool:
        """Ask for more runs when nothing waits and a slot is free; return whether some came."""
        if self._source is None or self._queue or self._is_stopping() or not self._has_room():
            return False
        self._queue.extend((run, False) for run in self._source.more())
        return bool(self._queue)

    def _has_room(self) -> bool:
        """Return whether another run like those that run could start."""
        running = next(iter([*self._running.values(), *self._scorer.pending]), None)
        return running is None or self._slots.has_room(running.job.run.config.USES_TORCH)

    def _is_stopping(self) -> bool:
        """Return whether nothing further is to start, and say so once."""
        if self._interrupts.count and not self._stopping:
            self._stop_all(_BY_USER)
        return bool(self._stopping)

    def _stop_all(self, reason: str) -> None:
        """Start nothing further, and have the running ones stopped."""
        self._stopping = reason
        self._listener.stopping()

    def _start_what_fits(self) -> None:
        """Give free slots to waiting runs, in the order of the queue."""
        waiting, self._queue = self._queue, deque()
        full: set[bool] = set()  # for runs that can use a GPU, and for those that cannot
        while waiting and len(full) < 2:
            run, alone = waiting.popleft()
            uses_gpu = run.config.USES_TORCH
            device = None if uses_gpu in full and not alone else self._slots.take(run.run_id, uses_gpu, alone)
            if device is not None:
                self._start(run, device, alone)
                continue
            self._queue.append((run, alone))
            if not alone:
                full.add(uses_gpu)
        self._queue.extend(waiting)

    def _start(self, run: PlannedRun, device: Device, is_alone: bool) -> None:
        """Start one process."""
        watch = None if self._source is None else self._source.watches(run)
        try:
            self._running[run.run_id] = self._starter.start(run, device, watch, is_alone=is_alone)
        except NotStarted as error:
            self._give_up(run, device, str(error))
            return
        with suppress(OSError, EOFError):  # tried again when it has something to do
            self._scorer.start()
        self._listener.started(run, device.name)

    def _give_up(self, run: PlannedRun, device: Device, message: str) -> None:
        """Note a run that could not be started; nothing is stored, so that the same command tries it again."""
        self._slots.give_back(run.run_id)
        about = (run, device.name, self._engine.threads, self._provenance)
        record = failed_record(*about, status="interrupted", message=message, kind="NotStarted")
        self._records[run.run_id] = record
        self._listener.ended(run, record)

    def _wait(self) -> None:
        """Sleep until a run says something or ends, a signal comes, or a limit has to be looked at."""
        sources: dict[Any, Running] = {}
        for running in self._running.values():
            sources[running.process.sentinel] = running
            if not running.connection.closed:
                sources[running.connection] = running
        for source in self._interrupts.wait([*sources, *self._scorer.sources()], self._next_look()):
            if source in sources and source is sources[source].connection:
                self._receive(sources[source])

    def _next_look(self) -> float:
        """Return the seconds until something has to be looked at without being told."""
        if self._engine.memory_gb is not None and self._running:
            return MEMORY_CHECK_SECONDS
        return _TICK_SECONDS

    def _receive(self, running: Running) -> None:
        """Read what a worker sent."""
        wire = Wire(running.connection)
        try:
            while running.connection.poll():
                kind, *content = wire.recv()
                if kind == "progress":
                    self._listener.progress(running.job.run, *content)
                elif kind == "report":
                    wire.send(self._source is not None and self._source.gives_up(running.job.run, *content))
                elif kind == "ended":
                    running.record = content[0] if content and is_outcome(content[0]) else {}
        except Exception:  # the end of the pipe, or something that cannot be read: what is on disk decides
            running.connection.close()

    def _enforce_limits(self) -> None:
        """Stop runs that are over time or memory, and all of them when nothing is to go on."""
        stopping = self._is_stopping()
        grace_seconds = 0 if self._interrupts.count > 1 else self._engine.grace_seconds
        for running in self._running.values():
            if running.is_ending:
                running.kill_when_overdue(grace_seconds)
            elif stopping:
                running.stop(("interrupted", self._stopping))
            else:
                running.stop(self._limits.over_time(running.started))
        if self._limits.memory_is_due():
            for running in self._running.values():
                if running.stop_reason is None:
                    running.stop(self._limits.over_memory(running.process.pid))
        scored = self._scorer.current
        if scored is not None:
            by_user = ("interrupted", self._stopping) if self._interrupts.count > 1 else None
            scored.stop_reason = by_user or self._limits.over_time(scored.started)
            if scored.stop_reason is not None:
                self._scorer.kill()

    def _reap(self) -> None:
        """Take the runs that have ended out of their slots."""
        for place, running in list(self._running.items()):
            if running.process.is_alive():
                continue
            running.process.join()
            if not running.connection.closed:
                self._receive(running)
            running.clear()
            del self._running[place]
            self._guard.sweep()
            outcome, exitcode = take_outcome(running.job.work) or running.record, running.process.exitcode
            running.process.close()
            if outcome:
                self._scorer.take(running, fitted_of(running.job, outcome))
            else:
                self._settle(running, self._record_of_end(running, exitcode))
        for running, record, exitcode in self._scorer.finished():
            self._settle(running, record or self._record_of_end(running, exitcode))

    def _settle(self, running: Running, record: dict[str, Any]) -> None:
        """Give back the slot of a run whose record is stored, and see what follows from it."""
        run = running.job.run
        self._slots.give_back(run.run_id)
        self._store.leave(running.job.work)
        retry = (
            record["status"] == "oom"
            and running.device.gpu_index is not None
            and not running.is_alone
            and running.stop_reason is None
            and not self._stopping
        )
        self._listener.ended(run, record, will_retry=retry)
        if retry:  # once more, with the GPU to itself
            self._queue.appendleft((run, True))
            return
        self._records[run.run_id] = record
        if self._fail_fast and is_failure(record) and not self._stopping:
            self._stop_all(_BY_FAILURE)
        not_stored = record["status"] == "interrupted" and record["error"]["type"] == StoreError.__name__
        # The next would be made for nothing, too. A method may say so of itself; the store is what decides.
        if not_stored and not self._stopping and not self._store.is_writable():
            self._stop_all(_BY_DISK)

    def _record_of_end(self, running: Running, exitcode: int | None) -> dict[str, Any]:
        """Return the record of a run whose process did not tell it."""
        return self._endings.record(
            running.job,
            seconds=time.monotonic() - running.started,
            exitcode=exitcode,
            stop_reason=running.stop_reason,
        )
