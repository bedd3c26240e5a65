from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix

import scbench
from scbench.__main__ import main
from scbench.errors import ConfigError, DataError
from scbench.method import Clustering
from scbench.own_cells.write_clusters import write_clusters
from scbench.run.seeding import seeded
from scbench.testing import toy_counts

Stays = Callable[[anndata.AnnData], AbstractContextManager[None]]


@pytest.fixture
def adata() -> anndata.AnnData:
    matrix = toy_counts(120, 200).matrix
    data = anndata.AnnData(csr_matrix(np.log1p(matrix.toarray())))
    data.layers["counts"] = matrix
    return data


def test_an_anndata_gets_clusters_embedding_and_what_made_them(adata: anndata.AnnData) -> None:
    before = adata.X.copy()
    done = scbench.cluster(adata, "pca_kmeans", 4, layer="counts", n_components=7)
    assert adata.obs["pca_kmeans"].cat.categories.tolist() == ["0", "1", "2", "3"]
    np.testing.assert_array_equal(adata.obs["pca_kmeans"].astype(int), done.labels)
    assert adata.obsm["X_pca_kmeans"].shape == (120, 7)
    assert adata.uns["pca_kmeans"] == {
        "method": "pca_kmeans",
        "params": {"n_components": 7},
        "seed": 0,
        "n_clusters": 4,
        "from": 'layers["counts"]',
        "embedding_in": "X_pca_kmeans",
        "info": {"inertia": done.info["inertia"], "n_components": 7},
    }
    assert abs(adata.X - before).max() == 0
    scbench.cluster(adata, "random", 3, layer="counts", key_added="mine")
    assert "mine" in adata.obs


def test_the_resolution_that_was_used_is_kept_in_the_file(adata: anndata.AnnData, tmp_path: Path) -> None:
    searched = scbench.cluster(adata, "leiden", 4, layer="counts", key_added="searched")
    given = scbench.cluster(adata, "leiden", 4, layer="counts", key_added="given", resolution=3.0)
    assert len(np.unique(searched.labels)) == 4 < len(np.unique(given.labels))
    adata.write_h5ad(tmp_path / "x.h5ad")
    about = anndata.read_h5ad(tmp_path / "x.h5ad").uns
    assert about["given"]["info"] == {"match_k": False, "resolution": 3.0}
    assert about["given"]["params"] == {"resolution": 3.0}
    assert about["searched"]["info"] == dict(searched.info)
    assert about["searched"]["info"]["match_k"]
    assert about["searched"]["info"]["resolution"] != 1.0


def test_whatever_a_method_reports_can_be_written(adata: anndata.AnnData, tmp_path: Path) -> None:
    info = {
        "stop_reason": None,
        "epochs": np.int64(3),
        "loss": {"zinb": [0.5, 1], "left": None},
        "steps": [("a", 1), ("b", 2)],
        "names": ["x", "y"],
    }
    about = {"info": info, "params": {"k": None}}
    write_clusters(adata, "mine", Clustering(np.zeros(120, dtype=np.int64)), about)
    adata.write_h5ad(tmp_path / "x.h5ad")
    found = anndata.read_h5ad(tmp_path / "x.h5ad").uns["mine"]
    assert found["params"] == {}
    assert found["info"]["epochs"] == 3
    assert found["info"]["loss"]["zinb"].tolist() == [0.5, 1]
    assert found["info"]["steps"] == '[["a", 1], ["b", 2]]'
    assert found["info"]["names"].tolist() == ["x", "y"]
    assert "stop_reason" not in found["info"]


@pytest.mark.parametrize("method", ["pca_kmeans", "leiden", "random"])
def test_labels_are_those_of_the_command(method: str, tmp_path: Path) -> None:
    matrix = toy_counts(120, 200).matrix
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["X"], file["Y"] = matrix.toarray(), np.arange(120) % 4
    command = [f"method={method}", "dataset=file", f"dataset.path={path}", "seeds=[3]", "device=cpu"]
    assert main([*command, f"store={tmp_path / 'store'}"]) == 0
    (stored,) = (tmp_path / "store").rglob("labels.npy")
    np.testing.assert_array_equal(scbench.cluster(matrix, method, 4, seed=3).labels, np.load(stored))


def test_the_number_of_clusters_can_be_estimated() -> None:
    done = scbench.cluster(toy_counts(300, 300).matrix.toarray(), "pca_kmeans", estimate="resolution_1")
    assert 2 <= len(np.unique(done.labels)) <= 10


