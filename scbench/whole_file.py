"""Files and folders that appear whole or not at all: made beside their place, under a name that tells who is at it."""

from __future__ import annotations

import glob
import logging
import os
import shutil
import socket
import time
from pathlib import Path

__all__ = ["is_alive", "remove_dead_beside", "temporary_beside", "write_whole"]

_LOG = logging.getLogger(__name__)
_SUFFIX = ".tmp"
_STALE_SECONDS = 7 * 24 * 3600  # what another machine has left is left alone for this long


def temporary_beside(path: Path) -> Path:
    """Return where this process makes a file or folder before it is renamed to its place; nothing is there.

    What processes that were killed have left for the same place is removed.
    """
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}{_SUFFIX}")
    remove_dead_beside(path)
    _remove(temporary)  # of an earlier process of this number, as in a container that is started again
    return temporary


def remove_dead_beside(path: Path) -> None:
    """Remove what was on its way to this place when its process died: of this machine, or not touched for a week."""
    start = f".{path.name}."
    for other in path.parent.glob(f"{glob.escape(start)}*{_SUFFIX}"):
        host, _, pid = other.name.removeprefix(start).removesuffix(_SUFFIX).rpartition(".")
        if not host or not pid.isdecimal():
            continue
        try:
            is_dead = host == socket.gethostname() and not is_alive(int(pid))
            if is_dead or time.time() - other.stat().st_mtime > _STALE_SECONDS:
                _remove(other)
        except OSError as error:
            _LOG.debug("cannot remove %s: %s", other, error)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or none, and a killed process leaves nothing that stays.

    Raises:
        OSError: when it cannot be written; a file that was there stays as it was.
    """
    temporary = temporary_beside(path)
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
