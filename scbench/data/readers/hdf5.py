"""HDF5 files: opening them, and matrices read in blocks into CSR."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from scbench.data.readers import stacking
from scbench.data.readers.damage import readable
from scbench.data.readers.declared import check_stored, refuse_unstored, stored_values
from scbench.data.readers.hdf5_columns import is_column, is_group
from scbench.data.readers.hdf5_links import refuse_links_elsewhere
from scbench.data.readers.orientation import GENES_BY_CELLS
from scbench.data.readers.packed import local_file
from scbench.data.readers.stacking import transposed
from scbench.errors import DataError
from scbench.names import nearest

__all__ = ["columns_of", "entry", "open_h5", "read_compressed", "read_dense", "read_matrix"]

_LARGEST_CACHE = 2**30
_LIST_AT_MOST = 20
_POINTER_BYTES = 8


@contextmanager
def open_h5(path: Path, member: str | None = None) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; ``member`` names it inside a zip archive.

    Raises:
        DataError: if the file is missing, damaged or not HDF5, now or while the block reads it, or links to others.
    """
    with local_file(path, member) as local, readable(path, "an HDF5 file"), h5py.File(local, "r") as file:
        refuse_links_elsewhere(file, path.name)
        yield file


def entry(group: Any, name: str, file: str) -> Any:
    """Return a member of a group of h5py or zarr (Any: h5py has no types).

    Raises:
        DataError: if there is none of that name; lists the names there.
    """
    if name in group:
        return group[name]
    close = nearest(name, group)
    hint = f" Did you mean {close!r}?" if close else ""
    raise DataError(f"{file} has no {name!r} in {group.name!r}.{hint} Found: {', '.join(list(group)[:_LIST_AT_MOST])}")


def columns_of(group: h5py.Group) -> list[str]:
    """Return the names of the datasets of a group that can be a column, no sub-groups."""
    return [name for name, item in group.items() if is_column(item)]


def read_matrix(group: Any, name: str, file: str, orientation: str | None = None) -> csr_matrix:
    """Return the matrix ``group[name]``, dense or compressed, as the file has it or turned as the user says.

    Args:
        group: of h5py or zarr.
        name: of the matrix in it.
        file: for messages.
        orientation: what the user says of the file; ``genes_by_cells`` is turned.

    Raises:
        DataError: if it is missing or not a matrix.
    """
    matrix = _as_stored(group, name, file, orientation)
    return transposed(matrix) if orientation == GENES_BY_CELLS else matrix


