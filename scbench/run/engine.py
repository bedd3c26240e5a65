"""The local engine: a queue, slots on devices, and one process per run, so that a run can only lose itself.

Processes are forked from a server process that has the libraries loaded (``multiprocessing``'s fork server), which
saves their import time per run. The server never touches CUDA, and does not import torch when a GPU is used.
"""

from __future__ import annotations

import multiprocessing
import signal
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from typing import Any

from scbench.config.schema import LocalEngine
from scbench.run.devices import Device, Slots
from scbench.run.endings import Endings
from scbench.run.listener import Listener
from scbench.run.plan import PlannedRun
from scbench.run.process import (
    resident_bytes,
    server_environment,
    signal_group,
    signals_held,
    start_process,
)
from scbench.run.record import failed_record
from scbench.run.store import Store
from scbench.run.worker import Job, worker_main

__all__ = ["LocalRunner"]

_MEMORY_CHECK_SECONDS = 0.5
_TICK_SECONDS = 1.0  # for displays that show elapsed time


@dataclass
class _Running:
    """A run that has a process."""

    job: Job
    device: Device
    process: ForkServerProcess
    connection: Connection
    started: float
    is_alone: bool = False
    record: dict[str, Any] | None = None  # what the worker sent at its end
    stop_reason: tuple[str, str] | None = None  # status and message, when the engine stopped it
    stop_asked: float = 0.0


