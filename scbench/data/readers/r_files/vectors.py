"""Vectors of R as labels or names: character, factor, logical, integer and double, run-length encoded ones, with NA."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from scbench.data.readers.labels import text_names
from scbench.data.readers.r_files.node import RNode

__all__ = ["RVector", "names_of", "plain_vector"]


_MOST_OF_RUNS = 2**26  # values of a run-length encoded vector: any number can be declared in 8 bytes


@dataclass(frozen=True)
class RVector:
    """A vector.

    Attributes:
        node: what R stored; a ``Rle`` (run-length encoded, of Bioconductor) is one, too.
        length: number of elements.
        part: for a column of a matrix, the elements that it has there.
    """

    node: RNode
    length: int
    part: slice | None = None

    @property
    def is_text(self) -> bool:
        """Whether it holds words: what may name the cells."""
        node = self.node if self.node.kind != "S4" else self.node.attributes["values"]
        return node.kind == "STR" or node.attribute("levels") is not None

    def values(self) -> np.ndarray:
        """Return (length,) object array of str, int, float or bool, None for NA."""
        values = _values(self.node)
        return values if self.part is None else values[self.part]

    def texts(self) -> np.ndarray:
        """Return (length,) object array of str, ``NA`` for a missing one."""
        return text_names(self.values())


def plain_vector(node: RNode) -> RVector | None:
    """Return a node as vector, or None when it is something else or a matrix of several columns."""
    shape = node.shape
    if shape is not None and any(size != 1 for size in shape[1:]):
        return None
    if node.kind in ("STR", "INT", "LGL", "REAL"):
        return RVector(node, node.length)
    if node.kind == "S4" and {"values", "lengths"} <= set(node.attributes):
        lengths = node.attributes["lengths"]
        is_whole = lengths.kind == "INT" and plain_vector(node.attributes["values"]) is not None
        length = int(lengths.numbers().sum(dtype=np.int64)) if is_whole else _MOST_OF_RUNS + 1
        return RVector(node, length) if length <= _MOST_OF_RUNS else None
    if node.kind == "VEC" and not node.classes and node.length:
        is_flat = all(item.length == 1 for item in node.elements if item.kind in ("STR", "INT", "LGL", "REAL"))
        is_flat = is_flat and all(item.kind in ("STR", "INT", "LGL", "REAL", "NILVALUE") for item in node.elements)
        return RVector(node, node.length) if is_flat else None
    return None


def names_of(node: RNode, dimension: int = 0) -> np.ndarray | None:
    """Return ``names``, or the names along a dimension of an array; None where R has none, or only empty ones."""
    named = node.attribute("names") if node.shape is None else node.attribute("dimnames")
    if named is not None and node.shape is not None:
        sides = named.elements
        named = sides[dimension] if dimension < len(sides) and not sides[dimension].is_null else None
    if named is None or named.kind != "STR":
        return None
    names = text_names(named.texts())
    return names if any(names) else None


def _values(node: RNode) -> np.ndarray:
    if node.kind == "STR":
        return node.texts()
    if node.kind == "S4":
        return np.repeat(_values(node.attributes["values"]), np.asarray(node.attributes["lengths"].numbers()))
    if node.kind == "VEC":
        return _filled(None if item.is_null else _values(item)[0] for item in node.elements)
    numbers = node.numbers()
    plain = np.ma.getdata(numbers)
    levels = node.attribute("levels")
    if levels is not None:
        words = _filled([*levels.texts(), None])
        is_level = ~np.ma.getmaskarray(numbers) & (plain >= 1) & (plain < len(words))
        return np.asarray(words[np.where(is_level, plain - 1, len(words) - 1).astype(np.int64)])
    values = plain.astype(object)
    values[np.ma.getmaskarray(numbers)] = None
    return values


def _filled(items: Iterable[object]) -> np.ndarray:
    """Return an object array that numpy does not take apart."""
    listed = list(items)
    out = np.empty(len(listed), dtype=object)
    out[:] = listed
    return out
