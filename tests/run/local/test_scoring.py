"""Runs are scored from what they have stored, which is looked at first, and not believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scbench_methods.random.config import RandomConfig

from scbench.config.schema import RunConfig
from scbench.data.config import SimulatedDataset
from scbench.data.dataset import Dataset
from scbench.data.load import open_dataset
from scbench.metrics import score
from scbench.run.local.arrays import write_array
from scbench.run.local.outcome import OUTCOME_FILE, is_outcome, note_outcome, take_outcome, with_outcome
from scbench.run.local.scoring import Fitted, finish
from scbench.run.new_record import new_record
from scbench.run.plan import PlannedRun, plan_runs
from scbench.store.store import Store

OUTCOME = {"status": "ok", "error": None, "info": {"epochs": 3}, "seconds": {"fit": 1.5, "total": 2.0}, "gpu": None}


@pytest.fixture
def dataset() -> Dataset:
    return open_dataset(SimulatedDataset(name="simulated", n_cells=30, n_genes=20, n_types=3))


def planned(dataset: Dataset, protocol: str = "honest") -> PlannedRun:
    config = RunConfig(method=RandomConfig(), dataset=None, engine=None, seeds=1, protocol=protocol)
    return plan_runs(config, dataset)[0]


def fitted(tmp_path: Path, run: PlannedRun) -> Fitted:
    store = Store(tmp_path / "store")
    record = with_outcome(new_record(run, "cpu", 1, {}), OUTCOME)
    return Fitted(run.dataset, run.protocol, store.root, store.work_folder(run.run_id), record)


def test_arrays_are_put_in_file_order_and_scored(tmp_path: Path, dataset: Dataset) -> None:
    run = planned(dataset, "published")
    done, types = fitted(tmp_path, run), dataset.labels()
    assert types is not None
    codes = np.unique(types, return_inverse=True)[1]
    in_stored_order = codes[dataset.order()]
    write_array(done.work, "labels", in_stored_order)
    write_array(done.work, "embedding", in_stored_order[:, None] + 0.5)
    np.savez(done.work / "snapshots.npz", epochs=[0, 5], labels=np.stack([np.zeros(30, np.int32), in_stored_order]))
    record = finish(done)
    assert record["status"] == "ok", record["error"]
    assert (record["n_clusters_found"], record["metrics"]["ari"]) == (3, 1.0)
    assert record["best_epoch"] == {"epoch": 5, **score(types, codes)}
    assert record["seconds"]["total"] == pytest.approx(2.0 + record["seconds"]["score"])
    folder = Store(done.store).folder("simulated", "random", run.key)
    np.testing.assert_array_equal(np.load(folder / "labels.npy"), codes)
    np.testing.assert_array_equal(np.load(folder / "embedding.npy")[:, 0], codes + 0.5)
    np.testing.assert_array_equal(np.load(folder / "snapshots.npz")["labels"][1], codes)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "labels must be a numpy array, got none"),
        ({"labels": np.zeros(29, np.int64)}, "one per input cell, got (29,)"),
        ({"labels": np.full(30, -1)}, "labels must not be negative: 30 of 30"),
        ({"labels": np.zeros(30)}, "labels must be integers, got dtype float64"),
        ({"labels": np.zeros(30, np.int64), "embedding": np.full((30, 2), np.inf)}, "60 values that are not finite"),
        ({"labels": np.zeros(30, np.int64), "embedding": np.full((30, 2), "a")}, "embedding must hold numbers"),
        ({"labels": np.array([None] * 30)}, "Object arrays cannot be loaded"),
    ],
)
def test_arrays_that_are_no_result_are_a_failure(
    tmp_path: Path, dataset: Dataset, arrays: dict[str, np.ndarray], message: str
) -> None:
    done = fitted(tmp_path, planned(dataset))
    for name, array in arrays.items():
        np.save(done.work / f"{name}.npy", array)
    record = finish(done)
    assert record["status"] == "error"
    assert message in record["error"]["message"]
    assert record["metrics"]["acc"] is None
    assert record["n_clusters_found"] is None


def test_snapshots_of_another_shape_are_a_failure(tmp_path: Path, dataset: Dataset) -> None:
    done = fitted(tmp_path, planned(dataset))
    write_array(done.work, "labels", np.zeros(30))
    np.savez(done.work / "snapshots.npz", epochs=[0], labels=np.zeros((1, 29), np.int32))
    assert "each of 1 epochs and 30 cells, got int32 of shape (1, 29)" in finish(done)["error"]["message"]


def test_a_link_in_the_place_of_the_labels_is_not_written_through(tmp_path: Path, dataset: Dataset) -> None:
    done = fitted(tmp_path, planned(dataset))
    np.save(tmp_path / "elsewhere.npy", np.zeros(30, np.int64))
    before = (tmp_path / "elsewhere.npy").read_bytes()
    (done.work / "labels.npy").symlink_to(tmp_path / "elsewhere.npy")
    assert finish(done)["status"] == "ok"
    assert (tmp_path / "elsewhere.npy").read_bytes() == before


def test_an_outcome_comes_back_once(tmp_path: Path) -> None:
    note_outcome(tmp_path, OUTCOME | {"info": {"loss": float("nan"), "odd": object}})
    taken = take_outcome(tmp_path)
    assert taken is not None
    assert taken["info"] == {"loss": None, "odd": str(object)}
    assert take_outcome(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"status": "wonderful"},
        {"status": ["ok"]},
        {"status": "error"},
        {"error": {"type": "x"}},
        {"info": []},
        {"seconds": {"fit": "long"}},
        {"seconds": None},
        {"peak_rss_bytes": "1"},
        {"gpu": 3},
    ],
)
def test_what_is_no_outcome_is_not_believed(tmp_path: Path, change: dict[str, Any]) -> None:
    assert is_outcome(OUTCOME)
    (tmp_path / OUTCOME_FILE).write_text(json.dumps(OUTCOME | change))
    assert take_outcome(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "3", "[" * 100_000])
def test_a_damaged_outcome_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / OUTCOME_FILE).write_text(text)
    assert take_outcome(tmp_path) is None


def test_a_run_cannot_set_other_fields_of_its_record(dataset: Dataset) -> None:
    before = new_record(planned(dataset), "cpu", 1, {"gpu": None})
    forged = OUTCOME | {"metrics": {"ari": 1.0}, "key": "x", "n_clusters_found": 9, "seconds": {"fit": 1.0, "ari": 1.0}}
    after = with_outcome(before, forged)
    assert {name for name in before if after[name] != before[name]} == {"status", "info", "seconds"}
    assert after["seconds"] == before["seconds"] | {"fit": 1.0}
    assert after["row_order"] == 2