class LocalRunner:
    """Run planned runs on this machine.

    Args:
        store: where records go.
        engine: threads, limits, grace.
        slots: the devices.
        listener: the display.
        provenance: shared part of all records.
    """

    def __init__(
        self,
        store: Store,
        engine: LocalEngine,
        slots: Slots,
        listener: Listener,
        provenance: Mapping[str, Any],
    ) -> None:
        self._store = store
        self._engine = engine
        self._slots = slots
        self._listener = listener
        self._provenance = dict(provenance)
        self._queue: deque[tuple[PlannedRun, bool]] = deque()
        self._running: dict[str, _Running] = {}
        self._records: dict[str, dict[str, Any]] = {}
        self._interrupts = 0
        self._said_stopping = False
        self._last_memory_check = 0.0
        self._endings = Endings(store)

    def execute(self, runs: Sequence[PlannedRun]) -> dict[str, dict[str, Any]]:
        """Run all and return their records by place; runs that were not started because of Ctrl-C are absent."""
        self._queue.extend((run, False) for run in runs)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["scbench.run.warm"])
        with (
            server_environment(self._engine.threads, self._warm_modules(runs)),
            self._interruptible() as woken,
        ):
            while self._running or (self._queue and not self._interrupts):
                if not self._interrupts:
                    self._start_what_fits(context)
                self._wait(woken)
                self._enforce_limits()
                self._reap()
                self._listener.tick()
        for run, alone in self._queue:
            if alone:  # its failure was to be tried again, so it must not count as done
                self._store.forget_failure(run.dataset.name, run.config.name, run.key)
        return self._records

    def _warm_modules(self, runs: Sequence[PlannedRun]) -> list[str]:
        """Return what the server imports ahead: the methods' modules, unless torch has to wait for its GPU."""
        from scbench.plugins import find

        on_cpu = [run.config for run in runs if not (self._slots.gpus and run.config.USES_TORCH)]
        return sorted({f"{find(config.name).package}.method" for config in on_cpu})

    def _start_what_fits(self, context: Any) -> None:  # Any: the stubs do not name fork-server contexts
        """Give free slots to waiting runs, in the order of the queue."""
        waiting, self._queue = self._queue, deque()
        while waiting:
            run, alone = waiting.popleft()
            device = self._slots.take(run.place, run.config.USES_TORCH, alone)
            if device is None:
                self._queue.append((run, alone))
                continue
            self._start(context, run, device, alone)

    def _start(self, context: Any, run: PlannedRun, device: Device, is_alone: bool) -> None:
        """Start one process."""
        try:
            work = self._store.work_folder(run.place)
        except OSError as error:
            self._give_up(run, device, f"the store {self._store.root} cannot be written: {error}")
            return
        ours, theirs = context.Pipe(duplex=False)
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        provenance = {**self._provenance, "started_at": started_at}
        job = Job(run, device.name, device.visible, self._engine.threads, self._store.root, work, provenance)
        # The name can be seen in the process, so it says nothing about the dataset.
        process = context.Process(target=worker_main, args=(job, theirs), name=f"scbench-{run.key[:16]}")
        try:
            with signals_held():
                start_process(process)
        except (EOFError, OSError) as error:
            self._give_up(run, device, f"its process cannot be started: {error}")
            return
        finally:
            theirs.close()
        self._running[run.place] = _Running(job, device, process, ours, time.monotonic(), is_alone)
        self._listener.started(run, device.name)

    def _give_up(self, run: PlannedRun, device: Device, message: str) -> None:
        """Note a run that could not be started; nothing is stored, so that the same command tries it again."""
        self._slots.give_back(run.place)
        about = (run, device.name, self._engine.threads, self._provenance)
        record = failed_record(*about, status="interrupted", message=message, kind="NotStarted")
        self._records[run.place] = record
        self._listener.ended(run, record)

    def _wait(self, woken: socket.socket) -> None:
        """Sleep until a run says something or ends, a signal comes, or a limit has to be looked at."""
        sources: dict[Any, _Running | None] = {woken: None}
        for running in self._running.values():
            sources[running.process.sentinel] = running
            if not running.connection.closed:
                sources[running.connection] = running
        ready = wait(list(sources), timeout=self._next_look())
        if woken in ready:
            woken.recv(64)
        for source in ready:
            speaker = sources[source]
            if speaker is not None and source is speaker.connection:
                self._receive(speaker)

    def _next_look(self) -> float:
        """Return the seconds until something has to be looked at without being told."""
        if self._engine.memory_gb is not None and self._running:
            return _MEMORY_CHECK_SECONDS
        return _TICK_SECONDS

    def _receive(self, running: _Running) -> None:
        """Read what a worker sent."""
        try:
            while running.connection.poll():
                kind, *content = running.connection.recv()
                if kind == "progress":
                    self._listener.progress(running.job.run, *content)
                elif kind == "ended":
                    (running.record,) = content
        except Exception:  # the end of the pipe, or something that cannot be read: the record on disk decides
            running.connection.close()

    def _enforce_limits(self) -> None:
        """Stop runs that are over time or memory, and all of them after Ctrl-C."""
        now = time.monotonic()
        if self._interrupts and not self._said_stopping:
            self._said_stopping = True
            self._listener.stopping()
        limit = self._engine.timeout_min
        for running in self._running.values():
            if running.record is not None and running.stop_reason is None:
                self._let_it_end(running, now)
            elif running.stop_reason is not None:
                if now - running.stop_asked > self._engine.grace_seconds or self._interrupts > 1:
                    signal_group(running.process, signal.SIGKILL)
            elif self._interrupts:
                self._stop(running, "interrupted", "stopped by Ctrl-C or SIGTERM; the same command goes on from here")
            elif limit is not None and now - running.started > limit * 60:
                self._stop(running, "timeout", f"not finished after engine.timeout_min={limit:g} minutes")
        if self._engine.memory_gb is not None and now - self._last_memory_check > _MEMORY_CHECK_SECONDS:
            self._last_memory_check = now
            for running in self._running.values():
                used = resident_bytes(running.process.pid)
                if running.stop_reason is None and used > self._engine.memory_gb * 2**30:
                    message = f"{used / 2**30:.2f} GiB resident, over engine.memory_gb={self._engine.memory_gb:g}"
                    self._stop(running, "oom", message)

    def _let_it_end(self, running: _Running, now: float) -> None:
        """Kill what is left of a run that has delivered its record but does not end (a thread still at work)."""
        running.stop_asked = running.stop_asked or now
        if now - running.stop_asked > self._engine.grace_seconds:
            signal_group(running.process, signal.SIGKILL)

    def _stop(self, running: _Running, status: str, message: str) -> None:
        """Ask a run to end; if it does not within the grace time, it is killed."""
        running.stop_reason = (status, message)
        running.stop_asked = time.monotonic()
        signal_group(running.process, signal.SIGTERM)

    def _reap(self) -> None:
        """Take the runs that have ended out of their slots."""
        for place, running in list(self._running.items()):
            if running.process.is_alive():
                continue
            running.process.join()
            if not running.connection.closed:
                self._receive(running)
                running.connection.close()
            signal_group(running.process, signal.SIGKILL)  # helpers that a method left behind
            del self._running[place]
            self._slots.give_back(place)
            record = running.record if running.record is not None else self._record_of_end(running)
            retry = (
                record["status"] == "oom"
                and running.device.gpu_index is not None
                and not running.is_alone
                and running.stop_reason is None
                and not self._interrupts
            )
            running.process.close()
            self._listener.ended(running.job.run, record, will_retry=retry)
            if retry:  # once more, with the GPU to itself
                self._queue.appendleft((running.job.run, True))
            else:
                self._records[place] = record

    def _record_of_end(self, running: _Running) -> dict[str, Any]:
        """Return the record of a run whose process did not tell it."""
        return self._endings.record(
            running.job,
            seconds=time.monotonic() - running.started,
            exitcode=running.process.exitcode,
            stop_reason=running.stop_reason,
        )

    @contextmanager
    def _interruptible(self) -> Iterator[socket.socket]:
        """Count SIGINT and SIGTERM instead of raising, and yield a socket that becomes readable when one comes."""
        reading, writing = socket.socketpair()
        reading.setblocking(False)
        writing.setblocking(False)

        def note(_signal: int, _frame: object) -> None:
            self._interrupts += 1  # and nothing else: it runs between any two instructions

        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        wakeup = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            yield reading
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            reading.close()
            writing.close()
