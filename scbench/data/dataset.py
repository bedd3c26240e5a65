"""A parsed dataset: its counts, and apart from them, sealed, its labels and the order of its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scbench.data.sealed import read_sealed
from scbench.errors import DataError
from scbench.method import Counts

# A command whose runs are all stored asks for names and sizes only, and imports nothing of scipy for them.
if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from scbench.data.cache import FileOrderCache
    from scbench.data.stored_counts import StoredCounts
    from scbench.data.subsample import Part

__all__ = ["Dataset"]


@dataclass(frozen=True)
class Dataset:
    """A parsed dataset on disk. It can be sent to another process, which maps the same files.

    Attributes:
        name: name in tables and in the store.
        sha256: of the bytes of the file (with its label file), or of the parameters of a simulation.
        source: where the bytes came from.
        preprocessing: how the bytes were turned into counts and labels (part of a run's key).
        folder: the parsed counts in stored order; ``labels_path`` and ``order_path`` lie elsewhere.
        labels_path: the sealed labels in file order; None without labels.
        n_cells, n_genes: sizes.
        n_types: number of different labels; None without labels.
        is_counts: whether the matrix holds raw counts.
        warnings: lines to show once to the user.
        labels_from: where the labels are from, as messages have it; None without labels.
        part: of which dataset it is a random subsample; None when it is whole.
        order_path: the sealed order of the file; None when the counts are stored in it.
        cells_path: the sealed names of the cells in file order; None where labels are not taken home: all but a user's
            own file.
        n_in_file: number of cells before any was left out; None where that is not known.
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
    order_path: Path | None = None
    cells_path: Path | None = None
    n_in_file: int | None = None

    def described(self) -> str:
        """Return the line that says what was read: cells, genes and labels."""
        labels = "no labels" if self.n_types is None else f"labels from {self.labels_from} ({self.n_types} types)"
        return f"{self.name}: {self.n_cells} cells \N{MULTIPLICATION SIGN} {self.n_genes} genes, {labels}"

    @property
    def n_types_of_whole(self) -> int | None:
        """Return the number of types before any cell was left out, so that subsamples of a dataset share it."""
        return self.n_types if self.part is None else self.part.n_types

    @property
    def stored(self) -> StoredCounts:
        """Return what the process of a run may have of it."""
        from scbench.data.stored_counts import StoredCounts

        return StoredCounts(self.folder, self.is_counts)

    def counts(self) -> Counts:
        """Return the counts in file order."""
        from scipy.sparse import csr_matrix

        stored = self.stored.counts()
        return Counts(csr_matrix(stored.matrix[np.argsort(self.order())]), stored.genes, stored.is_counts)

    def order(self) -> np.ndarray:
        """Return the stored order, (n_cells,) int64: row i of the stored counts is row ``order[i]`` of the file."""
        if self.order_path is None:
            return np.arange(self.n_cells)
        return self._unsealed(self.order_path)["order"]

    def labels(self) -> np.ndarray | None:
        """Return the annotated types in file order, (n_cells,) str; only scoring may ask for them."""
        if self.labels_path is None:
            return None
        sealed = self._unsealed(self.labels_path)
        types: np.ndarray = sealed["types"][sealed["codes"]]
        return types

    def cells(self) -> np.ndarray | None:
        """Return the names of the cells in file order, (n_cells,) str; None for all but a user's own file."""
        return None if self.cells_path is None else self._unsealed(self.cells_path)["cells"]

    def cache(self, matrix: csr_matrix, order: np.ndarray | None = None) -> FileOrderCache:
        """Return the cache of derived inputs that serves ``matrix``. It is for the command, not for a method.

        Args:
            matrix: the very object that will be asked for; any other is computed afresh.
            order: its permutation: row i is row ``order[i]`` of the file. None: file order.
        """
        place_in_stored = np.argsort(self.order())
        return self.stored.cache(matrix, place_in_stored if order is None else place_in_stored[order])

    def _unsealed(self, path: Path) -> dict[str, np.ndarray]:
        """Return what is kept apart in one file."""
        try:
            return read_sealed(path, self.sha256)
        except (OSError, ValueError) as error:
            raise DataError(
                f"the cached labels in {path} are damaged ({error}); delete {self.folder} and run again"
            ) from error
