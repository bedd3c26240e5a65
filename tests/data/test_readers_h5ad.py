"""h5ad, h5ad_old and the file inside scanpy."""

from __future__ import annotations

import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.locate import embedded_file
from scbench.data.readers import read
from scbench.errors import DataError

X = np.array([[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 0, 5]], dtype=np.float32)


def _read(path: Path, reader: str, label: str | None = None, matrix: str | None = None) -> LabelledCounts:
    return read(path, SourceFile(reader=reader, matrix=matrix), label=label)


def _labels(counts: LabelledCounts) -> list[str | None]:
    assert counts.labels is not None
    return list(counts.labels)


def _h5ad(path: Path, kind: type | None = None) -> Path:
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical(["a", "b", None, "a"]), "cluster": [0, 1, 2, 3]},
        index=["c1", "c2", "c3", "c4"],
    )
    var = pd.DataFrame(index=["g1", "g2", "g3"])
    stored = X if kind is None else kind(X)
    data = anndata.AnnData(stored, obs=obs, var=var, layers={"counts": csr_matrix(2 * X)})
    data.raw = anndata.AnnData(
        csr_matrix(np.hstack([X, X])), obs=obs, var=pd.DataFrame(index=[f"r{i}" for i in range(6)])
    )
    data.write_h5ad(path)
    return path


@pytest.mark.parametrize("kind", [None, csr_matrix, csc_matrix])
def test_dense_and_sparse_h5ad_agree(tmp_path: Path, kind: type | None) -> None:
    counts = _read(_h5ad(tmp_path / "a.h5ad", kind), "h5ad")
    assert isinstance(counts.matrix, csr_matrix)
    assert counts.matrix.dtype == np.float32
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["a", "b", None, "a"]
    assert counts.genes is not None
    assert counts.cells is not None
    assert list(counts.genes) == ["g1", "g2", "g3"]
    assert list(counts.cells) == ["c1", "c2", "c3", "c4"]


def test_h5ad_raw_brings_its_own_genes(tmp_path: Path) -> None:
    counts = _read(_h5ad(tmp_path / "a.h5ad"), "h5ad", "cluster", "raw")
    np.testing.assert_array_equal(counts.matrix.toarray(), np.hstack([X, X]))
    assert counts.genes is not None
    assert list(counts.genes) == [f"r{i}" for i in range(6)]
    assert _labels(counts) == ["0", "1", "2", "3"]


def test_h5ad_layer(tmp_path: Path) -> None:
    counts = _read(_h5ad(tmp_path / "a.h5ad"), "h5ad", "none", "counts")
    np.testing.assert_array_equal(counts.matrix.toarray(), 2 * X)
    assert counts.labels is None


def test_h5ad_missing_layer_and_column_are_named(tmp_path: Path) -> None:
    path = _h5ad(tmp_path / "a.h5ad")
    with pytest.raises(DataError, match=r"a\.h5ad has no matrix 'spliced'\. Matrices there: X, raw, counts\."):
        _read(path, "h5ad", None, "spliced")
    with pytest.raises(DataError, match=r"no label column 'celltype'. Did you mean 'cell_type'\?.*cell_type, cluster"):
        _read(path, "h5ad", "celltype")


@pytest.mark.parametrize("kind", ["Int64", "boolean", "string"])
def test_missing_values_of_nullable_columns_are_missing_labels(tmp_path: Path, kind: str) -> None:
    values = {"boolean": [True, None, False, True], "string": ["a", None, "b", "a"]}.get(kind, [1, None, 2, 1])
    obs = pd.DataFrame({"kind": pd.array(values, dtype=kind)}, index=["c1", "c2", "c3", "c4"])
    data = anndata.AnnData(X, obs=obs)
    with anndata.settings.override(allow_write_nullable_strings=True):
        data.write_h5ad(tmp_path / "a.h5ad")
    expected = [None if value is None else str(value) for value in values]
    assert _labels(_read(tmp_path / "a.h5ad", "h5ad", "kind")) == expected


def test_names_of_another_length_give_both_numbers(tmp_path: Path) -> None:
    path = _h5ad(tmp_path / "a.h5ad")
    with h5py.File(path, "a") as file:
        del file["X"]
        file["X"] = X[:3]
    with pytest.raises(DataError, match=r"a\.h5ad has 3 cells but 4 names of cells"):
        _read(path, "h5ad", "none")
    old = _old(tmp_path / "p.h5ad")
    with h5py.File(old, "a") as file:
        del file["X"]
        file["X"] = X[:, :2]
    with pytest.raises(DataError, match=r"p\.h5ad has 2 genes but 3 names of genes"):
        _read(old, "h5ad_old", "none")


