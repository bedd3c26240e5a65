"""What the engine needs of the operating system: a server to fork from, signals, memory, logs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import psutil

__all__ = [
    "is_alive",
    "oom_kill_count",
    "resident_bytes",
    "server_environment",
    "signal_group",
    "signals_held",
    "start_process",
    "tail",
    "thread_settings",
]

_WARM_MODULES = "SCBENCH_WARM_MODULES"  # read by scbench.run.warm
_START_ATTEMPTS = 4
_START_PAUSE_SECONDS = 0.2


def thread_settings(threads: int) -> dict[str, str]:
    """Return the environment variables that make libraries use so many threads."""
    variables = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    return dict.fromkeys(variables, str(threads))


@contextmanager
def server_environment(threads: int, warm_modules: Sequence[str]) -> Iterator[None]:
    """Set what the fork server reads when it starts, which is at the first process; restore it at the end."""
    settings = thread_settings(threads)
    settings[_WARM_MODULES] = " ".join(warm_modules)
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back for a moment.

    The fork server starts with its first process and inherits the mask: a Ctrl-C during its imports, sent by the
    terminal to the whole group, would kill it. Each run lets the signals through again.
    """
    resource_tracker.ensure_running()  # started later, it would let the signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_process(process: ForkServerProcess) -> None:
    """Start a process; when the fork server has died meanwhile, again with a new one."""
    for attempt in range(_START_ATTEMPTS):
        try:
            process.start()
            return
        except (EOFError, ConnectionError):
            if attempt == _START_ATTEMPTS - 1:
                raise
            os.environ[_WARM_MODULES] = ""  # one of them may have ended the server; each run imports its own
            time.sleep(_START_PAUSE_SECONDS)  # until the dead server can be told from a busy one


def signal_group(process: ForkServerProcess, number: signal.Signals) -> None:
    """Send a signal to a run and everything it started; before it has its own group, to the run alone."""
    if process.pid is None:
        return
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        if process.is_alive():
            with suppress(ProcessLookupError):  # it has ended between the question and the signal
                os.kill(process.pid, number)


def resident_bytes(pid: int | None) -> int:
    """Return the resident memory of a process and its descendants; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        return int(sum(p.memory_info().rss for p in (process, *process.children(recursive=True))))
    except psutil.Error:
        return 0


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def oom_kill_count() -> int:
    """Return how often the kernel killed a process for want of memory since boot; 0 where it does not say."""
    statistics = Path("/proc/vmstat")
    if not statistics.exists():
        return 0
    counts = dict(line.split() for line in statistics.read_text().splitlines())
    return int(counts.get("oom_kill", 0))


def tail(path: Path, n_bytes: int = 4000) -> str:
    """Return the end of a log, or nothing when there is none."""
    if not path.exists():
        return ""
    return path.read_bytes()[-n_bytes:].decode(errors="replace")
