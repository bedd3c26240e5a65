"""The numbers of a Matrix Market file."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from scipy.io import mmread
from scipy.sparse import coo_matrix

from scbench.data.readers.bounded_lines import LONGEST_LINE, bounded_lines
from scbench.data.readers.damage import readable
from scbench.data.readers.declared import DEFLATE_RATIO, refuse_unstored
from scbench.errors import DataError

__all__ = ["read_shape", "read_values"]

_BUFFER_BYTES = 1 << 20  # scipy asks for a kilobyte at a time
_MOST_COMMENTS = 100_000
_GZIP_MAGIC = b"\x1f\x8b"
_BANNER = b"%%matrixmarket"
_REAL = ("real", "integer", "unsigned-integer", "double", "float")  # float is no field, but STARsolo wrote it
_NA_OF_R = 1e308
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class _Start:
    """The lines of a file before its values.

    Attributes:
        layout, field, symmetry: words of the first line.
        shape: number of rows and of columns.
        n_entries: how many values follow.
        lines: as they stand, with the first line of values behind them.
    """

    layout: str
    field: str
    symmetry: str
    shape: tuple[int, int]
    n_entries: int
    lines: list[bytes]


def read_shape(path: Path) -> tuple[int, int]:
    """Return rows and columns of a Matrix Market file that holds numbers, without reading these.

    Raises:
        DataError: if it is damaged, stores no numbers (``pattern``) or complex ones, or has several numbers per entry.
    """
    with _opened(path) as stream:
        start = _start(stream)
    if start.field == "pattern":
        raise DataError(
            f"{path.name} is a Matrix Market file of field 'pattern': it stores only which entries are not zero and no "
            "counts; write the counts themselves"
        )
    if start.field not in _REAL:
        raise DataError(
            f"{path.name} is a Matrix Market file of field {start.field!r} where counts are expected; write it as "
            "'integer' or 'real'"
        )
    n_fields = len(start.lines[-1].split())
    if start.layout == "coordinate" and n_fields > 3:
        raise DataError(
            f"{path.name} has {n_fields - 2} numbers for each entry where one is expected (older STARsolo wrote "
            "spliced, unspliced and ambiguous counts so); write a file for each"
        )
    return start.shape


def read_values(path: Path) -> coo_matrix:
    """Return the numbers in the orientation of the file, float64; both halves of a symmetric one.

    Whole numbers are read as others are: in a file that calls itself ``integer``, scipy would cut 2.5 to 2.

    Raises:
        DataError: if the file is damaged, or holds the mark of R for a missing value or a number beyond float32,
            or declares far more values than it has bytes for.
    """
    with _opened(path) as stream:
        start = _start(stream)
        _refuse_unstored(start, path)
        banner = f"%%MatrixMarket matrix {start.layout} real {start.symmetry}\n".encode()
        values = mmread(_buffered(_Prefixed(b"".join([banner, *start.lines[1:]]), stream)), spmatrix=True)
    matrix = coo_matrix(values)
    _refuse_too_large(matrix, path.name)
    return matrix


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, gzipped or not, whatever its suffix."""
    with readable(path, "a Matrix Market file"), _overflow_is_damage(), path.open("rb") as raw:
        is_packed = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        if is_packed:
            with gzip.open(raw) as unpacked:
                yield bounded_lines(cast(IO[bytes], unpacked), path.name)
        else:
            yield bounded_lines(raw, path.name)


@contextmanager
def _overflow_is_damage() -> Iterator[None]:
    try:
        yield
    except OverflowError as error:  # a position of more digits than any matrix has
        raise ValueError(str(error)) from error


def _start(stream: IO[bytes]) -> _Start:
    """Read the lines before the values, and the first of these.

    Raises:
        ValueError: if they are not those of a Matrix Market file.
    """
    lines = [stream.readline(_BUFFER_BYTES)]
    words = lines[0].decode("utf-8", errors="replace").lower().split()
    if not lines[0].lower().startswith(_BANNER) or len(words) != 5:
        raise ValueError(
            "its first line is not '%%MatrixMarket matrix coordinate integer general' or the like, but "
            f"{lines[0][:60].decode('utf-8', errors='replace').strip()!r}"
        )
    sizes: list[bytes] = []
    n_bytes = 0
    while not sizes:
        lines.append(stream.readline())
        n_bytes += len(lines[-1])
        if n_bytes > LONGEST_LINE or len(lines) > _MOST_COMMENTS:
            raise ValueError(f"{len(lines)} lines of comments ({n_bytes} bytes) and no line with its size")
        if not lines[-1]:
            raise ValueError("it ends before the line with its size")
        sizes = [] if lines[-1].startswith(b"%") else lines[-1].split()
    if len(sizes) < 2 or not all(size.isdigit() for size in sizes):
        raise ValueError(f"line {len(lines)} should give its rows, columns and entries, and is {lines[-1].strip()!r}")
    lines.append(stream.readline())
    n_rows, n_columns = int(sizes[0]), int(sizes[1])
    return _Start(words[2], words[3], words[4], (n_rows, n_columns), _n_entries(words, sizes), lines)


def _n_entries(words: list[str], sizes: list[bytes]) -> int:
    """Return how many values the first lines declare."""
    if words[2] == "coordinate":
        return int(sizes[2]) if len(sizes) > 2 else 0
    n_rows, n_columns = int(sizes[0]), int(sizes[1])
    return n_rows * n_columns if words[4] == "general" else n_rows * (n_rows - 1) // 2


def _refuse_unstored(start: _Start, path: Path) -> None:
    """Check that a file can hold as many values as it declares, before arrays for them are made.

    Raises:
        DataError: otherwise.
    """
    with path.open("rb") as raw:
        ratio = DEFLATE_RATIO if raw.read(2) == _GZIP_MAGIC else 1
    shortest = len(b"1 1 1\n" if start.layout == "coordinate" else b"1\n")
    refuse_unstored(path.name, "its header", (start.n_entries,), shortest, path.stat().st_size, ratio)


def _refuse_too_large(matrix: coo_matrix, file: str) -> None:
    """Refuse finite values that float32 cannot hold; infinite ones and NaN are for the loader to refuse."""
    values = matrix.data
    if not values.size or max(np.fmax.reduce(values), -np.fmin.reduce(values)) <= _LARGEST:
        return
    too_large = np.isfinite(values) & (np.abs(values) > _LARGEST)
    if not too_large.any():
        return
    first = int(np.argmax(too_large))
    where = f"row {matrix.row[first] + 1}, column {matrix.col[first] + 1} of the file"
    n_missing = int((np.abs(values[too_large]) >= _NA_OF_R).sum())
    if n_missing:
        first = int(np.argmax(np.isfinite(values) & (np.abs(values) >= _NA_OF_R)))
        raise DataError(
            f"{file} holds {n_missing} missing values (NA): R's writeMM writes them as 1e308 (first: row "
            f"{matrix.row[first] + 1}, column {matrix.col[first] + 1} of the file); set them before it is written, for "
            "example m[is.na(m)] <- 0"
        )
    raise DataError(
        f"{file} holds {too_large.sum()} values beyond {_LARGEST:.2g} (first: {values[first]:g} in {where}), which are "
        "no counts; check how it was written"
    )


def _buffered(raw: io.RawIOBase) -> io.BufferedReader:
    return io.BufferedReader(raw, _BUFFER_BYTES)


class _Prefixed(io.RawIOBase):
    """A stream with other bytes before it."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start = start
        self._rest = rest

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer and return how much of it."""
        part = self._start[: len(buffer)] if self._start else self._rest.read(len(buffer))
        self._start = self._start[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
