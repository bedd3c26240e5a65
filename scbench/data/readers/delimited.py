"""Tables of numbers in csv or tsv text, read in blocks of rows into CSR."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.readers import stacking
from scbench.data.readers.damage import readable
from scbench.data.readers.descriptions import is_description, is_name_column
from scbench.data.readers.fields import is_number, numbers, refuse_broken_numbers
from scbench.data.readers.labels import shown, text_names
from scbench.data.readers.packed import open_text
from scbench.errors import DataError

__all__ = [
    "BLANK",
    "SEPARATORS",
    "Layout",
    "NumberTable",
    "read_layout",
    "read_numbers",
    "separator_of",
    "split_line",
    "without_comments",
]

SEPARATORS = "\t,;"
BLANK = " "
_COMMENTS = ("#", "!", "sep=")  # of GEO's series and Excel's separators, too
_ENOUGH_ROWS = 100  # to tell whether a column of text holds numbers


@dataclass(frozen=True)
class Layout:
    """How a table is laid out.

    Attributes:
        separator: between fields.
        columns: one name per field of a row; ``""`` for the row names of R, which writes no header for them.
        text: positions of the columns that hold text.
        skip: lines before the first row: the header, and comments before it.
        asked: those of ``text`` that are text because the reader says so, whatever they hold.
    """

    separator: str
    columns: tuple[str, ...]
    text: tuple[int, ...]
    skip: int
    asked: tuple[int, ...] = ()


@dataclass(frozen=True)
class NumberTable:
    """A table in the orientation of the file.

    Attributes:
        matrix: (n_rows, n_number_columns) CSR float32.
        rows: (n_rows,) the first column where it holds text, or is called as names are; otherwise None.
        columns: (n_number_columns,) names of the number columns.
        text: the other text columns, object arrays of str.
        file: name of the file, for messages.
        rows_header: header of ``rows``.
    """

    matrix: csr_matrix
    rows: np.ndarray | None
    columns: np.ndarray
    text: dict[str, np.ndarray]
    file: str
    rows_header: str


def separator_of(line: str) -> str:
    """Return the separator that a line uses most: tab, comma or semicolon, or else blanks, or else a comma."""
    if any(mark in line for mark in SEPARATORS):
        return max(SEPARATORS, key=line.count)
    return BLANK if BLANK in line.strip() else ","


def split_line(line: str, separator: str) -> list[str]:
    """Return the fields of one line; several blanks are one separator."""
    text = line.strip() if separator == BLANK else line
    return next(csv.reader([text], delimiter=separator, skipinitialspace=separator == BLANK), [])


def without_comments(lines: Sequence[str]) -> list[str]:
    """Return lines without those at the front that begin with ``#``, ``!`` or ``sep=``.

    A header may begin so, too: one with as many fields as the line behind it loses its mark only, unless that line may
    be the header and a blank follows the mark.
    """
    n_comments = next((i for i, line in enumerate(lines) if not line.startswith(_COMMENTS)), len(lines))
    rest = list(lines[n_comments:])
    if n_comments and rest:
        last, separator = lines[n_comments - 1].lstrip("#!"), separator_of(rest[0])
        n_fields = len(split_line(rest[0], separator))
        is_text = last[:1].isspace() and not any(is_number(field) for field in split_line(rest[0], separator)[1:])
        if n_fields > 1 and len(split_line(last, separator)) == n_fields and not is_text:
            return [last, *rest]
    return rest


def read_layout(path: Path, member: str | None = None, *, text: Collection[str] = ()) -> Layout:
    """Return the layout of a table with a header, told from its first two lines.

    A header one field short is R's: the rows then begin with a name. The columns called ``text``, and those
    whose first value is not a number, hold text; so does a first column without a name or called ``cell``,
    ``barcode``, ``gene`` or the like.

    Raises:
        DataError: if there is no row, or header and first row do not fit together.
    """
    head: list[str] = []  # of the comments in front only the last, which may be the header
    n_read = 0
    with open_text(path, member) as stream, readable(path, "a table"):
        for line in stream:
            n_read += 1
            if not line.strip():
                continue
            if head and head[-1].startswith(_COMMENTS) and line.startswith(_COMMENTS) and len(head) == 1:
                head.clear()
            head.append(line)
            lines = without_comments(head)
            if len(lines) == 2:
                break
        else:
            raise DataError(f"{path.name} has no rows below its header; a table of numbers is expected")
    separator = separator_of(lines[0] if set(SEPARATORS) & set(lines[0]) else lines[1])
    with readable(path, "a table"):
        columns, first = (split_line(line, separator) for line in lines)
    columns = [name.strip() for name in columns]
    if first[-1:] == [""] and len(first) - len(columns) in (0, 1) and (len(first) > len(columns) or not columns[-1]):
        raise DataError(
            f"{path.name} has a separator at the end of its rows, which would be another column; take it away, or save "
            "the table again"
        )
    if len(columns) == 1 < len(first) - 1:
        raise DataError(
            f"{path.name} begins with a line of one field ({shown(columns[0])!r}) above rows of {len(first)}: a title "
            "and no header; delete it"
        )
    _refuse_headerless(columns, path.name)
    if len(first) == len(columns) + 1:
        columns = ["", *columns]
    elif len(first) != len(columns):
        raise DataError(f"{path.name} has {len(columns)} names in its header but {len(first)} fields in its first row")
    is_text = [i for i, name in enumerate(columns) if name in text or not is_number(first[i])]
    if is_name_column(columns[0]) and 0 not in is_text:
        is_text.insert(0, 0)
    asked = tuple(i for i in is_text if columns[i] in text)
    return Layout(separator=separator, columns=tuple(columns), text=tuple(is_text), skip=n_read - 1, asked=asked)


def _refuse_headerless(columns: Sequence[str], file: str) -> None:
    """Refuse a first line of values: numbers that are not whole, or that stand there twice, name no columns.

    Numbers that all differ may be identifiers of genes (Entrez), or the 0, 1, 2, ... of pandas.
    """
    values = [name for name in columns[1:] if name]
    if len(values) < 2 or not all(is_number(name) and name.strip() for name in values):
        return
    if len(set(values)) < len(values) or not all(float(name).is_integer() for name in values):
        raise DataError(
            f"{file} has no header: its first line holds values ({', '.join(map(shown, columns[:4]))}, ...) and not "
            "the names of columns; put a line with the names in front"
        )


def read_numbers(path: Path, member: str | None, layout: Layout) -> NumberTable:
    """Return a table; a text column at the front gives the row names. Empty, ``NA`` and ``nan`` become NaN.

    Raises:
        DataError: if a number column holds text, a column that begins with text goes on with numbers, or rows
            have different numbers of fields.
    """
    numeric = [i for i in range(len(layout.columns)) if i not in set(layout.text)]
    names = [layout.columns[i] for i in numeric]
    collected: dict[int, list[str]] = {i: [] for i in layout.text}

    def blocks() -> Iterator[np.ndarray]:
        height = max(1, stacking.BLOCK_BYTES // (4 * max(1, len(numeric))))
        block: list[np.ndarray] = []
        for i_row, (number, row) in enumerate(_rows(path, member, layout)):
            for i, values in collected.items():
                values.append(row[i])
            if i_row == _ENOUGH_ROWS:  # a wide file is refused before all of it is held as text
                _refuse_broken_columns(collected, layout, path.name)
            block.append(numbers([row[i] for i in numeric], names, path.name, number))
            if len(block) == height:
                yield np.stack(block)
                block = []
        if block:
            yield np.stack(block)

    matrix = stacking.stack(blocks(), shape=(0, len(numeric)))
    _refuse_broken_columns(collected, layout, path.name)
    return NumberTable(
        matrix=matrix,
        rows=text_names(collected[0]) if 0 in collected else None,
        columns=text_names(names),
        text={layout.columns[i]: text_names(values) for i, values in collected.items() if i != 0},
        file=path.name,
        rows_header=layout.columns[0],
    )


def _refuse_broken_columns(collected: dict[int, list[str]], layout: Layout, file: str) -> None:
    """Refuse a column of numbers that begins with text, other than names and descriptions of cells."""
    for i, values in collected.items():
        name = layout.columns[i]
        if name and values and i not in layout.asked and not is_description(name):
            refuse_broken_numbers(values[:_ENOUGH_ROWS], name, file, layout.skip + 1)


def _rows(path: Path, member: str | None, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the fields of each row."""
    with open_text(path, member) as stream, readable(path, "a table"):
        for _ in range(layout.skip):
            stream.readline()
        is_blank = layout.separator == BLANK
        rows = (line.strip() for line in stream) if is_blank else stream
        reader = csv.reader(rows, delimiter=layout.separator, skipinitialspace=is_blank)
        for row in reader:
            number = layout.skip + reader.line_num
            if not any(row):  # what Excel keeps below a table
                continue
            if len(row) == len(layout.columns):
                yield number, row
            elif row and not row[0].startswith(_COMMENTS):
                raise DataError(
                    f"{path.name}, line {number}: {len(row)} fields where {len(layout.columns)} are expected; "
                    "the file may be cut off, or a name may hold the separator"
                )
