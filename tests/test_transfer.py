"""Batch transfer as a command: both directions, honest failures, clear refusals."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest

from scbench.data.config import SimulatedDataset
from scbench.data.simulate import simulate
from scbench.method import Clustering, Counts, RunContext
from scbench.transfer import main

SIMULATED = simulate(SimulatedDataset(name="s", n_cells=120, n_genes=150, n_types=3, dropout=0.0, imbalance=1.0))
SHORT = ("method=sccagn", "method.pretrain_epochs=2", "method.epochs=2", "method.restarts=1", "device=cpu")


@pytest.fixture
def two_batches(tmp_path: Path) -> str:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["X"] = SIMULATED.matrix.toarray()
        file["Y"] = np.array([str(label) for label in SIMULATED.labels], dtype="S")
        file["plate"] = np.array(["a", "b"] * 60, dtype="S")
        file["one"] = np.array(["a"] * 120, dtype="S")
        file["gap"] = np.array(["a", "b"] * 59 + ["a", ""], dtype="S")
    return f"dataset.path={tmp_path / 'x.h5'}"


def lines(out: Path) -> list[dict[str, str]]:
    with (out / "transfer.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_both_directions_are_scored_and_written(
    two_batches: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*SHORT, "dataset=file", two_batches, "batch=plate", "seeds=2"]
    assert main([*command, f"out={tmp_path / 'o'}"]) == 0
    found = lines(tmp_path / "o")
    assert [(f["learnt_on"], f["placed"], f["seed"], f["part"]) for f in found[:4]] == [
        ("a", "b", "0", "learnt"), ("a", "b", "0", "placed"), ("a", "b", "1", "learnt"), ("a", "b", "1", "placed"),
    ]  # fmt: skip
    assert len(found) == 8
    assert {f["status"] for f in found} == {"ok"}
    assert all(f["n_cells"] == "60" and f["k_given"] == "3" and -1 <= float(f["ari"]) <= 1 for f in found)
    table = capsys.readouterr().out
    assert "…" not in table
    assert table.count("2/2") == 4
    assert main([*command, f"out={tmp_path / 'again'}"]) == 0
    for first, second in zip(found, lines(tmp_path / "again"), strict=True):
        assert {**first, "seconds": ""} == {**second, "seconds": ""}


def test_a_failing_fit_keeps_its_lines_and_sets_the_status(
    two_batches: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o"
    status = main([*SHORT, "dataset=file", two_batches, "batch=plate", "seeds=1", "n_clusters=61", f"out={out}"])
    assert status == 1
    assert {f["status"] for f in lines(out)} == {"error"}
    assert "failed: ValueError: n_clusters is 61 but there are only 60 cells" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["method=leiden", "batch=plate"], "method leiden cannot place cells that it was not fitted to"),
        ([*SHORT, "batch=one"], "transfer needs two batches, and column 'one' holds one (a)"),
        ([*SHORT, "batch=plat"], "Did you mean 'plate'?"),
        ([*SHORT, "batch=plate", "dataset.label=none"], "needs labels and batches"),
        ([*SHORT, "batch=gap"], "1 of 120 cells have no type or no batch; pass dataset.unlabelled=drop"),
        (["-m", "method=sccagn,leiden", "batch=plate"], "transfer takes one method and one dataset, got 2 jobs"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], message: str, two_batches: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "dataset=file", two_batches]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_simulated_cells_have_no_batches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHORT, "dataset=simulated"]) == 2
    assert "simulated cells have none; take a file" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_costs_no_fit(
    two_batches: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scbench.transfer.transfer_run", lambda *_: pytest.fail("a fit was made"))
    (tmp_path / "taken").write_text("")
    command = [*SHORT, "dataset=file", two_batches, "batch=plate", "seeds=1", f"out={tmp_path / 'taken'}"]
    assert main(command) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_interrupt_keeps_the_directions_that_are_done(
    two_batches: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(*given: object) -> list[dict[str, object]]:
        *_, learnt_on, seed = given
        if learnt_on == "b":
            raise KeyboardInterrupt
        return [{"learnt_on": learnt_on, "placed": "b", "seed": seed, "part": "learnt", "status": "ok"}]

    monkeypatch.setattr("scbench.transfer.transfer_run", made)
    with pytest.raises(KeyboardInterrupt):
        main([*SHORT, "dataset=file", two_batches, "batch=plate", "seeds=2", f"out={tmp_path / 'o'}"])
    assert [(f["learnt_on"], f["seed"]) for f in lines(tmp_path / "o")] == [("a", "0"), ("a", "1")]


class Counted:
    """A method that notes its fits, and cannot place a batch of fewer than 20 cells."""

    n_fits = 0

    def fit(self, counts: Counts, n_clusters: int, run: RunContext) -> Counted:
        Counted.n_fits += 1
        self.clustering = self._of(counts)
        return self

    def predict(self, counts: Counts) -> Clustering:
        if counts.matrix.shape[0] < 20:
            raise ValueError("too few cells to place")
        return self._of(counts)

    def _of(self, counts: Counts) -> Clustering:
        return Clustering(np.arange(counts.matrix.shape[0]) % 2)


@pytest.fixture
def three_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command on two batches of 50 cells and one of ten, c, that the method can learn on but not place."""
    monkeypatch.setattr("scbench.run.transfer_run.make_method", lambda _: Counted())
    monkeypatch.setattr(Counted, "n_fits", 0)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["X"] = SIMULATED.matrix.toarray()[:110]
        file["Y"] = np.array([str(label) for label in SIMULATED.labels[:110]], dtype="S")
        file["plate"] = np.array(["a", "b"] * 50 + ["c"] * 10, dtype="S")
    return [*SHORT, "dataset=file", f"dataset.path={tmp_path / 'x.h5'}", "batch=plate", f"out={tmp_path / 'o'}"]


