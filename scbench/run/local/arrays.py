"""The arrays of a run in its work folder: written by the process of the run, read again by the one that scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scbench.errors import StoreError
from scbench.store.cell_labels import CELL_LABELS

__all__ = ["DTYPES", "cannot_store", "read_array", "read_snapshots", "remove_arrays", "write_array"]

DTYPES: Mapping[str, type] = {"labels": np.int64, "embedding": np.float32, "soft": np.float32}
_SNAPSHOTS = "snapshots.npz"


def write_array(work: Path, name: str, array: np.ndarray) -> None:
    """Write one of ``DTYPES``; the file is made anew, for a link in its place may lead anywhere."""
    from scbench.data.cache import save_array  # the command removes arrays, and writes none

    path = work / f"{name}.npy"
    path.unlink(missing_ok=True)
    save_array(path, array.astype(DTYPES[name], copy=False))


def read_array(work: Path, name: str) -> np.ndarray | None:
    """Return an array of a run, None when there is none.

    Raises:
        ValueError: it is damaged, or holds pickled objects.
    """
    path = work / f"{name}.npy"
    if not path.exists():
        return None
    array: np.ndarray = np.load(path, allow_pickle=False)
    return array


def read_snapshots(work: Path, n_cells: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return epochs (n,) and labels (n, n_cells), None when there are no snapshots.

    Raises:
        ValueError: they are something else.
    """
    path = work / _SNAPSHOTS
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        epochs, labels = stored["epochs"], stored["labels"]
    if epochs.dtype.kind not in "iu" or labels.dtype.kind not in "iu" or labels.shape != (*epochs.shape, n_cells):
        raise ValueError(
            f"snapshots must be a whole number for each of {len(epochs)} epochs and {n_cells} cells, got "
            f"{labels.dtype} of shape {labels.shape}"
        )
    return epochs, labels


def remove_arrays(work: Path) -> None:
    """Remove the arrays of a run that has no result, and the labels of its cells."""
    for path in (*work.glob("*.npy"), *work.glob("*.npz"), work / CELL_LABELS):
        path.unlink(missing_ok=True)


def cannot_store(place: Path, error: OSError) -> StoreError:
    """Return the error for a result that the disk does not take."""
    return StoreError(f"the result cannot be written to {place} ({error}); free some space there and run again")
