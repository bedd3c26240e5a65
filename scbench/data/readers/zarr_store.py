"""AnnData in a zarr store: a folder, or a zip file of one."""

from __future__ import annotations

import os
from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.damage import readable
from scbench.data.readers.h5ad import read_anndata
from scbench.errors import DataError

__all__ = ["is_zarr", "read"]

_MARKS = (".zgroup", "zarr.json", ".zmetadata")


def is_zarr(path: Path) -> bool:
    """Return whether a path is a zarr store."""
    if path.is_dir():
        return any((path / mark).is_file() for mark in _MARKS)
    return path.name.lower().endswith(".zarr.zip")


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return an AnnData store of zarr version 2 or 3; ``source.matrix`` as in ``h5ad``.

    Raises:
        DataError: if the store is damaged, a part is missing or of the wrong length, or is a link to another folder.
    """
    import zarr
    from zarr.storage import ZipStore

    _refuse_linked_folders(path)
    with readable(path, "a zarr store"):
        store = ZipStore(path, mode="r") if path.is_file() else None
        root = zarr.open_group(path if store is None else store, mode="r")
        try:
            return read_anndata(root, path.name, source, label)
        finally:
            if store is not None:
                store.close()


def _refuse_linked_folders(path: Path) -> None:
    """Check that no folder of a store is a link: what is behind it is not in the checksum of the store."""
    for folder, below, _ in os.walk(path):
        linked = next((name for name in below if os.path.islink(os.path.join(folder, name))), None)
        if linked is not None:
            place = os.path.relpath(os.path.join(folder, linked), path)
            raise DataError(
                f"{path.name}: {place} is a link to another folder, of which a checksum of the store says nothing; "
                "copy that folder into the store"
            )
