"""The files in a tar stream, one after the other, each read in pieces: nothing is kept and nothing read twice.

``tarfile`` keeps every header that it has seen, and reads extended ones of any size at once.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

from scbench.store.archive.record import DamagedArchiveError
from scbench.store.record_text import shown

__all__ = ["Member", "members"]

_BLOCK = 512
_AT_ONCE = 1 << 18
_LONGEST_HEADER = 1 << 14  # bytes of an extended one, which holds a name of at most three parts
_LONGEST_END = 1 << 20  # zeros after the last file
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)

Read = Callable[[int], bytes]


class Member(NamedTuple):
    """One file: its name, its size in bytes, and its content in pieces, to be taken before the next file is."""

    name: str
    size: int
    pieces: Iterator[bytes]


def members(read: Read) -> Iterator[Member]:
    """Yield the files of an archive.

    Args:
        read: gives the next bytes; fewer than asked for only at the end.

    Raises:
        DamagedArchiveError: a header is damaged or too long, or belongs to something else than a file; or something
            follows the end.
    """
    name: str | None = None
    while (info := _header(read)) is not None:
        if info.type == tarfile.XHDTYPE and name is None:
            name = _long_name(read, info)
            continue
        called = info.name if name is None else name
        name = None
        if info.type not in _PLAIN:
            raise DamagedArchiveError(f"is no archive of runs: it holds {shown(called)}, which is no file")
        pieces = _pieces(read, info.size)
        yield Member(called, info.size, pieces)
        for _ in pieces:  # what was not taken
            pass
        read(-info.size % _BLOCK)
    _check_end(read)


def _header(read: Read) -> tarfile.TarInfo | None:
    """Return the next header; None where a block of zeros says that there is none."""
    block = read(_BLOCK)
    if block == bytes(_BLOCK):
        return None
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        raise DamagedArchiveError("is damaged") from None
    if info.size < 0:
        raise DamagedArchiveError("is damaged")
    return info


def _long_name(read: Read, info: tarfile.TarInfo) -> str | None:
    """Return the name that an extended header gives to the next file, or None."""
    if info.size > _LONGEST_HEADER:
        raise DamagedArchiveError(
            f"is no archive of runs: it has a header of {info.size} bytes, and none is above {_LONGEST_HEADER}"
        )
    content = read(info.size)
    read(-info.size % _BLOCK)
    found = None
    while content:
        length, _, _ = content.partition(b" ")
        if not length.isdigit() or not len(length) < int(length[:6]) <= len(content):
            raise DamagedArchiveError("is damaged")
        name, separator, value = content[len(length) + 1 : int(length[:6]) - 1].partition(b"=")
        if not separator or name == b"size" or name.startswith(b"GNU.sparse"):
            raise DamagedArchiveError(f"is no archive of runs: it has a header {shown(name.decode('latin-1'))}")
        if name == b"path":
            found = value.decode("utf-8", "surrogateescape")
        content = content[int(length[:6]) :]
    return found


def _pieces(read: Read, size: int) -> Iterator[bytes]:
    """Yield the content of a file."""
    left = size
    while left > 0:
        piece = read(min(left, _AT_ONCE))
        if not piece:
            raise DamagedArchiveError("is damaged: it ends within a file")
        left -= len(piece)
        yield piece


def _check_end(read: Read) -> None:
    """Read what follows the last file: nothing but zeros, and a checksum that fits."""
    left = _LONGEST_END
    while rest := read(_AT_ONCE):
        left -= len(rest)
        if left < 0 or any(rest):
            raise DamagedArchiveError("is damaged: something follows its end")
