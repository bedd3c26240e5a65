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
    found = matrix_of(data, None, finds_counts=True)
    assert abs(found.matrix - COUNTS).max() == 0
    assert found.lines == []
    assert found.where == (
        "X" if isinstance(data, anndata.AnnData) else f"the {'DataFrame' if 'Frame' in kind else 'matrix'}"
    )


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
        seen_from_a_path = scbench.cluster(tmp_path / "x.h5ad", "pca_kmeans", 3, layer=layer)
        np.testing.assert_array_equal(seen_from_a_path.labels, expected)
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
        (5, "but int of 0 dimensions.*give an AnnData, a DataFrame, or a dense or sparse matrix"),
        (None, "but NoneType"),
        (anndata.AnnData(np.ones((3, 2), np.float32)).raw, "but NoneType"),
        (pd.DataFrame({"g": [1, 2], "cell_type": ["a", "b"]}), "columns that are not numbers: 1, the first is 'cell_type'"),
        (pd.DataFrame({"g": [1, None], "h": [2, 3]}), "1 values are not a finite number"),
        (anndata.AnnData(obs=pd.DataFrame(index=["a", "b"])), r'no counts in the AnnData: X is not there, layers\["counts"\] is not'),
    ],
)  # fmt: skip
def test_what_is_no_table_of_numbers_is_said_in_one_line(data: Any, message: str) -> None:
    for function in (scbench.estimate_k, scbench.cluster):
        with pytest.raises(DataError, match=message) as caught:
            function(data)
        assert "\n" not in str(caught.value)


def test_an_anndata_without_x_is_taken_by_its_layers() -> None:
    adata = anndata.AnnData(
        obs=pd.DataFrame(index=[str(i) for i in range(120)]), layers={"counts": COUNTS, "other": COUNTS}
    )
    assert scbench.estimate_k(adata) == scbench.estimate_k(adata, layer="other") == scbench.estimate_k(COUNTS)
    with pytest.raises(DataError, match=r"has no X; layer= names the layer .*there are: counts, other"):
        scbench.estimate_k(adata, values="log_normalised")


def test_counts_are_looked_for_in_x_then_in_the_layer_then_in_raw() -> None:
    log = COUNTS.copy()
    log.data = np.log1p(log.data)
    places = []
    for x, layers, raw in (
        (COUNTS, {"counts": COUNTS * 2}, None),
        (log, {"counts": COUNTS, "scaled": log}, COUNTS * 2),
        (log, {"counts": log}, COUNTS),
        (log, {}, COUNTS),
        (log.toarray() - 0.5, {}, COUNTS.toarray()),
    ):
        adata = anndata.AnnData(x.copy(), layers=layers)
        if raw is not None:
            adata.raw = anndata.AnnData(raw)
        found = matrix_of(adata, None, finds_counts=True)
        places.append(found.where)
        assert abs(found.matrix - COUNTS).max() == 0
        assert matrix_of(adata, None).where == "X"
    assert places == ["X", 'layers["counts"]', "raw", "raw", "raw"]


def test_raw_has_genes_of_its_own() -> None:
    adata = anndata.AnnData(np.full((120, 3), 0.5))
    raw = anndata.AnnData(COUNTS)
    raw.var_names = GENES
    adata.raw = raw
    found = matrix_of(adata, None, finds_counts=True)
    assert found.genes is not None
    assert found.genes.tolist() == GENES


def test_what_is_where_is_said_when_there_are_no_counts_anywhere() -> None:
    adata = anndata.AnnData(np.full((4, 3), 0.5), layers={"scaled": np.full((4, 3), -1.0)})
    adata.raw = anndata.AnnData(np.full((4, 3), -1.5))
    with pytest.raises(DataError) as caught:
        matrix_of(adata, None, finds_counts=True)
    assert str(caught.value) == (
        "no counts in the AnnData: X has values that are not whole numbers, raw has values that are negative, "
        'layers["counts"] is not there (other layers: scaled)'
    )


def test_sparse_counts_are_never_made_dense_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = sp.random(300, 3000, 0.05, format="csr", random_state=0, data_rvs=lambda n: np.ones(n) * 2)
    sizes = []
    whole = sp.csr_matrix.toarray
    monkeypatch.setattr(
        sp.csr_matrix, "toarray", lambda self, *a, **k: sizes.append(self.shape) or whole(self, *a, **k)
    )
    scbench.cluster(anndata.AnnData(sp.csr_matrix(counts)), "leiden", 3)
    assert sizes
    assert max(n_genes for _, n_genes in sizes) <= 2000  # the variable genes, some rows at once
