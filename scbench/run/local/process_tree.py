"""Which processes come from a process, and how much memory they take together."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import psutil

__all__ = ["children", "descendants", "proportional_bytes", "resident_bytes"]

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """Return the processes below a process, each once; none when it is gone.

    A process whose parent has ended is among them when ``pid`` or one below adopts orphans. One that
    is born or adopted meanwhile may be missed; who has to have them all asks again.
    """
    if not _kernel_lists_children():
        try:
            return [child.pid for child in psutil.Process(pid).children(recursive=True)]
        except psutil.Error:
            return []
    found: dict[int, None] = {}
    waiting = [pid]
    while waiting:
        new = [child for child in children(waiting.pop()) if child not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return list(found)


def children(pid: int) -> list[int]:
    """Return the processes directly below a process."""
    if not _kernel_lists_children():
        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # each lists those that it has started
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_bytes().split())
    except OSError:  # it has ended meanwhile
        return found
    return found


def resident_bytes(pids: Iterable[int]) -> int:
    """Return the sum of the resident memory of processes: pages that several share are counted for each of them.

    It is quickly read, and never below :func:`proportional_bytes`. A process that is gone counts 0.
    """
    return sum(map(_resident, pids))


def proportional_bytes(pids: Iterable[int]) -> int:
    """Return the memory of processes together (PSS): a page that n processes share is a n-th of a page for each.

    The kernel walks through all their pages for it. Where it does not tell (macOS, Linux before 4.14, a process of
    another user), resident memory is counted in its place.
    """
    return sum(map(_proportional, pids))


@cache
def _kernel_lists_children() -> bool:
    """Return whether children can be read without a look at every process of the machine."""
    return Path(f"/proc/self/task/{threading.get_native_id()}/children").exists()


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except OSError:  # gone, or not Linux
        try:
            return int(psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            return 0


def _proportional(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # gone, not allowed, or a kernel without it
    return _resident(pid)
