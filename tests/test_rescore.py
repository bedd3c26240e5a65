"""Metrics that stored runs lack: tables say over how many runs they average, and rescore adds them from labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scbench.__main__ import main
from scbench.metrics.registry import SCORES
from scbench.store import load

DATASET = "simulated"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two runs on labelled cells, made by the command; the first lacks two metrics, as of an earlier version."""
    root = tmp_path / "store"
    assert main(["method=pca_kmeans", "dataset=pbmc68k_reduced", "seeds=2", f"store={root}", "device=cpu"]) == 0
    rewrite(records(root)[0], without=("ami", "f1_macro"))
    return root


def records(root: Path) -> list[Path]:
    return sorted(root.glob("*/*/*/record.json"))


def rewrite(path: Path, without: tuple[str, ...] = (), **scores: float) -> None:
    record = json.loads(path.read_text())
    record["metrics"] = {name: value for name, value in record["metrics"].items() if name not in without} | scores
    path.write_text(json.dumps(record))


def test_a_mean_of_fewer_values_than_runs_says_so(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["report", f"store={store}", f"out={out}", "figures=false", "metrics=ami,ari"]) == 0
    tables = (out / "tables.md").read_text()
    assert "(1 of 2)" in tables
    assert "python -m scbench.rescore computes what is missing" in tables
    assert (out / "long.csv").read_text().splitlines()[0].split(",")[11:14] == ["n_values", "n_ok", "n"]


def test_a_metric_that_no_run_has_is_said_too(store: Path, tmp_path: Path) -> None:
    rewrite(records(store)[1], without=("ami",))
    out = tmp_path / "out"
    assert main(["report", f"store={store}", f"out={out}", "figures=false", "metrics=ami"]) == 0
    assert "of 2 runs with labels some have no value (ami: 2)" in (out / "tables.md").read_text()


def test_runs_on_cells_without_labels_miss_nothing_that_rescore_could_add(store: Path, tmp_path: Path) -> None:
    assert main(["rescore", f"store={store}"]) == 0
    path = records(store)[0]
    record = json.loads(path.read_text())
    record["n_types"], record["metrics"] = None, dict.fromkeys(record["metrics"])
    path.write_text(json.dumps(record))
    out = tmp_path / "out"
    assert main(["report", f"store={store}", f"out={out}", "figures=false", "metrics=ami"]) == 0
    assert "(1 of 2)" in (out / "tables.md").read_text()
    assert "scbench.rescore" not in (out / "tables.md").read_text()


def test_rescore_adds_what_is_missing_and_nothing_else(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = load(store).set_index("seed")
    arrays = {path: path.read_bytes() for path in store.rglob("*.npy")}
    whole = records(store)[1].read_bytes()
    assert main(["rescore", f"store={store}"]) == 0
    assert capsys.readouterr().out == "added ami to 1, f1_macro to 1 runs\n"
    after = load(store).set_index("seed")
    assert after[[f"metrics.{name}" for name in SCORES]].notna().all().all()
    kept = [column for column in before if column not in ("metrics.ami", "metrics.f1_macro")]
    assert before[kept].astype(str).equals(after[kept].astype(str))
    assert {path: path.read_bytes() for path in store.rglob("*.npy")} == arrays
    assert records(store)[1].read_bytes() == whole
    assert main(["rescore", f"store={store}"]) == 0
    assert capsys.readouterr().out == "nothing was missing that could be added\n"


def test_a_run_whose_scores_are_not_those_of_its_labels_is_named_and_left(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = records(store)[0]
    rewrite(path, ari=0.99)
    before = path.read_bytes()
    assert main(["rescore", f"store={store}"]) == 1
    said = capsys.readouterr().out
    assert "1 left as they are, metrics.ari is 0.99; the labels give 0." in said
    assert path.parent.name in said
    assert path.read_bytes() == before


def test_runs_without_labels_are_named(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (records(store)[0].parent / "labels.npy").unlink()
    assert main(["rescore", f"store={store}"]) == 1
    assert "their own labels are not stored" in capsys.readouterr().out


def test_a_wrong_command_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rescore", f"store={tmp_path / 'none'}"]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main(["rescore", "stor=x"]) == 2
    assert "unknown key 'stor'. Did you mean 'store'" in capsys.readouterr().err
    assert main(["rescore", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert "one store at a time, got 2" in capsys.readouterr().err
    assert main(["rescore", "store="]) == 2
    assert "store is empty" in capsys.readouterr().err
    assert main(["rescore", f"store={tmp_path}/x=1"]) == 2
    assert f"store {tmp_path}/x=1 does not exist" in capsys.readouterr().err
    assert main(["rescore", "--dry-run"]) == 2
    assert "unknown key '--dry-run'" in capsys.readouterr().err
