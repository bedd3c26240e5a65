"""Arrays that a run stored, some of which may be missing or damaged."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from scbench.store.array_header import HEAD_BYTES, array_header

__all__ = ["stored_array", "stored_snapshots"]

_MISSING_OR_DAMAGED = (OSError, ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def stored_array(path: Path) -> np.ndarray | None:
    """Return a stored array of numbers, or None when it cannot be read or is not whole."""
    try:
        with path.open("rb") as file:
            header = array_header(file.read(HEAD_BYTES))
        if header.n_bytes != path.stat().st_size:
            return None
        return np.asarray(np.load(path, allow_pickle=False))
    except _MISSING_OR_DAMAGED:
        return None


def stored_snapshots(path: Path, n_cells: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return epochs (n,) and labels (n, n_cells) of a run, or None when there are none that can be read and fit.

    Args:
        path: of ``snapshots.npz``.
        n_cells: labels of each epoch. Nothing is made room for before the sizes in the file are known to fit.
    """
    try:
        with zipfile.ZipFile(path) as stored:
            shapes = []
            for name in ("epochs.npy", "labels.npy"):
                with stored.open(name) as member:
                    header = array_header(member.read(HEAD_BYTES))
                if header.n_bytes != stored.getinfo(name).file_size:
                    return None
                shapes.append(header.shape)
        if len(shapes[0]) != 1 or shapes[1] != (*shapes[0], n_cells):
            return None
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays["epochs"]), np.asarray(arrays["labels"])
    except _MISSING_OR_DAMAGED:
        return None
