"""The controls: they fulfil the contract, and their figures on public sets are those of the reference floor."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scbench_methods.leiden.config import LeidenConfig
from scbench_methods.leiden.method import Leiden
from scbench_methods.louvain.config import LouvainConfig
from scbench_methods.louvain.method import Louvain
from scbench_methods.pca_kmeans.method import PcaKmeans
from scbench_methods.random.method import RandomPartition

import scbench
from scbench.__main__ import main
from scbench.data.load import open_dataset
from scbench.data.registry import load_dataset
from scbench.errors import ConfigError
from scbench.method import Counts, RunContext
from scbench.metrics import score
from scbench.plugins import discover
from scbench.run.plan import run_key
from scbench.testing import check_method, toy_counts

# PCA (20 components of 2000 variable genes) + k-means (20 starts), seeds 0 to 9, rows in file order: mean and
# population sd of ACC, NMI and ARI, computed independently with scanpy and scikit-learn. young, worm, pbmc_4k and
# cite_cbmc were recorded with three digits.
FLOOR = {
    "mouse_pancreas_1": ((0.7060, 0.0248), (0.7965, 0.0125), (0.6481, 0.0186)),
    "mix_dropseq": ((1.0, 0.0), (1.0, 0.0), (1.0, 0.0)),
    "goolam": ((0.7581, 0.0), (0.8333, 0.0), (0.6784, 0.0)),
    "mix_celseq2_5cl": ((1.0, 0.0), (1.0, 0.0), (1.0, 0.0)),
    "paul15": ((0.4763, 0.0140), (0.5730, 0.0044), (0.3354, 0.0112)),
    "cite_cbmc": ((0.675, 0.011), (0.765, 0.001), (0.555, 0.013)),
    "pbmc_4k_top2000": ((0.752, 0.011), (0.755, 0.004), (0.700, 0.029)),
    "worm_neuron": ((0.666, 0.034), (0.651, 0.027), (0.359, 0.040)),
    "young_top2000": ((0.593, 0.006), (0.617, 0.002), (0.446, 0.005)),
}


@pytest.mark.parametrize("name", sorted(discover()))
def test_every_method_fulfils_the_contract(name: str, short_training: dict[str, dict[str, int]]) -> None:
    plugin = discover()[name]
    config = plugin.config_class()(name=name, **short_training.get(name, {}))  # type: ignore[arg-type]
    check_method(lambda: plugin.create(config))


@pytest.mark.slow
def test_trained_methods_fulfil_the_contract_at_their_defaults(short_training: dict[str, dict[str, int]]) -> None:
    for name in short_training:
        plugin = discover()[name]
        check_method(lambda plugin=plugin, name=name: plugin.create(plugin.config_class()(name=name)))  # type: ignore[misc]


def test_random_labels_are_uniform_and_seeded() -> None:
    counts = toy_counts(2000, 20)
    labels = RandomPartition().fit_predict(counts, 4, RunContext(0)).labels
    assert np.bincount(labels).min() > 430
    other = RandomPartition().fit_predict(counts, 4, RunContext(1)).labels
    assert not np.array_equal(labels, other)


def test_components_do_not_depend_on_the_seed() -> None:
    counts = toy_counts()
    first, second = (PcaKmeans().fit_predict(counts, 4, RunContext(seed)).embedding for seed in (0, 1))
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("method", [Leiden, Louvain])
def test_match_k_finds_k_where_it_can(method: type[Leiden]) -> None:
    found = method().fit_predict(toy_counts(400), 4, RunContext(0))
    assert len(np.unique(found.labels)) == 4
    assert found.info["match_k"] is True


@pytest.mark.parametrize(("method", "config"), [(Leiden, LeidenConfig), (Louvain, LouvainConfig)])
def test_a_fixed_resolution_ignores_k(method: type[Leiden], config: type[LeidenConfig]) -> None:
    counts = toy_counts(400)
    labels = [
        method(config(match_k=False, resolution=1.0)).fit_predict(counts, k, RunContext(0)).labels for k in (2, 9)
    ]
    np.testing.assert_array_equal(labels[0], labels[1])
    fine = method(config(match_k=False, resolution=6.0)).fit_predict(counts, 2, RunContext(0)).labels
    assert len(np.unique(fine)) > len(np.unique(labels[0]))


def test_two_resolutions_give_two_numbers_of_clusters() -> None:
    counts = toy_counts(400)
    for seed in (0, 1):
        coarse, fine = (
            Leiden(LeidenConfig(resolution=resolution)).fit_predict(counts, 4, RunContext(seed))
            for resolution in (0.1, 6.0)
        )
        assert coarse.info == {"match_k": False, "resolution": 0.1}
        assert fine.info == {"match_k": False, "resolution": 6.0}
        assert len(np.unique(coarse.labels)) < len(np.unique(fine.labels))


@pytest.mark.parametrize(("config", "usual"), [(LeidenConfig, 1.0), (LouvainConfig, 0.8)])
def test_a_resolution_says_that_it_is_to_be_used(config: type[LeidenConfig], usual: float) -> None:
    def resolved(**params: Any) -> tuple[bool | None, float | None, float | None]:
        made = config(**params)
        return made.match_k, made.resolution, made.fixed_resolution

    assert resolved() == resolved(match_k=True) == resolved(match_k=True, resolution=usual) == (True, usual, None)
    assert resolved(match_k=False) == resolved(resolution=usual) == (False, usual, usual)
    assert resolved(resolution=2.0) == resolved(match_k=False, resolution=2.0) == (False, 2.0, 2.0)


def test_a_resolution_that_would_not_be_used_is_refused() -> None:
    with pytest.raises(ConfigError, match="match_k=true searches the resolution, so method.resolution=2 would not be"):
        LeidenConfig(match_k=True, resolution=2.0)
    with pytest.raises(ConfigError, match="so method.resolution=1 would not be used; leave out method.match_k to use"):
        LouvainConfig(match_k=True, resolution=1.0)
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="method.resolution must be a positive number"):
            LeidenConfig(resolution=wrong)


def test_run_keys_of_default_runs_are_those_of_the_stored_ones() -> None:
    """``results/reference`` holds keys of 2026; ``n_top_genes`` was called ``n_genes`` then."""
    params = {"match_k": True, "n_components": 20, "n_top_genes": 2000, "n_neighbors": 20, "variant": "default"}
    params |= {"exact_neighbour_cells": 50_000}  # came later, and is no part of the key
    assert dataclasses.asdict(LeidenConfig()) == {"name": "leiden", "resolution": 1.0, **params}
    assert dataclasses.asdict(LouvainConfig()) == {"name": "louvain", "resolution": 0.8, **params}
    data: Any = SimpleNamespace(sha256="0" * 64, preprocessing={}, n_cells=100)
    key = "f623e3b5d9b17acdca5a84d6f820e5774f7dd5ff03aff6eb8200047e9647adb5"
    assert run_key(LeidenConfig(), data, "honest", "true", 3, 0) == key
    assert run_key(LeidenConfig(match_k=True, resolution=1.0), data, "honest", "true", 3, 0) == key


LARGE = {"cite_cbmc", "worm_neuron", "young_top2000"}


@pytest.mark.parametrize("name", [pytest.param(x, marks=pytest.mark.slow) if x in LARGE else x for x in FLOOR])
def test_pca_kmeans_agrees_with_the_floor(name: str, real_data: Path) -> None:
    dataset = open_dataset(load_dataset(name), progress=False)
    counts, labels = dataset.counts(), dataset.labels()
    assert labels is not None
    cache = dataset.cache(counts.matrix)
    scores = []
    for seed in range(10):
        found = PcaKmeans().fit_predict(counts, len(np.unique(labels)), RunContext(seed, cache=cache))
        scores.append([score(labels, found.labels)[metric] for metric in ("acc", "nmi", "ari")])
    for values, (mean, sd) in zip(np.transpose(scores), FLOOR[name], strict=True):
        assert abs(values.mean() - mean) <= max(sd, 1e-3)


# Seed 0, rows in file order, recorded with scanpy's neighbours: number of communities at the fixed resolution.
FIXED = {"mouse_pancreas_1": {"louvain": 10, "leiden": 11}, "pbmc_4k_top2000": {"louvain": 12, "leiden": 13}}


@pytest.mark.parametrize("name", FIXED)
def test_communities_at_the_fixed_resolution_are_as_many_as_recorded(name: str, real_data: Path) -> None:
    dataset = open_dataset(load_dataset(name), progress=False)
    counts: Counts = dataset.counts()
    cache = dataset.cache(counts.matrix)
    for method in (Leiden(LeidenConfig(match_k=False)), Louvain(LouvainConfig(match_k=False))):
        found = method.fit_predict(counts, 5, RunContext(0, cache=cache))
        assert abs(len(np.unique(found.labels)) - FIXED[name][method.algorithm]) <= 1


@pytest.mark.parametrize("method", ["leiden", "louvain"])
def test_a_given_resolution_and_its_search_contradict_each_other_even_at_the_default(
    method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["method.match_k=true", f"method.resolution={'1.0' if method == 'leiden' else '0.8'}"]
    command = [f"method={method}", "dataset=pbmc68k_reduced", "seeds=1", f"store={tmp_path}", *given]
    assert main([*command, "--dry-run"]) == 2
    assert "method.match_k=true searches the resolution" in capsys.readouterr().err
    assert main([*command[:-1], "--dry-run"]) == 0
    with pytest.raises(ConfigError, match="searches the resolution"):
        scbench.cluster(
            toy_counts(60, 50).matrix, method, 3, match_k=True, resolution=1.0 if method == "leiden" else 0.8
        )
