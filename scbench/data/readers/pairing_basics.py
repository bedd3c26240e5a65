"""Which names name cells, which row has which of them, and what it takes to go by the order of the rows instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scbench.data.readers.descriptions import is_name_column
from scbench.data.readers.fields import is_number
from scbench.errors import DataError

__all__ = [
    "ADVICE",
    "Pairing",
    "exact",
    "in_order",
    "is_numbered",
    "is_plain",
    "naming_columns",
    "order_is_taken",
    "shared_names",
    "whose",
]

_MOSTLY = 0.5  # of the values of a column that names rows are different
ADVICE = (
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


def in_order(n_rows: int, n_cells: int, file: str, *, is_said: bool = False) -> Pairing:
    """Return the pairing of row i with cell i; ``is_said`` by the user, or else because there are no names.

    Raises:
        DataError: when there are not as many rows as cells.
    """
    if n_rows != n_cells:
        why = "dataset.label_order=file needs one row per cell" if is_said else "shares no cell name with them"
        raise DataError(
            f"{file} has {n_rows} labels for {n_cells} cells and {why}; give one row per cell, or the cells' names in "
            "a column"
        )
    return Pairing(np.arange(n_cells), is_by_order=True)


def order_is_taken(file: str, header: str) -> str:
    """Return the warning where only one side has names, so that nothing proves the order."""
    return (
        f"{file} names its rows (column {header!r}) and the matrix has no names of cells, so labels are taken in the "
        "order of the rows"
    )


def exact(values: np.ndarray, cells: np.ndarray, file: str) -> np.ndarray:
    """Return the row of each cell by equal names.

    Raises:
        DataError: when a shared name has two rows or two cells.
    """
    common = shared_names(values, cells)
    for names, side in ((values, file), (cells, "the matrix")):
        n_twice = sum(name in common for name in names) - len(common)
        if n_twice:
            raise DataError(
                f"{side} names {n_twice} cells twice; keep one row for each, or pass dataset.label_order=file when "
                "the rows are in the order of the cells"
            )
    place = {name: i for i, name in enumerate(values)}
    return np.array([place.get(name, -1) for name in cells], dtype=np.int64)


def shared_names(values: np.ndarray, cells: np.ndarray) -> set[str]:
    """Return the names that both lists hold."""
    return set(values) & set(cells)


def whose(header: str, file: str) -> str:
    """Return what a column of names is called in messages."""
    return f"{file}: the values of column {header!r}" if header else f"{file}: its row names"


def naming_columns(names: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the columns that name their rows."""
    return {header: values for header, values in names.items() if _names_rows(header, values)}


def _names_rows(header: str, values: np.ndarray) -> bool:
    """Return whether a column names its rows: text, or numbers under a header for names, most of it different.

    Plain numbers 0, 1, ... or 1, 2, ... are no names, but the index of a table.
    """
    if len(values) == 0 or is_numbered(values) or len(set(values)) <= _MOSTLY * len(values):
        return False
    return is_name_column(header) or not all(is_number(value) for value in values)


def is_plain(values: np.ndarray) -> bool:
    """Return whether a column holds numbers only, which are values of something unless its header says otherwise."""
    return all(is_number(value) for value in values)


def is_numbered(names: np.ndarray) -> bool:
    """Return whether names are 0, 1, ..., n - 1 or 1, 2, ..., n in this order."""
    if len(names) == 0 or names[0] not in ("0", "1"):
        return False
    first = int(names[0])
    return all(name == str(i) for i, name in enumerate(names, first))
