from __future__ import annotations

import numpy as np
import pytest
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.start import first_clusters


def blobs(n: int = 60, groups: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    which = np.arange(n) % groups
    return (rng.normal(size=(n, 32)) + 40 * which[:, None]).astype(np.float32), which


def test_communities_of_the_latent_can_decide_on_fewer_clusters() -> None:
    latent, which = blobs()
    start = first_clusters(latent, 10, ScSamacConfig(estimate_k="latent"), 0)
    assert (start.k_mode, start.n_communities) == ("latent communities", 3)
    for group in range(3):
        (label,) = set(start.labels[which == group])
        np.testing.assert_allclose(start.centroids[label], latent[which == group].mean(axis=0), rtol=1e-4)


def test_communities_beyond_k_give_way_to_k_means(caplog: pytest.LogCaptureFixture) -> None:
    latent, _ = blobs()
    start = first_clusters(latent, 2, ScSamacConfig(estimate_k="latent"), 0)
    assert (start.k_mode, start.n_communities) == ("given: more communities than clusters", 3)
    assert start.centroids.shape == (2, 32)
    assert "3 communities but at most 2 clusters" in caplog.text


def test_k_means_starts_from_the_seed() -> None:
    latent, which = blobs()
    start = first_clusters(latent, 3, ScSamacConfig(), 0)
    assert (start.k_mode, start.n_communities) == ("given", None)
    assert len(set(zip(start.labels, which, strict=True))) == 3
