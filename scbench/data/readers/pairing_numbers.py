"""Cells that are only numbered, and names that hold numbers: where the order of rows may be taken, and where not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from scbench.data.readers.descriptions import is_name_column
from scbench.data.readers.labels import shown
from scbench.data.readers.pairing_basics import (
    ADVICE,
    Pairing,
    exact,
    in_order,
    is_numbered,
    naming_columns,
    order_is_taken,
)
from scbench.data.readers.respelling import respelled
from scbench.errors import DataError

__all__ = ["in_order_unless_numbered", "paired_with_numbers"]

_LAST_NUMBER = re.compile(r"(\d+)\D*$")


def paired_with_numbers(
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
            return Pairing(exact(values, cells, file))
        if is_name and n_rows == n_cells and is_numbered(values):
            return in_order(n_rows, n_cells, file)
        if is_name_column(header) or is_numbered(values):
            if set(values) <= set(cells) and not (is_numbered(values) and values[0] != cells[0]):
                said = (
                    f"{file}: rows and cells have numbers only ({header!r}); nothing else proves that they are the same"
                )
                return Pairing(exact(values, cells, file), said)
            raise DataError(
                f"{file} numbers its rows otherwise than the matrix its cells (the first is {values[0]!r} there, "
                f"{cells[0]!r} here); {ADVICE}"
            )
    pairing = in_order(n_rows, n_cells, file)
    naming = naming_columns(names)
    for values in naming.values():
        found = respelled(cells, values, file)
        if found is None or (found.rows == pairing.rows).all():
            continue
        raise DataError(
            f"{file} names its rows with the numbers of the cells, but in another order (the first is "
            f"{values[0]!r} there, {cells[0]!r} here); {ADVICE}"
        )
    return pairing if not naming else replace(pairing, said=order_is_taken(file, next(iter(naming))))


def in_order_unless_numbered(
    cells: np.ndarray, names: Mapping[str, np.ndarray], n_rows: int, n_cells: int, file: str
) -> Pairing:
    """Return the order of the rows for cells that have names, when no column has any.

    Raises:
        DataError: when a column of numbers says another order: its numbers are those in the names of the cells.
    """
    pairing = in_order(n_rows, n_cells, file)
    for header, values in names.items():
        if len(set(values)) < n_rows or not all(value.isdecimal() for value in values):
            continue
        in_names = [int(digits[1]) if (digits := _LAST_NUMBER.search(cell)) else -1 for cell in cells]
        numbers = [int(value) for value in values]
        if set(in_names) == set(numbers) and in_names != numbers:
            raise DataError(
                f"{file}: column {header!r} holds the numbers in the names of the cells, but in another order (the "
                f"first is {values[0]!r} there, {cells[0]!r} here); {ADVICE}"
            )
    said = (
        f"{file} has no names of cells and the matrix has (the first is {shown(cells[0])!r}), so labels are taken in "
        "the order of its rows"
    )
    return replace(pairing, said=said)