def _as_stored(group: Any, name: str, file: str, orientation: str | None) -> csr_matrix:
    item = entry(group, name, file)
    if is_group(item):
        return read_compressed(item, file, orientation=orientation)
    if item.ndim != 2:
        raise DataError(f"{file} has a {name!r} of {item.ndim} dimensions where a matrix is expected")
    if item.dtype.kind not in "biuf":
        raise DataError(f"{file} has a {name!r} of {item.dtype} where a matrix of numbers is expected")
    check_stored(item, file)
    if not isinstance(item, h5py.Dataset):
        step = max(1, stacking.BLOCK_BYTES // (max(1, item.shape[1]) * item.dtype.itemsize))
        return stacking.stack((item[i : i + step] for i in range(0, item.shape[0], step)), shape=item.shape)
    del item  # its chunk cache can only be chosen while it is closed
    return read_dense(group, name)


def read_dense(group: h5py.Group, name: str) -> csr_matrix:
    """Return a dense dataset as CSR float32, read in blocks that follow its chunks.

    At most ``stacking.BLOCK_BYTES`` are dense at a time, or one chunk when that is larger.
    """
    dataset = group[name]
    shape: tuple[int, int] = dataset.shape
    axis, step, cache_bytes = _plan(shape, dataset.chunks, dataset.dtype.itemsize)
    del dataset
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    if cache_bytes:
        access.set_chunk_cache(10007, cache_bytes, 1.0)
    dataset = h5py.Dataset(h5py.h5d.open(group.id, name.encode(), access))
    starts = range(0, shape[axis], step)
    if axis == 0:
        return stacking.stack((dataset[start : start + step] for start in starts), shape=shape)
    return stacking.stack((dataset[:, start : start + step] for start in starts), shape=shape, axis=1)


def read_compressed(
    group: Any, file: str, shape: tuple[int, int] | None = None, orientation: str | None = None
) -> csr_matrix:
    """Return a matrix stored as ``data``, ``indices``, ``indptr`` and its shape, as CSR float32.

    Rows or columns may be compressed: the encoding attribute tells, or else the length of ``indptr``. For a square
    matrix without the attribute that tells nothing: only where the user says what its rows are, these are compressed.

    Args:
        group: of h5py or zarr.
        file: for messages.
        shape: in place of what the file says, for a format that fixes which of the two is compressed: rows.
        orientation: as above.

    Raises:
        DataError: if a part is missing, the parts do not fit together, or it cannot be told what is compressed.
    """
    is_fixed = shape is not None
    if shape is None:
        attribute = next((key for key in ("shape", "h5sparse_shape") if key in group.attrs), None)
        stored = group.attrs[attribute] if attribute else stored_values(entry(group, "shape", file), file)
        shape = (int(stored[0]), int(stored[1]))
    data, indices, indptr = (entry(group, part, file) for part in ("data", "indices", "indptr"))
    encoding = _encoding(group)
    by_columns = encoding.startswith("csc") or (not encoding.startswith("csr") and indptr.shape[0] != shape[0] + 1)
    if shape[0] == shape[1] and not encoding.startswith("cs") and not is_fixed:
        if orientation is None:
            raise DataError(
                f"{file}: the sparse matrix in {group.name!r} is {shape[0]} x {shape[1]} and does not say whether its "
                "rows or its columns are compressed; pass dataset.orientation=cells_by_genes when its indptr counts "
                "the values of cells, or genes_by_cells when it counts those of genes"
            )
        by_columns = False
    for part in (data, indices, indptr):
        check_stored(part, file)
    _refuse_unstored_shape(group, shape, by_columns=by_columns, file=file)
    values = data.astype(np.float32)[:] if isinstance(data, h5py.Dataset) else np.asarray(data[:], dtype=np.float32)
    with readable(Path(file), "a sparse matrix"):
        matrix = (csc_matrix if by_columns else csr_matrix)((values, indices[:], indptr[:]), shape=shape)
        matrix.check_format(full_check=True)
    matrix.sum_duplicates()
    return csr_matrix(matrix)


def _refuse_unstored_shape(group: Any, shape: tuple[int, int], *, by_columns: bool, file: str) -> None:
    """Check the declared sizes of a sparse matrix before arrays of that length are made when it is turned.

    Raises:
        DataError: if ``indptr`` is not one longer than what is compressed, or the other size is far beyond the values.
    """
    compressed, other = shape[::-1] if by_columns else shape
    sizes = {part: group[part].shape[0] for part in ("data", "indices", "indptr")}
    n_pointers = sizes["indptr"]
    if n_pointers != compressed + 1:
        raise DataError(
            f"{file}: the sparse matrix in {group.name!r} declares {shape[0]} x {shape[1]} and its indptr has "
            f"{n_pointers} values where {compressed + 1} are expected; write the file again"
        )
    refuse_unstored(
        file, f"the shape of {group.name!r}", (other,), _POINTER_BYTES, sum(sizes.values()) * _POINTER_BYTES
    )


def _encoding(group: Any) -> str:
    """Return how a sparse matrix is stored, as its attributes have it; R packages write them as arrays."""
    value = group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", ""))
    value = value.reshape(-1)[0] if isinstance(value, np.ndarray) and value.size == 1 else value
    return value.decode() if isinstance(value, bytes) else str(value)


def _plan(shape: tuple[int, int], chunks: tuple[int, int] | None, item_bytes: int) -> tuple[Literal[0, 1], int, int]:
    """Return the axis to cut, the length of a block and the chunk cache (0 = the default) for one pass."""
    row_bytes, column_bytes = max(shape[1], 1) * item_bytes, max(shape[0], 1) * item_bytes
    rows, columns = stacking.BLOCK_BYTES // row_bytes, stacking.BLOCK_BYTES // column_bytes
    if chunks is None:
        return 0, max(rows, 1), 0
    if chunks[0] <= rows:
        return 0, rows - rows % chunks[0], 0
    if chunks[1] <= columns:
        return 1, columns - columns % chunks[1], 0
    # Chunks larger than a block: keep one band of them unpacked, or each block would unpack them again.
    return 0, max(rows, 1), min(chunks[0] * row_bytes + 2**20, _LARGEST_CACHE)
