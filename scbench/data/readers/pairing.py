"""Pair the rows of a second file with the cells of a matrix: by their names, respelled where tools differ, or in order.

Scores mean nothing when a label sits at another cell, so order is taken only where one side has no names to pair by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scbench.data.readers.descriptions import is_name_column
from scbench.data.readers.fields import is_number
from scbench.data.readers.respelling import Respelled, respelled
from scbench.errors import DataError

__all__ = ["Pairing", "n_named", "pair"]

_MOSTLY = 0.5  # of the values of a column that names rows are different
_ADVICE = (
    "give the cells' names as the matrix has them in a column of that file, or pass dataset.label_order=file when its "
    "rows are in the order of the cells"
)


@dataclass(frozen=True)
class Pairing:
    """Which row describes which cell.

    Attributes:
        rows: (n_cells,) int64, -1 for a cell without a row.
        said: one line where the names had to be respelled, or another column than the first held them; or None.
        is_by_order: whether row i is cell i because one side has no names.
    """

    rows: np.ndarray
    said: str | None = None
    is_by_order: bool = False

    def take(self, values: np.ndarray) -> np.ndarray:
        """Return the value of each cell, (n_cells,) object, None for a cell without a row."""
        with_none = np.empty(len(values) + 1, dtype=object)
        with_none[:-1] = values
        taken: np.ndarray = with_none[self.rows]
        return taken


def pair(
    cells: np.ndarray | None,
    names: Mapping[str, np.ndarray],
    n_rows: int,
    n_cells: int,
    *,
    file: str,
    by_order: bool = False,
) -> Pairing:
    """Return the row of each cell.

    The column whose values share names with the cells is used. Where that does not find all of them, the spellings of
    other tools are tried (see ``respelling``), each only where it is one to one for all cells or all rows.

    Args:
        cells: (n_cells,) names of the cells, None when the matrix has none.
        names: header -> (n_rows,) values of the columns that may name the cells; not that of the labels.
        n_rows: of the second file.
        n_cells: of the matrix.
        file: name of the second file, for messages.
        by_order: whether the user says that the rows are in the order of the cells (``dataset.label_order=file``).

    Raises:
        DataError: both sides have names and none is shared, a name that is shared stands twice, or the rows would have
            to be taken in order and are not as many as the cells.
    """
    if by_order or cells is None:
        return _in_order(n_rows, n_cells, file, is_said=by_order)
    if _is_numbered(cells):
        return _paired_with_numbers(cells, names, n_rows, n_cells, file)
    best = max(names, key=lambda header: len(_shared(names[header], cells)), default=None)
    n_shared = 0 if best is None else len(_shared(names[best], cells))
    if best is not None and n_shared in (len(set(cells)), n_rows):
        return Pairing(_exact(names[best], cells, file), _told(best, names, file, n_shared))
    naming = {header: values for header, values in names.items() if _names_rows(header, values)}
    found = _respelled(cells, naming, file)
    if found is not None:
        header, respelling = found
        return Pairing(respelling.rows, f"{_whose(header, file)} are paired with the cells {respelling.how}")
    if best is not None and n_shared:
        return Pairing(_exact(names[best], cells, file), _told(best, names, file, n_shared))
    if naming:
        header, values = next(iter(naming.items()))
        raise DataError(
            f"{file} and the matrix both name the cells and share no name (the first is {values[0]!r} there, "
            f"{cells[0]!r} here); {_ADVICE}"
        )
    return _in_order(n_rows, n_cells, file)


def n_named(names: np.ndarray | None, columns: Mapping[str, np.ndarray], file: str) -> int:
    """Return how many of ``names`` have a row: what tells which side of a table holds the cells.

    Args:
        names: (n,) of the rows or the columns of a table.
        columns: as in :func:`pair`.
        file: for messages.
    """
    if names is None or _is_numbered(names):
        return 0
    exact = max((len(_shared(values, names)) for values in columns.values()), default=0)
    naming = {header: values for header, values in columns.items() if _names_rows(header, values)}
    found = _respelled(names, naming, file) if exact < len(set(names)) else None
    return exact if found is None else max(exact, int((found[1].rows >= 0).sum()))


def _in_order(n_rows: int, n_cells: int, file: str, *, is_said: bool = False) -> Pairing:
    if n_rows != n_cells:
        why = "dataset.label_order=file needs one row per cell" if is_said else "shares no cell name with them"
        raise DataError(
            f"{file} has {n_rows} labels for {n_cells} cells and {why}; give one row per cell, or the cells' names in "
            "a column"
        )
    return Pairing(np.arange(n_cells), is_by_order=True)


def _paired_with_numbers(
    cells: np.ndarray, names: Mapping[str, np.ndarray], n_rows: int, n_cells: int, file: str
) -> Pairing:
    """Return the pairing with cells that are only numbered, which says nothing about another file's names.

    Only a column that numbers the same cells with the same numbers is followed.
    """
    for header, values in names.items():
        is_first = header == next(iter(names))
        if not (is_first or is_name_column(header)) or not all(value.isdecimal() for value in values):
            continue
        if set(values) == set(cells):
            return Pairing(_exact(values, cells, file))
        if n_rows == n_cells and _is_numbered(values):
            return _in_order(n_rows, n_cells, file)
        if len(set(values)) == n_rows and (is_name_column(header) or _is_numbered(values)):
            if set(values) <= set(cells) and not (_is_numbered(values) and values[0] != cells[0]):
                return Pairing(_exact(values, cells, file))
            raise DataError(
                f"{file} numbers its rows otherwise than the matrix its cells (the first is {values[0]!r} there, "
                f"{cells[0]!r} here); {_ADVICE}"
            )
    pairing = _in_order(n_rows, n_cells, file)
    naming = {header: values for header, values in names.items() if _names_rows(header, values)}
    found = _respelled(cells, naming, file)
    if found is not None and (found[1].rows != pairing.rows).any():
        raise DataError(
            f"{file} names its rows with the numbers of the cells, but in another order (the first is "
            f"{naming[found[0]][0]!r} there, {cells[0]!r} here); {_ADVICE}"
        )
    return pairing


def _respelled(cells: np.ndarray, naming: Mapping[str, np.ndarray], file: str) -> tuple[str, Respelled] | None:
    """Return the column and the re-spelling that finds all cells, or all rows; the mildest of them."""
    for header, values in naming.items():
        found = respelled(cells, values, file)
        if found is not None:
            return header, found
    return None


def _exact(values: np.ndarray, cells: np.ndarray, file: str) -> np.ndarray:
    """Return the row of each cell by equal names.

    Raises:
        DataError: when a shared name has two rows or two cells.
    """
    shared = _shared(values, cells)
    for names, whose in ((values, file), (cells, "the matrix")):
        n_twice = sum(name in shared for name in names) - len(shared)
        if n_twice:
            raise DataError(
                f"{whose} names {n_twice} cells twice; keep one row for each, or pass dataset.label_order=file when "
                "the rows are in the order of the cells"
            )
    place = {name: i for i, name in enumerate(values)}
    return np.array([place.get(name, -1) for name in cells], dtype=np.int64)


def _shared(values: np.ndarray, cells: np.ndarray) -> set[str]:
    return set(values) & set(cells)


def _told(header: str, names: Mapping[str, np.ndarray], file: str, n_shared: int) -> str | None:
    """Return a line when the names are not where they are looked for first."""
    return None if header == next(iter(names)) or n_shared == 0 else f"{_whose(header, file)} name the cells"


def _whose(header: str, file: str) -> str:
    return f"{file}: the values of column {header!r}" if header else f"{file}: its row names"


def _names_rows(header: str, values: np.ndarray) -> bool:
    """Return whether a column names its rows: text, or numbers under a header for names, most of it different.

    Plain numbers 0, 1, ... or 1, 2, ... are no names, but the index of a table.
    """
    if len(values) == 0 or _is_numbered(values) or len(set(values)) <= _MOSTLY * len(values):
        return False
    return is_name_column(header) or not all(is_number(value) for value in values)


def _is_numbered(names: np.ndarray) -> bool:
    """Return whether names are 0, 1, ..., n - 1 or 1, 2, ..., n in this order."""
    if len(names) == 0 or names[0] not in ("0", "1"):
        return False
    first = int(names[0])
    return all(name == str(i) for i, name in enumerate(names, first))