def test_damaged_h5ad_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.h5ad").write_bytes(b"\x89HDF\r\n\x1a\nrubbish")
    with pytest.raises(DataError, match=r"a\.h5ad cannot be read as an HDF5 file"):
        _read(tmp_path / "a.h5ad", "h5ad")


def _old(path: Path, *, raw: np.ndarray | None = None, n_counts: list[float] | None = None) -> Path:
    fields = [("index", "S4"), ("paul15_clusters", "i1"), ("bulk_labels", "i1")]
    obs = np.zeros(4, dtype=fields + ([("n_counts", "f4")] if n_counts else []))
    obs["index"] = [b"c1", b"c2", b"c3", b"c4"]
    obs["paul15_clusters"] = obs["bulk_labels"] = [1, 0, 1, -1]
    if n_counts:
        obs["n_counts"] = n_counts
    var = np.array([(b"g1",), (b"g2",), (b"g3",)], dtype=[("index", "S4")])
    with h5py.File(path, "w") as file:
        file["X"] = X
        file["obs"] = obs
        file["var"] = var
        file["uns/paul15_clusters_categories"] = np.array([b"1Ery", b"7MEP"])
        file["uns/bulk_labels_categories"] = np.array([b"B", b"T"])
        if raw is not None:
            stored = csr_matrix(raw)
            group = file.create_group("raw.X")
            group.attrs["h5sparse_format"] = b"csr"
            group.attrs["h5sparse_shape"] = stored.shape
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(stored, part)
            file["raw.var"] = var
    return path


@pytest.mark.parametrize("reader", ["h5ad_old", "h5ad"])
def test_old_h5ad_codes_become_names(tmp_path: Path, reader: str) -> None:
    counts = _read(_old(tmp_path / "p.h5ad"), reader, "paul15_clusters")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["7MEP", "1Ery", "7MEP", None]
    assert counts.genes is not None
    assert counts.cells is not None
    assert list(counts.genes) == ["g1", "g2", "g3"]
    assert list(counts.cells) == ["c1", "c2", "c3", "c4"]


def test_old_h5ad_codes_without_names_stay_codes(tmp_path: Path) -> None:
    path = _old(tmp_path / "p.h5ad")
    with h5py.File(path, "a") as file:
        del file["uns"]
    assert _labels(_read(path, "h5ad_old", "paul15_clusters")) == ["1", "0", "1", "-1"]


def test_old_reader_refuses_a_new_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no compound dataset 'obs'.*use the reader h5ad"):
        _read(_h5ad(tmp_path / "a.h5ad"), "h5ad_old")


def test_counts_are_recovered_from_normalised_values(tmp_path: Path) -> None:
    totals = [12.0, 30.0, 50.0, 1000.0]
    normalised = np.round(np.log1p(1e4 * X / np.array(totals)[:, None]), 3)
    counts = _read(_old(tmp_path / "p.h5ad", raw=normalised, n_counts=totals), "pbmc68k_reduced")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["T", "B", "T", None]


def test_unrecoverable_counts_are_refused(tmp_path: Path) -> None:
    path = _old(tmp_path / "p.h5ad", raw=np.log1p(1e4 * 0.4 * X / 50), n_counts=[50.0] * 4)
    with pytest.raises(DataError, match=r"lies 0\.4 from a whole number where at most 0\.1"):
        _read(path, "pbmc68k_reduced")


def test_missing_totals_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column n_counts"):
        _read(_old(tmp_path / "p.h5ad", raw=X), "pbmc68k_reduced")


def test_embedded_file_is_found_without_importing_scanpy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == "scanpy" or name.startswith("scanpy.")]:
        monkeypatch.delitem(sys.modules, name)
    path = embedded_file()
    assert path is not None
    counts = _read(path, "pbmc68k_reduced")
    assert "scanpy" not in sys.modules
    assert counts.matrix.shape == (700, 765)
    assert len(set(_labels(counts))) == 10
    assert None not in _labels(counts)
    np.testing.assert_array_equal(counts.matrix.data, np.rint(counts.matrix.data))
    assert counts.matrix.data.min() >= 1
