"""Matrices in R files, as R writes them (``r_files/make.R``)."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read, reader_for, stacking
from scbench.errors import DataError

pytest.importorskip("rdata", reason="rdata is not installed")

FILES = Path(__file__).parent / "r_files"
GENES = ["ACTB", "CD3D", "MT-CO1", "GNLY"]
CELLS = ["AAACCTGA-1", "AAACGGGA-1", "AAAGATGC-1", "AAATGCCC-1", "AACCATGA-1"]
X = np.array([[0, 2, 0, 1], [0, 0, 3, 0], [0, 4, 0, 5], [7, 0, 0, 0], [1, 1, 0, 9]], dtype=np.float32)


def _read(
    name: str, *, matrix: str | None = None, label: str = "none", orientation: str | None = None
) -> LabelledCounts:
    path = FILES / name
    return read(path, SourceFile(reader=reader_for(path), matrix=matrix, orientation=orientation), label=label)


def _names(counts: LabelledCounts) -> tuple[list[str] | None, list[str] | None]:
    return tuple(None if names is None else list(names) for names in (counts.cells, counts.genes))  # type: ignore[return-value]


@pytest.mark.parametrize("name", ["sparse.rds", "integer.rds", "frame.rds", "tibble.rds"])
def test_genes_are_in_rows(name: str) -> None:
    counts = _read(name)
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert counts.matrix.dtype == np.float32
    assert _names(counts) == (CELLS, GENES)
    assert counts.warnings == ()


def test_na_of_an_integer_matrix_is_nan() -> None:
    counts = _read("integer_na.rds")
    assert np.isnan(counts.matrix[2, 1])
    assert np.nansum(counts.matrix.data) == X.sum() - 4


def test_a_matrix_without_names_follows_custom_and_says_so() -> None:
    counts = _read("nameless.rds")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _names(counts) == (None, None)
    assert "object is 4 x 5; its rows are taken for genes, as is the custom in R" in counts.warnings[0]
    turned = _read("nameless.rds", orientation="cells_by_genes")
    np.testing.assert_array_equal(turned.matrix.toarray(), X.T)
    assert turned.warnings == ()


def test_names_of_cells_in_rows_turn_a_matrix_unless_the_user_says_otherwise() -> None:
    counts = _read("turned.rds")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _names(counts) == (CELLS, GENES)
    assert counts.warnings == (
        "turned.rds: object is 5 x 4 and its names are those of cells and genes, so it is read as cells x genes",
    )
    given = _read("turned.rds", orientation="genes_by_cells")
    assert _names(given) == (GENES, CELLS)


@pytest.mark.parametrize("name", ["by_rows", "dense"])
def test_other_classes_of_matrix_hold_the_same(name: str) -> None:
    counts = _read("matrices.rda", matrix=name)
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _names(counts) == (CELLS, GENES)


def test_triplets_that_stand_twice_are_added() -> None:
    expected = X.copy()
    expected[0, 0] += 6
    np.testing.assert_array_equal(_read("matrices.rda", matrix="triplets").matrix.toarray(), expected)


@pytest.mark.parametrize("name", ["logical", "pattern", "pattern_triplets"])
def test_a_logical_or_pattern_matrix_is_of_ones(name: str) -> None:
    np.testing.assert_array_equal(_read("matrices.rda", matrix=name).matrix.toarray(), X > 0)


def test_values_stay_as_stored() -> None:
    np.testing.assert_array_equal(_read("matrices.rda", matrix="halved").matrix.toarray(), X / 2)
    assert _read("matrices.rda", matrix="big").matrix[0, 0] == 2.0**40


def test_dimnames_may_be_null_or_doubled() -> None:
    assert _names(_read("matrices.rda", matrix="no_names")) == (None, None)
    assert _names(_read("matrices.rda", matrix="rows_twice"))[1] == ["ACTB", "ACTB", "CD3D", "MT-CO1"]


def test_doubled_columns_of_a_data_frame_are_all_kept() -> None:
    counts = _read("matrices.rda", matrix="doubled")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _names(counts)[0] == [CELLS[0], CELLS[0], *CELLS[2:]]


def test_integer64_is_read_as_whole_numbers() -> None:
    matrix = _read("matrices.rda", matrix="wide").matrix.toarray()
    np.testing.assert_array_equal(matrix, [[1, np.nan, 3, 4], [1, 2, 3, 4]])


def test_a_class_that_is_no_general_matrix_is_refused() -> None:
    with pytest.raises(DataError, match="'symmetric' is not a matrix of numbers but dsCMatrix; set dataset.matrix"):
        _read("matrices.rda", matrix="symmetric")


def test_dense_matrices_are_made_sparse_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "BLOCK_BYTES", 64)
    for name in ("integer.rds", "frame.rds"):
        np.testing.assert_array_equal(_read(name).matrix.toarray(), X)


def test_columns_that_describe_genes_are_no_cells() -> None:
    counts = _read("described_frame.rds")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert counts.warnings == ("described_frame.rds: 2 columns describe rows and are left out: chromosome, strand",)


def test_a_data_frame_of_cells_may_hold_the_labels() -> None:
    path = FILES / "cells_frame.rds"
    counts = read(path, SourceFile(reader="r_file"), label=None)
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert counts.labels is not None
    assert list(counts.labels) == ["T", "B", "T", "NK", "B"]
    assert counts.labels_from == "'cell_type'"
    assert counts.warnings == (
        "cells_frame.rds: a column of object holds the labels, so its rows are cells",
        "cells_frame.rds: 1 column describes rows and is left out: batch",
    )
    assert _names(_read("cells_frame.rds"))[1] == GENES


@pytest.mark.parametrize("name", ["a.rds.gz", "a.RDS", "a.RData"])
def test_the_content_says_how_a_file_was_saved(tmp_path: Path, name: str) -> None:
    shutil.copy(FILES / "sparse.rds", tmp_path / name)
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress((FILES / "sparse.rds").read_bytes()))
    assert reader_for(tmp_path / name) == "r_file"
    counts = read(tmp_path / name, SourceFile(reader="r_file"), label="none")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
