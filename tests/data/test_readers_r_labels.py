"""Labels in R files: NA, names, and the object they are in (files of ``r_files/make.R``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read
from scbench.data.readers.r_files.descriptions import table_of
from scbench.data.readers.r_files.objects import load_r
from scbench.errors import DataError

pytest.importorskip("rdata", reason="rdata is not installed")

FILES = Path(__file__).parent / "r_files"
TYPES = ["T", "B", "T", "NK", "B"]
MOVED = ["NK", "B", "B", "T", "T"]  # in the order of the rows that make.R moved
X = np.array([[0, 2, 0, 1], [0, 0, 3, 0], [0, 4, 0, 5], [7, 0, 0, 0], [1, 1, 0, 9]], dtype=np.float32)


def _read(
    name: str,
    label: str | None = None,
    *,
    reader: str = "r_file",
    matrix: str | None = None,
    label_path: str | None = None,
    label_order: str = "names",
    orientation: str | None = None,
) -> LabelledCounts:
    source = SourceFile(reader=reader, matrix=matrix, label_order=label_order, orientation=orientation)
    return read(FILES / name, source, label=label, label_path=None if label_path is None else FILES / label_path)


def _labels(counts: LabelledCounts) -> list[str | None]:
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert counts.labels is not None
    return list(counts.labels)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("integer", ["1", None, "2", "1", "2"]),
        ("double", ["1", None, "2.5", "1", None]),
        ("logic", ["True", None, "False", "True", "False"]),
        ("words", ["T", None, "T", "NK", None]),
        ("factors", ["T", None, "T", "NK", "B"]),
        ("numbered", ["10", "20", "10", None, "20"]),
        ("listed", ["T", "B", None, "NK", None]),
        ("runs", ["T", "T", "B", "B", "B"]),
        ("latin", ["é", "B", "é", "NK", "B"]),
    ],
)
def test_na_is_an_unlabelled_cell(label: str, expected: list[str | None]) -> None:
    counts = _read("labels.rda", label)
    assert _labels(counts) == expected
    assert counts.labels_from == repr(label)


@pytest.mark.parametrize(
    "label", ["named", "named_factor", "kind", "one", "type", "two/type", "kind_of_bioc", "kind_of_tibble"]
)
def test_labels_belong_to_the_cells_of_their_names(label: str) -> None:
    assert _labels(_read("labels.rda", label)) == TYPES


def test_cells_without_a_row_are_unlabelled() -> None:
    assert _labels(_read("labels.rda", "kind_of_some")) == ["T", "B", "T", None, None]


def test_numbers_of_rows_that_only_leave_some_out_are_no_names() -> None:
    assert _labels(_read("labels.rda", "kind_of_kept")) == TYPES


@pytest.mark.parametrize(("label", "first"), [("foreign", "other1"), ("kind_of_moved", "4")])
def test_names_that_share_nothing_with_the_cells_are_refused(label: str, first: str) -> None:
    with pytest.raises(
        DataError,
        match=f"share no name .the first is '{first}' there.*label_order=file .*and labels.rda as dataset.label_path, too",
    ):
        _read("labels.rda", label)
    same = _read("labels.rda", label, label_path="labels.rda", label_order="file")
    assert _labels(same) == (TYPES if label == "foreign" else MOVED)


def test_order_is_taken_where_the_matrix_has_no_names() -> None:
    assert _labels(_read("nameless.rda", "named")) == MOVED
    counts = _read("nameless.rda", "kind_of_moved")
    assert _labels(counts) == MOVED
    assert "its rows are numbered, but not in order (the first is 4)" in counts.warnings[-1]


def test_sc3_rows_belong_to_the_cells_of_their_names() -> None:
    for reader in ("rda_sc3", "r_file"):
        counts = _read("sc3.rda", reader=reader)
        assert _labels(counts) == TYPES
        assert counts.labels_from == "'cell_type1'"
    with pytest.raises(DataError, match="share no name .the first is 'other1'"):
        _read("sc3_foreign.rda", reader="rda_sc3")
    assert _labels(_read("sc3_foreign.rda", reader="rda_sc3", label_order="file")) == MOVED


def test_lists_hold_a_matrix_and_labels() -> None:
    assert _labels(_read("list.rds")) == TYPES
    assert _labels(_read("environment.rds")) == TYPES
    for reader in ("rda_list", "r_file"):
        assert _labels(_read("list.rda", reader=reader)) == TYPES


@pytest.mark.parametrize("reader", ["rda_list", "r_file"])
@pytest.mark.parametrize("second", ["coldata.rda", "coldata.rds", "coldata.csv"])
def test_rows_of_a_second_file_belong_to_the_cells_of_their_names(reader: str, second: str) -> None:
    label = None if second.endswith(".csv") else "Condition"
    counts = _read("list.rda", label, reader=reader, label_path=second)
    assert _labels(counts) == TYPES
    assert counts.labels_from == f"'Condition' of {second}"
    by_order = _read("list.rda", "Condition", reader=reader, label_path=second, label_order="file")
    assert _labels(by_order) == MOVED
    assert by_order.labels_from == f"'Condition' of {second} in the order of its rows"


def test_a_second_file_turns_a_matrix_of_cells() -> None:
    counts = _read("turned.rds", label_path="coldata.csv")
    assert _labels(counts) == TYPES
    assert counts.warnings == (
        "turned.rds: object is 5 x 4 and the labels belong to its rows, so it is read as cells x genes",
    )


def test_a_file_of_words_without_header_fits_either_side(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("\n".join(TYPES))
    for name in ("sparse.rds", "turned.rds"):
        counts = read(FILES / name, SourceFile(reader="r_file"), label=None, label_path=tmp_path / "y.csv")
        assert _labels(counts) == TYPES


def test_several_objects_are_told_apart() -> None:
    counts = _read("several.RData")
    assert _labels(counts) == TYPES
    assert counts.warnings == ()
    assert counts.labels_from == "'cell_type'"


def test_labels_of_genes_are_refused() -> None:
    with pytest.raises(DataError, match="labels belong to its rows, whose names are those of genes; name a column"):
        _read("several.RData", "symbol")


def test_counts_are_taken_among_several_matrices() -> None:
    counts = _read("counts_and_more.RData")
    assert _labels(counts) == TYPES
    assert counts.warnings == (
        "counts_and_more.RData: counts is read; left out: normal (dataset.matrix=<name> reads another)",
    )


def test_several_matrices_are_listed() -> None:
    with pytest.raises(
        DataError, match=r"holds 2 matrices: m \(4 x 5\), normal \(4 x 5\); set dataset.matrix .* dataset.label"
    ):
        _read("ambiguous.RData")
    assert _labels(_read("ambiguous.RData", matrix="m")) == TYPES


def test_several_columns_of_one_name_are_listed() -> None:
    with pytest.raises(DataError, match="2 columns 'cell_type': meta/cell_type, clusters/cell_type; set dataset.label"):
        _read("two_columns.RData")
    for label in ("clusters", "meta/cell_type"):
        assert _labels(_read("two_columns.RData", label)) == TYPES


def test_names_of_labels_turn_a_matrix_of_cells() -> None:
    counts = _read("turned.RData")
    assert _labels(counts) == TYPES
    assert "the labels belong to its rows, so it is read as cells x genes" in counts.warnings[0]


def test_labels_come_from_the_list_of_the_matrix() -> None:
    with pytest.raises(DataError, match=r"holds 2 matrices: a/data \(4 x 5\), b/data"):
        _read("nested.rds")
    counts = _read("nested.rds", matrix="b/data")
    assert counts.labels is not None
    assert list(counts.labels) == TYPES[::-1]
    assert counts.matrix.sum() == 2 * X.sum()


def test_a_data_frame_of_numbers_that_describes_another_is_no_matrix() -> None:
    assert _labels(_read("two_frames.RData", "size")) == ["6", "6", "18", "14", "22"]
    with pytest.raises(DataError, match="no label column 'cell_type'.*Columns there: n, size.*dataset.label_path"):
        _read("two_frames.RData")


def test_a_file_without_a_matrix_lists_its_objects() -> None:
    with pytest.raises(DataError, match=r"no matrix of numbers; found helper \(function\), types \(character\)\. Save"):
        _read("no_matrix.RData")


def test_what_rdata_cannot_read_is_said_in_one_line() -> None:
    with pytest.raises(DataError, match="raw.rds cannot be read as an R file: .*RAW.*saveRDS.list") as caught:
        _read("raw.rds")
    assert "\n" not in str(caught.value)


def test_an_element_that_is_no_table_is_named() -> None:
    node = load_r(FILES / "several.RData")["helper"]
    with pytest.raises(DataError, match="'ann' is not a table of cells but function; write the file again"):
        table_of(node, "ann", "a.rda")
