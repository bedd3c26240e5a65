"""Pair the rows of a second file with the cells of a matrix: by their names, respelled where tools differ, or in order.

Scores mean nothing when a label sits at another cell, so order is taken only where one side has no names to pair by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from scbench.data.readers.descriptions import is_name_column
from scbench.data.readers.fields import is_number
from scbench.data.readers.labels import shown
from scbench.data.readers.respelling import Respelled, nearest_spelling, respelled
from scbench.errors import DataError

__all__ = ["Pairing", "n_named", "pair"]

_MOSTLY = 0.5  # of the values of a column that names rows are different
_ENOUGH = 0.5  # of the smaller side is shared by two lists of the same cells
_LAST_NUMBER = re.compile(r"(\d+)\D*$")
_MOST_COLUMNS = 6  # whose pairs are tried
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
    also: Mapping[str, np.ndarray] | None = None,
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
        also: header -> (n_cells,) values of other columns of the matrix's file that may name its cells.

    Raises:
        DataError: both sides have names and none or few are shared, a name that is shared stands twice, or the rows
            would have to be taken in order and are not as many as the cells.
    """
    if by_order:
        return _in_order(n_rows, n_cells, file, is_said=True)
    naming = _naming(names)
    if cells is None or _is_numbered(cells):
        others = _naming(also or {})
        if others and naming:
            return _by_another_column(others, naming, n_rows, file)
        if cells is None:
            pairing = _in_order(n_rows, n_cells, file)
            return pairing if not naming else replace(pairing, said=_order_is_taken(file, next(iter(naming))))
        return _paired_with_numbers(cells, names, n_rows, n_cells, file)
    candidates = {header: values for header, values in names.items() if header in naming or not _is_plain(values)}
    best = max(candidates, key=lambda header: len(_shared(names[header], cells)), default=None)
    n_shared = 0 if best is None else len(_shared(names[best], cells))
    if best is not None and n_shared in (len(set(cells)), n_rows):
        return Pairing(_exact(names[best], cells, file), _told(best, names, file, n_shared))
    found = _respelled(cells, naming, file)
    if found is not None:
        header, respelling = found
        return Pairing(respelling.rows, f"{_whose(header, file)} are paired with the cells {respelling.how}")
    if best is not None and n_shared >= _ENOUGH * min(n_cells, n_rows):
        return Pairing(_exact(names[best], cells, file), _told(best, names, file, n_shared))
    joined = _joined_columns(names)
    found = _respelled(cells, joined, file)
    if found is not None:
        return Pairing(found[1].rows, f"{file}: {found[0]} joined name the cells, paired {found[1].how}")
    if n_shared:
        raise DataError(
            f"{file} and the matrix share {n_shared} names only, of {n_cells} cells and {n_rows} rows: they may be of "
            f"other samples; {_ADVICE}"
        )
    if naming or joined:
        header, values = next(iter((naming or joined).items()))
        how, n_near = nearest_spelling(cells, values)
        near = f"; {n_near} of {n_cells} cells are found {how}" if n_near >= _ENOUGH * min(n_cells, n_rows) else ""
        raise DataError(
            f"{file} and the matrix both name the cells and share no name (the first is {shown(values[0])!r} there, "
            f"{shown(cells[0])!r} here){near}; {_ADVICE}"
        )
    return _in_order_unless_numbered(cells, names, n_rows, n_cells, file)


def n_named(names: np.ndarray | None, columns: Mapping[str, np.ndarray], file: str) -> int:
    """Return how many of ``names`` have a row: what tells which side of a table holds the cells.

    Args:
        names: (n,) of the rows or the columns of a table.
        columns: as in :func:`pair`.
        file: for messages.
    """
    if names is None or _is_numbered(names):
        return 0
    naming = _naming(columns)
    exact = max((len(_shared(values, names)) for values in naming.values()), default=0)
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


def _order_is_taken(file: str, header: str) -> str:
    """Return the warning where only one side has names, so that nothing proves the order."""
    return (
        f"{file} names its rows (column {header!r}) and the matrix has no names of cells, so labels are taken in the "
        "order of the rows"
    )


