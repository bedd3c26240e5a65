"""Rows of a label file find their cells by name, in whatever spelling, or the file is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scbench.data.readers.pairing import n_named, pair
from scbench.data.readers.respelling import respelled
from scbench.errors import DataError

_rng = np.random.default_rng(1)
CELLS = np.array(["".join(_rng.choice(list("ACGT"), 16)) + "-1" for _ in range(30)], dtype=object)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "no suffix": lambda c: c[:-2],
    "dots": lambda c: c.replace("-", "."),
    "sample in front": lambda c: f"pbmc_{c}",
    "sample behind": lambda c: f"{c}_2",
    "both": lambda c: f"a:{c}:b",
    "blanks": lambda c: f"  {c} ",
    "quotes": lambda c: f'"{c}"',
    "mangled": lambda c: f"10x {c}".replace("-", ".").replace(" ", "."),
    "other ends": lambda c: f"run:{c[:-2]}x",
}


def _objects(names: object) -> np.ndarray:
    return np.array(list(names), dtype=object)  # type: ignore[call-overload]


def _pair(
    cells: np.ndarray | None, n_cells: int | None = None, by_order: bool = False, **columns: object
) -> np.ndarray:
    names = {header: _objects(values) for header, values in columns.items()}
    n_rows = len(next(iter(names.values())))
    return pair(
        cells, names, n_rows, n_cells or (0 if cells is None else len(cells)), file="l.csv", by_order=by_order
    ).rows


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(SPELLINGS)), st.booleans(), st.permutations(range(30)), st.integers(0, 9))
def test_any_order_in_any_known_spelling_finds_its_cells(
    spelling: str, is_turned: bool, order: list[int], n_left_out: int
) -> None:
    spelled = _objects(SPELLINGS[spelling](cell) for cell in CELLS)
    here, there = (spelled, CELLS) if is_turned else (CELLS, spelled)
    rows = _pair(here, barcode=there[order][n_left_out:])
    expected = np.full(30, -1)
    expected[order[n_left_out:]] = np.arange(30 - n_left_out)
    np.testing.assert_array_equal(rows, expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab-.1 ", min_size=1, max_size=4), min_size=1, max_size=8, unique=True), st.data())
def test_a_respelling_is_one_to_one_or_none(cells: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.text("ab-.1 ", min_size=1, max_size=4), min_size=1, max_size=8, unique=True))
    try:
        found = respelled(_objects(cells), _objects(rows), "l.csv")
    except DataError:  # two ways fit
        return
    if found is not None:
        paired = found.rows[found.rows >= 0]
        assert len(set(paired.tolist())) == len(paired)
        assert len(paired) in (len(cells), len(rows))


def test_the_column_that_shares_most_names_is_taken() -> None:
    rows = _pair(CELLS, sample=["s1"] * 30, wrong=[*CELLS[:3], *map(str, range(27))], barcode=CELLS[::-1])
    np.testing.assert_array_equal(rows, np.arange(30)[::-1])


def test_names_without_a_common_one_are_refused_with_one_of_each_side() -> None:
    with pytest.raises(DataError, match=r"l\.csv and the matrix both name the cells.*'x0' there, '[ACGT]+-1' here"):
        _pair(CELLS, barcode=[f"x{i}" for i in range(30)])
    np.testing.assert_array_equal(_pair(CELLS, by_order=True, barcode=[f"x{i}" for i in range(30)]), np.arange(30))


def test_order_is_taken_where_a_side_has_no_names() -> None:
    numbers, one_based = _objects(map(str, range(30))), _objects(map(str, range(1, 31)))
    for cells, column in ((None, CELLS), (numbers, CELLS), (CELLS, numbers), (numbers, one_based), (CELLS, ["s"] * 30)):
        np.testing.assert_array_equal(_pair(cells, 30, name=column), np.arange(30))


def test_numbers_in_another_order_are_followed() -> None:
    numbers = _objects(map(str, range(30)))
    np.testing.assert_array_equal(_pair(numbers, cell=numbers[::-1]), np.arange(30)[::-1])
    some = _pair(numbers, cell=["17", "3"])
    assert (some[17], some[3], (some >= 0).sum()) == (0, 1, 2)


@pytest.mark.parametrize(
    ("cells", "column", "message"),
    [
        (map(str, range(30)), map(str, range(1, 20)), "numbers its rows otherwise than the matrix"),
        (map(str, range(1, 31)), map(str, range(20)), "numbers its rows otherwise than the matrix"),
        (map(str, range(30)), (str(i) for i in (*range(5, 30), 77)), "numbers its rows otherwise"),
        (
            map(str, range(30)),
            (f"cell{i}" for i in reversed(range(30))),
            "with the numbers of the cells, but in another",
        ),
        ((f"A{i}" for i in range(30)), (f"B{i}" for i in range(30)), "share no name"),
        (CELLS, [*CELLS, CELLS[0]], "l.csv names 1 cells twice"),
        ([*CELLS[:29], CELLS[0]], CELLS, "the matrix names 1 cells twice"),
        (CELLS, ["s"] * 7, "7 labels for 30 cells and shares no cell name"),
    ],
)
def test_what_cannot_be_told_is_refused(cells: object, column: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _pair(_objects(cells), cell=column)


def test_order_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="29 labels for 30 cells and dataset.label_order=file needs one row per cell"):
        _pair(CELLS, by_order=True, barcode=CELLS[:29])


def test_names_that_fit_in_two_ways_are_refused() -> None:
    cells = _objects(["a", "b"])
    rows = _objects(["x_a", "x_b", "y_a", "y_b"])
    with pytest.raises(
        DataError, match="fit the cells in 2 ways .*without 'x_' of the file or without 'y_' of the file"
    ):
        respelled(cells, rows, "l.csv")


def test_the_side_of_a_table_that_the_rows_name_is_told_in_any_spelling() -> None:
    columns = {"cell": _objects(f"s1_{cell}" for cell in CELLS)}
    assert n_named(CELLS, columns, "l.csv") == 30
    assert n_named(_objects(f"g{i}" for i in range(30)), columns, "l.csv") == 0
    assert n_named(None, columns, "l.csv") == 0
