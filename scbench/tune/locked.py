"""A study's file of SQLite that another program has locked: noticed soon, and said with that program's number."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from optuna.exceptions import OptunaError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from scbench.errors import ScbenchError

__all__ = ["WAIT_SECONDS", "StudyLockedError", "check_unlocked", "lock_told", "sqlite_file"]

_LOCKS = Path("/proc/locks")
WAIT_SECONDS = 10  # that a search under way waits for other writers, which need milliseconds
_FIRST_WAIT_SECONDS = 5  # the same before anything is begun
_COMMAND_SHOWN = 100
_HOLDERS_SHOWN = 3
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class StudyLockedError(ScbenchError):
    """The file of a study that cannot be written to, as another program has locked it."""


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None for other databases and for one in memory."""
    if not url.startswith("sqlite"):
        return None
    database = make_url(url).database
    return Path(database) if database and database != ":memory:" else None


def check_unlocked(file: Path | None, seconds: float = _FIRST_WAIT_SECONDS) -> None:
    """Wait until a file can be written to.

    Args:
        file: of SQLite; one that is not there or is no database is left to whoever opens it.
        seconds: at most.

    Raises:
        StudyLockedError: when it is locked all the time, with who has locked it.
    """
    if file is None or not file.is_file():
        return
    try:
        with closing(sqlite3.connect(file, timeout=seconds, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")  # as a commit has to; a reader that does not end is in its way, too
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        if _is_locked(error):
            raise StudyLockedError(_message(file)) from error


@contextmanager
def lock_told(file: Path | None) -> Iterator[None]:
    """Give errors of Optuna and SQLAlchemy that come from a lock of this file a message that helps.

    Raises:
        StudyLockedError: in their place.
    """
    try:
        yield
    except (OptunaError, SQLAlchemyError) as error:
        if file is None or not _is_locked(error):
            raise
        raise StudyLockedError(_message(file)) from error


def _is_locked(error: BaseException | None) -> bool:
    """Return whether an error, or what it comes from, is a lock of SQLite."""
    while error is not None:
        said = getattr(error, "orig", error)  # SQLAlchemy wraps what the database has said
        if isinstance(said, sqlite3.Error) and getattr(said, "sqlite_errorcode", 0) & 0xFF in _BUSY:
            return True
        error = error.__cause__
    return False


def _message(file: Path) -> str:
    """Return what is said of a locked file: who holds it, and what to do."""
    who = " and ".join(map(_name, _holders(file)[:_HOLDERS_SHOWN])) or (
        "a program that is not among the processes seen here (it runs on another machine, or the file system has kept "
        "the lock of one that is gone)"
    )
    return (
        f"the study's file {file} is locked by {who}; end that program or wait until it is done, and the same command "
        "goes on; or make a new study with storage=journal and another study=NAME"
    )


def _holders(file: Path) -> list[psutil.Process]:
    """Return the other processes that have locked a file; where the system does not tell, those that have it open."""
    numbers = _locking(file)
    locking = [process for process in psutil.process_iter() if process.pid in numbers]
    return locking or list(_opening(file))


def _locking(file: Path) -> list[int]:
    """Return the numbers of the other processes that keep others from writing to a file, as Linux lists them."""
    try:
        lines = _LOCKS.read_text(encoding="utf-8").splitlines()
        status = file.stat()
    except OSError:
        return []
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    found: dict[str, list[int]] = {"WRITE": [], "READ": []}
    for line in lines:  # 1: POSIX  ADVISORY  WRITE 19141 fe:00:2154706 1073741824 1073742335
        words = line.split()
        if len(words) == 8 and words[5] == device and words[3] in found and int(words[4]) not in (os.getpid(), -1, 0):
            found[words[3]].append(int(words[4]))
    return sorted(set(found["WRITE"] or found["READ"]))


def _opening(file: Path) -> Iterator[psutil.Process]:
    """Yield the other processes that have a file open, as far as this user may see that."""
    path = os.path.realpath(file)
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(opened.path == path for opened in process.open_files()):
                yield process
        except (psutil.Error, OSError):
            continue


def _name(process: psutil.Process) -> str:
    """Return number and command of a process."""
    try:
        words = " ".join(" ".join(process.cmdline()).split()) or process.name()
    except (psutil.Error, OSError):
        words = "its command cannot be read"
    return f"process {process.pid} ({words if len(words) <= _COMMAND_SHOWN else words[:_COMMAND_SHOWN] + '...'})"
