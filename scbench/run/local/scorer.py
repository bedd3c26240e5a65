"""The process that scores: one for a command, forked from a server that has never imported a foreign method.

It is told of one run after the other. Its answer cannot be forged by a run, which has no connection to it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from scbench.run.local.fitted import Fitted
from scbench.run.local.process import forget_surroundings, start_helper
from scbench.run.local.running import Running
from scbench.run.local.worker import leave_the_terminal

__all__ = ["Scorer", "scorer_main"]


class Scorer:
    """The command's side of it: runs that have ended wait here for their scores, and hold their slots.

    Args:
        context: multiprocessing's, with the fork server. (``Any``: the stubs do not name it.)
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._process: Any = None
        self._connection: Connection | None = None
        self._waiting: deque[tuple[Running, Fitted]] = deque()
        self._current: Running | None = None

    def start(self) -> Connection:
        """Start the process when there is none, so that it is ready when the first run ends.

        Returns:
            The connection to it.

        Raises:
            OSError, EOFError: when no process can be started.
        """
        if self._connection is not None:
            return self._connection
        self._process, self._connection = start_helper(self._context, scorer_main, "scbench-scorer")
        return self._connection

    def take(self, running: Running, fitted: Fitted) -> None:
        """Have a run scored that has ended."""
        self._waiting.append((running, fitted))

    @property
    def pending(self) -> list[Running]:
        """Return the runs that have no scores yet."""
        return [*([] if self._current is None else [self._current]), *(running for running, _ in self._waiting)]

    @property
    def current(self) -> Running | None:
        """Return the run that is being scored."""
        return self._current

    def sources(self) -> list[Any]:
        """Return what becomes readable when there is something to take."""
        return [self._connection, self._process.sentinel] if self._current is not None and self._connection else []

    def finished(self) -> Iterator[tuple[Running, dict[str, Any] | None, int | None]]:
        """Yield runs with their records; without one, and with an exit status, where the process has died over it."""
        self._send_next()
        while self._current is not None:
            record, exitcode = None, None
            if self._connection is not None:  # else no process could be started
                is_alive = self._process.is_alive()
                with suppress(EOFError, OSError):
                    if self._connection.poll():
                        record = self._connection.recv()
                    elif is_alive:
                        return
                if record is None:
                    exitcode = self._died()
            running, self._current = self._current, None
            self._send_next()
            yield running, record, exitcode

    def kill(self) -> None:
        """End the process over the run that it is at; the others are for a new one."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the process. It is not at any run, or what it is at is given up."""
        if self._process is not None:
            self._died()

    def _died(self) -> int | None:
        """Clear up after the process and return its exit status."""
        if self._connection is not None:
            self._connection.close()
        self._process.kill()
        self._process.join()
        exitcode: int | None = self._process.exitcode
        self._process.close()
        self._process = self._connection = None
        return exitcode

    def _send_next(self) -> None:
        """Give the process the next run when it has none; a new process where the last has died."""
        if self._current is not None or not self._waiting:
            return
        self._current, fitted = self._waiting.popleft()
        for _ in range(2):
            try:
                self.start().send(fitted)
                return
            except (OSError, EOFError):  # it has died while it had nothing to do
                self.close()


def scorer_main(connection: Connection) -> None:
    """Score runs until the command has no more."""
    leave_the_terminal(Path(os.devnull))
    forget_surroundings()
    # Half a second of imports, while the first run is made; neither the command nor a run pays for them.
    from scbench.run.local.scoring import finish

    while True:
        try:
            fitted: Fitted = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(finish(fitted))