def test_one_fit_serves_all_other_batches(three_batches: list[str], tmp_path: Path) -> None:
    assert main([*three_batches, "seeds=2"]) == 1
    assert Counted.n_fits == 3 * 2
    found = lines(tmp_path / "o")
    assert [(f["learnt_on"], f["placed"], f["seed"]) for f in found[::2]] == [
        (one, other, seed) for one in "abc" for other in "abc" if one != other for seed in "01"
    ]
    assert [f["part"] for f in found] == ["learnt", "placed"] * 12


def test_a_batch_that_cannot_be_placed_costs_its_own_line(
    three_batches: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*three_batches, "seeds=1"]) == 1
    failed = [f for f in lines(tmp_path / "o") if f["status"] != "ok"]
    assert [(f["learnt_on"], f["placed"], f["part"]) for f in failed] == [("a", "c", "placed"), ("b", "c", "placed")]
    assert all(f["error"] == "ValueError: too few cells to place" and f["k_given"] == "3" for f in failed)
    assert "failed: ValueError: too few cells to place" in capsys.readouterr().out


def test_a_number_of_clusters_that_cannot_be_estimated_costs_the_lines_of_its_batch(
    three_batches: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def estimate(counts: Counts, cache: None) -> int:
        if counts.matrix.shape[0] == 10:
            raise ValueError("too few cells to estimate from")
        return 4

    monkeypatch.setattr("scbench.graph.estimate_k.estimate_n_clusters", estimate)
    assert main([*three_batches, "seeds=1", "n_clusters=estimate", "estimate=resolution_1"]) == 1
    of_c = [f for f in lines(tmp_path / "o") if f["learnt_on"] == "c"]
    assert {(f["status"], f["error"], f["k_given"]) for f in of_c} == {
        ("error", "ValueError: too few cells to estimate from", "")
    }
    assert len(of_c) == 4
    assert {f["k_given"] for f in lines(tmp_path / "o") if f["learnt_on"] != "c"} == {"4"}
    assert "too few cells to estimate from" in capsys.readouterr().out


def test_help_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "learn on one batch" in capsys.readouterr().out
