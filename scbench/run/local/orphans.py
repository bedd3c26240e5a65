"""Processes that a run has started and that have left it: they stay within reach, are found, and are ended.

A process whose parent has ended goes to the nearest process above that adopts orphans (``PR_SET_CHILD_SUBREAPER`` of
Linux), whatever group or session it has taken. A run adopts those of its own processes, and the server that runs are
forked from adopts what is left when a run has ended.

What that does not reach: processes of another user (sudo); those that a method hands to something outside of its run
(a batch system, a container service); and where there is no such call (macOS), all that have left the run's group.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
import warnings
from collections.abc import Callable, Collection
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar

from scbench.run.local.process_tree import children, descendants
from scbench.store.work_lock import WorkLock

__all__ = ["adopt_orphans", "become_server", "end_below", "end_sessions", "in_reach"]

_CHILD_SUBREAPER = 36  # of prctl(2)
_AGAIN_SECONDS = 0.005

J = TypeVar("J")


def adopt_orphans() -> bool:
    """Let orphans below this process become its children; return whether the system can do that."""
    try:
        return bool(ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (AttributeError, OSError):
        return False


def become_server() -> None:
    """Make this process the server of runs: it adopts what they leave, and is out of reach of the terminal's signals.

    What kills the command's whole group (``kill -9 -GROUP``) leaves it, for the guard needs it. It ends by itself when
    neither the command nor anything forked from it is there.
    """
    with suppress(OSError):  # it has a session
        os.setsid()
    adopt_orphans()
    warnings.filterwarnings("ignore", message="forkserver: waitpid returned unexpected pid")  # of an orphan


def in_reach(work: Callable[[J, Connection], None], job: J, connection: Connection, _lock: WorkLock | None) -> None:
    """Do the work of a run's process so that whatever it starts stays below it.

    Args:
        work: takes the other two.
        job: what to do.
        connection: to the command.
        _lock: of the run's work folder; to have been given it is enough to hold it, for all that this process starts.
    """
    adopt_orphans()
    work(job, connection)


def end_sessions(server: int, spared: Collection[int], seconds: float) -> set[int]:
    """Kill what is directly below a server in a session of its own, and what that leaves, until there is nothing.

    A process that the server has forked and that has not taken a session is none of a run, and stays.

    Args:
        server: adopts orphans.
        spared: processes that stay.
        seconds: to try for.

    Returns:
        What cannot be ended.
    """
    last = time.monotonic() + seconds
    while found := _in_own_session(server, spared):
        for pid in found:
            end_below(pid)
            with suppress(OSError):  # ended meanwhile, or not ours to kill
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > last:
            return found
        time.sleep(_AGAIN_SECONDS)
    return set()


def end_below(pid: int) -> None:
    """Kill the processes below a process, and those that they have started meanwhile."""
    killed: set[int] = set()
    while new := set(descendants(pid)) - killed:  # what was killed may be listed until its parent has asked for it
        for each in new:
            with suppress(OSError):
                os.kill(each, signal.SIGKILL)
        killed |= new


def _in_own_session(server: int, spared: Collection[int]) -> set[int]:
    """Return the children of a server that are not in its session."""
    found = set()
    for pid in children(server):
        with suppress(OSError):  # it has ended meanwhile
            if pid not in spared and os.getsid(pid) != os.getsid(server):
                found.add(pid)
    return found
