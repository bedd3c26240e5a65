"""The header of a stored array, read as text: no code is run and no memory taken for what it announces."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

import numpy as np

__all__ = ["HEAD_BYTES", "ArrayHeader", "array_header"]

HEAD_BYTES = 4096  # a header is within these
_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4, (3, 0): 4}  # by version of the format
_HEADER = re.compile(
    r"\{'descr': '(?P<dtype>[<>|=][a-zA-Z]\d{0,6})', 'fortran_order': (?:True|False), "
    r"'shape': \((?P<shape>(?:\d{1,15},? ?){0,8})\), \} *\n"
)
_PICKLED = "O"


class ArrayHeader(NamedTuple):
    """What an array file announces.

    Attributes:
        dtype: of its values, which are plain numbers.
        shape: of the array.
        start: bytes before the first value.
    """

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    start: int

    @property
    def n_bytes(self) -> int:
        """Return the size of the file that this header belongs to."""
        return self.start + self.dtype.itemsize * math.prod(self.shape)


def array_header(head: bytes) -> ArrayHeader:
    """Return the header of an ``.npy`` file.

    Args:
        head: the first ``HEAD_BYTES`` of the file, or all that there are.

    Raises:
        ValueError: it is no array of plain numbers; pickled objects are named as such.
    """
    width = _LENGTH_BYTES.get((head[6], head[7])) if head.startswith(_MAGIC) and len(head) > 12 else None
    if width is None:
        raise ValueError("cannot be read as an array: its first bytes are not those of an .npy file")
    start = 8 + width + int.from_bytes(head[8 : 8 + width], "little")
    if start > len(head):
        raise ValueError(f"cannot be read as an array: its header is longer than {len(head)} bytes")
    found = _HEADER.fullmatch(head[8 + width : start].decode("latin-1"))
    if found is None:
        raise ValueError("cannot be read as an array of numbers: its header is none that numpy writes for them")
    if found["dtype"][1] == _PICKLED:
        raise ValueError(f"holds pickled objects (dtype {found['dtype']}), which are never read")
    if found["dtype"][1] not in "biuf":
        raise ValueError(f"holds values of dtype {found['dtype']}; expected numbers")
    return ArrayHeader(
        np.dtype(found["dtype"]), tuple(int(one) for one in found["shape"].replace(",", " ").split()), start
    )
