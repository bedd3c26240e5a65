"""``use_rep``: methods cluster an embedding that is there already."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import adjusted_rand_score

import scbench
from scbench.graph.communities import communities
from scbench.graph.neighbours import umap_connectivities
from scbench.kmeans import kmeans
from scbench.method import EmbeddingMethod
from scbench.plugins import discover

TYPES = np.repeat([0, 1, 2], 40)
POINTS = np.random.default_rng(0).normal(size=(120, 5)) + 8 * np.eye(5)[TYPES]


@pytest.fixture
def adata() -> anndata.AnnData:
    """Return cells without any count, whose embedding has three groups."""
    data = anndata.AnnData(np.full((120, 4), 0.5))
    data.obsm["X_scVI"] = POINTS
    return data


@pytest.mark.parametrize("method", ["leiden", "louvain", "pca_kmeans"])
def test_the_groups_of_the_embedding_are_found_without_counts(adata: anndata.AnnData, method: str) -> None:
    done = scbench.cluster(adata, method, 3, use_rep="X_scVI")
    assert adjusted_rand_score(TYPES, done.labels) == 1
    assert done.embedding is None
    assert adata.uns[method]["from"] == "X_scVI"
    assert list(adata.obsm) == ["X_scVI"]


def test_it_is_the_method_on_these_points(adata: anndata.AnnData) -> None:
    noise = np.random.default_rng(1).normal(size=(120, 5)).astype(np.float32)
    found = scbench.cluster(adata, "pca_kmeans", 4, use_rep=noise, seed=3).info["inertia"]
    assert found == pytest.approx(kmeans(noise, 4, 3)[2], rel=0.02)  # other starts by the order of the rows
    expected = communities(umap_connectivities(noise, 15), "leiden", 0.7, 0)
    found = scbench.cluster(noise, "leiden", use_rep=noise, resolution=0.7, n_neighbors=15).labels
    assert adjusted_rand_score(expected, found) > 0.7
    assert len(np.unique(found)) == pytest.approx(len(np.unique(expected)), abs=1)


def test_the_number_of_clusters_is_estimated_on_the_embedding(adata: anndata.AnnData) -> None:
    done = scbench.cluster(adata, "pca_kmeans", use_rep="X_scVI")
    assert len(np.unique(done.labels)) == 3


def test_several_seeds_have_a_consensus(adata: anndata.AnnData) -> None:
    scbench.cluster(adata, "leiden", 3, use_rep="X_scVI", n_seeds=3)
    assert adata.obs["leiden_agreement"].tolist() == [1.0] * 120


@pytest.mark.parametrize("form", [csr_matrix, pd.DataFrame, np.asarray])
def test_obsm_may_hold_tables_and_sparse_matrices(adata: anndata.AnnData, form: type) -> None:
    adata.obsm["other"] = pd.DataFrame(POINTS, index=adata.obs_names) if form is pd.DataFrame else form(POINTS)
    expected = scbench.cluster(POINTS, "pca_kmeans", 3, use_rep=POINTS).labels
    np.testing.assert_array_equal(scbench.cluster(adata, "pca_kmeans", 3, use_rep="other").labels, expected)


def test_a_matrix_has_no_obsm() -> None:
    with pytest.raises(ValueError, match="use_rep='X_pca' needs an AnnData, got ndarray; or give the points"):
        scbench.cluster(POINTS, use_rep="X_pca")


def test_who_says_that_it_clusters_embeddings_does() -> None:
    able = {name for name, plugin in discover().items() if plugin.config_class().CLUSTERS_EMBEDDINGS}
    assert able == {"leiden", "louvain", "pca_kmeans"}
    for name in able:
        plugin = discover()[name]
        assert isinstance(plugin.create(plugin.config_class()(name=name)), EmbeddingMethod)
