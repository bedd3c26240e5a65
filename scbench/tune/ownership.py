"""Which processes work on a study: each holds a lock while it lives, so that the trials of a dead one are found."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["Owner", "is_gone"]

_FOLDER = "owners"


class Owner:
    """This process, for the length of a ``with`` block; the system lets its lock go even after kill -9.

    Args:
        folder: of the study.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._path = folder / _FOLDER / self.name

    def __enter__(self) -> Owner:
        """Take the lock."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._path)
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the lock go and leave nothing behind."""
        self._lock.release()
        self._path.unlink(missing_ok=True)


def is_gone(folder: Path, name: str) -> bool:
    """Return whether a process that worked on a study has ended, however."""
    path = folder / _FOLDER / name
    if not path.exists():
        return True
    try:
        with FileLock(path, timeout=0):
            path.unlink(missing_ok=True)
            return True
    except Timeout:
        return False
