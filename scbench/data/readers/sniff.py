"""The format of a user's file."""

from __future__ import annotations

from pathlib import Path

from scbench.data.readers.matrix_market.files import folders_with_matrices, is_mtx, matrices_in
from scbench.data.readers.protocol import other_reader, other_readers
from scbench.data.readers.zarr_store import is_zarr
from scbench.errors import DataError

__all__ = ["ACCEPTED", "format_of"]

ACCEPTED = (
    ".h5 or .hdf5 (X/Y, Cell BLAST or 10x), .h5ad, .h5mu, .zarr, .loom, .csv, .tsv or .txt (also .gz or .zip), .rds or "
    ".RData, and a Matrix Market file (.mtx) or its folder (STARsolo, kb-python, alevin-fry, Parse, a 10x export)"
)

_BY_SUFFIX = {
    ".h5ad": "h5ad",
    ".h5mu": "h5mu",
    ".loom": "loom",
    ".csv": "table",
    ".tsv": "table",
    ".tab": "table",
    ".txt": "table",
    ".zip": "table",
    ".rda": "r_file",
    ".rdata": "r_file",
    ".rds": "r_file",
}

_SAVE_AS_CSV = "save it as CSV UTF-8"
_INSTEAD = {
    ".xlsx": f"an Excel file; {_SAVE_AS_CSV}",
    ".xls": f"an Excel file; {_SAVE_AS_CSV}",
    ".ods": f"a spreadsheet; {_SAVE_AS_CSV}",
    ".parquet": "a parquet file; write it as csv (pandas: read_parquet, to_csv) or as h5ad",
    ".feather": "a feather file; write it as csv (pandas: read_feather, to_csv) or as h5ad",
    ".h5seurat": "a file of SeuratDisk; save the object with saveRDS in R",
    ".qs": "a file of the R package qs; save the object with saveRDS in R",
    ".bam": "a file of reads; give the counts that STARsolo, kb or Cell Ranger make of it",
}


def format_of(path: Path) -> str:
    """Return the name of the reader for ``path``.

    Raises:
        DataError: if the path does not exist or its format cannot be told; lists what is accepted.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist; check dataset.path")
    if is_zarr(path):
        return "zarr"
    if path.is_dir() or is_mtx(path):
        if path.is_dir() and not matrices_in(path):
            below = ", ".join(folders_with_matrices(path))
            hint = f"; give one of its folders that have one: {below}" if below else ""
            raise DataError(f"{path} is a folder without one matrix.mtx or other .mtx{hint}. Accepted: {ACCEPTED}")
        return "mtx_10x"
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-1] if suffixes else ""
    if last == ".gz" and len(suffixes) > 1:
        last = suffixes[-2]
        if _BY_SUFFIX.get(last) not in ("table", "r_file"):
            raise DataError(f"{path.name} is gzipped, which is only read for tables and R files; unpack it first")
    if last in (".h5", ".hdf5"):
        return _of_hdf5(path)
    if last in _BY_SUFFIX:
        return _BY_SUFFIX[last]
    if last in _INSTEAD:
        raise DataError(f"{path.name} is {_INSTEAD[last]}")
    other = _of_another_package(path)
    if other is not None:
        return other
    raise DataError(f"the format of {path.name} cannot be told from its name. Accepted: {ACCEPTED}")


def _of_another_package(path: Path) -> str | None:
    """Return the reader of another package that recognises a file.

    Raises:
        DataError: when several do.
    """
    found = [name for name, point in other_readers().items() if other_reader(point).recognises(path)]
    if len(found) > 1:
        raise DataError(
            f"{path.name} is recognised by {len(found)} readers ({', '.join(found)}); name one: dataset.reader="
        )
    return found[0] if found else None


def _of_hdf5(path: Path) -> str:
    import h5py

    from scbench.data.readers.hdf5 import open_h5
    from scbench.data.readers.tenx_h5 import is_tenx

    with open_h5(path) as file:
        found = list(file)
        if any(is_tenx(item) for item in file.values()):
            return "tenx_h5"
        if isinstance(file.get("mod"), h5py.Group):
            return "h5mu"
        if "exprs" in file:
            return "quake_h5"
        if "X" in file:
            return "h5ad" if "obs" in file and "var" in file else "xy_h5"
        if isinstance(file.get("matrix"), h5py.Dataset) and "col_attrs" in file:
            return "loom"
    raise DataError(
        f"{path.name} has no X, exprs or 10x matrix; found {', '.join(found) or 'nothing'}. Accepted: {ACCEPTED}"
    )
