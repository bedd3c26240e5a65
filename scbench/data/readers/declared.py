"""What a file declares against what it stores: sizes that no compression explains are refused before they are read.

The size of a dataset of HDF5 or zarr is a few bytes of its header, and blocks that were never written stand for a fill
value, so two kilobytes can declare a matrix of petabytes that no disk holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from scbench.errors import DataError

__all__ = ["DEFLATE_RATIO", "check_stored", "refuse_unstored", "stored_values"]

_FREE_BYTES = 16 * 2**20  # read within a second, as names within a few hundred MB: no harm, whatever is stored
DEFLATE_RATIO = 1032
"""The most that one pass of deflate (gzip) can come to: a match of 258 bytes costs two bits at least."""
_OTHER_RATIO = 2**16  # zstd and blosc write 128 KiB of one value in 4 bytes, scale-offset 1 MiB in 21: never this much
_AT_MOST_DEFLATE = frozenset({h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, 32000})
_COMPRESSING = frozenset({h5py.h5z.FILTER_DEFLATE, 32000})  # 32000 is lzf


def stored_values(item: Any, file: str) -> np.ndarray:
    """Return all values of a dataset of h5py or an array of zarr, in its shape.

    Every reader takes whole datasets through this function, so that none is allocated at a size that is only declared.

    Args:
        item: dataset or array.
        file: for messages.

    Raises:
        DataError: as :func:`check_stored`.
    """
    check_stored(item, file)
    return np.asarray(item[...])


def check_stored(item: Any, file: str) -> None:
    """Check that values are in the file, and not far fewer than declared.

    Raises:
        DataError: if they are in other files (virtual datasets, external storage), which the checksum of this one says
            nothing of, or if the declared size is beyond ``_FREE_BYTES`` and what any compression makes of the bytes.
    """
    is_hdf5 = isinstance(item, h5py.Dataset)
    if is_hdf5:
        _refuse_other_files(item, file)
    shape = tuple(item.shape or ())
    declared = _n_bytes(shape, item.dtype.itemsize)
    if declared <= _FREE_BYTES and _n_bytes(item.chunks or (), item.dtype.itemsize) <= _FREE_BYTES:
        return  # the usual case; counting stored blocks takes time
    stored = min(item.id.get_storage_size(), item.file.id.get_filesize()) if is_hdf5 else item.nbytes_stored()
    ratio = _ratio(item) if is_hdf5 else _OTHER_RATIO
    refuse_unstored(file, item.name, shape, item.dtype.itemsize, stored, ratio)
    if is_hdf5 and item.chunks is not None and stored:  # one block is unpacked whole, however small the dataset is
        refuse_unstored(file, f"a block of {item.name}", item.chunks, item.dtype.itemsize, stored, ratio)


def refuse_unstored(
    file: str, entry: str, shape: Sequence[int], item_bytes: int, stored: int, ratio: int = DEFLATE_RATIO
) -> None:
    """Check that what is declared can be what the stored bytes hold.

    Args:
        file, entry: for messages.
        shape: as declared.
        item_bytes: of one value.
        stored: bytes in the file.
        ratio: the most that its compression can come to.

    Raises:
        DataError: otherwise.
    """
    declared = _n_bytes(shape, item_bytes)
    if declared > max(_FREE_BYTES, ratio * stored):
        raise DataError(
            f"{file}: {entry} declares {' x '.join(map(str, shape))} values ({declared} bytes) and {stored} bytes of "
            "them are stored, fewer than any compression leaves: damaged, cut off or never filled; fetch it again, or "
            "write it with the values that it has"
        )


def _n_bytes(shape: Sequence[int], item_bytes: int) -> int:
    """Return the bytes of an array; a dimension of length 0 counts as 1, since the others still cost a row pointer."""
    return math.prod(max(1, int(size)) for size in shape) * item_bytes


def _ratio(item: h5py.Dataset) -> int:
    """Return the most that the filters of a dataset can come to; blocks that are not written are no reason for more."""
    plist = item.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    is_deflate = set(filters) <= _AT_MOST_DEFLATE and sum(each in _COMPRESSING for each in filters) < 2
    return DEFLATE_RATIO if is_deflate else _OTHER_RATIO


def _refuse_other_files(item: h5py.Dataset, file: str) -> None:
    plist = item.id.get_create_plist()
    is_virtual = plist.get_layout() == h5py.h5d.VIRTUAL
    if is_virtual or plist.get_external_count():
        kind = "a virtual dataset" if is_virtual else "a dataset of external storage"
        raise DataError(
            f"{file}: {item.name} is {kind}, whose values are in other files, so a checksum of this one says nothing "
            "of them; copy the values into one file (h5repack, or h5py: read and write them)"
        )
