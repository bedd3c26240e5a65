"""A lock beside a work folder: as long as a process of the run lives, no other command can take it.

The lock is of the operating system (``flock``): it ends with the processes that hold it, however they end, and needs
no clock, no process number and no host name. On NFS it reaches other machines, except where it was mounted with local
locks only.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import reduction
from pathlib import Path
from typing import Any

__all__ = ["LOCK_SUFFIX", "WorkLock", "hold", "take"]

LOCK_SUFFIX = ".lock"
_PAUSE_SECONDS = 0.01


class WorkLock:
    """A lock that is held until it is left, or until all processes that have it are gone.

    One that is given to a process that multiprocessing starts is held by both.

    Args:
        file: the lock's.
        descriptor: of that file, open and locked.
    """

    def __init__(self, file: Path, descriptor: int) -> None:
        self._file = file
        self._descriptor = descriptor

    def __reduce__(self) -> tuple[Callable[..., WorkLock], tuple[Path, Any]]:  # Any: the stubs know no DupFd
        """Hand the open file over, which multiprocessing does for a process that it starts."""
        return _handed_over, (self._file, reduction.DupFd(self._descriptor))

    def leave(self, *, keeps_file: bool = False) -> None:
        """Give the lock back.

        Args:
            keeps_file: leave the file, as its folder is still there and has to be known as one that was locked.
        """
        if not keeps_file:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)
        os.close(self._descriptor)


def hold(work: Path) -> WorkLock:
    """Make and take the lock of a work folder that is about to be made; its name must be no other's.

    On a file system without locks the file is there and not locked; :func:`take` fails there as well, so that nobody
    removes the folder.

    Raises:
        OSError: when the file cannot be made.
    """
    file = _file_of(work)
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another command has found a file without a folder and is removing it
            os.close(descriptor)
            time.sleep(_PAUSE_SECONDS)
            continue
        except OSError:  # no locks here
            return WorkLock(file, descriptor)
        if _is_there(file, descriptor):
            return WorkLock(file, descriptor)
        os.close(descriptor)


def take(work: Path) -> WorkLock | None:
    """Take the lock of a work folder that somebody has made; None when it is held or the file system has no locks.

    Raises:
        FileNotFoundError: when it never had a lock, or has it no more.
        OSError: when it cannot be opened.
    """
    file = _file_of(work)
    descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or no locks here
        os.close(descriptor)
        return None
    if not _is_there(file, descriptor):
        os.close(descriptor)
        return None
    return WorkLock(file, descriptor)


def _handed_over(file: Path, descriptor: Any) -> WorkLock:  # Any: the stubs know no DupFd
    return WorkLock(file, descriptor.detach())


def _file_of(work: Path) -> Path:
    return work.with_name(work.name + LOCK_SUFFIX)


def _is_there(file: Path, descriptor: int) -> bool:
    """Return whether an open file is still the one of its name: another may have removed it before it was locked."""
    try:
        return os.path.samestat(os.stat(file), os.fstat(descriptor))
    except FileNotFoundError:
        return False
