from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import silhouette_score

from scbench.errors import ConfigError
from scbench.method import Counts
from scbench.metrics.fixed_space import FixedSpace

TRUTH = np.repeat([0, 1, 2], 30)


def counts(order: np.ndarray | None = None) -> Counts:
    rng = np.random.default_rng(3)
    table = rng.poisson(rng.gamma(0.5, 2.0, size=(3, 60))[TRUTH]).astype(np.float32)
    return Counts(csr_matrix(table if order is None else table[order]))


def test_modularity_is_that_of_the_neighbour_graph_by_its_definition() -> None:
    space = FixedSpace(counts())
    weights = space.graph.toarray().astype(float)
    degrees, total = weights.sum(axis=1), weights.sum()
    same = TRUTH[:, None] == TRUTH
    slow = ((weights - np.outer(degrees, degrees) / total) * same).sum() / total
    assert space.score("modularity", TRUTH) == pytest.approx(slow, abs=1e-6)


def test_silhouette_is_on_the_components() -> None:
    space = FixedSpace(counts())
    assert space.components.shape == (90, 20)
    assert space.score("silhouette_pca", TRUTH) == pytest.approx(silhouette_score(space.components, TRUTH))


@pytest.mark.parametrize("score", ["modularity", "silhouette_pca"])
def test_the_order_of_cells_and_the_names_of_clusters_do_not_matter(score: str) -> None:
    order = np.random.default_rng(0).permutation(90)
    plain = FixedSpace(counts()).score(score, TRUTH)  # type: ignore[arg-type]
    mixed = FixedSpace(counts(order)).score(score, 5 - TRUTH[order])  # type: ignore[arg-type]
    assert mixed == pytest.approx(plain, abs=1e-4)


def test_an_unknown_score_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown score 'modulariti'. Did you mean 'modularity'"):
        FixedSpace(counts()).score("modulariti", TRUTH)  # type: ignore[arg-type]


def test_every_cell_needs_a_label() -> None:
    with pytest.raises(ValueError, match="90"):
        FixedSpace(counts()).score("modularity", TRUTH[:10])
