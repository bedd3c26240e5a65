"""Which matrix of an h5ad file is read, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read
from scbench.errors import DataError

X = np.array([[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 0, 5]], dtype=np.float32)


def _read(path: Path, matrix: str | None = None, reader: str = "h5ad") -> LabelledCounts:
    return read(path, SourceFile(reader=reader, matrix=matrix), label="none")


def _h5ad(path: Path, x: object = X, layers: dict[str, object] | None = None, raw: np.ndarray | None = None) -> Path:
    obs, var = pd.DataFrame(index=["c1", "c2", "c3", "c4"]), pd.DataFrame(index=["g1", "g2", "g3"])
    data = anndata.AnnData(x, obs=obs, var=var, layers=layers)
    if raw is not None:
        data.raw = anndata.AnnData(csr_matrix(raw), obs=obs, var=var)
    data.write_h5ad(path)
    return path


def _old(path: Path, *, layers: tuple[str, ...] = (), raw: bool = False, x: np.ndarray = X) -> Path:
    with h5py.File(path, "w") as file:
        file["X"] = x
        file["obs"] = np.array([(b"c1",), (b"c2",), (b"c3",), (b"c4",)], dtype=[("index", "S4")])
        file["var"] = np.array([(b"g1",), (b"g2",), (b"g3",)], dtype=[("index", "S4")])
        for i, name in enumerate(layers):
            file[f"layers/{name}"] = (i + 2) * X
        if raw:
            file["raw.X"] = 9 * X
            file["raw.var"] = file["var"][()]
    return path


def test_old_h5ad_reads_the_layer_asked_for(tmp_path: Path) -> None:
    path = _old(tmp_path / "o.h5ad", layers=("counts", "spliced"), raw=True)
    for reader in ("h5ad", "h5ad_old"):
        np.testing.assert_array_equal(_read(path, "spliced", reader).matrix.toarray(), 3 * X)
        np.testing.assert_array_equal(_read(path, "raw", reader).matrix.toarray(), 9 * X)
        np.testing.assert_array_equal(_read(path, "X", reader).matrix.toarray(), X)


@pytest.mark.parametrize("old", [False, True])
def test_an_unknown_matrix_lists_those_there(tmp_path: Path, old: bool) -> None:
    path = tmp_path / "a.h5ad"
    if old:
        _old(path, layers=("counts", "spliced"), raw=True)
    else:
        _h5ad(path, layers={"counts": csr_matrix(X), "spliced": X}, raw=X)
    listed = r"Matrices there: X, raw, counts, spliced\. Set dataset\.matrix to one of them"
    with pytest.raises(DataError, match=rf"a\.h5ad has no matrix 'count'. Did you mean 'counts'\? {listed}"):
        _read(path, "count")
    with pytest.raises(DataError, match=rf"a\.h5ad has no matrix 'nope'\. {listed}"):
        _read(path, "nope")


def test_a_missing_raw_lists_the_matrices(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no matrix 'raw'\. Matrices there: X\."):
        _read(_h5ad(tmp_path / "a.h5ad"), "raw")
    with pytest.raises(DataError, match=r"has no matrix 'raw'\. Matrices there: X\."):
        _read(_old(tmp_path / "o.h5ad"), "raw")


def test_a_file_without_x_lists_the_layers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no matrix 'X'\. Matrices there: counts\."):
        _read(_h5ad(tmp_path / "a.h5ad", None, {"counts": csr_matrix(X)}))


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix, csc_matrix])
def test_values_that_are_no_counts_point_to_the_other_matrices(tmp_path: Path, kind: type) -> None:
    path = _h5ad(tmp_path / "a.h5ad", kind(np.log1p(X)), {"counts": kind(X), "scaled": X - 0.5}, raw=np.log1p(X))
    assert _read(path).warnings == (
        "a.h5ad: X holds non-integer values; raw and layers 'counts', 'scaled' are there: "
        "dataset.matrix=counts reads whole numbers",
    )
    assert _read(path, "counts").warnings == ()
    assert _read(path, "scaled").warnings == ()


def test_negative_values_are_called_so(tmp_path: Path) -> None:
    path = _h5ad(tmp_path / "a.h5ad", X - 1, raw=X)
    assert _read(path).warnings == (
        "a.h5ad: X holds negative values; raw is there: dataset.matrix=raw reads whole numbers",
    )
    path = _h5ad(tmp_path / "b.h5ad", X - 1, {"log": np.log1p(X)})
    assert _read(path).warnings == (
        "b.h5ad: X holds negative values; layer 'log' is there: dataset.matrix=log reads it",
    )


def test_old_files_point_to_raw(tmp_path: Path) -> None:
    counts = _read(_old(tmp_path / "o.h5ad", raw=True, x=X / 3))
    assert counts.warnings == (
        "o.h5ad: X holds non-integer values; raw is there: dataset.matrix=raw reads whole numbers",
    )


def test_counts_in_x_need_no_words(tmp_path: Path) -> None:
    assert _read(_h5ad(tmp_path / "a.h5ad", X, {"log": np.log1p(X)}, raw=X)).warnings == ()
    assert _read(_h5ad(tmp_path / "b.h5ad", np.log1p(X))).warnings == ()
