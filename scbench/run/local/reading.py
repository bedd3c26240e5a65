"""Read a file in a process of its own, within the engine's limits, so that no file takes a command down."""

from __future__ import annotations

import logging
import multiprocessing
import time
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from scbench.config.schema import LocalEngine
from scbench.data.file_index import url_filename
from scbench.data.load import Unread
from scbench.errors import DataError
from scbench.run.local.limits import MEMORY_CHECK_SECONDS, Limits
from scbench.run.local.orphans import end_below
from scbench.run.local.process import oom_kill_count, signal_name, signals_held
from scbench.run.local.reader import KINDS, reader_main
from scbench.run.local.wire import Wire

__all__ = ["read_within_limits"]

_LAST_SECONDS = 5.0  # for the process to remove its temporary files
_AGAIN_SECONDS = 0.01
_SMALLER = "give a file with fewer cells or genes, or save it as h5ad"


def read_within_limits(unread: Unread, *, engine: LocalEngine) -> None:
    """Put the parsed copy of a file into the cache.

    Args:
        unread: the file, and where its copy goes.
        engine: ``timeout_min`` and ``memory_gb`` hold for reading as they do for a run.

    Raises:
        DataError: what is in the file cannot be used, or reading it was over a limit or has ended its process.
        ConfigError, OSError: as they were raised where the file was read.
        RuntimeError: anything else that was raised there, with its traceback.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=reader_main, args=(unread, logging.getLogger().getEffectiveLevel(), theirs))
    try:
        try:
            with signals_held():
                process.start()
        finally:
            theirs.close()
        _wait_for_end(f"dataset {unread.name}: reading {_file(unread)}", process, ours, Limits(engine))
    finally:
        _end(process)
        ours.close()


def _file(unread: Unread) -> str:
    """Return the name of the file."""
    return url_filename(unread.source) if "://" in unread.source else unread.source


def _wait_for_end(what: str, process: SpawnProcess, connection: Connection, limits: Limits) -> None:
    """Wait until a file is read.

    Raises:
        Exception: as :func:`read_within_limits`.
    """
    started, kills = time.monotonic(), oom_kill_count()
    while True:
        ready = wait([connection, process.sentinel], MEMORY_CHECK_SECONDS)
        if ready:
            try:
                kind, *content = Wire(connection).recv() if connection in ready else ("died", None)
            except (EOFError, OSError, ValueError):  # it has not even said how the reader has ended
                kind, content = "died", [None]
            if kind == "logged":
                _log(*content)
            elif kind == "died":
                raise _ended_early(what, content[0], is_out_of_memory=oom_kill_count() > kills)
            else:
                return _raise(what, *content)
        if (over := limits.over_time(started)) is not None:
            raise DataError(f"{what} was {over[1]}; raise it, or {_SMALLER}")
        if limits.memory_is_due() and (over := limits.over_memory(process.pid)) is not None:
            raise DataError(f"{what} takes too much memory ({over[1]}); raise it, or {_SMALLER}")


def _log(name: str, level: int, text: str) -> None:
    """Log here what was logged by the process that reads."""
    logger = logging.getLogger(name)
    if logger.isEnabledFor(level):
        logger.log(level, "%s", text)


def _raise(what: str, kind: str | None, text: str) -> None:
    """Raise the error that was raised where the file was read, if any."""
    if kind is None:
        return
    error = KINDS[kind]
    if error is MemoryError:
        raise DataError(f"{what} needs more memory than there is; {_SMALLER}")
    raise error(text)


def _ended_early(what: str, exitcode: int | None, *, is_out_of_memory: bool) -> DataError:
    """Return the error for a process that has ended without a word."""
    if exitcode is None or exitcode >= 0:
        status = "" if exitcode is None else f" with exit status {exitcode}"
        return DataError(f"{what} has ended its process{status}; fetch or save the file anew")
    if is_out_of_memory:
        return DataError(f"{what} was ended by the system because memory ran out (SIGKILL); {_SMALLER}")
    cause = " (out of memory?)" if signal_name(-exitcode) == "SIGKILL" else ""
    return DataError(f"{what} was ended by {signal_name(-exitcode)}{cause}; fetch or save the file anew, or {_SMALLER}")


def _end(process: SpawnProcess) -> None:
    """End a process and all below it; when it has been started, it removes what they have left."""
    if process.pid is None:
        return
    last = time.monotonic() + _LAST_SECONDS
    while process.is_alive() and time.monotonic() < last:
        end_below(process.pid)  # again and again: it may not have started the other yet
        process.join(_AGAIN_SECONDS)
    process.kill()
    process.join()
    process.close()
