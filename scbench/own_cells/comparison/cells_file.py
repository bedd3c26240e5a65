"""A user's cells as a file of their own, so that the runs of a comparison are those of the command line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from scbench.errors import StoreError
from scbench.method import Counts
from scbench.own_cells.matrix_of import is_anndata
from scbench.whole_file import temporary_beside

__all__ = ["LABEL", "cell_names_of", "write_cells"]

LABEL = "label"


def cell_names_of(data: object, n_cells: int) -> np.ndarray:
    """Return the names of the cells of an AnnData or DataFrame, (n_cells,) str; numbers for other matrices."""
    if is_anndata(data):
        return np.asarray(data.obs_names).astype(str)
    return np.asarray(data.index).astype(str) if isinstance(data, pd.DataFrame) else np.arange(n_cells).astype(str)


def write_cells(counts: Counts, names: np.ndarray, labels: np.ndarray | None, folder: Path) -> Path:
    """Write counts, names and, when there are any, labels as h5ad, and return the path.

    The file is called after what is in it. One that is there is taken as it is, so the same cells are the same dataset
    of the store and a comparison goes on where it was stopped.

    Args:
        counts: of all cells.
        names: (n_cells,) str, all different.
        labels: (n_cells,) str for the scores, or None.
        folder: made when it does not exist.

    Raises:
        StoreError: the folder cannot be written.
    """
    digest = hashlib.sha256()
    matrix = counts.matrix
    genes = np.arange(matrix.shape[1]).astype(str) if counts.genes is None else counts.genes.astype(str)
    for part in (matrix.data, matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)):
        digest.update(np.ascontiguousarray(part).data)
    for texts in (names, genes, np.array([]) if labels is None else labels):
        digest.update("\0".join(map(str, texts)).encode(errors="surrogatepass") + b"\1")
    path = folder / f"cells-{digest.hexdigest()[:12]}.h5ad"
    if path.exists():
        return path
    from anndata import AnnData  # half a second, which a comparison that goes on does not need

    obs = pd.DataFrame(index=pd.Index(names, dtype=object))
    if labels is not None:
        obs[LABEL] = pd.Categorical(labels)
    cells = AnnData(matrix, obs=obs, var=pd.DataFrame(index=pd.Index(genes, dtype=object)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staged = temporary_beside(path)
        try:
            cells.write_h5ad(staged)
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot write the cells to {folder} ({error.strerror or error}); choose out=DIR") from error
    return path
