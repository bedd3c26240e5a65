"""Decompression that costs no more than it may: memory of the decoder and bytes that come out are limited."""

from __future__ import annotations

import lzma
from typing import BinaryIO

from scbench.store.archive.record import DamagedArchiveError, OversizeError

__all__ = ["Allowance", "BoundedXz", "allowed_bytes"]

_DECODER_BYTES = 96 << 20  # what the strongest preset of xz needs, and some
_AT_ONCE = 1 << 18
_FREE = 64 << 20  # bytes that any archive may hold
_RATIO = 100  # times its own size beyond that; runs with two balanced clusters come to 50
_AFTER_END = 1 << 20


def allowed_bytes(compressed: int) -> int:
    """Return how many bytes an archive of this size may hold."""
    return _FREE + _RATIO * compressed


class Allowance:
    """Bytes that may still come out of an archive, files packed within its files included.

    Args:
        n_bytes: how many; None for any number.
    """

    def __init__(self, n_bytes: int | None) -> None:
        self._given = self._left = n_bytes

    def spend(self, n_bytes: int) -> None:
        """Take some away.

        Raises:
            OversizeError: there are fewer.
        """
        if self._left is None or self._given is None:
            return
        self._left -= n_bytes
        if self._left < 0:
            raise OversizeError(
                f"holds more than {self._given / 1e6:.0f} MB, far more than its own size lets expect; if you know who "
                "packed it, unpack it with --any-size"
            )


class BoundedXz:
    """The content of one xz stream, read forward only.

    Args:
        file: compressed, open for reading.
        allowance: of what comes out.
    """

    def __init__(self, file: BinaryIO, allowance: Allowance) -> None:
        self._file = file
        self._allowance = allowance
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DECODER_BYTES)
        self._chunk = b""
        self._at = 0

    def read(self, n_bytes: int) -> bytes:
        """Return the next bytes; fewer only where the stream ends whole.

        Raises:
            lzma.LZMAError, EOFError: the stream is damaged or cut, or its decoder needs too much memory.
            DamagedArchiveError: it holds more than is allowed, or something follows it.
        """
        parts = []
        while n_bytes > 0:
            if self._at == len(self._chunk):
                self._chunk, self._at = self._more(), 0
                if not self._chunk:
                    break
            part = self._chunk[self._at : self._at + n_bytes]
            self._at += len(part)
            n_bytes -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _more(self) -> bytes:
        """Return the next chunk; none at the end."""
        while not self._decoder.eof:
            taken = self._file.read(_AT_ONCE) if self._decoder.needs_input else b""
            if self._decoder.needs_input and not taken:
                raise EOFError("it ends before its end marker")
            chunk = self._decoder.decompress(taken, _AT_ONCE)
            if chunk:
                self._allowance.spend(len(chunk))
                return chunk
        rest = self._decoder.unused_data + self._file.read(_AFTER_END)
        if rest.strip(b"\0") or len(rest) >= _AFTER_END:
            raise DamagedArchiveError("is damaged: something follows its end")
        return b""
