"""The process that reads a file for a command, and the one above it that lets nothing of it stay.

Readers are libraries in C and code of other packages: they may hang, take all memory, die, or start programs. The
upper process runs none of that. It ends what it has started when the command is gone, however the command went.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
import traceback
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from scbench.errors import ConfigError, DataError
from scbench.run.local.orphans import adopt_orphans, end_below
from scbench.run.local.process import end_with_parent, take_session
from scbench.run.local.wire import Wire

if TYPE_CHECKING:
    from scbench.data.load import Unread

__all__ = ["KINDS", "reader_main"]

KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind for kind in (DataError, ConfigError, OSError, MemoryError, RuntimeError)
}
"""Errors that are told as what they are; any other is a RuntimeError with its traceback."""


def reader_main(unread: Unread, level: int, connection: Connection) -> None:
    """Have a file read below this process; it is started by ``spawn`` and has imported no more than this module does.

    It sends the messages of :func:`_read`, and at the end of the process that reads ``("died", exit status)``.

    Args:
        unread: what is to be read.
        level: from which on messages of the log are passed on.
        connection: to the command.
    """
    take_session()
    adopt_orphans()
    command = parent_process()
    with tempfile.TemporaryDirectory(prefix="scbench-") as folder:  # of a reader that is killed nothing stays
        tempfile.tempdir = folder
        process = multiprocessing.get_context("fork").Process(target=_read, args=(unread, level, connection))
        process.start()
        wait([process.sentinel, *([] if command is None else [command.sentinel])])
        end_below(os.getpid())
        process.join()
        with suppress(OSError):  # the command has heard all that it wants, or is gone
            Wire(connection).send(("died", process.exitcode))


def _read(unread: Unread, level: int, connection: Connection) -> None:
    """Read a file into the cache.

    It sends ``("logged", logger, level, text)`` for each message of the log, and ``("ended", kind, text)``: both None,
    or the kind of error (of ``KINDS``) and its text.
    """
    end_with_parent()
    wire = Wire(connection)
    logging.basicConfig(handlers=[_ToCommand(wire)], level=level, force=True)
    from scbench.data.load import read_into_cache  # half a second of imports

    try:
        read_into_cache(unread)
    except (DataError, ConfigError, MemoryError) as error:
        kind = next(name for name, each in KINDS.items() if isinstance(error, each))
        wire.send(("ended", kind, str(error)))
    except OSError as error:
        wire.send(("ended", "OSError", str(error)))
    except Exception as error:
        wire.send(("ended", "RuntimeError", f"{error}\n{traceback.format_exc()}"))
    else:
        wire.send(("ended", None, None))


class _ToCommand(logging.Handler):
    """Send what is logged to the command.

    Args:
        wire: to it.
    """

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter())  # the text alone
        self._wire = wire

    def emit(self, record: logging.LogRecord) -> None:
        """Send one message, with the traceback that may belong to it."""
        with suppress(OSError):  # the command is gone
            self._wire.send(("logged", record.name, record.levelno, self.format(record)))
