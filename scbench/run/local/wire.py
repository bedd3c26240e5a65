"""Messages between a command and its runs: JSON, which nothing can hide in that would run where it is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["Wire"]

_LARGEST = 1 << 20  # bytes of a message; an epoch's values take a few hundred


class Wire:
    """One end of a connection.

    Args:
        connection: of multiprocessing; its own ``send`` would pickle.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, message: Any) -> None:  # Any: what JSON can hold
        """Send a message; arrays' scalars become numbers, anything else that JSON does not know its text."""
        self._connection.send_bytes(json.dumps(message, default=_plain).encode())

    def recv(self) -> Any:
        """Wait for a message and return it, tuples as lists.

        Raises:
            EOFError, OSError: when the other end is closed, or sends more than a message.
            ValueError: when what came is no message.
        """
        return json.loads(self._connection.recv_bytes(_LARGEST))


def _plain(value: Any) -> Any:
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "size", 0) == 1:
        return item()
    return list(value) if isinstance(value, Sequence) else str(value)
