"""Links of an HDF5 file that leave it."""

from __future__ import annotations

from typing import Any

import h5py

from scbench.errors import DataError

__all__ = ["refuse_links_elsewhere"]

_WITHIN = (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT)


def refuse_links_elsewhere(file: h5py.File, shown: str) -> None:
    """Check that no link of a file leads to another file, before anything is opened through one.

    Hard and soft links stay within a file: they are names of its own members. A soft link leaves it only through a
    link that does, and that is found here. Each group is visited once, so groups that hold themselves are no loop.

    Raises:
        DataError: if one does; a checksum of this file says nothing of the other.
    """

    def elsewhere(name: bytes, info: Any) -> bytes | None:  # Any: h5py has no types
        return None if info.type in _WITHIN else name

    root = file["/"]  # kept: the visitor does not keep it open
    found = root.id.links.visit(elsewhere, info=True)
    if found is None:
        return
    name = found.decode("utf-8", errors="replace")
    link = root.get(name, getlink=True) if root.id.links.get_info(found).type == h5py.h5l.TYPE_EXTERNAL else None
    target = "" if link is None else f" ({link.filename})"
    raise DataError(
        f"{shown}: {name!r} is a link to another file{target}, of which a checksum of this one says nothing; copy what "
        "it leads to into this file (h5repack, or h5py: read and write it), or delete the link"
    )
