"""``--dry-run``: what would run, what is done, what cannot be, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from scbench.__main__ import main
from scbench.config.request import LeftOut
from scbench.run.plan_view import left_out_lines

SMALL = ["dataset=simulated", "dataset.n_cells=40", "dataset.n_genes=30", "dataset.n_types=3", "device=cpu"]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[list[str]]:
    assert main([*arguments, "--dry-run"]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_nothing_is_run_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "store"
    lines = shown(capsys, "-m", "method=random,pca_kmeans", "seeds=3", *SMALL, f"store={store}")
    assert ["simulated", "random", "3", "0", "0", "?", "?"] in lines
    assert lines[-2] == ["6", "runs", "to", "do,", "0", "done,", "0", "not", "possible;", "nothing", "was", "started"]
    assert lines[-1] == ["time:", "unknown,", "the", "store", "holds", "no", "records", "of", "these", "methods"]
    shown(capsys, "method=random", "seeds=3", *SMALL, f"store={store}")
    assert not store.exists()
    assert {path.name for path in tmp_path.iterdir()} <= {"data"}, "and no folder of Hydra's"


def test_a_plan_knows_the_records(capsys: pytest.CaptureFixture[str], tmp_path: Path, toy_installed: None) -> None:
    store = f"store={tmp_path}"
    bad = ["method=toy", "method.behaviour=raise", "method.bad_seed=1", *SMALL, store]
    assert main([*bad, "seeds=2"]) == 1
    before = sorted(tmp_path.rglob("*"))
    capsys.readouterr()
    lines = shown(capsys, *bad, "seeds=4", "engine.cpu_slots=1")
    (row,) = [line for line in lines if line[0] == "simulated"]
    assert row[1:4] == ["toy", "behaviour=raise", "bad_seed=1"]
    assert row[4:7] == ["2", "1", "1"]
    assert float(row[7]) >= 0
    sums = "2 runs to do, 1 done and 1 failed before (retry_failed=true tries them again), 0 not possible;"
    assert " ".join(lines[-2]).startswith(sums)
    assert " ".join(lines[-1]).startswith("time: 0 s on 1 CPU slots, by the records of this store")
    assert "3 runs to do, 1 done, 0" in " ".join(shown(capsys, *bad, "seeds=4", "retry_failed=true")[-2])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dataset_that_would_have_to_be_fetched_is_not_fetched(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCBENCH_DATA_PATH", raising=False)
    arguments = ["-m", "method=random,leiden", "dataset=pbmc68k_reduced,shekhar", "seeds=5", f"store={tmp_path}"]
    lines = [" ".join(line) for line in shown(capsys, *arguments)]
    assert (
        "left out, 10 runs: dataset shekhar: not on this machine (python -m scbench.datasets fetch NAME gets one)"
        in lines
    )
    assert lines[-2].startswith("10 runs to do, 0 done, 10 not possible")


def test_a_plan_of_an_experiment_on_missing_data_is_no_failure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCBENCH_DATA_PATH", raising=False)
    lines = [" ".join(line) for line in shown(capsys, "experiment=smoke", "method=random,leiden", f"store={tmp_path}")]
    assert "left out, 4 runs: dataset mix_celseq2_5cl: not on this machine" in lines[-3]
    assert lines[-2].startswith("4 runs to do, 0 done, 4 not possible")


def test_reasons_are_said_once_with_all_that_they_hold_for() -> None:
    left_out = [LeftOut("dataset", "a", "gone", 3), LeftOut("method", "m", "not installed", 2)]
    left_out += [LeftOut("dataset", "b", "gone", 3), LeftOut("dataset", "a", "gone", 3)]
    assert left_out_lines(left_out) == [
        "left out, 9 runs: datasets a, b: gone",
        "left out, 2 runs: method m: not installed",
    ]


def test_an_experiment_runs_what_it_can_and_says_what_not(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text(
        "title: T\nseeds: 2\nmethods: [random, pca_kmeans, nobody]\ndatasets: [pbmc68k_reduced, mix_celseq2_5cl]\n"
    )
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path / "conf"))
    monkeypatch.delenv("SCBENCH_DATA_PATH", raising=False)
    assert main(["experiment=mine", f"store={tmp_path / 'store'}", "device=cpu"]) == 0
    said = capsys.readouterr()
    assert "[4/4]" in said.err
    assert "dataset mix_celseq2_5cl: not on this machine" in said.err
    assert "method nobody: not installed" in said.err
    rows = [line.split()[:2] for line in said.out.splitlines() if line.endswith("2/2")]
    assert rows == [["pbmc68k_reduced", "random"], ["pbmc68k_reduced", "pca_kmeans"]]


def test_an_experiment_of_which_nothing_can_be_read_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file passes for the dataset (it is not verified) and cannot be parsed."""
    conf = tmp_path / "conf"
    for folder in ("experiment", "dataset"):
        (conf / folder).mkdir(parents=True)
    (conf / "experiment" / "mine.yaml").write_text("title: T\nmethods: [random]\ndatasets: [broken]\n")
    (conf / "dataset" / "broken.yaml").write_text(
        "defaults: [registered_schema, _self_]\nname: broken\nverify: false\nfiles: [{reader: xy_h5, url: 'file:///broken.h5'}]\n"
    )
    (tmp_path / "data" / "broken").mkdir(parents=True)
    (tmp_path / "data" / "broken" / "broken.h5").write_bytes(b"no HDF5")
    monkeypatch.setenv("SCBENCH_CONF", str(conf))
    assert main(["experiment=mine", f"store={tmp_path / 'store'}"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("scbench: nothing is left to run; fetch a dataset, or install a method")
    assert "left out, 10 runs: dataset broken: " in said[-2]
