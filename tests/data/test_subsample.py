"""Random parts of a dataset: which cells, what they are called, and what cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scbench_methods.pca_kmeans.config import PcaKmeansConfig
from scipy.sparse import csr_matrix

from scbench.config.schema import RunConfig
from scbench.data.config import Corruption, FileDataset, SimulatedDataset, Subsample
from scbench.data.load import open_dataset
from scbench.data.subsample import kept_cells, subsampled
from scbench.data.validate import CheckedCounts
from scbench.errors import ConfigError, DataError
from scbench.run.new_record import new_record
from scbench.run.plan import plan_runs

PLAIN = SimulatedDataset(name="simulated", n_cells=60, n_genes=50, n_types=3)


def part(share: float, seed: int = 0, of: SimulatedDataset = PLAIN) -> SimulatedDataset:
    return replace(of, subsample=Subsample(share, seed))


@pytest.mark.parametrize(("n_cells", "share", "n_kept"), [(60, 0.8, 48), (7, 0.5, 4), (10, 0.04, 0), (5, 1.0, 5)])
def test_the_share_is_kept_once_each_in_order(n_cells: int, share: float, n_kept: int) -> None:
    kept = kept_cells(n_cells, share, seed=3)
    assert len(kept) == n_kept
    assert np.all(np.diff(kept) > 0)
    assert set(kept) <= set(range(n_cells))


def test_size_share_and_seed_decide_which() -> None:
    np.testing.assert_array_equal(kept_cells(100, 0.8, 1), kept_cells(100, 0.8, 1))
    assert not np.array_equal(kept_cells(100, 0.8, 1), kept_cells(100, 0.8, 2))
    assert set(kept_cells(100, 0.3, 1)) < set(kept_cells(100, 0.8, 1))


def test_every_cell_is_as_likely() -> None:
    times = np.zeros(40)
    for seed in range(2000):
        times[kept_cells(40, 0.25, seed)] += 1
    assert np.all(np.abs(times / 2000 - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 2000))


def test_counts_and_labels_are_those_of_the_kept_cells() -> None:
    whole, some = open_dataset(PLAIN), open_dataset(part(0.5, 2))
    assert some.part is not None
    cells = some.part.cells()
    np.testing.assert_array_equal(cells, kept_cells(60, 0.5, 2))
    assert (some.counts().matrix != whole.counts().matrix[cells]).nnz == 0
    labels = (whole.labels(), some.labels())
    assert labels[0] is not None
    assert labels[1] is not None
    np.testing.assert_array_equal(labels[0][cells], labels[1])
    np.testing.assert_array_equal(whole.counts().genes, some.counts().genes)


def test_it_has_a_name_a_key_and_a_record_of_its_own() -> None:
    opened = [open_dataset(config) for config in (PLAIN, part(1.0, 5), part(0.8), part(0.8, 4))]
    names = ["simulated", "simulated", "simulated-subsample80", "simulated-subsample80-s4"]
    assert [dataset.name for dataset in opened] == names
    runs = [plan_runs(RunConfig(method=PcaKmeansConfig(), seeds=1), dataset)[0] for dataset in opened]
    assert runs[0].key == runs[1].key
    assert len({run.key for run in runs}) == 3
    data = new_record(runs[3], "cpu", 1, {})["data"]
    assert data["preprocessing"]["subsample"] == {"share": 0.8, "seed": 4}
    assert data["part_of"] == {"name": "simulated", "n_cells": 60, "n_types": 3}
    assert "part_of" not in new_record(runs[0], "cpu", 1, {})["data"]


def test_it_is_a_part_of_the_damaged_cells() -> None:
    damaged = replace(PLAIN, corrupt=Corruption(0.3, 1))
    some = open_dataset(part(0.5, 2, damaged))
    assert some.name == "simulated-dropout30-s1-subsample50-s2"
    assert (some.counts().matrix != open_dataset(damaged).counts().matrix[kept_cells(60, 0.5, 2)]).nnz == 0


def test_values_are_made_once_and_warnings_and_expected_sizes_are_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    cells = [f"{i % 5}.5,{(i * 7) % 3}.25,{'ab'[i % 2]}" for i in range(20)]
    path.write_text("\n".join(["g1,g2,kind", *cells]))
    config = FileDataset(name="t", path=str(path), label="kind", values="linear", cells=21)
    whole, some = open_dataset(config), open_dataset(replace(config, subsample=Subsample(0.5)))
    assert (some.counts().matrix != whole.counts().matrix[kept_cells(20, 0.5, 0)]).nnz == 0
    assert some.warnings == whole.warnings
    assert any("expected 21 cells, found 20" in line for line in whole.warnings)


def test_k_is_the_number_of_types_of_the_whole_though_one_is_lost() -> None:
    some = open_dataset(part(0.04))  # two cells
    assert some.n_types_of_whole == 3
    assert (some.n_types or 0) <= 2
    with pytest.raises(
        ConfigError, match="n_clusters is 3 but .* has only 2 cells; ask .* or a larger dataset.subsamp"
    ):
        plan_runs(RunConfig(method=PcaKmeansConfig()), some)
    half = replace(open_dataset(part(0.5)), n_types=2)
    assert plan_runs(RunConfig(method=PcaKmeansConfig()), half)[0].n_clusters == 3
    assert new_record(plan_runs(RunConfig(method=PcaKmeansConfig()), half)[0], "cpu", 1, {})["n_types"] == 2


def test_without_labels_there_are_none_in_a_part(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["g1,g2", *(f"{i % 3 + 1},{i % 4}" for i in range(10))]))
    config = FileDataset(name="t", path=str(path), label="none", subsample=Subsample(0.5))
    some = open_dataset(config)
    assert some.labels() is None
    assert some.n_types_of_whole is None
    with pytest.raises(ConfigError, match="t-subsample50 has no labels, so n_clusters=true is unknown"):
        plan_runs(RunConfig(method=PcaKmeansConfig()), some)


def test_a_damaged_copy_in_the_cache_is_taken_from_the_whole_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SCBENCH_CACHE", str(tmp_path))
    first = open_dataset(part(0.5))
    (first.folder / "arrays" / "counts.data.npy").write_bytes(b"cut")
    again = open_dataset(part(0.5))
    assert again.folder == first.folder
    assert again.counts().matrix.shape == (30, 50)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 0.0}, r"dataset.subsample.share must be in \(0, 1\], got 0.0"),
        ({"share": 1.2}, r"share must be in \(0, 1\], got 1.2"),
        ({"share": float("nan")}, r"share must be in \(0, 1\], got nan"),
        ({"share": 0.5, "seed": -1}, "dataset.subsample.seed must be at least 0, got -1"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Subsample(**settings)  # type: ignore[arg-type]


def test_a_part_without_cells_or_counts_is_refused() -> None:
    with pytest.raises(DataError, match="share=0.001 leaves 0 of 60 cells and no count; use a larger share"):
        open_dataset(part(0.001))
    lost = int(kept_cells(4, 0.25, 0)[0])
    matrix = csr_matrix(np.float32([[row != lost, 0] for row in range(4)]))
    with pytest.raises(DataError, match="dataset d: .* leaves 1 of 4 cells and no count"):
        subsampled(CheckedCounts(matrix, None, None, True, ()), Subsample(0.25), "d")
