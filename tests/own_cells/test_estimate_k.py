from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import anndata
import h5py
import numpy as np
import pytest
from scipy.sparse import csr_matrix

import scbench
from scbench.__main__ import main
from scbench.data.config import SimulatedDataset
from scbench.data.simulate import simulate
from scbench.errors import ConfigError, DataError

Stays = Callable[[anndata.AnnData], AbstractContextManager[None]]


@pytest.fixture
def adata() -> anndata.AnnData:
    config = SimulatedDataset(name="toy", n_cells=300, n_genes=300, n_types=4, separation=3.0, dropout=0.0)
    matrix = simulate(config).matrix
    data = anndata.AnnData(csr_matrix(np.log1p(matrix.toarray())))
    data.layers["counts"] = matrix
    return data


def test_it_is_the_number_that_cluster_takes(adata: anndata.AnnData) -> None:
    k = scbench.estimate_k(adata, layer="counts")
    assert isinstance(k, int)
    assert k == scbench.estimate_k(adata.layers["counts"], curve=False) > 1
    scbench.cluster(adata, "pca_kmeans", layer="counts")
    assert adata.uns["pca_kmeans"]["n_clusters"] == k
    assert adata.obs["pca_kmeans"].nunique() == k
    scbench.cluster(adata, "pca_kmeans", values="log_normalised", key_added="log")
    assert adata.uns["log"]["n_clusters"] == scbench.estimate_k(adata, values="log_normalised", curve=False)


def test_it_is_the_number_that_the_command_takes(adata: anndata.AnnData, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["X"], file["Y"] = adata.layers["counts"].toarray(), np.arange(300) % 3
    command = ["method=random", "dataset=file", f"dataset.path={tmp_path / 'x.h5'}", "seeds=1", "n_clusters=estimate"]
    assert main([*command, f"store={tmp_path / 'store'}"]) == 0
    (record,) = (tmp_path / "store").rglob("record.json")
    assert json.loads(record.read_text())["n_clusters_requested"] == scbench.estimate_k(
        adata, layer="counts", curve=False
    )


def test_nothing_in_the_anndata_changes_and_nothing_is_said_of_good_cells(adata: anndata.AnnData, stays: Stays) -> None:
    with warnings.catch_warnings(), stays(adata):
        warnings.simplefilter("error")
        scbench.estimate_k(adata, layer="counts")


def test_reads_without_a_gene_are_left_out_with_a_warning_in_both(adata: anndata.AnnData) -> None:
    counts = anndata.AnnData(adata.layers["counts"].copy())
    counts.var_names = [*(f"g{i}" for i in range(298)), "__no_feature", "N_unmapped"]
    with pytest.warns(UserWarning, match="2 columns of reads without a gene are left out") as caught:
        k = scbench.estimate_k(counts)
    assert {warning.filename for warning in caught} == {__file__}
    assert k == scbench.estimate_k(counts[:, :298].copy())
    with pytest.warns(UserWarning, match=r"without a gene are left out \(__no_feature, N_unmapped\)"):
        scbench.cluster(counts, "pca_kmeans")
    assert counts.uns["pca_kmeans"]["n_clusters"] == k


@pytest.mark.parametrize("estimate", ["stability", "resolution_1"])
def test_both_rules_can_be_chosen(adata: anndata.AnnData, estimate: Literal["stability", "resolution_1"]) -> None:
    k = scbench.estimate_k(adata, layer="counts", estimate=estimate, curve=False)
    assert (k.rule, len(k.labels), len(k.sizes)) == (estimate, 300, k)
    assert list(k.sizes) == sorted(k.sizes, reverse=True)
    done = scbench.cluster(adata, "pca_kmeans", layer="counts", estimate=estimate)
    assert len(np.unique(done.labels)) == k
    assert repr(k).startswith(f"K = {int(k)} by {estimate}, from 300 cells")


def test_the_curve_comes_unless_it_is_not_wanted(adata: anndata.AnnData) -> None:
    assert scbench.estimate_k(adata, layer="counts", estimate="stability").curve is not None
    assert scbench.estimate_k(adata, layer="counts", estimate="stability", curve=False).curve is None


def test_mistakes_are_said(adata: anndata.AnnData) -> None:
    with pytest.raises(DataError, match="not whole numbers"):
        scbench.estimate_k(anndata.AnnData(adata.X))
    with pytest.raises(ConfigError, match="unknown layer 'count'. Did you mean 'counts'"):
        scbench.estimate_k(adata, layer="count")
    with pytest.raises(DataError, match="values are negative"):
        scbench.estimate_k(-adata.layers["counts"])
    with pytest.raises(DataError, match="9 cells are too few to estimate the number of clusters from"):
        scbench.estimate_k(adata[:9], layer="counts", estimate="stability")
    with pytest.raises(ConfigError, match="unknown estimate 'resolution'"):
        scbench.estimate_k(adata, layer="counts", estimate="resolution")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="unknown estimate 'resolution'"):
        scbench.cluster(adata, layer="counts", estimate="resolution")  # type: ignore[arg-type]
