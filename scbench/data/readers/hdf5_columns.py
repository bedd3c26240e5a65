"""Values of one column in an HDF5 or zarr file, with what tools write for names of types and for missing values."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from scbench.data.readers.declared import check_stored, stored_values
from scbench.errors import DataError

__all__ = ["column_values", "is_column", "is_group"]

_LOGICAL = {"FALSE": 0, "TRUE": 1}


def is_group(item: object) -> bool:
    """Return whether a member of an HDF5 or zarr file is a group."""
    return item is not None and hasattr(item, "keys")


def is_column(item: Any) -> bool:
    """Return whether an array can hold one value per row: one dimension, one row or column, or one-hot."""
    return not is_group(item) and getattr(item, "shape", None) is not None and len(item.shape) in (1, 2)


def column_values(item: Any, name: str, file: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return one value per row, and what there is to say of them.

    The numbers of an enum become its names. What is in no enum is missing, and so is whatever a logical column holds
    besides 0 and 1: R's NA. One row, one column and one-hot are flattened.

    Args:
        item: dataset of h5py or array of zarr.
        name: of the column, for messages.
        file: for messages.

    Returns:
        (n,) array; object where values are names or missing.

    Raises:
        DataError: when the array holds more than one value per row.
    """
    values, said = _named(item, name, file)
    if values.ndim == 1:
        return values, said
    if values.ndim == 2 and 1 in values.shape:
        return values.reshape(-1), said
    if values.ndim == 2:
        for axis, turned in ((1, ""), (0, ", turned")):
            if _is_one_hot(values, axis):
                rows, types = values.shape if axis == 1 else values.shape[::-1]
                line = f"{file}: {name!r} is one-hot ({rows} x {types}{turned}); types are numbered by its columns"
                return values.argmax(axis=axis), (*said, line)
    shape = " x ".join(map(str, values.shape))
    raise DataError(f"{file}: {name!r} is {shape} where one label per cell is expected; name another label column")


def _is_one_hot(values: np.ndarray, axis: int) -> bool:
    if values.dtype.kind not in "biuf":
        return False
    return bool(np.isin(values, (0, 1)).all() and (values.sum(axis=axis) == 1).all())


def _named(item: Any, name: str, file: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the values as stored, those of an enum by their names."""
    if not isinstance(item, h5py.Dataset):
        return stored_values(item, file), ()
    stored = item.id.get_type()
    if stored.get_class() != h5py.h5t.ENUM:
        return stored_values(item, file), ()
    check_stored(item, file)
    numbers = np.empty(item.shape, dtype=stored.get_super().dtype)  # h5py makes True of R's NA in a logical enum
    item.id.read(h5py.h5s.ALL, h5py.h5s.ALL, numbers, stored)
    levels = {stored.get_member_value(i): stored.get_member_name(i).decode() for i in range(stored.get_nmembers())}
    if set(levels.values()) >= set(_LOGICAL) and numbers.ndim == 2 and np.isin(numbers, (0, 1)).all():
        return numbers, ()  # perhaps one-hot
    if set(levels.values()) >= set(_LOGICAL):
        levels = {number: str(word == "TRUE") for number, word in levels.items() if word in _LOGICAL}
    values = np.array([levels.get(number) for number in numbers.ravel().tolist()], dtype=object)
    return values.reshape(numbers.shape), _na_as_a_type(levels, values, name, file)


def _na_as_a_type(levels: dict[int, str], values: np.ndarray, name: str, file: str) -> tuple[str, ...]:
    """Return a warning where missing values may have become the last type.

    hdf5r writes a factor of n levels as the numbers 1 to n in as many bits as n needs, and NA as the largest number of
    that many bits: with 3, 7 or 15 levels that is the last level.
    """
    n = len(levels)
    if n < 3 or n & (n + 1) or sorted(levels) != list(range(1, n + 1)) or levels[n] not in values:
        return ()
    return (
        f"{file}: {name!r} looks like a factor of {n} levels written by hdf5r, which writes a missing value as the "
        f"last of them: cells of type {levels[n]!r} may have no label",
    )
