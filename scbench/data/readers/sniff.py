"""The format of a user's file."""

from __future__ import annotations

from pathlib import Path

from scbench.errors import DataError

__all__ = ["ACCEPTED", "format_of"]

ACCEPTED = (
    ".h5 or .hdf5 (X/Y, Cell BLAST or 10x), .h5ad, .loom, .csv, .tsv or .txt (also .gz or .zip), "
    "and the folder of a 10x export (matrix.mtx)"
)

_BY_SUFFIX = {
    ".h5ad": "h5ad",
    ".loom": "loom",
    ".csv": "table",
    ".tsv": "table",
    ".txt": "table",
    ".zip": "table",
}


def format_of(path: Path) -> str:
    """Return the name of the reader for ``path``.

    Raises:
        DataError: if the path does not exist or its format cannot be told; lists what is accepted.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist; check dataset.path")
    if path.is_dir() or "matrix.mtx" in path.name:
        from scbench.data.readers.mtx_10x import matrix_file

        if matrix_file(path) is None:
            raise DataError(f"{path} is a folder without one matrix.mtx. Accepted: {ACCEPTED}")
        return "mtx_10x"
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-1] if suffixes else ""
    if last == ".gz" and len(suffixes) > 1:
        last = suffixes[-2]
        if _BY_SUFFIX.get(last) != "table":
            raise DataError(f"{path.name} is gzipped, which is only read for tables; unpack it first")
    if last in (".h5", ".hdf5"):
        return _of_hdf5(path)
    if last in _BY_SUFFIX:
        return _BY_SUFFIX[last]
    if last in (".rda", ".rdata", ".rds"):
        raise DataError(f"{path.name} is an R file: set dataset.reader (rda_list) or convert it. Accepted: {ACCEPTED}")
    raise DataError(f"the format of {path.name} cannot be told from its name. Accepted: {ACCEPTED}")


def _of_hdf5(path: Path) -> str:
    import h5py

    from scbench.data.readers.hdf5 import open_h5
    from scbench.data.readers.tenx_h5 import is_tenx

    with open_h5(path) as file:
        found = list(file)
        if any(is_tenx(item) for item in file.values()):
            return "tenx_h5"
        if "exprs" in file:
            return "quake_h5"
        if "X" in file:
            return "h5ad" if "obs" in file and "var" in file else "xy_h5"
        if isinstance(file.get("matrix"), h5py.Dataset) and "col_attrs" in file:
            return "loom"
    raise DataError(
        f"{path.name} has no X, exprs or 10x matrix; found {', '.join(found) or 'nothing'}. Accepted: {ACCEPTED}"
    )
