"""What a record holds, and what the published protocol adds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scbench.__main__ import main
from scbench.metrics import score
from scbench.run.record import METRICS
from scbench.run.store import load

DATASET = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3", "device=cpu"]
FIELDS = {
    "schema", "key", "method", "variant", "dataset", "protocol", "seed", "status", "error", "n_cells", "n_genes",
    "n_types", "n_clusters_requested", "n_clusters_found", "metrics", "best_epoch", "seconds", "peak_rss_bytes",
    "peak_gpu_bytes", "device", "threads", "params", "data", "provenance",
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, toy_installed: None) -> Path:
    return tmp_path / "store"


def only_record(store: Path) -> dict:
    (path,) = store.rglob("record.json")
    return json.loads(path.read_text())


def test_a_record_has_every_field_of_the_contract(store: Path) -> None:
    assert main(["method=toy", *DATASET, f"store={store}", "seeds=[5]"]) == 0
    record = only_record(store)
    assert set(record) >= FIELDS
    assert set(record["metrics"]) == set(METRICS)
    assert set(record["seconds"]) == {"load", "preprocess", "fit", "score", "total"}
    assert all(isinstance(value, float) for value in record["seconds"].values())
    assert record["params"] == {"behaviour": "ok", "bad_seed": -1, "seconds": 0.0, "trace": ""}
    assert record["info"] == {"epochs": 2}
    assert record["peak_rss_bytes"] > 2**20
    assert record["peak_gpu_bytes"] is None
    assert set(record["data"]) >= {"sha256", "source"}
    provenance = {
        "python",
        "platform",
        "cpu",
        "gpu",
        "driver",
        "packages",
        "git_commit",
        "git_dirty",
        "started_at",
        "argv",
    }
    assert set(record["provenance"]) >= provenance
    assert (record["seed"], record["protocol"], record["best_epoch"]) == (5, "honest", None)
    (folder,) = store.glob("simulated/toy/*")
    assert folder.name == record["key"][:16]
    assert sorted(p.name for p in folder.iterdir()) == [
        "embedding.npy",
        "history.csv",
        "labels.npy",
        "record.json",
        "run.log",
    ]
    assert (folder / "history.csv").read_text() == "epoch,loss,extra\n0,1.0,\n1,0.5,2.0\n"


def test_the_published_protocol_keeps_snapshots_and_picks_the_best_epoch(store: Path) -> None:
    honest = ["method=toy", *DATASET, f"store={store}", "seeds=2"]
    assert main(honest) == 0
    assert main([*honest, "protocol=published"]) == 0
    table = load(store)
    assert len(table) == 4
    for protocol, rows in table.groupby("protocol"):
        assert rows["best_epoch.epoch"].isna().all() == (protocol == "honest")
    published = table[table["protocol"] == "published"]
    assert (published["best_epoch.acc"] >= published["metrics.acc"]).all()
    for key in published["key"]:
        (folder,) = store.glob(f"simulated/toy/{key[:16]}")
        stored = np.load(folder / "snapshots.npz")
        assert stored["epochs"].tolist() == [0, 1, 2]
    honest_runs = table[table["protocol"] == "honest"].set_index("seed")["metrics.acc"]
    np.testing.assert_array_equal(published.set_index("seed")["metrics.acc"].sort_index(), honest_runs.sort_index())


def test_scores_are_those_of_the_stored_labels(store: Path) -> None:
    from scbench.data.config import SimulatedDataset
    from scbench.data.simulate import simulate

    assert main(["method=toy", *DATASET, f"store={store}", "seeds=1"]) == 0
    truth = simulate(SimulatedDataset(name="simulated", n_cells=60, n_genes=40, n_types=3)).labels
    (labels,) = store.rglob("labels.npy")
    expected = score(truth, np.load(labels))
    assert only_record(store)["metrics"] == pytest.approx(expected)