def _by_another_column(
    others: Mapping[str, np.ndarray], naming: Mapping[str, np.ndarray], n_rows: int, file: str
) -> Pairing:
    """Return the pairing by another column of the matrix's file, where its index has no names.

    Raises:
        DataError: when both sides have names and none agree.
    """
    for header, cells in others.items():
        for their_header, values in naming.items():
            shared = len(_shared(values, cells))
            found = None if shared in (len(set(cells)), n_rows) else respelled(cells, values, file)
            if found is not None or shared >= _ENOUGH * min(len(cells), n_rows):
                rows = _exact(values, cells, file) if found is None else found.rows
                how = "" if found is None else f" {found.how}"
                return Pairing(rows, f"{_whose(their_header, file)} are paired with {header!r} of the cells{how}")
    header, cells = next(iter(others.items()))
    values = next(iter(naming.values()))
    raise DataError(
        f"{file} and column {header!r} of the matrix both name the cells and share no name (the first is "
        f"{shown(values[0])!r} there, {shown(cells[0])!r} here); {_ADVICE}"
    )


def _paired_with_numbers(
    cells: np.ndarray, names: Mapping[str, np.ndarray], n_rows: int, n_cells: int, file: str
) -> Pairing:
    """Return the pairing with cells that are only numbered, which says nothing about another file's names.

    Only a column that numbers the same cells with the same numbers is followed.
    """
    for header, values in names.items():
        is_name = header == next(iter(names)) or is_name_column(header)
        if not all(value.isdecimal() for value in values) or len(set(values)) < n_rows:
            continue
        if set(values) == set(cells):
            return Pairing(_exact(values, cells, file))
        if is_name and n_rows == n_cells and _is_numbered(values):
            return _in_order(n_rows, n_cells, file)
        if is_name_column(header) or _is_numbered(values):
            if set(values) <= set(cells) and not (_is_numbered(values) and values[0] != cells[0]):
                said = (
                    f"{file}: rows and cells have numbers only ({header!r}); nothing else proves that they are the same"
                )
                return Pairing(_exact(values, cells, file), said)
            raise DataError(
                f"{file} numbers its rows otherwise than the matrix its cells (the first is {values[0]!r} there, "
                f"{cells[0]!r} here); {_ADVICE}"
            )
    pairing = _in_order(n_rows, n_cells, file)
    naming = _naming(names)
    found = _respelled(cells, naming, file)
    if found is not None and (found[1].rows != pairing.rows).any():
        raise DataError(
            f"{file} names its rows with the numbers of the cells, but in another order (the first is "
            f"{naming[found[0]][0]!r} there, {cells[0]!r} here); {_ADVICE}"
        )
    return pairing if not naming else replace(pairing, said=_order_is_taken(file, next(iter(naming))))


def _in_order_unless_numbered(
    cells: np.ndarray, names: Mapping[str, np.ndarray], n_rows: int, n_cells: int, file: str
) -> Pairing:
    """Return the order of the rows for cells that have names, when no column has any.

    Raises:
        DataError: when a column of numbers says another order: its numbers are those in the names of the cells.
    """
    pairing = _in_order(n_rows, n_cells, file)
    for header, values in names.items():
        if len(set(values)) < n_rows or not all(value.isdecimal() for value in values):
            continue
        in_names = [int(digits[1]) if (digits := _LAST_NUMBER.search(cell)) else -1 for cell in cells]
        numbers = [int(value) for value in values]
        if set(in_names) == set(numbers) and in_names != numbers:
            raise DataError(
                f"{file}: column {header!r} holds the numbers in the names of the cells, but in another order (the "
                f"first is {values[0]!r} there, {cells[0]!r} here); {_ADVICE}"
            )
    said = (
        f"{file} has no names of cells and the matrix has (the first is {shown(cells[0])!r}), so labels are taken in "
        "the order of its rows"
    )
    return replace(pairing, said=said)


def _joined_columns(names: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return pairs of text columns that name rows together, as plate and well do, joined by ``_``."""
    texts = {
        header: values
        for header, values in names.items()
        if len(values) and 1 < len(set(values)) < len(values) and not all(map(is_number, values))
    }
    found = {}
    for (first, ours), (second, theirs) in permutations(list(texts.items())[:_MOST_COLUMNS], 2):
        joined = np.array([f"{one}_{other}" for one, other in zip(ours, theirs, strict=True)], dtype=object)
        if len(set(joined)) == len(joined):
            found[f"columns {first!r} and {second!r}"] = joined
    return found


def _naming(names: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {header: values for header, values in names.items() if _names_rows(header, values)}


def _is_plain(values: np.ndarray) -> bool:
    """Return whether a column holds numbers only, which are values of something unless its header says otherwise."""
    return all(is_number(value) for value in values)


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
