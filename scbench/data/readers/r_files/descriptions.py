"""What describes the cells in an R file: data frames (base R, tibble, Bioconductor), tables of words, and vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scbench.data.readers.labels import text_names
from scbench.data.readers.r_files.node import RNode
from scbench.data.readers.r_files.vectors import RVector, names_of, plain_vector
from scbench.errors import DataError

__all__ = ["Column", "Descriptions", "Words", "described", "frame_columns", "row_names", "table_of", "vector_of"]


class Column(Protocol):
    """One value for each row; see ``RVector``."""

    @property
    def is_text(self) -> bool:
        """Whether it may name the rows."""

    def values(self) -> np.ndarray:
        """Return an object array, None where a value is missing."""

    def texts(self) -> np.ndarray:
        """Return an object array of str."""


@dataclass(frozen=True)
class Words:
    """A column of a file of text."""

    words: np.ndarray
    is_text: bool = True

    def values(self) -> np.ndarray:
        """Return the words."""
        return self.words

    def texts(self) -> np.ndarray:
        """Return the words."""
        return self.words


@dataclass(frozen=True)
class Descriptions:
    """Rows that describe cells.

    Attributes:
        name: of the object.
        n_rows: number of rows.
        columns: name -> values; of doubled columns the first, as R answers. A vector is one column of its own name.
        row_names: (n_rows,) str, or None where R only numbers the rows.
        are_numbers: whether ``row_names`` are numbers that R kept when rows were taken out or moved.
    """

    name: str
    n_rows: int
    columns: Mapping[str, Column]
    row_names: np.ndarray | None = None
    are_numbers: bool = False

    @property
    def are_moved_numbers(self) -> bool:
        """Whether R's numbers of the rows say that rows were moved."""
        return self.are_numbers and self.row_names is not None and not _is_rising(self.row_names)

    def naming(self, label: str, cells: np.ndarray | None) -> dict[str, np.ndarray]:
        """Return the columns that may name the cells, the row names first under ``""``; not that of the labels.

        Row numbers that only leave some out say nothing, unless the cells bear such numbers.
        """
        texts = {key: vector.texts() for key, vector in self.columns.items() if key != label and vector.is_text}
        names = self.row_names
        if names is not None and self.are_numbers and not self.are_moved_numbers:
            names = names if cells is not None and set(names) & set(cells) else None
        return texts if names is None else {"": names, **texts}


def described(node: RNode, name: str) -> Descriptions | None:
    """Return a data frame, a table of words or a vector; None for anything else, also for a matrix of numbers."""
    columns = frame_columns(node)
    if columns is not None:
        n_rows = _n_rows(node, columns)
        fitting: dict[str, RVector] = {}
        for key, vector in columns:
            if vector is not None and vector.length == n_rows:
                fitting.setdefault(key, vector)
        names, are_numbers = row_names(node)
        return Descriptions(name, n_rows, fitting, names, are_numbers)
    short = name.rpartition("/")[2]
    if (vector := plain_vector(node)) is not None:
        return Descriptions(name, vector.length, {short: vector}, names_of(node))
    shape = node.shape
    if node.kind == "STR" and shape is not None and len(shape) == 2:
        headers = names_of(node, 1)
        keys = [str(i + 1) for i in range(shape[1])] if headers is None else list(headers)
        parts: dict[str, RVector] = {}
        for i, key in enumerate(keys):
            parts.setdefault(key, RVector(node, shape[0], slice(i * shape[0], (i + 1) * shape[0])))
        return Descriptions(name, shape[0], parts, names_of(node, 0))
    return None


def table_of(node: RNode, name: str, file: str) -> Descriptions:
    """Return what :func:`described` does.

    Raises:
        DataError: if the element is no table.
    """
    table = described(node, name)
    if table is None:
        raise DataError(
            f"{file}: element {name!r} is not a table of cells but {node.class_name}; "
            "write the file again with a data frame"
        )
    return table


def vector_of(node: RNode, name: str, file: str) -> Descriptions:
    """Return a vector, factor or table of one column.

    Raises:
        DataError: if the element is something else.
    """
    table = described(node, name)
    if table is None or len(table.columns) != 1:
        raise DataError(
            f"{file}: element {name!r} is not a vector of labels but {node.class_name}; "
            "set dataset.label to an element that is"
        )
    return table


def frame_columns(node: RNode) -> list[tuple[str, RVector | None]] | None:
    """Return the columns of a data frame with their names, doubled ones, too; None for what is no data frame.

    A column that is itself a table or a list has no vector.
    """
    if node.kind == "VEC" and "data.frame" in node.classes:
        listed = node
    elif node.kind == "S4" and {"listData", "nrows"} <= set(node.attributes):
        listed = node.attributes["listData"]
    else:
        return None
    return [(key, None if value.is_null else plain_vector(value)) for key, value in listed.members()]


def row_names(node: RNode) -> tuple[np.ndarray | None, bool]:
    """Return the row names of a data frame, None where R only numbers the rows, and whether they are numbers."""
    named = node.attribute("rownames" if node.kind == "S4" else "row.names")
    if named is None:
        return None, False
    if named.kind == "STR":
        return text_names(named.texts()), False
    numbers = named.numbers()
    if np.ma.getmaskarray(numbers).any():  # c(NA, -n) stands for 1, ..., n
        return None, False
    return text_names(np.ma.getdata(numbers)), True


def _n_rows(node: RNode, columns: Iterable[tuple[str, RVector | None]]) -> int:
    if node.kind == "S4":
        return int(node.attributes["nrows"].numbers()[0])
    named = node.attribute("row.names")
    if named is not None and named.kind != "STR" and np.ma.getmaskarray(named.numbers()).any():
        return abs(int(np.ma.getdata(named.numbers())[-1]))
    if named is not None:
        return named.length
    return next((vector.length for _, vector in columns if vector is not None), 0)


def _is_rising(names: np.ndarray) -> bool:
    numbers = np.asarray([int(float(name)) for name in names])
    return bool((np.diff(numbers) > 0).all())
