"""What a Matrix Market file may hold, and what is no counts."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import mmwrite
from scipy.sparse import coo_matrix

from scbench.data.readers.matrix_market.values import read_shape, read_values
from scbench.errors import DataError


def _read(path: Path, text: str) -> np.ndarray:
    path.write_text(text)
    values = read_values(path)
    assert read_shape(path) == values.shape
    return np.asarray(values.toarray())


def _file(field: str, *entries: str, kind: str = "coordinate", symmetry: str = "general", size: str = "2 2") -> str:
    n_entries = f" {len(entries)}" if kind == "coordinate" else ""
    return f"%%MatrixMarket matrix {kind} {field} {symmetry}\n% a. comment\n{size}{n_entries}\n" + "".join(
        f"{entry}\n" for entry in entries
    )


@pytest.mark.parametrize("field", ["integer", "real", "double", "float", "unsigned-integer", "INTEGER"])
def test_whole_numbers_are_the_same_in_any_field(tmp_path: Path, field: str) -> None:
    values = _read(tmp_path / "a.mtx", _file(field, "1 1 3", "2\t2\t1e+05", "1 2 16777216"))
    np.testing.assert_array_equal(values, [[3, 16777216], [0, 100000]])


@pytest.mark.parametrize("field", ["integer", "real"])
def test_fractions_are_never_cut(tmp_path: Path, field: str) -> None:
    np.testing.assert_array_equal(_read(tmp_path / "a.mtx", _file(field, "1 1 2.5", "2 2 0.5")), [[2.5, 0], [0, 0.5]])


def test_an_integer_beyond_64_bits_is_a_number(tmp_path: Path) -> None:
    assert _read(tmp_path / "a.mtx", _file("integer", "1 1 99999999999999999999"))[0, 0] == 1e20


def test_entries_that_stand_twice_add_up(tmp_path: Path) -> None:
    np.testing.assert_array_equal(_read(tmp_path / "a.mtx", _file("integer", "1 1 2", "1 1 3")), [[5, 0], [0, 0]])


def test_a_dense_file_goes_by_columns(tmp_path: Path) -> None:
    text = _file("integer", *"123456", kind="array", size="2 3")
    np.testing.assert_array_equal(_read(tmp_path / "a.mtx", text), [[1, 3, 5], [2, 4, 6]])


def test_a_symmetric_file_has_both_halves(tmp_path: Path) -> None:
    text = _file("integer", "1 1 1", "2 1 5", symmetry="symmetric")
    np.testing.assert_array_equal(_read(tmp_path / "a.mtx", text), [[1, 5], [5, 0]])
    text = _file("integer", "2 1 5", symmetry="skew-symmetric")
    np.testing.assert_array_equal(_read(tmp_path / "a.mtx", text), [[0, -5], [5, 0]])


def test_windows_line_ends_and_blank_lines_are_read(tmp_path: Path) -> None:
    text = _file("integer", "1 1 3", "", "2 2 4").replace("2 2 3\n", "\n2 2 2\n").replace("\n", "\r\n")
    np.testing.assert_array_equal(_read(tmp_path / "a.mtx", text), [[3, 0], [0, 4]])


@pytest.mark.parametrize("name", ["a.mtx", "a.mtx.gz"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_the_content_and_not_the_suffix_says_what_is_packed(tmp_path: Path, name: str, is_packed: bool) -> None:
    content = _file("integer", "2 1 3").encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if is_packed else content)
    np.testing.assert_array_equal(read_values(tmp_path / name).toarray(), [[0, 0], [3, 0]])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(1, 5).flatmap(
        lambda width: st.lists(st.lists(st.integers(0, 2**24), min_size=width, max_size=width), min_size=1, max_size=5)
    )
)
def test_any_matrix_survives(tmp_path: Path, rows: list[list[int]]) -> None:
    matrix = np.array(rows)
    mmwrite(tmp_path / "a.mtx", coo_matrix(matrix), comment="x" * 3_000_000, symmetry="general")
    np.testing.assert_array_equal(read_values(tmp_path / "a.mtx").toarray(), matrix)


@pytest.mark.parametrize("size", ["2 2 1", "0 2 0"])
def test_the_shape_is_read_before_the_values(tmp_path: Path, size: str) -> None:
    (tmp_path / "a.mtx").write_text(f"%%MatrixMarket matrix coordinate integer general\n{size}\n")
    assert read_shape(tmp_path / "a.mtx") == tuple(map(int, size.split()[:2]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            _file("pattern", "1 1"),
            r"a\.mtx is a Matrix Market file of field 'pattern': it stores only which entries are",
        ),
        (_file("complex", "1 1 2 0"), "of field 'complex' where counts are expected; write it as 'integer' or 'real'"),
        (_file("integer", "1 1 3 2 1"), "has 3 numbers for each entry where one is expected .*STARsolo"),
        ("", "cannot be read as a Matrix Market file: its first line is not"),
        ("2 2 1\n1 1 3\n", "its first line is not '%%MatrixMarket matrix coordinate integer general'.*'2 2 1'"),
        ("%%MatrixMarket matrix coordinate\n", "its first line is not"),
        ("%%MatrixMarket matrix coordinate integer general\n% x\n", "it ends before the line with its size"),
        (
            "%%MatrixMarket matrix coordinate integer general\ntwo 2 1\n",
            "line 2 should give its rows, columns and entries",
        ),
    ],
)
def test_what_is_no_counts_is_told_from_the_first_lines(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.mtx").write_text(text)
    with pytest.raises(DataError, match=message):
        read_shape(tmp_path / "a.mtx")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            _file("real", "1 2 3", "2 1 1e308", "2 2 1e+308", "1 1 1e200"),
            r"a\.mtx holds 2 missing values \(NA\): R's writeMM writes them as 1e308 \(first: row 2, column 1 of the file\)",
        ),
        (_file("integer", "1 1 -1e308"), "holds 1 missing values"),
        (_file("real", "1 1 inf", "2 1 1e200"), r"1 values beyond 3\.4e\+38 \(first: 1e\+200 in row 2, column 1"),
        (_file("real", "1 1 NA"), "cannot be read as a Matrix Market file: Line 4: Invalid floating-point value"),
        (_file("integer", "1 1 3", "3 1 3"), "Line 5: Row index out of bounds"),
        (_file("integer", "1 1 3").replace("2 2 1", "2 2 5"), "Truncated file"),
        (
            _file("integer", "99999999999999999999 1 3"),
            "cannot be read as a Matrix Market file: Line 4: Integer out of",
        ),
        (_file("integer", "1 1 3", symmetry="odd"), "cannot be read as a Matrix Market file"),
    ],
)
def test_values_that_are_no_counts_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.mtx").write_text(text)
    with pytest.raises(DataError, match=message):
        read_values(tmp_path / "a.mtx")


def test_infinite_values_and_nan_are_left_to_the_loader(tmp_path: Path) -> None:
    values = _read(tmp_path / "a.mtx", _file("real", "1 1 nan", "2 2 inf"))
    assert np.isnan(values[0, 0])
    assert np.isinf(values[1, 1])


def test_a_truncated_gzip_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(_file("integer", *["1 1 3"] * 5000).encode())
    (tmp_path / "a.mtx.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"a\.mtx\.gz cannot be read as a Matrix Market file"):
        read_values(tmp_path / "a.mtx.gz")
