"""AnnData in a zarr store: a folder, or a zip file of one."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.damage import readable
from scbench.data.readers.h5ad import read_anndata

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
        DataError: if the store is damaged, or a part is missing or of the wrong length.
    """
    import zarr
    from zarr.storage import ZipStore

    with readable(path, "a zarr store"):
        store = ZipStore(path, mode="r") if path.is_file() else None
        root = zarr.open_group(path if store is None else store, mode="r")
        try:
            return read_anndata(root, path.name, source, label)
        finally:
            if store is not None:
                store.close()
