"""Searches that are killed, stopped, or made by two processes at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

N_TRIALS = 4


@pytest.fixture
def start(toy_installed: None, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that starts a search in a process of its own."""

    def run(*arguments: str) -> subprocess.Popen[str]:
        sizes = ["dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3"]
        usual = ["method=parabola", "dataset=simulated", *sizes, "device=cpu", "engine.cpu_slots=1", "study=s"]
        return subprocess.Popen(
            [sys.executable, "-m", "scbench.tune", *usual, f"n_trials={N_TRIALS}", "evaluate=false", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def study(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name="s", storage=f"sqlite:///{folder}/results/tune/s/study.db")


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the process ended without saying {text!r}")


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_two_processes_make_exactly_the_trials_together(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    arguments = ("objective=loss", "method.epochs=5", "method.seconds=0.1")
    processes = [start(*arguments), start(*arguments)]
    ended = [end(process) for process in processes]
    assert [status for status, _, _ in ended] == [0, 0], ended
    trials = study(tmp_path).trials
    assert [trial.number for trial in trials] == list(range(N_TRIALS))
    assert all(trial.state == TrialState.COMPLETE for trial in trials)
    assert len({trial.user_attrs["owner"] for trial in trials}) == 2  # both had a part
    assert any("best: trial" in out for _, out, _ in ended)  # the last one shows the result


@pytest.mark.slow  # half a minute; test_study.py resumes a search within one process
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_or_stopped_search_goes_on_to_the_same_number(
    number: signal.Signals, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    arguments = ("objective=loss", "method.epochs=5", "method.seconds=0.1", f"method.trace={trace}")
    first = start(*arguments)
    wait_for_line(first, f"[2/{N_TRIALS}]")
    while len(trace.read_text().splitlines()) < 3:  # the third trial is being fitted
        time.sleep(0.02)
    os.kill(first.pid, number)
    status, _, said = end(first)
    assert status == (1 if number == signal.SIGINT else -9)
    assert ("the same command goes on from here" in said) == (number == signal.SIGINT)
    left = study(tmp_path).trials
    assert [trial.state for trial in left[:2]] == [TrialState.COMPLETE] * 2
    assert left[2].state == TrialState.RUNNING
    status, out, said = end(start(*arguments))
    assert status == 0, said
    assert f"{N_TRIALS} complete" in out
    trials = study(tmp_path).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * N_TRIALS
    assert trials[2].params == left[2].params
    assert len(trace.read_text().splitlines()) == N_TRIALS + 1  # only the one that was cut short is fitted again
