"""A table of labels as a file that appears whole: csv for every program, h5ad for scanpy."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scbench.errors import DataError
from scbench.escape import csv_row
from scbench.whole_file import temporary_beside, write_whole

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["write_csv", "write_h5ad"]


def write_csv(out: Path, table: pd.DataFrame) -> None:
    """Write a table with the names of its rows in the first column; what a spreadsheet would run is marked.

    Raises:
        OSError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(csv_row([table.index.name, *table.columns]))
    columns = [_shown(table[name]) for name in table.columns]
    writer.writerows(csv_row(row) for row in zip(table.index, *columns, strict=True))
    write_whole(out, text.getvalue().encode())


def write_h5ad(out: Path, table: pd.DataFrame, path: Path | None) -> list[str]:
    """Write a table as ``obs`` of an AnnData, clusters as categories, and return what is to be said, a line each.

    Args:
        out: the file.
        table: indexed by the names of the cells.
        path: of an h5ad; the columns go into a copy of it, by the names of its cells. None: an AnnData of ``obs`` only.

    Raises:
        DataError: the file at ``path`` cannot be read, has no such cells, names one twice or has one of the columns.
        OSError: ``out`` cannot be written.
    """
    import anndata

    ready = table.copy()
    for name in ready.columns:
        if ready[name].dtype.kind == "i":
            categories = [str(label) for label in np.unique(ready[name])]
            ready[name] = pd.Categorical(ready[name].astype(str), categories=categories)
    lines = []
    ready.columns = [name.replace("/", "|") for name in ready.columns]  # a slash is a folder in HDF5
    if path is None:
        adata = anndata.AnnData(obs=ready)
    else:
        adata = _read(path)
        here = adata.obs_names.isin(ready.index)
        repeated = adata.obs_names[here & adata.obs_names.duplicated()]
        if not here.any():
            raise DataError(
                f"no cell of {path} is in the table (there: {adata.obs_names[0]!r}; here: {ready.index[0]!r}); give "
                "the file that was clustered"
            )
        if len(repeated) or not ready.index.is_unique:
            raise DataError(f"{path} or the table has cells of the same name, so labels cannot be told apart by it")
        if both := [name for name in ready.columns if name in adata.obs]:
            raise DataError(f"{path} has obs[{both[0]!r}] already; take it out there, or write without path=")
        adata.obs = adata.obs.join(ready)
        if not here.all():
            lines.append(f"{(~here).sum()} of {len(here)} cells of {path} have no label: they were not clustered")
    temporary = temporary_beside(out)
    try:
        adata.write_h5ad(temporary)
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
    return lines


def _read(path: Path) -> AnnData:
    """Return an AnnData file."""
    import anndata

    try:
        return anndata.read_h5ad(path)
    except FileNotFoundError:
        raise DataError(f"path={path} does not exist; give the h5ad file that was clustered") from None
    except Exception as error:  # whatever anndata and h5py make of what is no such file
        raise DataError(f"path={path} cannot be read as an AnnData file ({str(error).splitlines()[0]})") from error


def _shown(column: pd.Series) -> list[object]:
    return [f"{value:.4g}" for value in column] if column.dtype.kind == "f" else [int(value) for value in column]
