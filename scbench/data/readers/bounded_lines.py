"""The bytes of a text file, given out only as long as its lines end."""

from __future__ import annotations

import io
from typing import IO

from scbench.errors import DataError

__all__ = ["LONGEST_LINE", "bounded_lines"]

LONGEST_LINE = 32 * 2**20
"""Bytes of a line. A header of 1 000 000 names of 31 letters fits, and a row of 1 000 000 cells with 15 digits each."""

_BUFFER_BYTES = 2**18


def bounded_lines(stream: IO[bytes], file: str) -> io.BufferedReader:
    """Return a stream that stops at a line without an end, which readers of lines would hold in memory as a whole.

    A gzip file of two megabytes can be such a line of two gigabytes.

    Args:
        stream: unpacked bytes.
        file: for messages.

    Raises:
        DataError: while it is read, when a line is longer than ``LONGEST_LINE``.
    """
    return io.BufferedReader(_BoundedLines(stream, file), _BUFFER_BYTES)


class _BoundedLines(io.RawIOBase):
    """A stream that counts the bytes since the last end of a line."""

    def __init__(self, stream: IO[bytes], file: str) -> None:
        self._stream = stream
        self._file = file
        self._since_end = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer and return how much of it.

        Raises:
            DataError: as :func:`bounded_lines`.
        """
        part = self._stream.read(len(buffer))
        end = max(part.rfind(b"\n"), part.rfind(b"\r"))  # of old Macs
        self._since_end = len(part) - end - 1 + (self._since_end if end < 0 else 0)
        if self._since_end > LONGEST_LINE:
            raise DataError(
                f"{self._file} has a line of more than {LONGEST_LINE} bytes without an end: no table of cells has one; "
                "check how it was written, and write one row per line"
            )
        buffer[: len(part)] = part
        return len(part)
