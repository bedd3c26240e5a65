"""The files beside a Matrix Market file that name its genes and its cells, one a line, with or without a header."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from scbench.data.readers.descriptions import is_name_column
from scbench.data.readers.labels import plain, text_names
from scbench.data.readers.packed import open_text

__all__ = ["NameTable", "cell_names", "gene_names", "gene_types", "read_names", "read_symbols"]

_OTHER_HEADERS = "bcwells cellkey feature featureid featurekey featurename features genesymbol genesymbols"
_HEADERS = frozenset(_OTHER_HEADERS.split())
_HEADERS_OF_R = ("x", "V1")  # of a vector without a name
_SYMBOLS = ("genename", "genesymbol", "symbol", "featurename", "name")
_TYPES = ("featuretype", "featuretypes")


@dataclass(frozen=True)
class NameTable:
    """The lines of such a file.

    Attributes:
        file: its name.
        lines: the fields of each line that is not empty; a header is one of them.
        looks_headed: whether the first line holds a word for names, not a name.
    """

    file: str
    lines: list[list[str]]
    looks_headed: bool

    def header(self, is_headed: bool) -> list[str]:
        """Return the names of the columns, in small letters without blanks and marks; none without a header."""
        if not is_headed:
            return []
        first, width = self.lines[0], max(map(len, self.lines[1:2]), default=0)
        return [plain(name) for name in ([""] if len(first) == width - 1 else []) + first]  # R names no row names

    def rows(self, is_headed: bool) -> list[list[str]]:
        """Return the lines below the header."""
        return self.lines[1:] if is_headed else self.lines


def read_names(path: Path) -> NameTable:
    """Return the lines of a file of names.

    Fields are separated by tabs, in csv by commas, and by blanks where R wrote quoted row names before the names.

    Raises:
        DataError: if the file cannot be read as text.
    """
    with open_text(path) as stream:
        start = [stream.readline(), stream.readline()]
        is_quoted = start[-1].startswith('"') or (start[-1] == "" and start[0].startswith('"'))
        separator = _separator(start, path.name.lower(), is_quoted=is_quoted)
        lines_in, takes_quotes = chain(start, stream), is_quoted or separator == ","
        if takes_quotes:
            reader = csv.reader(lines_in, delimiter=separator)
        else:
            reader = csv.reader(lines_in, delimiter=separator, quoting=csv.QUOTE_NONE)
        lines = [line for line in reader if line]
    looks_headed = bool(lines) and (_is_header(lines[0][0]) or (is_quoted and lines[0][-1] in _HEADERS_OF_R))
    return NameTable(path.name, lines, looks_headed)


def read_symbols(path: Path) -> list[str]:
    """Return the lines of a file of one name a line; an empty one is a gene without a symbol.

    Raises:
        DataError: if the file cannot be read as text.
    """
    with open_text(path) as stream:
        return [line.rstrip("\r\n") for line in stream]


def cell_names(table: NameTable, is_headed: bool) -> np.ndarray:
    """Return the first column, or the second behind one that only numbers the lines."""
    return text_names(row[0] for row in _unnumbered(table.rows(is_headed))[0])


def gene_names(table: NameTable, is_headed: bool) -> np.ndarray:
    """Return the column of symbols: by its header, or else the second; the identifier where there is none."""
    rows, n_dropped = _unnumbered(table.rows(is_headed))
    header = table.header(is_headed)[n_dropped:]
    column = next((header.index(name) for name in _SYMBOLS if name in header), 1)
    return text_names((row[column] if len(row) > column else "") or row[0] for row in rows)


def gene_types(table: NameTable, is_headed: bool) -> np.ndarray | None:
    """Return the column of the types of features, ``""`` where one has none: by its header, or else the third."""
    rows, n_dropped = _unnumbered(table.rows(is_headed))
    header = table.header(is_headed)[n_dropped:]
    column = next((header.index(name) for name in _TYPES if name in header), None) if is_headed else 2
    if column is None or all(len(row) <= column for row in rows):
        return None
    return text_names(row[column] if len(row) > column else "" for row in rows)


def _separator(start: list[str], name: str, *, is_quoted: bool) -> str:
    if any("\t" in line for line in start):
        return "\t"
    if name.removesuffix(".gz").endswith(".csv"):
        return ","
    return " " if is_quoted and '" "' in start[-1] else "\t"


def _is_header(field: str) -> bool:
    return is_name_column(field) or plain(field) in _HEADERS


def _unnumbered(rows: list[list[str]]) -> tuple[list[list[str]], int]:
    """Return rows without a first column that counts them, and how many columns that were."""
    if rows and rows[0][0] in ("0", "1") and all(len(row) > 1 for row in rows):
        counted: Iterable[int] = range(int(rows[0][0]), int(rows[0][0]) + len(rows))
        if all(row[0] == str(number) for row, number in zip(rows, counted, strict=True)):
            return [row[1:] for row in rows], 1
    return rows, 0