def test_the_callers_generators_go_on_where_they_were() -> None:
    def draws() -> list[float]:
        return [random.random(), float(np.random.rand()), float(torch.rand(()))]

    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    expected = draws()
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    with seeded(7, uses_torch=True):
        inside = draws()
    assert draws() == expected != inside


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"method": "leidn"}, ConfigError, "Did you mean 'leiden'"),
        ({"resolutio": 2.0}, ConfigError, "unknown parameter of method leiden 'resolutio'. Did you mean 'resolution'"),
        (
            {"match_k": True, "resolution": 2},
            ConfigError,
            "match_k=True searches the resolution, so resolution=2 would not be used; leave out match_k",
        ),
        ({"layer": "count"}, ConfigError, "unknown layer 'count'. Did you mean 'counts'"),
        ({"layer": "counts", "n_clusters": 121}, ValueError, "n_clusters is 121 but there are only 120 cells"),
        ({"layer": "log", "n_clusters": 3}, DataError, "are not whole numbers"),
        ({"layer": "log", "n_clusters": 3}, DataError, 'log-normalised values with values="log_normalised"'),
        (
            {"layer": "scaled", "n_clusters": 3},
            DataError,
            r'^layers\["scaled"\] of the AnnData: .* values are negative',
        ),
        ({"layer": "counts", "values": "raw"}, ConfigError, "'raw'. Known: counts, linear, log_normalised"),
        ({"layer": "counts", "n_clusters": "true"}, ConfigError, "a whole number or \"estimate\", got 'true'"),
        ({"layer": "counts", "n_clusters": 2.5}, ConfigError, 'a whole number or "estimate", got 2.5'),
        ({"layer": "counts", "n_clusters": True}, ConfigError, 'a whole number or "estimate", got True'),
        ({"layer": "counts", "n_clusters": 0}, ValueError, "n_clusters must be at least 1, got 0"),
        ({"layer": "counts", "seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"layer": "counts", "device": "gpu"}, ConfigError, "a CUDA device such as \"cuda:0\", got 'gpu'"),
        (
            {"layer": "counts", "device": "cuda:99", "method": "cicl"},
            ConfigError,
            r"device='cuda:99' is not here \(\d+ CUDA",
        ),
        ({"n_seeds": 0}, ConfigError, "n_seeds must be a whole number of at least 1, got 0"),
        ({"overwrite": False}, ConfigError, r'obs\["leiden"\] is there already; overwrite=True replaces it'),
        ({"key_added": "e", "overwrite": False}, ConfigError, r'obsm\["X_e"\] is there already'),
        (
            {"batch_key": "donor"},
            ConfigError,
            'integrate them first .* then cluster that embedding with use_rep="X_scVI"',
        ),
        ({"use_rep": "X_scvi"}, ConfigError, "unknown use_rep in obsm 'X_scvi'. Known: X_e, X_leiden, X_odd, X_text"),
        ({"use_rep": "X_odd"}, DataError, r'obsm\["X_odd"\] has 2 values that are not finite numbers'),
        ({"use_rep": "X_text"}, DataError, r'obsm\["X_text"\] is no matrix of numbers'),
        ({"use_rep": np.ones((119, 2))}, DataError, "use_rep has 119 rows for 120 cells; give a row for each"),
        ({"use_rep": "X_e", "n_clusters": 121}, ValueError, "n_clusters is 121 but there are only 120 cells"),
        ({"use_rep": "X_e", "layer": "counts"}, ConfigError, "layer='counts' would not be used"),
        (
            {"use_rep": "X_e", "n_components": 5},
            ConfigError,
            "n_components is a parameter of steps before the embedding",
        ),
        (
            {"use_rep": "X_e", "method": "scsamac"},
            ConfigError,
            "scsamac fits counts and cannot cluster an embedding .*these can: leiden, louvain, pca_kmeans",
        ),
        ({"method": "scsiameseclu", "preset": "yuong"}, ConfigError, "unknown preset 'yuong' .* Did you mean 'young'"),
        ({"preset": "young"}, ConfigError, "method leiden has no presets"),
        ({"method": "scsamac", "values": "log_normalised", "n_clusters": 3}, ValueError, "counts"),
    ],
)
def test_mistakes_are_said_and_the_anndata_stays_as_it_is(
    adata: anndata.AnnData, stays: Stays, arguments: dict[str, Any], error: type, message: str
) -> None:
    adata.layers["scaled"] = adata.X.toarray() - 1
    adata.layers["log"] = adata.X.copy()
    adata.obsm["X_e"] = np.random.default_rng(0).normal(size=(120, 5))
    adata.obsm["X_odd"] = np.where(np.eye(120, 2) > 0, np.nan, 1.0)
    adata.obsm["X_text"] = np.full((120, 1), "a")
    scbench.cluster(adata, "pca_kmeans", 2, layer="counts", key_added="leiden")  # what a wrong call must not touch
    with stays(adata), pytest.raises(error, match=message) as caught:
        scbench.cluster(adata, **({"overwrite": True} | arguments))
    assert "\n" not in str(caught.value)
    assert not re.search(r"dataset\.|method\.", str(caught.value)), "speaks as the command line does"


def test_a_layer_needs_an_anndata() -> None:
    with pytest.raises(ConfigError, match="layer='counts' needs an AnnData, got ndarray"):
        scbench.cluster(np.ones((4, 4)), layer="counts")


def test_log_normalised_values_are_accepted_when_said_so(adata: anndata.AnnData) -> None:
    assert scbench.cluster(adata, "pca_kmeans", 4, values="log_normalised").labels.shape == (120,)


