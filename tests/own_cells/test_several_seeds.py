"""``n_seeds``: the consensus of several runs, how much they differ, and in which cells."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import anndata
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import scbench
from scbench.metrics.consensus import consensus
from scbench.testing import toy_counts

COUNTS = toy_counts(120, 200).matrix


@pytest.fixture
def adata() -> anndata.AnnData:
    return anndata.AnnData(COUNTS.copy())


def test_the_consensus_is_that_of_the_seeds_one_by_one(adata: anndata.AnnData, tmp_path: Path) -> None:
    done = scbench.cluster(adata, "pca_kmeans", 4, seed=2, n_seeds=4)
    single = [scbench.cluster(COUNTS, "pca_kmeans", 4, seed=seed) for seed in range(2, 6)]
    partitions = [one.labels for one in single]
    expected = consensus(partitions)
    np.testing.assert_array_equal(done.labels, expected.labels)
    np.testing.assert_array_equal(adata.obs["pca_kmeans"].astype(int), expected.labels)
    np.testing.assert_allclose(adata.obs["pca_kmeans_agreement"], expected.agreement)
    pairs = [adjusted_rand_score(a, b) for a, b in combinations(partitions, 2)]
    adata.write_h5ad(tmp_path / "x.h5ad")
    info = anndata.read_h5ad(tmp_path / "x.h5ad").uns["pca_kmeans"]["info"]
    assert info["ari_between_seeds_mean"] == pytest.approx(np.mean(pairs))
    assert info["ari_between_seeds_sd"] == pytest.approx(np.std(pairs, ddof=1))
    assert info["seeds"].tolist() == [2, 3, 4, 5]
    nearest = info["embedding_of_seed"] - 2
    assert adjusted_rand_score(partitions[nearest], done.labels) == max(
        adjusted_rand_score(one, done.labels) for one in partitions
    )
    np.testing.assert_allclose(done.embedding, single[nearest].embedding, atol=1e-3)


def test_components_and_graph_are_made_once(adata: anndata.AnnData, monkeypatch: pytest.MonkeyPatch) -> None:
    from scbench.preprocessing import prepare as module

    made = []
    whole = module.pca_scores
    monkeypatch.setattr(module, "pca_scores", lambda *given: made.append(1) or whole(*given))
    scbench.cluster(adata, "leiden", n_seeds=3)
    assert len(made) == 1


def test_another_call_leaves_nothing_of_the_one_it_replaces(adata: anndata.AnnData) -> None:
    adata.obs["leiden_agreement"] = 1.0  # somebody else's
    scbench.cluster(adata, "leiden", 3, key_added="mine", n_seeds=2)
    assert {"mine", "mine_agreement"} <= set(adata.obs)
    scbench.cluster(adata, "leiden", 3, key_added="mine", use_rep="X_mine", overwrite=True)
    assert "mine_agreement" not in adata.obs
    assert "X_mine" not in adata.obsm
    scbench.cluster(adata, "random", 3, key_added="leiden", overwrite=True)
    assert "leiden_agreement" in adata.obs


def test_a_column_of_agreement_that_is_there_is_not_replaced(adata: anndata.AnnData) -> None:
    adata.obs["leiden_agreement"] = 1.0
    with pytest.raises(ValueError, match=r'obs\["leiden_agreement"\] is there already'):
        scbench.cluster(adata, "leiden", 3, n_seeds=2)
    assert list(adata.obs) == ["leiden_agreement"]
    assert not adata.uns
