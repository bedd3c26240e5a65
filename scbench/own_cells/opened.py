"""Cells in a file, opened for a call in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scbench.data.config import SourceFile
from scbench.data.readers import read, reader_for
from scbench.errors import DataError

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["opened"]


def opened(path: Path) -> AnnData:
    """Return an AnnData of the cells in a file or folder; an h5ad is backed by its file, which is not changed.

    Args:
        path: of any format that the command reads.

    Raises:
        DataError: it does not exist, or cannot be read.
    """
    import anndata
    import pandas as pd

    path = path.expanduser()
    if not path.exists():
        raise DataError(f"{path} does not exist; check the path (the current folder is {Path.cwd()})")
    if path.suffix == ".h5ad":
        try:
            return anndata.read_h5ad(path, backed="r")
        except Exception as error:  # whatever anndata and h5py make of what is no such file
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(f"{path} cannot be read as an AnnData file ({first})") from error
    found = read(path, SourceFile(reader=reader_for(path)), label="none")
    adata = anndata.AnnData(found.matrix)
    for names, place in ((found.cells, "obs"), (found.genes, "var")):
        if names is not None:
            setattr(adata, place, pd.DataFrame(index=names.astype(str)))
    return adata
