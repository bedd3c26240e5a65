"""What a record holds, and what the published protocol adds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scbench.__main__ import main
from scbench.metrics import score
from scbench.metrics.registry import SCORES
from scbench.store.store import load

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
    assert set(record["metrics"]) == set(SCORES)
    assert set(record["seconds"]) == {"load", "preprocess", "fit", "score", "total"}
    assert all(isinstance(value, float) for value in record["seconds"].values())
    train = {"rate": 0.1, "steps": 10}
    assert record["params"] == {"behaviour": "ok", "bad_seed": -1, "seconds": 0.0, "trace": "", "train": train}
    assert (record["preset"], record["tuned_with_labels"]) == (None, False)
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


def test_an_honest_run_keeps_snapshots_on_demand_and_nothing_else_changes(
    store: Path, tmp_path: Path, short_training: dict[str, dict[str, int]]
) -> None:
    for name, keys in {"toy": {}, **short_training}.items():
        given = [f"method={name}", *DATASET, "seeds=1", *(f"method.{key}={value}" for key, value in keys.items())]
        assert main([*given, f"store={store}"]) == 0
        assert main([*given, f"store={tmp_path / 'kept'}", "engine.keep_snapshots=true"]) == 0
        assert main([*given, f"store={store}", "engine.keep_snapshots=true"]) == 0  # not made anew
    kept = load(tmp_path / "kept")
    assert len(kept) == len(load(store)) == 1 + len(short_training)
    assert kept["best_epoch.acc"].isna().all()
    assert not list(store.rglob("snapshots.npz"))
    for run in kept.itertuples():
        with_snapshots, without = (
            root / run.dataset / run.method / run.key[:16] for root in (tmp_path / "kept", store)
        )
        assert len(np.load(with_snapshots / "snapshots.npz")["epochs"]) > 0, run.method
        for name in ("labels", "embedding"):
            np.testing.assert_array_equal(np.load(with_snapshots / f"{name}.npy"), np.load(without / f"{name}.npy"))


KIDNEY = ["method=toy", *DATASET, "dataset.name=kidney", "protocol=published"]


def test_the_record_names_the_preset_and_has_its_values(store: Path) -> None:
    assert main([*KIDNEY, f"store={store}", "seeds=1", "method.train.steps=3"]) == 0
    record = only_record(store)
    source = "Toy et al. 2024, Table 1"
    assert record["preset"] == {"name": "kidney", "source": source, "tuned_with_labels": True}
    assert record["tuned_with_labels"] is True
    assert record["params"]["bad_seed"] == 77
    assert record["params"]["train"] == {"rate": 0.5, "steps": 3}
    assert load(store)["preset.name"].tolist() == ["kidney"]


def test_a_failed_run_keeps_its_preset(store: Path) -> None:
    arguments = ["method.behaviour=abort", "method.bad_seed=-1", "preset=quick"]
    assert main(["method=toy", *DATASET, f"store={store}", "seeds=1", *arguments]) == 1
    record = only_record(store)
    assert record["status"] == "crashed"
    assert (record["preset"]["name"], record["tuned_with_labels"]) == ("quick", False)


def test_equal_parameters_are_one_run_whatever_preset_they_come_from(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*KIDNEY, f"store={store}", "seeds=2"]) == 0
    same = tmp_path / "same.yaml"
    same.write_text("tuned_with_labels: true\nparams: {bad_seed: 77, train.rate: 0.5}\n")
    assert main([*KIDNEY, f"store={store}", "seeds=2", f"preset={same}"]) == 0
    by_hand = ["preset=none", "method.bad_seed=77", "method.train.rate=0.5"]
    assert main([*KIDNEY, f"store={store}", "seeds=2", *by_hand]) == 0
    assert capsys.readouterr().out.count("2 of 2 were there before") == 2
    assert load(store)["preset.name"].tolist() == ["kidney", "kidney"]


def test_a_record_from_before_there_were_presets_is_still_a_result(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["method=toy", *DATASET, f"store={store}", "seeds=1"]
    assert main(arguments) == 0
    (path,) = store.rglob("record.json")
    record = only_record(store)
    del record["preset"], record["tuned_with_labels"]
    path.write_text(json.dumps(record))
    assert main(arguments) == 0
    assert "1 of 1 were there before" in capsys.readouterr().out
    assert len(load(store)) == 1


def test_scores_are_those_of_the_stored_labels(store: Path) -> None:
    from scbench.data.config import SimulatedDataset
    from scbench.data.simulate import simulate

    assert main(["method=toy", *DATASET, f"store={store}", "seeds=1"]) == 0
    truth = simulate(SimulatedDataset(name="simulated", n_cells=60, n_genes=40, n_types=3)).labels
    (labels,) = store.rglob("labels.npy")
    expected = score(truth, np.load(labels))
    assert only_record(store)["metrics"] == pytest.approx(expected)
