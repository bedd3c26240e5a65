"""The counts of a dataset as they lie in the cache, which is all of a dataset that the process of a run is given."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scbench.errors import DataError
from scbench.method import Counts

# The command hands these to the processes of runs without a look at the counts, and imports nothing of scipy for it.
if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from scbench.data.cache import FileOrderCache
    from scbench.inputs import Array

__all__ = ["StoredCounts"]


@dataclass(frozen=True)
class StoredCounts:
    """Counts without labels, in an order that tells nothing of the file's (see ``scbench.data.stored_order``).

    Attributes:
        folder: where they lie. Its name does not tell the dataset.
        is_counts: whether they are raw counts.
    """

    folder: Path
    is_counts: bool

    def counts(self) -> Counts:
        """Return the counts in stored order.

        Raises:
            DataError: they are damaged.
        """
        arrays = _arrays(self.folder)
        genes = np.array(arrays["genes"], dtype=object) if "genes" in arrays else None
        return Counts(_matrix_of(arrays, self.folder), genes, self.is_counts)

    def cache(self, matrix: csr_matrix, order: np.ndarray, foreign: str = "") -> FileOrderCache:
        """Return the cache of derived inputs that serves ``matrix``.

        Args:
            matrix: the very object that methods will be given; any other is computed afresh.
            order: row i of ``matrix`` is row ``order[i]`` of the stored counts.
            foreign: package of a method that is not scbench's own. What it computes is kept for itself: it may have
                changed the libraries that it computes with, and other methods' inputs must not depend on that.
        """
        from scbench.data.cache import FileOrderCache

        shared = self.folder / "derived"
        own = self.folder / f"derived-{hashlib.sha256(foreign.encode()).hexdigest()[:16]}" if foreign else None
        return FileOrderCache(shared, matrix, order, partial(_stored_matrix, self.folder), own)


def _arrays(folder: Path) -> dict[str, Array]:
    """Return the parsed arrays."""
    from scbench.data.cache import load_arrays

    try:
        return load_arrays(folder / "arrays")
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise _damaged(folder, str(error)) from error


def _matrix_of(arrays: Mapping[str, Array], folder: Path) -> csr_matrix:
    """Return the counts among the parsed arrays."""
    counts = arrays.get("counts")
    if counts is None:
        raise _damaged(folder, "'counts'")
    if isinstance(counts, np.ndarray):
        raise DataError(f"the cached counts in {folder} are not sparse; delete that folder and run again")
    return counts


def _damaged(folder: Path, why: str) -> DataError:
    """Return the error for counts that cannot be read."""
    return DataError(f"the cached counts in {folder} are damaged ({why}); delete that folder and run again")


def _stored_matrix(folder: Path) -> csr_matrix:
    """Return the parsed counts in stored order."""
    return _matrix_of(_arrays(folder), folder)
