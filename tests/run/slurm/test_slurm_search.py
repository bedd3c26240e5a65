"""Searches on a real SLURM: tasks that share a study, one that is cancelled, a command that is killed."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("slurm"), pytest.mark.timeout(240)]

N_TRIALS = 6
DATASET = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3"]
ENGINE = ["engine=slurm", "engine.partition=gpu", "engine.poll_seconds=0.5", "engine.job_hours=0.2", "workers=2"]


def command(folder: Path, *arguments: str) -> list[str]:
    search = ["method=parabola", "objective=loss", "search.kind=default", "study=s", f"n_trials={N_TRIALS}", "seeds=2"]
    run_ids = [f"out={folder / 'out'}", f"store={folder / 'store'}", f"method.trace={folder / 'trace'}"]
    given = {argument.partition("=")[0] for argument in arguments}
    usual = [word for word in (*search, *DATASET, *ENGINE, *run_ids) if word.partition("=")[0] not in given]
    return [sys.executable, "-m", "scbench.tune", *usual, *arguments]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(folder, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=200)
    return process.returncode, out, err


def trials(folder: Path) -> list[FrozenTrial]:
    journal = folder / "out" / "s" / "study.journal"
    if not journal.exists():
        return []
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(journal)))).trials
    except KeyError:  # it is just being made
        return []


def in_state(folder: Path, state: TrialState) -> list[FrozenTrial]:
    return [trial for trial in trials(folder) if trial.state == state]


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.1)


def running_jobs() -> list[str]:
    asked = ["squeue", "--noheader", "--array", "--format=%i", "--states=RUNNING"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()


def fits(folder: Path) -> list[str]:
    trace = folder / "trace"
    return trace.read_text().splitlines() if trace.exists() else []


def records(folder: Path, store: str) -> int:
    return len(list((folder / store).glob("simulated/parabola/*/record.json")))


def test_two_tasks_make_exactly_the_trials_and_the_command_evaluates(tmp_path: Path) -> None:
    status, out, err = end(start(tmp_path, "method.epochs=5", "method.seconds=0.1", "engine.runs_per_job=4"))
    assert status == 0, err
    assert "submitted 2 tasks; logs in" in err
    assert f"[{N_TRIALS}/{N_TRIALS}] trial" in err
    assert "storage journal" in err
    assert f"{N_TRIALS} complete" in out
    assert "tuned - default" in out
    assert "submitted 4 runs in 1 jobs" in err, "the evaluation goes through the engine, too"
    made = trials(tmp_path)
    assert [trial.number for trial in made] == list(range(N_TRIALS))
    assert {trial.state for trial in made} == {TrialState.COMPLETE}
    assert len({trial.user_attrs["owner"] for trial in made}) == 2, "both had a part"
    with (tmp_path / "out" / "s" / "trials.csv").open() as file:
        assert len(list(csv.DictReader(file))) == N_TRIALS
    assert (records(tmp_path, "out/s/runs"), records(tmp_path, "store")) == (N_TRIALS, 4)
    status, out, err = end(start(tmp_path, "method.epochs=5", "method.seconds=0.1", "engine.runs_per_job=4"))
    assert status == 0, err
    assert "submitted" not in err
    assert "4 of 4 were there before" in out


@pytest.mark.slow  # half a minute; a cancelled job of runs is tested always
def test_a_cancelled_task_is_told_and_its_trial_is_made_by_the_other(tmp_path: Path) -> None:
    process = start(tmp_path, "method.epochs=30", "method.seconds=0.1", "evaluate=false")
    wait_for(lambda: len(fits(tmp_path)) == len(in_state(tmp_path, TrialState.RUNNING)) == 2)
    first = running_jobs()[0]
    subprocess.run(["scancel", "--signal=KILL", first], check=True)
    status, out, err = end(process)
    assert status == 0, err
    assert re.search(rf"job {re.escape(first)} ended as (FAILED|CANCELLED)", err), err
    assert "its trials are left to the others" in err
    assert f"{N_TRIALS} complete" in out
    made = trials(tmp_path)
    assert [trial.state for trial in made] == [TrialState.COMPLETE] * N_TRIALS
    assert len(fits(tmp_path)) == N_TRIALS + 1, "only the one that was cut is repeated"


@pytest.mark.slow  # three commands, two of them stopped while their tasks run
def test_a_killed_command_finds_its_tasks_and_ctrl_c_leaves_them_or_cancels_them(tmp_path: Path) -> None:
    arguments = ("method.epochs=200", "method.seconds=0.1", "evaluate=false")
    process = start(tmp_path, *arguments)
    wait_for(lambda: len(in_state(tmp_path, TrialState.RUNNING)) == 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    process = start(tmp_path, *arguments)
    assert process.stderr is not None
    while "submitted" not in (line := process.stderr.readline()):
        assert line, "it ended"
    assert "submitted 0 tasks; 2 submitted before are under way" in line
    os.killpg(process.pid, signal.SIGINT)
    status, _, err = end(process)
    assert status == 1
    assert "the tasks go on, and the same command finds them" in err
    assert "Traceback" not in err
    assert len(running_jobs()) == 2
    process = start(tmp_path, *arguments, "engine.cancel_on_interrupt=true")
    assert process.stderr is not None
    while "submitted 0 tasks" not in process.stderr.readline():
        pass
    os.killpg(process.pid, signal.SIGINT)
    status, _, err = end(process)
    assert status == 1
    assert "the tasks are cancelled; the same command goes on from here" in err
    wait_for(lambda: not running_jobs())
    assert len(in_state(tmp_path, TrialState.RUNNING)) == 2


@pytest.mark.slow  # two commands, each with tasks of its own
def test_when_all_tasks_end_before_the_trials_the_same_command_goes_on(tmp_path: Path) -> None:
    process = start(tmp_path, "method.epochs=50", "method.seconds=0.1", "evaluate=false", "workers=1")
    wait_for(lambda: in_state(tmp_path, TrialState.RUNNING))
    subprocess.run(["scancel", *running_jobs()], check=True)
    status, _, err = end(process)
    assert status == 1
    assert "ended as CANCELLED" in err
    assert f"all tasks have ended and {N_TRIALS} trials are not made; the same command goes on" in err
    status, out, err = end(start(tmp_path, "method.epochs=50", "method.seconds=0.1", "evaluate=false"))
    assert status == 0, err
    assert f"{N_TRIALS} complete" in out


def test_a_file_that_nodes_cannot_share_is_refused(tmp_path: Path) -> None:
    status, _, err = end(start(tmp_path, "storage=sqlite"))
    assert status == 2
    last = err.splitlines()[-1]  # warnings of the dataset come before
    assert last.startswith("scbench: engine=slurm cannot use storage=sqlite, which several nodes must not write to")
