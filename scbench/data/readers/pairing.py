"""Pair the rows of a second file with the cells of a matrix: by their names, respelled where tools differ, or in order.

Scores mean nothing when a label sits at another cell, so order is taken only where one side has no names to pair by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

import numpy as np

from scbench.data.readers.fields import is_number
from scbench.data.readers.labels import shown
from scbench.data.readers.pairing_basics import (
    ADVICE,
    Pairing,
    exact,
    in_order,
    is_numbered,
    is_plain,
    naming_columns,
    order_is_taken,
    shared_names,
    whose,
)
from scbench.data.readers.pairing_numbers import in_order_unless_numbered, paired_with_numbers
from scbench.data.readers.respelling import Respelled, nearest_spelling, respelled
from scbench.errors import DataError

__all__ = ["Pairing", "n_named", "pair"]

_ENOUGH = 0.5  # of the smaller side is shared by two lists of the same cells
_MOST_COLUMNS = 6  # whose pairs are tried


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
        return in_order(n_rows, n_cells, file, is_said=True)
    naming = naming_columns(names)
    if cells is None or is_numbered(cells):
        others = naming_columns(also or {})
        if others and naming:
            return _by_another_column(others, naming, n_rows, file)
        if cells is None:
            pairing = in_order(n_rows, n_cells, file)
            return pairing if not naming else replace(pairing, said=order_is_taken(file, next(iter(naming))))
        return paired_with_numbers(cells, names, n_rows, n_cells, file)
    candidates = {header: values for header, values in names.items() if header in naming or not is_plain(values)}
    best = max(candidates, key=lambda header: len(shared_names(names[header], cells)), default=None)
    n_shared = 0 if best is None else len(shared_names(names[best], cells))
    if best is not None and n_shared in (len(set(cells)), n_rows):
        return Pairing(exact(names[best], cells, file), _told(best, names, file, n_shared))
    found = _respelled(cells, naming, file)
    if found is not None:
        header, respelling = found
        return Pairing(respelling.rows, f"{whose(header, file)} are paired with the cells {respelling.how}")
    if best is not None and n_shared >= _ENOUGH * min(n_cells, n_rows):
        return Pairing(exact(names[best], cells, file), _told(best, names, file, n_shared))
    joined = _joined_columns(names)
    found = _respelled(cells, joined, file)
    if found is not None:
        return Pairing(found[1].rows, f"{file}: {found[0]} joined name the cells, paired {found[1].how}")
    if n_shared:
        raise DataError(
            f"{file} and the matrix share {n_shared} names only, of {n_cells} cells and {n_rows} rows: they may be of "
            f"other samples; {ADVICE}"
        )
    if naming or joined:
        header, values = next(iter((naming or joined).items()))
        how, n_near = nearest_spelling(cells, values)
        near = f"; {n_near} of {n_cells} cells are found {how}" if n_near >= _ENOUGH * min(n_cells, n_rows) else ""
        raise DataError(
            f"{file} and the matrix both name the cells and share no name (the first is {shown(values[0])!r} there, "
            f"{shown(cells[0])!r} here){near}; {ADVICE}"
        )
    return in_order_unless_numbered(cells, names, n_rows, n_cells, file)


def n_named(names: np.ndarray | None, columns: Mapping[str, np.ndarray], file: str) -> int:
    """Return how many of ``names`` have a row: what tells which side of a table holds the cells.

    Args:
        names: (n,) of the rows or the columns of a table.
        columns: as in :func:`pair`.
        file: for messages.
    """
    if names is None or is_numbered(names):
        return 0
    naming = naming_columns(columns)
    n_equal = max((len(shared_names(values, names)) for values in naming.values()), default=0)
    found = _respelled(names, naming, file) if n_equal < len(set(names)) else None
    return n_equal if found is None else max(n_equal, int((found[1].rows >= 0).sum()))


def _by_another_column(
    others: Mapping[str, np.ndarray], naming: Mapping[str, np.ndarray], n_rows: int, file: str
) -> Pairing:
    """Return the pairing by another column of the matrix's file, where its index has no names.

    Raises:
        DataError: when both sides have names and none agree.
    """
    for header, cells in others.items():
        for their_header, values in naming.items():
            n_shared = len(shared_names(values, cells))
            found = None if n_shared in (len(set(cells)), n_rows) else respelled(cells, values, file)
            if found is not None or n_shared >= _ENOUGH * min(len(cells), n_rows):
                rows = exact(values, cells, file) if found is None else found.rows
                how = "" if found is None else f" {found.how}"
                return Pairing(rows, f"{whose(their_header, file)} are paired with {header!r} of the cells{how}")
    header, cells = next(iter(others.items()))
    values = next(iter(naming.values()))
    raise DataError(
        f"{file} and column {header!r} of the matrix both name the cells and share no name (the first is "
        f"{shown(values[0])!r} there, {shown(cells[0])!r} here); {ADVICE}"
    )


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


def _respelled(cells: np.ndarray, naming: Mapping[str, np.ndarray], file: str) -> tuple[str, Respelled] | None:
    """Return the column and the re-spelling that finds all cells, or all rows; the mildest of them."""
    for header, values in naming.items():
        found = respelled(cells, values, file)
        if found is not None:
            return header, found
    return None


def _told(header: str, names: Mapping[str, np.ndarray], file: str, n_shared: int) -> str | None:
    """Return a line when the names are not where they are looked for first."""
    return None if header == next(iter(names)) or n_shared == 0 else f"{whose(header, file)} name the cells"
