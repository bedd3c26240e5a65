"""Whatever holds the cells, the same counts and the same clusters come of it, or one line says why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import scbench
from scbench.errors import DataError
from scbench.own_cells.matrix_of import matrix_of
from scbench.testing import toy_counts

COUNTS = toy_counts(120, 200).matrix
GENES = [f"g{i}" for i in range(200)]

KINDS: dict[str, Callable[[sp.csr_matrix], Any]] = {
    "int64": lambda m: m.astype(np.int64),
    "float64": lambda m: m.astype(np.float64),
    "CSC": lambda m: m.tocsc(),
    "sparse array": sp.csr_array,
    "dense": lambda m: m.toarray(),
    "dense int64": lambda m: m.toarray().astype(np.int64),
    "DataFrame": lambda m: pd.DataFrame(m.toarray(), columns=GENES),
    "DataFrame of nullable integers": lambda m: pd.DataFrame(m.toarray(), columns=GENES).astype("Int64"),
    "sparse DataFrame": lambda m: pd.DataFrame.sparse.from_spmatrix(m, columns=GENES),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("in_an_anndata", [False, True])
def test_every_kind_of_matrix_gives_the_same_counts(kind: str, in_an_anndata: bool) -> None:
    data = KINDS[kind](COUNTS)
    if in_an_anndata and kind != "DataFrame of nullable integers":  # which anndata refuses
        data = anndata.AnnData(data)
    matrix, _, said = matrix_of(data, None)
    assert abs(matrix - COUNTS).max() == 0
    assert said == []


def test_the_columns_of_a_dataframe_are_its_genes() -> None:
    table = KINDS["DataFrame"](COUNTS).rename(columns={"g3": "ERCC-00002"})
    with pytest.warns(UserWarning, match=r"1 genes are spike-ins \(ERCC\)"):
        scbench.estimate_k(table)


def test_a_view_gets_the_clusters_and_its_parent_none() -> None:
    whole = anndata.AnnData(COUNTS.copy())
    view = whole[:80]
    with pytest.warns(anndata.ImplicitModificationWarning):
        done = scbench.cluster(view, "pca_kmeans", 3)
    np.testing.assert_array_equal(view.obs["pca_kmeans"].astype(int), done.labels)
    assert len(whole.obs.columns) == 0
    np.testing.assert_array_equal(done.labels, scbench.cluster(COUNTS[:80], "pca_kmeans", 3).labels)


@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_matrix, sp.csr_matrix.toarray])
def test_an_anndata_that_is_backed_by_a_file_is_read(form: Callable[..., Any], tmp_path: Path) -> None:
    anndata.AnnData(form(COUNTS), layers={"counts": COUNTS}).write_h5ad(tmp_path / "x.h5ad")
    expected = scbench.cluster(COUNTS, "pca_kmeans", 3).labels
    before = (tmp_path / "x.h5ad").read_bytes()
    for layer in (None, "counts"):
        backed = anndata.read_h5ad(tmp_path / "x.h5ad", backed="r")
        np.testing.assert_array_equal(scbench.cluster(backed, "pca_kmeans", 3, layer=layer).labels, expected)
        assert backed.isbacked
        assert backed.obs["pca_kmeans"].nunique() == 3
        backed.file.close()
    assert (tmp_path / "x.h5ad").read_bytes() == before


def test_a_part_of_a_backed_one_is_refused_before_the_fit(tmp_path: Path) -> None:
    anndata.AnnData(COUNTS).write_h5ad(tmp_path / "x.h5ad")
    part = anndata.read_h5ad(tmp_path / "x.h5ad", backed="r")[:60]
    with pytest.raises(DataError, match=r"backed by a file; give a copy in memory: x.to_memory\(\)"):
        scbench.cluster(part, "pca_kmeans", 3)
    assert scbench.estimate_k(part) == scbench.estimate_k(COUNTS[:60])  # nothing is written
    assert scbench.cluster(part.to_memory(), "pca_kmeans", 3).labels.shape == (60,)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones(5), "the matrix is no table of numbers, but ndarray of 1 dimensions and type float64"),
        (np.ones((5, 2, 2)), "ndarray of 3 dimensions"),
        (np.ones((5, 2)).astype(object), "type object"),
        ("cells.h5ad", "but str of 0 dimensions.*give an AnnData, a DataFrame, or a dense or sparse matrix"),
        (None, "but NoneType"),
        (anndata.AnnData(np.ones((3, 2), np.float32)).raw, "but NoneType"),
        (pd.DataFrame({"g": [1, 2], "cell_type": ["a", "b"]}), "columns that are not numbers: 1, the first is 'cell_type'"),
        (pd.DataFrame({"g": [1, None], "h": [2, 3]}), "1 values are not a finite number"),
        (anndata.AnnData(obs=pd.DataFrame(index=["a", "b"])), "the AnnData has no X; .*there are none, either"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_numbers_is_said_in_one_line(data: Any, message: str) -> None:
    for function in (scbench.estimate_k, scbench.cluster):
        with pytest.raises(DataError, match=message) as caught:
            function(data)
        assert "\n" not in str(caught.value)


def test_an_anndata_with_layers_alone_names_them() -> None:
    adata = anndata.AnnData(obs=pd.DataFrame(index=[str(i) for i in range(120)]), layers={"counts": COUNTS})
    with pytest.raises(DataError, match=r"has no X; layer= names the layer .*there are: counts"):
        scbench.estimate_k(adata)
    assert scbench.estimate_k(adata, layer="counts") == scbench.estimate_k(COUNTS)
