"""Leiden and Louvain give the stored partitions on sets without identical cells, as their scores tell to 13 digits.

The stored runs permuted their rows by the seed alone (rule 1), so this permutes them as they did: what is compared is the
graph, whose weights between identical cells have changed since, and the search for the resolution.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scbench.__main__ import main
from scbench.data.config import DatasetConfig
from scbench.data.identical_cells import n_identical
from scbench.data.load import open_dataset
from scbench.data.registry import load_dataset
from scbench.graph.communities import Algorithm, communities_matching_k
from scbench.graph.neighbours import neighbour_graph
from scbench.metrics import score
from scbench.preprocessing.prepare import STANDARD_RECIPE
from scbench.run.seeding import put_back, row_order
from scbench.store.store import load

RECORDS = Path(__file__).parents[2] / "results" / "reference" / "records.tar.xz"
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    if not RECORDS.is_file():
        pytest.skip("no records are stored")
    assert main(["archive", "unpack", str(RECORDS), f"store={folder}"]) == 0
    return folder


def check(name: str, store: Path) -> None:
    config: DatasetConfig = load_dataset(name)
    dataset = open_dataset(config, progress=False)
    counts, labels = dataset.counts(), dataset.labels()
    assert labels is not None
    assert dataset.n_types is not None
    assert n_identical(counts.matrix)[0] == 0
    records = load(store)
    graph = neighbour_graph(counts, replace(STANDARD_RECIPE, hvg=2000), 20, 20)
    methods: tuple[Algorithm, ...] = ("leiden", "louvain")
    for method in methods:
        for seed in SEEDS:
            order = row_order(dataset.n_cells, seed)
            permuted = graph[order][:, order]
            permuted.sort_indices()
            found, _ = communities_matching_k(permuted, dataset.n_types, method, seed)
            scores = score(labels, put_back(found, order))
            (record,) = records[
                (records.dataset == name)
                & (records.method == method)
                & (records.seed == seed)
                & (records.protocol == "honest")
                & records["params.match_k"].astype(bool)
            ].to_dict("records")
            for metric in ("acc", "nmi", "ari"):
                # sums of the same table in another order differ in the last digit
                assert scores[metric] == pytest.approx(record[f"metrics.{metric}"], rel=1e-13), (method, seed, metric)


def test_the_embedded_set(store: Path) -> None:
    check("pbmc68k_reduced", store)


@pytest.mark.parametrize("name", ["goolam", "yan", "mix_dropseq"])
def test_small_sets(name: str, store: Path, real_data: Path) -> None:
    assert real_data.is_dir()
    check(name, store)


@pytest.mark.slow  # minutes: larger sets
@pytest.mark.parametrize("name", ["mouse_pancreas_1", "paul15", "pbmc_4k_top2000", "young_top2000", "worm_neuron"])
def test_larger_sets(name: str, store: Path, real_data: Path) -> None:
    assert real_data.is_dir()
    check(name, store)
