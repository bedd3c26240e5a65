"""What the engine needs of the operating system: a server to fork from, signals, memory, logs."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

__all__ = [
    "end_with_parent",
    "forget_surroundings",
    "oom_kill_count",
    "server_environment",
    "signal_group",
    "signal_name",
    "signals_held",
    "start_helper",
    "start_process",
    "tail",
    "take_session",
    "thread_settings",
]

_WARM_MODULES = "SCBENCH_WARM_MODULES"  # read by scbench.run.local.preload
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


def forget_surroundings() -> None:
    """Take from this process what the command was told by its user: arguments, and variables that name folders.

    Both may name a dataset or the file with its labels, and a method has no use for either.
    """
    del sys.argv[1:]
    for name in _own_variables():
        del os.environ[name]


@contextmanager
def _surroundings_hidden() -> Iterator[None]:
    """Keep them from a process that is being started, whose frames and ``/proc/self/environ`` would show them."""
    argv = sys.argv[1:]
    variables = {name: os.environ[name] for name in _own_variables() if name != _WARM_MODULES}
    del sys.argv[1:]
    for name in variables:
        del os.environ[name]
    try:
        yield
    finally:
        sys.argv[1:] = argv
        os.environ.update(variables)


def _own_variables() -> list[str]:
    return [name for name in os.environ if name.startswith("SCBENCH_")]


def start_process(process: ForkServerProcess) -> None:
    """Start a process; when the fork server has died meanwhile, again with a new one."""
    for attempt in range(_START_ATTEMPTS):
        try:
            with _surroundings_hidden():
                process.start()
            return
        except (EOFError, ConnectionError):
            if attempt == _START_ATTEMPTS - 1:
                raise
            os.environ[_WARM_MODULES] = ""  # one of them may have ended the server; each run imports its own
            time.sleep(_START_PAUSE_SECONDS)  # until the dead server can be told from a busy one


def start_helper(context: Any, main: Callable[[Connection], None], name: str) -> tuple[Any, Connection]:
    """Start a process of the command's own, and return it with the connection that ``main`` holds the other end of.

    Args:
        context: multiprocessing's, with the fork server. (``Any``: the stubs do not name it, nor its processes.)
        main: what the process does.
        name: of the process.

    Raises:
        OSError, EOFError: when no process can be started.
    """
    ours: Connection
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(theirs,), name=name, daemon=True)
    try:
        with signals_held():
            start_process(process)
    finally:
        theirs.close()
    return process, ours


def take_session() -> None:
    """Take a session of one's own: Ctrl-C in the terminal goes to the command, which ends its processes in order."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})  # it is started with both held


def end_with_parent() -> None:
    """Have this process and its group killed when the parent is gone, even by kill -9."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()


def _die_with(sentinel: int) -> None:
    wait([sentinel])
    os.killpg(0, signal.SIGKILL)


def signal_group(process: ForkServerProcess, number: signal.Signals) -> None:
    """Send a signal to the process and its group; before it has its own group, to the process alone."""
    if process.pid is None:
        return
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        if process.is_alive():
            with suppress(ProcessLookupError):  # it has ended between the question and the signal
                os.kill(process.pid, number)


def signal_name(number: int) -> str:
    """Return what a signal is called, such as SIGKILL."""
    return {each.value: each.name for each in signal.Signals}.get(number, f"signal {number}")


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
