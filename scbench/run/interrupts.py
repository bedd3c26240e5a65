"""Ctrl-C and SIGTERM while a command waits: counted, not raised, so that it can end its runs in order."""

from __future__ import annotations

import signal
import socket
from multiprocessing.connection import wait
from typing import Any

__all__ = ["Interrupts"]


class Interrupts:
    """Count SIGINT and SIGTERM inside a ``with`` block; what was installed before is put back after it.

    Attributes:
        count: how many have come.
        woken: a socket that becomes readable when one comes, to wait for beside other things.
    """

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Interrupts:
        """Take the signals over; in the main thread only."""
        self.woken, self._writing = socket.socketpair()
        self.woken.setblocking(False)
        self._writing.setblocking(False)
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        self._wakeup = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.woken.close()
        self._writing.close()

    def wait(self, sources: list[Any], timeout: float) -> list[Any]:  # Any: whatever multiprocessing can wait for
        """Sleep until one of the sources is ready, a signal comes or the time is over; return the ready sources."""
        ready = wait([self.woken, *sources], timeout=timeout)
        if self.woken in ready:
            self.woken.recv(64)
        return [source for source in ready if source is not self.woken]

    def _note(self, _signal: int, _frame: object) -> None:
        self.count += 1  # and nothing else: it runs between any two instructions
