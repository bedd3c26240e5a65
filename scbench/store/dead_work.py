"""What commands that died have left in a store: told from what is in use by locks, and removed."""

from __future__ import annotations

import logging
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from scbench.store.work_lock import LOCK_SUFFIX, take
from scbench.whole_file import is_alive

__all__ = ["remove_dead_files", "remove_dead_work"]

_LOG = logging.getLogger(__name__)
_STALE_SECONDS = 7 * 24 * 3600  # what another machine has left, and what has no lock, is left alone for this long


def remove_dead_work(folder: Path, put_back: Callable[[Path], bool]) -> None:
    """Remove work folders whose lock is free and whose owner is dead.

    The lock decides: one that is held, or that cannot be taken because the file system has no locks, protects its
    folder, however old it is and whatever the owner is called. A free one does not suffice, as locks of some file
    systems do not reach other machines: the process must have been one of this host name that is gone, or the folder
    old. A folder without a lock is of an older scbench, and has to be old.

    Args:
        folder: with work folders, named ``NAME.HOST.PID``, and their locks.
        put_back: looks at a folder that is about to be removed, and returns whether it has put it where it belongs.
    """
    for path in sorted(folder.glob("*")):
        try:
            if path.name.endswith(LOCK_SUFFIX):
                _remove_lone_lock(path)
            else:
                _remove_work(path, put_back)
        except OSError as error:
            _LOG.debug("cannot remove %s: %s", path, error)


def remove_dead_files(folder: Path) -> None:
    """Remove files, named ``NAME.HOST.PID``, of processes of this host that are gone, and old ones.

    They only tell what goes on; a process that lives writes its file again.
    """
    for path in folder.glob("*"):
        try:
            if _is_dead(path) or _is_old(path):
                path.unlink()
        except OSError as error:
            _LOG.debug("cannot remove %s: %s", path, error)


def _remove_work(work: Path, put_back: Callable[[Path], bool]) -> None:
    is_old = _is_old(work)
    if not (is_old or _is_dead(work)):
        return
    try:
        lock = take(work)
    except FileNotFoundError:
        if is_old:
            _remove(work, put_back)
        return
    if lock is None:
        return
    try:
        _remove(work, put_back)
    finally:
        lock.leave(keeps_file=work.exists())


def _remove(work: Path, put_back: Callable[[Path], bool]) -> None:
    if put_back(work):
        return
    if work.is_dir():
        shutil.rmtree(work)
    else:
        work.unlink()


def _remove_lone_lock(file: Path) -> None:
    """Remove a lock whose folder was published, by a process that died before it could remove the lock itself."""
    work = file.with_name(file.name.removesuffix(LOCK_SUFFIX))
    if work.exists():
        return
    lock = take(work)
    if lock is not None:
        lock.leave(keeps_file=work.exists())


def _is_dead(path: Path) -> bool:
    """Return whether the process that a name tells was one of this machine and is gone."""
    owner, _, pid = path.name.rpartition(".")
    return owner.endswith(f".{socket.gethostname()}") and pid.isdecimal() and not is_alive(int(pid))


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _STALE_SECONDS
