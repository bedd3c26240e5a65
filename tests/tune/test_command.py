"""Whole searches of a toy whose best is known: x = 0.3 and inner.y = -0.5."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from scbench.__main__ import main
from scbench.data.subsample import kept_cells
from scbench.store.store import load
from scbench.tune.objectives import OBJECTIVES

Tune = Callable[..., int]


def study_folder(root: Path) -> Path:
    (folder,) = (root / "results" / "tune").iterdir()
    return folder


def trials(root: Path) -> list[dict[str, str]]:
    with (study_folder(root) / "trials.csv").open() as file:
        return list(csv.DictReader(file))


def records(root: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(study_folder(root).glob("runs/*/*/*/record.json")):
        yield json.loads(path.read_text())


def test_a_search_finds_the_optimum_and_writes_a_preset_that_runs(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("objective=loss", "n_trials=30", "method.epochs=1", "search.kind=round", "evaluate=true", "seeds=2")
    assert tune(*arguments) == 0
    said = capsys.readouterr()
    assert "[30/30] trial 29: loss" in said.err
    assert "[1/30] trial 0 (defaults): loss 0.3400" in said.err
    assert said.err.count("(defaults)") == 1
    assert "watch the runs: python -m scbench.status " in said.err
    assert "30 complete" in said.out
    assert "(defaults 0.3400)" in said.out  # 0.3^2 + 0.5^2
    best = min(trials(tmp_path), key=lambda trial: float(trial["loss"]))
    assert float(best["x"]) == pytest.approx(0.3, abs=0.15)
    assert float(best["inner.y"]) == pytest.approx(-0.5, abs=0.15)
    assert "tuned - default" in said.out
    assert "simulated  loss   0.3400 ± 0.0000" in said.out
    page = (study_folder(tmp_path) / "report.html").read_text()
    assert page.count("<svg") == 3
    (preset,) = study_folder(tmp_path).glob("*.yaml")
    sizes = ["dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3", "method.epochs=1"]
    shown = ["method=parabola", "dataset=simulated", *sizes, "device=cpu", "seeds=2", f"preset={preset}"]
    assert main(shown) == 0
    assert "2 of 2 were there before" in capsys.readouterr().out
    assert main([word for word in shown if word != "method.epochs=1"]) == 0  # what the search held is in the preset
    assert "2 of 2 were there before" in capsys.readouterr().out
    first = records(tmp_path).__next__()
    assert first["seed"] == 1000
    assert first["preset"]["name"].startswith("trial of parabola-simulated-loss-")
    assert not first["tuned_with_labels"]
    assert {record["seed"] for _, record in load(tmp_path / "results" / "runs").iterrows()} == {0, 1}
    assert tune(*arguments) == 0
    assert "4 of 4 were there before" in capsys.readouterr().out
    assert main(["tune", "summary"]) == 0
    (line,) = capsys.readouterr().out.splitlines()[2:]
    assert line.startswith("| parabola | simulated | loss | 0.340 ± 0.000 | 0.")
    assert "| 2 | 30 (0, 0) | " in line


def test_a_search_says_how_to_run_what_it_found(tune: Tune, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune("n_trials=1", "method.epochs=1", "n_clusters=2") == 0
    assert "use it: python -m scbench method=parabola n_clusters=2 preset=" in capsys.readouterr().err


def test_an_evaluation_that_was_stopped_is_no_comparison(
    tune: Tune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scbench.tune.session.run_command", lambda *_, **__: 1)
    assert tune("n_trials=1", "method.epochs=1", "evaluate=true", "seeds=2") == 1
    assert "the evaluation was stopped before its end" in capsys.readouterr().err
    assert not (study_folder(tmp_path) / "comparison.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("method=leiden", "objective=loss"), "objective=loss needs the columns of the method's loss"),
        (("search.x=0.1", "search.x=0.2"), "search.x is given twice"),
    ],
)
def test_what_can_have_no_value_is_said_before_the_first_fit(
    arguments: tuple[str, ...], reason: str, tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(*arguments) == 2
    assert reason in (said := capsys.readouterr().err)
    assert said.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_labels_that_a_dataset_has_not_cannot_be_tuned_with(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["cell,a,b", *(f"c{i},{i % 3},{i % 2 + 1}" for i in range(12))]
    (tmp_path / "cells.csv").write_text("\n".join(lines) + "\n")
    own = [
        "tune",
        "method=leiden",
        "dataset=file",
        f"dataset.path={tmp_path / 'cells.csv'}",
        "n_clusters=2",
        "dataset.label=none",
    ]
    assert main([*own, "objective=ari", "n_trials=1"]) == 2
    assert "objective=ari scores with annotated types, and" in capsys.readouterr().err


def test_defaults_that_win_are_compared_with_themselves(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune("objective=loss", "n_trials=1", "method.epochs=1", "evaluate=true", "seeds=2") == 0
    said = capsys.readouterr()
    assert "no trial was better than the defaults" in said.err
    assert "tuned - default" not in said.out
    with (study_folder(tmp_path) / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["score"] for row in rows] == ["loss", "acc", "nmi", "ari"]
    for row in rows:
        assert row["default_mean"] == row["tuned_mean"]
        assert float(row["difference_mean"]) == 0
        assert (row["best_trial"], row["n_trials"], row["n_seeds"]) == ("0", "1", "2")


def test_poor_trials_are_given_up_and_save_a_fifth_of_the_epochs(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune("n_trials=14", "method.epochs=40", "search.kind=default", "search.inner.y=default") == 0
    ended = trials(tmp_path)
    n_given_up = sum(trial["state"] == "given up" for trial in ended)
    assert n_given_up >= 3
    assert "given up by the search at epoch 10: modularity" in capsys.readouterr().err
    histories = [path.read_text().splitlines()[1:] for path in study_folder(tmp_path).glob("runs/*/*/*/history.csv")]
    assert len(histories) == 14
    assert sum(map(len, histories)) <= 0.8 * 14 * 41
    of_status = {record["status"]: record for record in records(tmp_path)}
    assert set(of_status) == {"ok", "interrupted"}  # neither a failure nor a result
    assert of_status["interrupted"]["error"]["type"] == "Pruned"
    best = max((trial for trial in ended if trial["modularity"]), key=lambda trial: float(trial["modularity"]))
    assert abs(float(best["x"]) - 0.3) < 0.3


def test_trials_that_fail_diverge_or_collapse_are_recorded_and_never_win(tune: Tune, tmp_path: Path) -> None:
    bounds = ("method.diverge_above=0.6", "method.collapse_above=0.2", "search.x=[-1,1]", "search.inner.y=[0,1]")
    assert tune("n_trials=12", "objective=loss", "method.epochs=1", "search.kind=default", *bounds) == 0
    ended = trials(tmp_path)
    reasons = {trial["reason"].split(":")[0].split(" (")[0] for trial in ended}
    assert {"diverged", "collapsed"} <= reasons
    assert all(float(trial["x"]) <= 0.2 for trial in ended if trial["loss"])
    assert len(ended) == 12


def test_values_that_do_not_go_together_cost_one_trial(tune: Tune, tmp_path: Path) -> None:
    spaces = ("search.x=[0.9,1.0]", "search.inner.y=[0.95,1.1]", "search.kind=default")
    assert tune("n_trials=3", "objective=loss", "method.epochs=1", *spaces) == 1  # none of them has a value
    assert not list((tmp_path / "results").rglob("trials.csv"))


def test_trials_of_equal_values_share_their_runs(tune: Tune, tmp_path: Path) -> None:
    spaces = ("search.x=default", "search.inner.y=default")  # two values are left, for five trials on all slots
    assert tune("n_trials=5", "method.epochs=3", "method.seconds=0.05", "engine.cpu_slots=null", *spaces) == 0
    ended = trials(tmp_path)
    assert [trial["state"] for trial in ended] == ["complete"] * 5
    assert len(list(records(tmp_path))) == len({trial["kind"] for trial in ended}) <= 2


def test_labels_are_used_only_when_asked_for_and_marked(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    arguments = ("objective=ari", "n_trials=3", "method.epochs=1", "search.kind=default")
    assert tune(*arguments, "protocol=honest") == 2
    assert "objective=ari tunes with labels, which protocol=honest does not allow" in capsys.readouterr().err
    assert tune(*arguments) == 0
    assert "tunes with the true labels: an upper bound, not a result" in caplog.text
    assert all(record["tuned_with_labels"] and record["protocol"] == "published" for record in records(tmp_path))
    (preset,) = study_folder(tmp_path).glob("*.yaml")
    honest = ["method=parabola", "dataset=simulated", "device=cpu", f"preset={preset}"]
    assert main(honest) == 2
    assert "was tuned with labels, which protocol=honest does not allow" in capsys.readouterr().err
    from scbench.tables.rows import summarise

    assert all(row.is_tuned and "published" in row.method for row in summarise(list(records(tmp_path))))


def test_label_free_trials_show_no_score_that_is_made_with_labels(
    tune: Tune, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune("n_trials=2", "method.epochs=1") == 0
    said = capsys.readouterr()
    assert "ARI" not in said.err + said.out
    assert "ACC" not in said.err + said.out


def test_a_dry_run_shows_the_space_and_makes_nothing(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune("n_trials=9", "--dry-run", "search.x=[0,2]", "method.kind=square") == 0
    said = capsys.readouterr().out
    assert "9 trials" in said
    assert "0 to 2" in said
    assert "noise" in said  # searched where kind is square, which is held
    assert not (tmp_path / "results").exists()


@pytest.fixture
def two_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Describe two simulated datasets as a user would, and return their names."""
    folder = tmp_path / "conf" / "dataset"
    folder.mkdir(parents=True)
    for seed, name in enumerate(("north", "south")):
        sizes = f"n_cells: 60\nn_genes: 40\nn_types: 3\nseed: {seed}\n"
        (folder / f"{name}.yaml").write_text(f"defaults:\n  - simulated_schema\n  - _self_\nname: {name}\n{sizes}")
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path / "conf"))
    return "dataset=north,south"


