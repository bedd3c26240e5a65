"""An object of an R file as ``rdata`` parses it, with what its converter drops: attributes, names, doubled names, NA.

Nothing is converted before it is asked for: a Seurat object holds much that nobody wants, some of it unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["RNode"]

_NULL_SLOT = b"\x01NULL\x01"  # what R stores for NULL in a slot
_NUMBERS = ("INT", "LGL", "REAL")


class RNode:
    """One object.

    Attributes:
        kind: R's type, as ``rdata`` names it: ``VEC`` (list), ``STR``, ``INT``, ``LGL``, ``REAL``, ``S4``, ``ENV``, ...
    """

    def __init__(self, parsed: Any, encoding: str | None) -> None:
        """Wrap an ``rdata.parser.RObject`` (Any: ``rdata`` is optional); ``encoding`` is that of unmarked strings."""
        while parsed.info.type.name == "REF":
            parsed = parsed.referenced_object
        self._parsed = parsed
        self._encoding = encoding
        self.kind: str = parsed.info.type.name
        self._attributes: dict[str, RNode] | None = None

    @property
    def attributes(self) -> dict[str, RNode]:
        """Attributes by name; of an S4 object, its slots."""
        if self._attributes is None:
            chain = self._parsed.attributes
            self._attributes = {} if chain is None else dict(RNode(chain, self._encoding)._pairs())
        return self._attributes

    def attribute(self, name: str) -> RNode | None:
        """Return an attribute or slot; None where there is none, and for NULL."""
        found = self.attributes.get(name)
        return None if found is None or found.is_null else found

    @property
    def is_null(self) -> bool:
        """Whether this is R's NULL."""
        if self.kind == "SYM":
            return bool(self._parsed.value.value == _NULL_SLOT)
        return self.kind in ("NIL", "NILVALUE")

    @property
    def classes(self) -> tuple[str, ...]:
        """Values of the attribute ``class``; empty for plain vectors and matrices."""
        named = self.attribute("class")
        return () if named is None else tuple(text or "" for text in named.texts())

    @property
    def class_name(self) -> str:
        """The class to name in a message."""
        plain = {"VEC": "list", "STR": "character", "INT": "integer", "LGL": "logical", "REAL": "numeric"}
        plain |= {"CLO": "function", "ENV": "environment", "CPLX": "complex", "NIL": "NULL", "NILVALUE": "NULL"}
        return (self.classes or (plain.get(self.kind, self.kind.lower()),))[0]

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The attribute ``dim``, or None."""
        dim = self.attribute("dim")
        return None if dim is None else tuple(int(size) for size in dim.numbers())

    @property
    def length(self) -> int:
        """Number of elements of a vector or list."""
        return len(self._parsed.value)

    @property
    def is_numbers(self) -> bool:
        """Whether this is a vector or array of numbers that stand for themselves (a factor is not)."""
        return self.kind in _NUMBERS and self.attribute("levels") is None

    def numbers(self) -> np.ndarray:
        """Return a flat vector of int32, bool or float64, with a mask where integers or logicals are NA.

        ``integer64`` of the package bit64, which R stores in the bytes of doubles, becomes int64.
        """
        values: np.ndarray = self._parsed.value
        if "integer64" not in self.classes:
            return values
        wide = values.view(np.int64)
        return np.ma.masked_array(wide, mask=wide == np.iinfo(np.int64).min)

    def texts(self) -> np.ndarray:
        """Return a character vector as object array of str, None where it is NA."""
        out = np.empty(self.length, dtype=object)
        for i, item in enumerate(self._parsed.value):
            out[i] = self._decoded(item)
        return out

    @property
    def elements(self) -> list[RNode]:
        """The elements of a list."""
        return [RNode(item, self._encoding) for item in self._parsed.value]

    def members(self) -> Iterator[tuple[str, RNode]]:
        """Yield (name, value) of a named list, an environment, or the slots of an S4 object, in order.

        Of doubled names all are given, as R does; R answers with the first.
        """
        if self.kind == "VEC" and (names := self.attribute("names")) is not None:
            for name, value in zip(names.texts(), self.elements, strict=True):
                yield name or "", value
        elif self.kind == "LIST":
            yield from self._pairs()
        elif self.kind == "ENV":
            yield from self._bindings()
        elif self.kind == "S4":
            yield from self.attributes.items()

    def member(self, name: str) -> RNode | None:
        """Return the first member of this name; None where there is none, and for NULL."""
        return next((value for key, value in self.members() if key == name and not value.is_null), None)

    def _pairs(self) -> Iterator[tuple[str, RNode]]:
        """Yield (tag, value) of a pairlist."""
        link = self
        while link.kind == "LIST":
            value, rest = link._parsed.value
            tag = link._parsed.tag
            yield (
                "" if tag is None else str(self._decoded(RNode(tag, None)._parsed.value)),
                RNode(value, self._encoding),
            )
            link = RNode(rest, self._encoding)

    def _bindings(self) -> Iterator[tuple[str, RNode]]:
        value = self._parsed.value
        yield from RNode(value.frame, self._encoding)._pairs()
        table = RNode(value.hash_table, self._encoding)
        for chain in table.elements if table.kind == "VEC" else ():
            yield from chain._pairs()

    def _decoded(self, char: Any) -> str | None:
        """Return an element of a character vector."""
        stored: bytes | None = char.value
        if stored is None:
            return None
        latin = bool(char.info.gp & 4)
        for encoding in ("latin-1",) if latin else ("utf-8", self._encoding or "latin-1"):
            try:
                return stored.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
        return stored.decode("latin-1")
