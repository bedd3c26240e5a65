"""The registry of readers, the choice by file name, and labels as text."""

from __future__ import annotations

import gzip
import importlib
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scbench.data.readers import READERS, reader_for
from scbench.data.readers.labels import text_labels, text_names, usual_column
from scbench.errors import DataError


@pytest.mark.parametrize("module", sorted(set(READERS.values())))
def test_every_reader_has_a_module(module: str) -> None:
    assert callable(importlib.import_module(f"scbench.data.readers.{module}").read)


def test_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, scbench.data.readers as r; print({'h5py','pandas','anndata','rdata','torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("a.csv", "table"),
        ("a.tsv", "table"),
        ("A.TXT", "table"),
        ("a.b.csv.gz", "table"),
        ("a.zip", "table"),
        ("a.h5ad", "h5ad"),
        ("a.loom", "loom"),
        ("GSM_matrix.mtx.gz", "mtx_10x"),
    ],
)
def test_reader_follows_from_the_name(tmp_path: Path, name: str, reader: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert reader_for(tmp_path / name) == reader


@pytest.mark.parametrize(
    ("members", "reader"),
    [
        (["X", "Y"], "xy_h5"),
        (["X", "obs/a", "var/b"], "h5ad"),
        (["exprs", "obs/a"], "quake_h5"),
        (["matrix/data", "matrix/indices", "matrix/indptr", "matrix/barcodes"], "tenx_h5"),
        (["hg19/data", "hg19/indices", "hg19/indptr", "hg19/barcodes"], "tenx_h5"),
        (["matrix", "col_attrs/a"], "loom"),
    ],
)
def test_reader_of_hdf5_follows_from_the_content(tmp_path: Path, members: list[str], reader: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for member in members:
            file[member] = np.zeros((2, 2))
    assert reader_for(tmp_path / "a.h5") == reader


def test_unknown_hdf5_lists_what_it_holds(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["weights"] = [1.0]
    with pytest.raises(DataError, match=r"no X, exprs or 10x matrix; found weights. Accepted: .h5"):
        reader_for(tmp_path / "a.hdf5")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xyz", r"format of a\.xyz cannot be told.*Accepted: \.h5.*10x export"),
        ("a.xlsx", "a.xlsx is an Excel file; save it as CSV UTF-8"),
        ("a.parquet", "write it as csv"),
        ("a.h5seurat", "saveRDS"),
        ("noname", "cannot be told"),
        ("a.h5ad.gz", "unpack it first"),
        ("a.gz", "cannot be told"),
    ],
)
def test_unknown_names_list_what_is_accepted(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match=message):
        reader_for(tmp_path / name)


def test_folder_and_missing_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"folder without one matrix\.mtx"):
        reader_for(tmp_path)
    (tmp_path / "matrix.mtx").write_text("")
    assert reader_for(tmp_path) == "mtx_10x"
    with pytest.raises(DataError, match="does not exist"):
        reader_for(tmp_path / "nothing.h5")


@given(st.lists(st.integers(-5, 200)))
def test_integer_labels_do_not_depend_on_how_they_are_stored(codes: list[int]) -> None:
    expected = [str(code) for code in codes]
    for kind in (np.int64, np.float64, np.float32):
        assert list(text_labels(np.array(codes, dtype=kind))) == expected
    assert list(text_labels(np.array(expected, dtype=object))) == expected


def test_missing_labels_are_none_and_missing_names_are_text() -> None:
    values = [None, np.nan, "", "NA", b"nan", "a", b"b", True]
    assert list(text_labels(values)) == [None] * 5 + ["a", "b", "True"]
    assert list(text_names(["a", b"b", None, "NA"])) == ["a", "b", "NA", "NA"]
    assert list(text_labels([pd.NA, pd.NaT, "a"])) == [None, None, "a"]
    assert list(text_names([pd.NA, "a"])) == ["NA", "a"]


def test_usual_column_ignores_case_and_marks() -> None:
    assert usual_column(["batch", "Cell.Type"]) == "Cell.Type"
    assert usual_column(["label", "cell_type1"]) == "cell_type1"
    assert usual_column(["batch", "cluster"]) is None
