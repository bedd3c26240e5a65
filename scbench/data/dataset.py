"""A parsed dataset: its counts, and its labels in a folder of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.cache import FileOrderCache, load_arrays
from scbench.data.subsample import Part
from scbench.errors import DataError
from scbench.inputs import Array
from scbench.method import Counts

__all__ = ["Dataset"]


@dataclass(frozen=True)
class Dataset:
    """A parsed dataset on disk. It can be sent to another process, which maps the same files.

    Attributes:
        name: name in tables and in the store.
        sha256: of the bytes of the file (with its label file), or of the parameters of a simulation.
        source: where the bytes came from.
        preprocessing: how the bytes were turned into counts and labels (part of a run's key).
        folder: the parsed counts; ``labels_path`` lies elsewhere.
        n_cells, n_genes: sizes.
        n_types: number of different labels; None without labels.
        is_counts: whether the matrix holds raw counts.
        warnings: lines to show once to the user.
        labels_from: where the labels are from, as messages have it; None without labels.
        part: of which dataset it is a random subsample; None when it is whole.
    """

    name: str
    sha256: str
    source: str
    preprocessing: dict[str, Any]
    folder: Path
    labels_path: Path | None
    n_cells: int
    n_genes: int
    n_types: int | None
    is_counts: bool
    warnings: tuple[str, ...]
    part: Part | None = None
    labels_from: str | None = None

    def described(self) -> str:
        """Return the line that says what was read: cells, genes and labels."""
        labels = "no labels" if self.n_types is None else f"labels from {self.labels_from} ({self.n_types} types)"
        return f"{self.name}: {self.n_cells} cells \N{MULTIPLICATION SIGN} {self.n_genes} genes, {labels}"

    @property
    def n_types_of_whole(self) -> int | None:
        """Return the number of types before any cell was left out, so that subsamples of a dataset share it."""
        return self.n_types if self.part is None else self.part.n_types

    def counts(self) -> Counts:
        """Return the counts in file order."""
        arrays = _stored(self.folder)
        genes = np.array(arrays["genes"], dtype=object) if "genes" in arrays else None
        return Counts(cast(csr_matrix, arrays["counts"]), genes, self.is_counts)

    def labels(self) -> np.ndarray | None:
        """Return the annotated types in file order, (n_cells,) str; only scoring may ask for them."""
        return None if self.labels_path is None else np.load(self.labels_path, allow_pickle=False)

    def cache(self, matrix: csr_matrix, order: np.ndarray | None = None) -> FileOrderCache:
        """Return the cache of derived inputs that serves ``matrix``.

        Args:
            matrix: the very object that methods will be given; any other is computed afresh.
            order: its permutation: row i is row ``order[i]`` of the file. None: file order.
        """
        rows = np.arange(self.n_cells) if order is None else order
        # A run can reach its cache, so the cache holds the folder of the counts and not this object.
        return FileOrderCache(self.folder / "derived", matrix, rows, partial(_stored_matrix, self.folder))


def _stored(folder: Path) -> dict[str, Array]:
    """Return the parsed arrays in file order."""
    try:
        arrays = load_arrays(folder / "arrays")
        if isinstance(arrays["counts"], csr_matrix):
            return arrays
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(
            f"the cached counts in {folder} are damaged ({error}); delete that folder and run again"
        ) from error
    raise DataError(f"the cached counts in {folder} are not sparse; delete that folder and run again")


def _stored_matrix(folder: Path) -> csr_matrix:
    """Return the parsed counts in file order."""
    return cast(csr_matrix, _stored(folder)["counts"])
