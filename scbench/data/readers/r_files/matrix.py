"""Matrices of R as sparse ones: of base R, of the package Matrix, and data frames of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix

from scbench.data.labelled import LabelledCounts
from scbench.data.readers import stacking
from scbench.data.readers.declared import refuse_unstored
from scbench.data.readers.labels import text_names
from scbench.data.readers.r_files.descriptions import frame_columns, row_names
from scbench.data.readers.r_files.node import RNode
from scbench.data.readers.r_files.vectors import RVector, names_of
from scbench.errors import DataError

__all__ = ["RMatrix", "matrix_of", "shape_of"]

_SLOTS = ("i", "j", "p", "x")
_POINTER_BYTES = 8
_GENERAL = re.compile("[dln]g[CRTe]Matrix")  # values double, logical or none; by columns, rows, triplets, or dense


@dataclass(frozen=True)
class RMatrix:
    """A matrix, held by its columns: in R these are the cells.

    Attributes:
        columns: (n_columns, n_rows) CSR float32.
        row_names: (n_rows,) object array of str, or None.
        column_names: (n_columns,) object array of str, or None.
    """

    columns: csr_matrix
    row_names: np.ndarray | None
    column_names: np.ndarray | None

    def counts(self, *, genes_in_rows: bool = True, said: tuple[str, ...] = ()) -> LabelledCounts:
        """Return it as cells x genes without labels; ``said`` becomes the warnings."""
        if genes_in_rows:
            return LabelledCounts(self.columns, None, self.row_names, self.column_names, said)
        return LabelledCounts(stacking.transposed(self.columns), None, self.column_names, self.row_names, said)


def shape_of(node: RNode) -> tuple[int, int] | None:
    """Return rows and columns of what :func:`matrix_of` reads as matrix; None for anything else.

    A data frame is one when more than one of its columns holds numbers.
    """
    if node.kind == "S4":
        if _is_matrix_class(node.class_name) and "Dim" in node.attributes:
            rows, columns = node.attributes["Dim"].numbers()
            return int(rows), int(columns)
    elif node.shape is not None:
        return (node.shape[0], node.shape[1]) if len(node.shape) == 2 and node.is_numbers else None
    vectors = frame_columns(node)
    numbers = [vector for _, vector in vectors or () if vector is not None and vector.node.is_numbers]
    return (numbers[0].length, len(numbers)) if len(numbers) > 1 else None


def matrix_of(node: RNode, name: str, file: str) -> RMatrix:
    """Return a matrix without making a sparse one dense; NA becomes NaN, other values stay as they are stored.

    Of a data frame, the columns of numbers are read; a first column of different words names its rows.

    Raises:
        DataError: if the element is not a matrix of numbers, or declares sizes far beyond its values.
    """
    shape = shape_of(node)
    if shape is None:
        found = "a vector" if node.shape is None and node.is_numbers else node.class_name
        raise DataError(
            f"{file}: element {name!r} is not a matrix of numbers but {found}; "
            "set dataset.matrix to the one of the counts"
        )
    if node.kind == "S4" and "Dim" in node.attributes:
        dimnames = [None if side.is_null else text_names(side.texts()) for side in node.attributes["Dimnames"].elements]
        n_stored = sum(slot.length for key, slot in node.attributes.items() if key in _SLOTS)
        refuse_unstored(file, f"element {name!r}", (max(shape),), _POINTER_BYTES, n_stored * _POINTER_BYTES)
        return RMatrix(_sparse(node, shape), *dimnames)
    if node.shape is not None:
        return RMatrix(_dense(node.numbers(), shape), names_of(node, 0), names_of(node, 1))
    return _of_frame(node, shape)


def _dense(flat: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    """Return values that R stores column by column as (n_columns, n_rows)."""
    by_columns = flat.reshape(shape[::-1])
    blocks = (
        _floats(by_columns[start : start + step]) for step in (_step(shape[0]),) for start in range(0, shape[1], step)
    )
    return stacking.stack(blocks, shape=(0, shape[0]))


def _step(n_rows: int) -> int:
    """Return how many columns are held dense at a time."""
    return max(1, stacking.BLOCK_BYTES // (8 * max(n_rows, 1)))


def _is_matrix_class(name: str) -> bool:
    """Return whether a class of Matrix holds a general matrix by its stored values."""
    return _GENERAL.fullmatch(name) is not None


def _sparse(node: RNode, shape: tuple[int, int]) -> csr_matrix:
    """Return a matrix of the package Matrix, (n_columns, n_rows)."""
    layout, slots = node.class_name[2], node.attributes
    if layout == "e":
        return _dense(slots["x"].numbers(), shape)
    places = [np.ma.getdata(slots[name].numbers()) for name in ("i", "j", "p") if name in slots]
    values = _floats(slots["x"].numbers()) if "x" in slots else np.ones(len(places[0]), dtype=np.float32)
    if layout == "C":
        i, p = places
        return csr_matrix((values, i, p), shape=shape[::-1])
    if layout == "R":
        j, p = places
        return csr_matrix(csc_matrix((values, j, p), shape=shape[::-1]))
    i, j = places
    joined = csr_matrix(coo_matrix((values, (j, i)), shape=shape[::-1]))  # adds what stands twice, as Matrix does
    if node.class_name[0] != "d":
        joined.data = np.minimum(joined.data, 1)
    return joined


def _of_frame(node: RNode, shape: tuple[int, int]) -> RMatrix:
    columns = frame_columns(node) or []
    numbers = [(key, vector) for key, vector in columns if vector is not None and vector.node.is_numbers]
    step = _step(shape[0])

    def blocks() -> Iterator[np.ndarray]:
        for start in range(0, len(numbers), step):
            yield np.stack([_floats(vector.node.numbers()) for _, vector in numbers[start : start + step]])

    names, are_numbers = row_names(node)
    if names is None or are_numbers:
        names = _different_words(columns[0][1])
    headers = text_names(key for key, _ in numbers)
    return RMatrix(stacking.stack(blocks(), shape=(0, shape[0])), names, headers)


def _different_words(vector: RVector | None) -> np.ndarray | None:
    """Return a column of words that are all different: read.csv and tibbles keep the names of rows in one."""
    if vector is None or not vector.is_text:
        return None
    words = vector.texts()
    return words if len(set(words)) == len(words) else None


def _floats(values: np.ndarray) -> np.ndarray:
    """Return numbers as float32, NaN where they are NA."""
    with np.errstate(over="ignore"):  # what is beyond float32 becomes inf, which the loader refuses
        floats = np.ma.getdata(values).astype(np.float32)
    if np.ma.is_masked(values):
        floats[np.ma.getmaskarray(values)] = np.nan
    return np.asarray(floats)
