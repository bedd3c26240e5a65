"""A process of each command that does nothing but end the command's runs when the command is gone, even by kill -9.

It is none of the runs, so nothing that a method does in its own process keeps it from that. It is forked from the same
server as the runs, which adopts what they leave (see :mod:`scbench.run.local.orphans`).
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from scbench.run.local.orphans import end_sessions
from scbench.run.local.process import start_helper
from scbench.run.local.server import SERVER

__all__ = ["Guard", "guard_main"]

_LOG = logging.getLogger(__name__)
_SWEEP_SECONDS = 2.0  # what cannot be killed must not hold the command up
_LAST_SECONDS = 30.0
_ANSWER_SECONDS = 2.0


class Guard:
    """The command's side of it.

    Args:
        context: multiprocessing's, with the fork server. (``Any``: the stubs do not name it.)
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._process: Any = None
        self._server: int | None = None
        self._connection: Connection | None = None
        self._beyond: set[int] = set()

    def start(self) -> None:
        """Start the process when there is none, or when it has ended, as it does with its server.

        Raises:
            OSError, EOFError: when no process can be started.
        """
        if self._process is not None and self._process.is_alive():
            return
        self.close()
        self._process, self._connection = start_helper(self._context, guard_main, "scbench-guard")

    def sweep(self) -> None:
        """End what runs that have ended have left: below the server, and of no process that this one has started."""
        server = self._server_now()
        if server is None:
            return
        spared = {child.pid for child in multiprocessing.active_children() if child.pid is not None}
        beyond = end_sessions(server, spared | self._beyond, _SWEEP_SECONDS)
        if beyond:
            _LOG.warning("processes %s of a run cannot be ended; end them by hand", sorted(beyond))
        self._beyond |= beyond

    def close(self) -> None:
        """End the process; the runs have ended."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._server = self._connection = None

    def _server_now(self) -> int | None:
        """Return the process that runs are forked from; None when it is gone, or none of scbench's."""
        if self._process is None or not self._process.is_alive():
            return None
        with suppress(OSError, EOFError):  # it has ended meanwhile, or was killed
            if self._server is None and self._connection is not None and self._connection.poll(_ANSWER_SECONDS):
                self._server = self._connection.recv()
        return self._server


def guard_main(connection: Connection) -> None:
    """Tell the command what its server is, wait for the command's end, and end all that its runs are."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    is_server, command = os.getppid() == SERVER, parent_process()
    connection.send(SERVER if is_server else None)
    if command is not None:
        wait([command.sentinel])
        if is_server and os.getppid() == SERVER:
            end_sessions(SERVER, {os.getpid()}, _LAST_SECONDS)
