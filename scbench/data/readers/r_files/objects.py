"""R files through the optional package ``rdata``: the objects in them, and their members by name."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

from scbench.data.readers.r_files.node import RNode
from scbench.data.readers.r_files.sequences import bounded_sequences
from scbench.errors import DataError
from scbench.names import nearest

__all__ = ["THE_OBJECT", "NotReadError", "find", "load_r", "placed"]

THE_OBJECT = "object"
"""Name of the one object of a file made by ``saveRDS``, which has none."""

_DEEPEST = 6  # lists in lists that are looked into
_NAMED_AT_MOST = 20


class NotReadError(DataError):
    """``rdata`` cannot read a file, so that it has to be converted or fetched again."""


def load_r(path: Path) -> dict[str, RNode]:
    """Return the objects of a file made by ``save`` by name, or the one of ``saveRDS`` as ``object``.

    Which of the two made it is told from its content.

    Raises:
        DataError: if there is no such file, ``rdata`` is not installed, or sequences are longer than the file can mean.
        NotReadError: if ``rdata`` cannot read it.
    """
    try:
        from rdata import parser
    except ImportError as error:
        raise DataError(
            f"{path.name} is an R file and the package rdata is missing: pip install 'scbench[r]', "
            "or convert it in R (write.csv of the matrix and of the labels)"
        ) from error
    if not path.is_file():
        raise DataError(f"{path} does not exist; check the path or fetch the file again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about suffixes
            parsed = parser.parse_file(path, altrep_constructor_dict=bounded_sequences(path))
        root = RNode(parsed.object, parsed.extra.encoding)
    except DataError:
        raise
    except Exception as error:  # rdata raises many types on damage, down to assertions
        found = " ".join(str(error).split())[:300] or type(error).__name__
        raise NotReadError(
            f"{path.name} cannot be read as an R file: {found}. Fetch it again, or save only what is needed in R: "
            "saveRDS(list(data=<matrix of genes x cells>, label=<labels of the cells>), 'new.rds')"
        ) from error
    return dict(root.members()) if root.kind == "LIST" else {THE_OBJECT: root}


def find(objects: Mapping[str, RNode], name: str, file: str) -> RNode:
    """Return the element called ``name``, wherever it sits in nested lists or S4 slots, the outermost first.

    ``list/name`` says in which list.

    Raises:
        DataError: if there is none; lists the names seen.
    """
    every = placed(objects, slots=True)
    for place, node in every.items():
        if name in (place, place.rpartition("/")[2]):
            return node
    seen = list(dict.fromkeys(place.rpartition("/")[2] for place in every))
    close = nearest(name, seen)
    hint = f" Did you mean {close!r}?" if close else ""
    raise DataError(f"{file} has no element {name!r}.{hint} Found: {', '.join(seen[:_NAMED_AT_MOST])}")


def placed(objects: Mapping[str, RNode], *, slots: bool = False) -> dict[str, RNode]:
    """Return all objects and members of lists, breadth first, under ``list/member``; of doubled ones the first.

    What is in the one object of ``saveRDS`` is named without its list.

    Args:
        objects: of :func:`load_r`.
        slots: whether to look into S4 objects and data frames, too.
    """
    found: dict[str, RNode] = {}
    level = [(name, node) for name, node in objects.items() if not node.is_null]
    for _ in range(_DEEPEST):
        for place, node in level:
            found.setdefault(place, node)
        level = [
            (name if place == THE_OBJECT else f"{place}/{name}", member)
            for place, node in level
            if slots or (node.kind in ("VEC", "ENV") and not {"data.frame", "factor"} & set(node.classes))
            for name, member in node.members()
            if not member.is_null
        ]
    return found