def test_what_is_no_cell_or_no_gene_is_warned_of() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.poisson(2, (40, 12)).astype(np.float32)
    matrix[:5] = 0
    matrix[6] = matrix[7]
    adata = anndata.AnnData(matrix)
    adata.var_names = [*(f"g{i}" for i in range(10)), "ERCC-00002", "CD3"]
    adata.var["feature_types"] = ["Gene Expression"] * 11 + ["Antibody Capture"]
    with pytest.warns(UserWarning, match="have no count") as caught:
        scbench.cluster(adata, "pca_kmeans", 2)
    said = "\n".join(str(warning.message) for warning in caught)
    assert "the AnnData: 1 feature that is no gene is left out: 1 Antibody Capture" in said
    assert "5 of 40 cells have no count" in said
    assert "2 of 40 cells are identical to another (1 profiles)" in said
    assert "1 genes are spike-ins (ERCC) with" in said
    assert all(warning.filename == __file__ for warning in caught)


def test_an_earlier_name_of_a_parameter_is_taken_and_said(adata: anndata.AnnData) -> None:
    with pytest.warns(FutureWarning, match=r"^n_genes is now n_top_genes$") as caught:
        earlier = scbench.cluster(adata, "pca_kmeans", 4, layer="counts", n_genes=30)
    assert [warning.filename for warning in caught] == [__file__]
    assert adata.uns["pca_kmeans"]["params"] == {"n_top_genes": 30}
    current = scbench.cluster(adata, "pca_kmeans", 4, layer="counts", n_top_genes=30, overwrite=True)
    np.testing.assert_array_equal(earlier.labels, current.labels)
    with pytest.raises(ConfigError, match="n_genes is now n_top_genes, and both are given"):
        scbench.cluster(adata, "pca_kmeans", 4, layer="counts", n_genes=30, n_top_genes=30)


def test_cells_of_one_name_are_refused_in_every_form() -> None:
    table = pd.DataFrame(np.ones((3, 2)), index=["a", "b", "a"])
    adata = anndata.AnnData(np.ones((3, 2)))
    adata.obs_names = ["a", "b", "a"]
    for data, how in ((table, "DataFrame.set_axis"), (adata, r"adata.obs_names_make_unique\(\)")):
        with pytest.raises(DataError, match=rf"^1 cells have the name of another \(the first: 'a'\); {how}"):
            scbench.cluster(data, "random", 2)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_an_empty_anndata_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(DataError, match=rf"^X of the AnnData has {shape[0]} cells and {shape[1]} genes"):
        scbench.cluster(anndata.AnnData(np.ones(shape)), "random", 2)
    with pytest.raises(DataError, match="^X of the AnnData: all 3 x 2 values are zero$"):
        scbench.cluster(anndata.AnnData(np.zeros((3, 2))), "random", 2)


def test_files_of_every_kind_are_read(tmp_path: Path) -> None:
    matrix = toy_counts(60, 80).matrix
    expected = scbench.cluster(matrix, "pca_kmeans", 3).labels
    table = pd.DataFrame(matrix.toarray().astype(int), columns=[f"g{i}" for i in range(80)])
    table.insert(0, "cell", [f"c{i}" for i in range(60)])
    table.to_csv(tmp_path / "x.csv", index=False)
    anndata.AnnData(matrix).write_h5ad(tmp_path / "x.h5ad")
    before = (tmp_path / "x.h5ad").read_bytes()
    for path in (tmp_path / "x.csv", tmp_path / "x.h5ad", str(tmp_path / "x.h5ad")):
        np.testing.assert_array_equal(scbench.cluster(path, "pca_kmeans", 3).labels, expected)
    assert (tmp_path / "x.h5ad").read_bytes() == before
    (tmp_path / "text.h5ad").write_text("no HDF5")
    with pytest.raises(DataError, match="text.h5ad cannot be read as an AnnData file"):
        scbench.cluster(tmp_path / "text.h5ad")
    with pytest.raises(DataError, match="no.h5ad does not exist"):
        scbench.cluster(str(tmp_path / "no.h5ad"))


def test_a_preset_gives_parameters_and_those_of_the_call_win(adata: anndata.AnnData, tmp_path: Path) -> None:
    preset = tmp_path / "mine.yaml"
    preset.write_text("tuned_with_labels: true\nparams: {n_components: 7, n_init: 3}\n")
    with pytest.warns(UserWarning, match="was tuned with labels") as caught:
        scbench.cluster(adata, "pca_kmeans", 3, preset=str(preset), n_init=2)
    assert [warning.filename for warning in caught] == [__file__]
    assert adata.uns["pca_kmeans"]["params"] == {"n_components": 7, "n_init": 2}
    assert adata.obsm["X_pca_kmeans"].shape == (120, 7)


def test_a_given_resolution_needs_no_number(adata: anndata.AnnData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scbench.own_cells.fit_seeds.k_with_evidence", lambda *_: pytest.fail("K is not used"))
    done = scbench.cluster(adata, "leiden", resolution=0.5)
    assert adata.uns["leiden"]["n_clusters"] == len(np.unique(done.labels))


def test_on_auto_a_gpu_is_taken_where_there_is_one(adata: anndata.AnnData) -> None:
    assert scbench.cluster(adata, "pca_kmeans", 3, device="auto").labels.shape == (120,)
