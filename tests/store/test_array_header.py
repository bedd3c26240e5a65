from __future__ import annotations

import io

import numpy as np
import pytest

from scbench.store.array_header import array_header


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["<i8", "<i4", ">i2", "u1", "f4", "f8", "?"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 4), (2, 3, 4)])
def test_a_header_says_what_numpy_reads(dtype: str, shape: tuple[int, ...]) -> None:
    content = saved(np.zeros(shape, dtype=dtype))
    header = array_header(content[:4096])
    assert (header.dtype, header.shape) == (np.dtype(dtype), shape)
    assert header.n_bytes == len(content)


def test_an_array_by_columns_has_a_header_too() -> None:
    assert array_header(saved(np.asfortranarray(np.zeros((3, 4))))).shape == (3, 4)


def test_pickled_objects_are_named_before_anything_is_read() -> None:
    with pytest.raises(ValueError, match=r"holds pickled objects \(dtype \|O\), which are never read"):
        array_header(saved(np.array([None, 1], dtype=object)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "its first bytes are not those of an .npy file"),
        (b"PK\3\4 some other kind of file", "its first bytes are not those"),
        (b"\x93NUMPY\x09\x00" + b" " * 50, "its first bytes are not those"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b" " * 50, "its header is longer than 60 bytes"),
        (b"\x93NUMPY\x01\x00\x20\x00" + b"[1, 2, 3]".ljust(32), "its header is none that numpy writes"),
        (saved(np.zeros(3, dtype=[("a", int)])), "its header is none that numpy writes"),
        (saved(np.array(["a"])), "holds values of dtype <U1; expected numbers"),
        (saved(np.zeros(3, dtype="M8[s]")), "its header is none that numpy writes"),
        (saved(np.zeros(3, dtype=complex)), "holds values of dtype <c16; expected numbers"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        array_header(content)


def test_a_size_that_no_memory_holds_is_only_a_number() -> None:
    content = saved(np.zeros(7)).replace(b"(7,), }" + b" " * 14, b"(999999999999999,), }")
    assert array_header(content).n_bytes == len(content) - 56 + 8 * 999_999_999_999_999
