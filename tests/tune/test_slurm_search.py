"""The parts of a search on SLURM that need no SLURM: the work of a task, what is submitted, what is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from scbench.config.schema import RunConfig, SlurmEngine
from scbench.data.config import SimulatedDataset
from scbench.errors import ConfigError, DataError
from scbench.plugins import find
from scbench.run.slurm.ledger import open_submissions
from scbench.run.slurm.queue import JobState
from scbench.tune import slurm
from scbench.tune.options import TuneOptions
from scbench.tune.ownership import Owner
from scbench.tune.searches import searches_of
from scbench.tune.slurm import SlurmSearch
from scbench.tune.slurm_job import SearchJob
from scbench.tune.study import Study, open_study

ENGINE = SlurmEngine(poll_seconds=0.01)
Tasks = dict[tuple[str, int], JobState]


@pytest.fixture
def job(toy_installed: None, tmp_path: Path) -> SearchJob:
    method = find("parabola").config_class()(name="parabola", epochs=1)  # type: ignore[call-arg]
    dataset = SimulatedDataset(name="simulated", n_cells=60, n_genes=40, n_types=3)
    config = RunConfig(method=method, dataset=dataset, engine=ENGINE, store=str(tmp_path / "store"))
    options = TuneOptions(n_trials=3, objective="loss", storage="journal", out=str(tmp_path), study="s")
    return SearchJob((config,), options, frozenset(), "s", "cpu", ("scbench", "tune"))


@pytest.fixture
def study(job: SearchJob, tmp_path: Path) -> Iterator[Study]:
    """The study of the job, as the command has opened it."""
    (named,) = searches_of(job.configs, job.options, job.held)
    assert named.folder == tmp_path / "s"
    named.folder.mkdir()
    with Owner(named.folder) as owner:
        yield open_study(named.search, "s", named.folder, "journal", 3, owner)


def test_a_task_makes_what_is_left_and_after_a_requeue_nothing_twice(job: SearchJob, study: Study) -> None:
    pytest.importorskip("submitit")
    job()
    assert [trial.state for trial in study.trials()] == [TrialState.COMPLETE] * 3
    records = sorted(study.folder.glob("runs/*/*/*/record.json"))
    times = [path.stat().st_mtime_ns for path in records]
    job.checkpoint().function()
    assert [path.stat().st_mtime_ns for path in records] == times


def test_a_node_on_which_it_is_another_search_makes_no_trial(job: SearchJob, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"study x is another search on this node, found \['s'\]; the datasets, the code"
    ):
        replace(job, name="x")()
    assert not list(tmp_path.glob("*/study.journal"))


def make_trials(study: Study, number: int) -> None:
    for _ in range(number):
        claim = study.claim()
        assert claim is not None
        study.complete(claim.number, {"simulated": 1.0})


class Cluster:
    """A queue whose answers are written down; what is submitted is added to it.

    Args:
        answers: for each look at the queue after the first (which is before anything is submitted) the states of the
            tasks, or None for no answer; something to do just before may come with it.
    """

    def __init__(self, *answers: tuple[str | None, Callable[[], None]]) -> None:
        self.answers = list(answers)
        self.submitted: list[int] = []
        self.tasks: list[tuple[str, int]] = []

    def states(self, names: list[str]) -> Tasks | None:
        if not self.tasks:
            return {}
        state, before = self.answers.pop(0)
        before()
        return None if state is None else {task: JobState(f"7_{task[1]}", state) for task in self.tasks}

    def submit(self, array: Any, engine: SlurmEngine, device: str, jobs: list[SearchJob]) -> None:
        self.submitted.append(len(jobs))
        self.tasks = [(array.name, index) for index in range(len(jobs))]
        (array.folder / "7_0_0_log.err").write_text("MemoryError: too large\nsrun: error: task 0: exit 1\n")


def run(
    cluster: Cluster, study: Study, job: SearchJob, monkeypatch: pytest.MonkeyPatch, engine: SlurmEngine = ENGINE
) -> bool:
    monkeypatch.setattr(slurm, "states", cluster.states)
    monkeypatch.setattr(slurm, "submit_jobs", cluster.submit)
    return SlurmSearch(study, job, engine, 4).execute()


def nothing() -> None:
    """Do nothing."""


def test_no_more_tasks_than_trials_are_submitted_and_each_trial_is_told(
    study: Study, job: SearchJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_trials(study, 1)
    cluster = Cluster(
        ("RUNNING", nothing), ("RUNNING", lambda: make_trials(study, 1)), ("RUNNING", lambda: make_trials(study, 1))
    )
    assert run(cluster, study, job, monkeypatch)
    assert cluster.submitted == [2]
    said = capsys.readouterr().err
    assert "trial 0: loss" not in said, "it was there before"
    assert "[2/3] trial 1: loss 1.0000 (best 1.0000, trial 0)" in said
    assert run(cluster, study, job, monkeypatch)
    assert cluster.submitted == [2], "a study that is complete needs no task"


def test_when_all_tasks_are_lost_it_says_why_and_ends(
    study: Study, job: SearchJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks: list[tuple[str | None, Callable[[], None]]] = [
        ("FAILED", nothing),
        ("PENDING", nothing),
    ]  # a requeue between
    cluster = Cluster(*looks, *[("FAILED", nothing)] * 3)
    assert not run(cluster, study, job, monkeypatch)
    assert cluster.answers == []
    said = capsys.readouterr().err
    assert said.count("job 7_0 ended as FAILED (MemoryError: too large); see") == 1
    assert "all tasks have ended and 3 trials are not made; the same command goes on" in said


def test_tasks_of_an_earlier_command_are_found_and_replaced_when_they_leave_something(
    study: Study, job: SearchJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Cluster(*[("FAILED", nothing)] * 3)
    assert not run(first, study, job, monkeypatch)
    again = Cluster(("RUNNING", nothing), *[("COMPLETED", nothing)] * 4, ("RUNNING", lambda: make_trials(study, 3)))
    again.tasks = first.tasks
    assert run(again, study, job, monkeypatch)
    said = capsys.readouterr().err
    assert "submitted 0 tasks; 3 submitted before are under way" in said
    assert again.submitted == [3], "they have ended without making the trials"
    assert len(list(open_submissions(study.folder))) == 1, "the other array is closed"


def test_while_slurm_is_silent_trials_are_waited_for(
    study: Study, job: SearchJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = Cluster(*[(None, nothing)] * 5, ("RUNNING", lambda: make_trials(study, 3)))
    assert run(cluster, study, job, monkeypatch)
    assert caplog.text.count("SLURM does not answer; still waiting for 3 trials") == 1
    monkeypatch.setattr(slurm, "states", lambda names: None)
    study.n_trials = 4
    with pytest.raises(ConfigError, match=r"SLURM does not answer \(squeue failed\); try again when it does"):
        SlurmSearch(study, job, ENGINE, 4).execute()


@pytest.mark.parametrize(
    ("cancels", "is_taken", "said"),
    [
        (False, True, "the tasks go on, and the same command finds them; scancel --name=scbench-"),
        (True, True, "the tasks are cancelled; the same command goes on from here"),
        (True, False, "SLURM did not take the order; cancel the tasks with scancel --name=scbench-"),
    ],
)
def test_ctrl_c_leaves_the_tasks_alone_or_cancels_them_when_asked(
    cancels: bool,
    is_taken: bool,
    said: str,
    study: Study,
    job: SearchJob,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    import signal

    cancelled: list[str] = []
    monkeypatch.setattr(slurm, "cancel", lambda names: bool(cancelled.extend(names)) or is_taken)
    cluster = Cluster(("RUNNING", lambda: signal.raise_signal(signal.SIGINT)))
    assert not run(cluster, study, job, monkeypatch, replace(ENGINE, cancel_on_interrupt=cancels))
    assert said in capsys.readouterr().err + caplog.text
    assert len(cancelled) == cancels