def test_several_datasets_are_searched_by_their_mean_rank(
    two_sets: str,
    toy_installed: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["tune", "method=parabola", two_sets, "method.epochs=1", "device=cpu", "seeds=2"]
    assert main([*command, "n_trials=6", "search.kind=default"]) == 0
    said = capsys.readouterr().out
    assert "mean rank by modularity" in said
    assert "north    modularity" in said
    assert "south    modularity" in said
    ended = trials(tmp_path)
    for trial in ended:
        ranks = []
        for name in ("north", "south"):
            values = [float(other[name]) for other in ended]
            better, equal = (sum(map(test, values)) for test in (float(trial[name]).__lt__, float(trial[name]).__eq__))
            ranks.append(better + (equal + 1) / 2)
        assert float(trial["mean rank by modularity"]) == sum(ranks) / 2


def test_one_dataset_is_left_out_of_the_search_and_evaluated(
    two_sets: str,
    toy_installed: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["tune", "method=parabola", two_sets, "method.epochs=1", "device=cpu", "seeds=2", "study=mine"]
    assert main([*command, "n_trials=4", "objective=ari", "leave_one_out=true"]) == 0
    folders = sorted((tmp_path / "results" / "tune").iterdir())
    assert [folder.name for folder in folders] == ["mine-without-north", "mine-without-south"]
    assert [path.name for path in (folders[0] / "runs").iterdir() if not path.name.startswith(".")] == ["south"]
    tables = capsys.readouterr().out.split("study mine-without-south")
    assert "north    ARI %" in tables[0]
    assert "south    ARI %" not in tables[0]
    assert "south    ARI %" in tables[1]


def test_a_search_by_fits_to_subsamples(tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("objective=stability_subsamples", "n_trials=6", "trial_seeds=2", "method.epochs=1", "seeds=2")
    assert tune(*arguments, "search.kind=default", "search.inner.y=default", "evaluate=true") == 0
    said = capsys.readouterr()
    assert "study parabola-simulated-stability_subsamples-" in said.out
    assert "the same on random subsamples of 80 % of the cells" in said.err
    assert "simulated  stability_subsamples" in said.out
    assert "simulated-subsample80" not in said.out, "the table is of fits to all cells"
    found = list(records(tmp_path))
    assert {(each["dataset"], each["seed"]) for each in found} == {
        (f"simulated-subsample80-s{s}", s) for s in (1000, 1001)
    }
    assert len(found) == 12
    assert {each["n_cells"] for each in found} == {48}
    for trial in trials(tmp_path):
        labels = []
        for path in study_folder(tmp_path).glob("runs/*/*/*/record.json"):
            record = json.loads(path.read_text())
            if record["params"]["x"] == float(trial["x"]):
                of_part = np.load(path.parent / "labels.npy")
                labels.append(dict(zip(kept_cells(60, 0.8, record["seed"]), of_part, strict=True)))
        shared = sorted(labels[0].keys() & labels[1].keys())
        agreement = adjusted_rand_score(*([of_run[cell] for cell in shared] for of_run in labels))
        assert float(trial["simulated"]) == pytest.approx(agreement)
    assert set(load(tmp_path / "results" / "runs")["dataset"]) == {"simulated"}
    fresh = load(study_folder(tmp_path) / "fresh")
    assert fresh.groupby("dataset").size().to_dict() == {"simulated-subsample80": 2, "simulated-subsample80-s1": 2}
    row = next(line for line in said.out.splitlines() if line.startswith("simulated  stability_subsamples"))
    for shown, of_setting in zip(
        row.split()[2:4], [fresh[fresh["params.x"] == 0], fresh[fresh["params.x"] != 0]], strict=True
    ):
        (_, a), (_, b) = of_setting.sort_values("seed").iterrows()
        cells = [kept_cells(60, 0.8, seed) for seed in (0, 1)]
        labels = [
            np.load(study_folder(tmp_path) / "fresh" / each["dataset"] / "parabola" / each["key"][:16] / "labels.npy")
            for each in (a, b)
        ]
        _, in_a, in_b = np.intersect1d(*cells, return_indices=True)
        assert float(shown) == pytest.approx(adjusted_rand_score(labels[0][in_a], labels[1][in_b]), abs=6e-5)
    (preset,) = study_folder(tmp_path).glob("*.yaml")
    assert "- simulated\n" in preset.read_text()


def test_one_seed_is_not_enough_to_evaluate_stability(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune("objective=stability", "n_trials=2", "method.epochs=1", "seeds=1", "evaluate=true") == 0
    assert "stability  " not in capsys.readouterr().out.partition("tuned - default")[2]


def test_leaving_one_out_needs_two(tune: Tune, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune("objective=ari", "leave_one_out=true") == 2
    assert "leave_one_out=true needs at least two datasets; give dataset=a,b,c" in capsys.readouterr().err


def test_a_dataset_given_twice_is_refused(
    toy_installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["tune", "method=parabola", "-m", "dataset=simulated", "dataset.seed=0,1"]) == 2
    assert "a dataset is given twice: simulated, simulated; name each once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["experiment=smoke"], "experiment=smoke cannot be given to a search: a search is of one method"),
        (["preset=x.yaml"], "preset=x.yaml cannot be given to a search: a search starts from the method's own"),
        (["-m", "method=leiden,louvain"], "a search is of one method with one set of parameters"),
        (["engine=slurm", "device=cuda:1"], "device=cuda:1 names GPUs, but SLURM chooses them"),
        (["engine=slurm", "storage=sqlite", "--dry-run"], "engine=slurm cannot use storage=sqlite"),
        (["workers=2"], "workers=2 are tasks of engine=slurm, and the engine is local; use engine.cpu_slots"),
        (["trial_seeds=[3]"], r"seeds [3] are in trial_seeds and in seeds"),
        (["search.z=[0,1]"], "search.z: unknown parameter of method parabola 'z'"),
        (
            ["objective=stability_subsamples", "subsample_share=0.05"],
            "subsample_share=0.05 is too small: the subsamples of simulated with seeds 1000 and 1001 share",
        ),
        (
            ["objective=stability_subsamples", "dataset.subsample.share=0.5"],
            "objective=stability_subsamples takes subsamples itself, but dataset.subsample.share is 0.5; leave it out",
        ),
        (["method.x=0.1", "search.x=[0,1]"], "method.x and search.x are both given"),
        (["pruner=median", "objective=loss"], "pruner=median compares unfinished trials"),
    ],
)
def test_what_is_no_search_is_one_line(
    arguments: list[str], message: str, tune: Tune, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune("evaluate=true", *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_dry_run_says_how_many_tasks_make_it(tune: Tune, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune("engine=slurm", "engine.cpu_slots=2", "n_trials=3", "--dry-run") == 0
    assert "3 trials by 3 tasks" in capsys.readouterr().out


def test_what_is_said_already_is_not_said_twice(tune: Tune, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune("objective=ari", "protocol=published", "preset=none", "--dry-run") == 0
    assert "objective ari" in capsys.readouterr().out


def test_a_folder_that_cannot_be_used_is_one_line(
    tune: Tune, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    assert tune("out=taken") == 2
    assert "cannot be used" in (said := capsys.readouterr().err)
    assert "choose another with out=DIR" in said
    assert "Traceback" not in said


def test_a_result_that_cannot_be_written_is_one_line(
    tune: Tune, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scbench.tune.session.write_trials", full)
    assert tune("n_trials=1", "method.epochs=1") == 2
    assert "cannot write the result to" in (said := capsys.readouterr().err)
    assert "(No space left on device); free some space" in said


def test_a_comparison_that_cannot_be_written_is_one_line(
    tune: Tune, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scbench.tune.session.write_comparison", full)
    assert tune("n_trials=1", "method.epochs=1", "evaluate=true", "seeds=1") == 2
    assert "cannot write the comparison to" in capsys.readouterr().err


def test_a_storage_that_fails_on_the_way_is_one_line(
    tune: Tune, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from optuna.exceptions import StorageInternalError

    def lost(*_: object) -> None:
        raise StorageInternalError("the database is gone")

    monkeypatch.setattr("scbench.tune.study.Study.complete", lost)
    assert tune("n_trials=1", "method.epochs=1") == 2
    assert "the study's storage has failed (the database is gone); mend it" in capsys.readouterr().err


def test_without_optuna_it_says_what_to_install(
    tune: Tune, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("scbench.tune.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert tune() == 2
    assert "a search needs Optuna, and optuna is not installed; pip install 'scbench[tune]'" in capsys.readouterr().err


def test_help_names_every_key_and_objective(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in OBJECTIVES)
    for word in (
        "n_trials=50",
        "trial_seeds=",
        "storage=auto",
        "workers=",
        "subsample_share=",
        "leave_one_out=false",
        "modularity",
        "ari",
    ):
        assert word in said
