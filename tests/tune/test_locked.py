"""A study's file that another program has locked: who is named, how long it takes, and what goes on afterwards."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import OperationalError

from scbench.tune import locked, session, storage, study
from scbench.tune.identity import Search
from scbench.tune.locked import StudyLockedError, check_unlocked, lock_told, sqlite_file
from scbench.tune.ownership import Owner
from scbench.tune.storage import open_storage
from scbench.tune.study import Study, open_study

MakeSearch = Callable[..., Search]
_HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
print("held", flush=True)
time.sleep(float(sys.argv[3]))
"""


@contextmanager
def held(file: Path, how: str = "BEGIN EXCLUSIVE", seconds: float = 60) -> Iterator[int]:
    """Have another process lock a file for the length of the block; yield its number."""
    words = [sys.executable, "-c", _HOLD, str(file), how, str(seconds)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def wrapped(code: int) -> StorageInternalError:
    """Return an error of SQLite as Optuna raises it."""
    cause = sqlite3.OperationalError("it failed")
    cause.sqlite_errorcode = code
    error = StorageInternalError("the commit")
    error.__cause__ = OperationalError("SELECT 1", {}, cause)
    return error


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "study.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    return path


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a tenth of a second where users wait for five and for ten."""
    monkeypatch.setattr(study, "check_unlocked", lambda file, _=0.1: check_unlocked(file, 0.1))
    monkeypatch.setattr(storage, "WAIT_SECONDS", 0.1)


@pytest.mark.parametrize("how", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE", "BEGIN"])
def test_who_keeps_others_from_writing_is_named_in_one_line_that_says_what_to_do(how: str, file: Path) -> None:
    with held(file, how) as number, pytest.raises(StudyLockedError) as caught:
        check_unlocked(file, 0.1)
    said = str(caught.value)
    assert f"the study's file {file} is locked by process {number} ({sys.executable} -c import sqlite3" in said
    assert said.endswith(
        "end that program or wait until it is done, and the same command goes on; or make a new study with "
        "storage=journal and another study=NAME"
    )
    assert "\n" not in said


def test_where_locks_are_not_listed_who_has_the_file_open_is_named(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locked, "_LOCKS", tmp_path / "none")
    with held(file) as number, pytest.raises(StudyLockedError, match=rf"is locked by process {number} \("):
        check_unlocked(file, 0.1)


def test_when_nobody_is_found_another_machine_and_forgotten_locks_are_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locked, "_holders", lambda file: [])
    with (
        held(file),
        pytest.raises(
            StudyLockedError,
            match=r"is locked by a program that is not among the processes seen here \(it runs on another",
        ),
    ):
        check_unlocked(file, 0.1)


def test_who_writes_for_a_moment_is_waited_for(file: Path) -> None:
    with held(file, seconds=0.5):
        check_unlocked(file, 30)


def test_what_is_no_database_is_left_to_whoever_opens_it(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 100)
    for file in (None, tmp_path / "absent.db", tmp_path / "text.db", tmp_path):
        check_unlocked(file, 0.1)
    assert not (tmp_path / "absent.db").exists()


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////a/b.db", Path("/a/b.db")),
        ("sqlite:///b.db", Path("b.db")),
        ("sqlite+pysqlite:////a/b.db", Path("/a/b.db")),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("postgresql://me@host/base", None),
        ("/a/study.journal", None),
    ],
)
def test_only_sqlite_has_a_file(url: str, file: Path | None) -> None:
    assert sqlite_file(url) == file


def test_an_error_of_optuna_that_comes_from_a_lock_is_told_and_others_stay(file: Path) -> None:
    for code, where, expected in (
        (sqlite3.SQLITE_BUSY, file, StudyLockedError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, file, StudyLockedError),
        (sqlite3.SQLITE_IOERR, file, StorageInternalError),
        (sqlite3.SQLITE_BUSY, None, StorageInternalError),
    ):
        with pytest.raises(expected), lock_told(where):
            raise wrapped(code)


def test_a_locked_file_is_not_taken_for_a_wrong_url(file: Path, in_a_hurry: None) -> None:
    with held(file), pytest.raises(StudyLockedError, match="is locked by process"):
        open_storage("sqlite", file.parent)


def test_the_command_ends_with_one_line_and_a_dry_run_opens_nothing(
    tune: Callable[..., int], tmp_path: Path, in_a_hurry: None, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("objective=loss", "study=s", "method.epochs=1")
    assert tune(*arguments, "n_trials=1") == 0
    capsys.readouterr()
    with held(tmp_path / "results" / "tune" / "s" / "study.db") as number:
        assert tune(*arguments, "n_trials=2") == 2
        said = capsys.readouterr().err.splitlines()
        assert f"study.db is locked by process {number} (" in said[-1]
        assert said[-1].startswith("scbench: the study's file ")
        assert tune(*arguments, "n_trials=2", "--dry-run") == 0
    assert tune(*arguments, "n_trials=2") == 0, "afterwards it goes on"


def test_a_study_that_is_locked_when_its_result_is_read_is_one_line(
    tune: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Study) -> None:
        raise wrapped(sqlite3.SQLITE_BUSY)

    monkeypatch.setattr(session, "read_result", fail)
    assert tune("objective=loss", "study=s", "method.epochs=1", "n_trials=1") == 2
    assert "study.db is locked by a program" in capsys.readouterr().err.splitlines()[-1]


def test_users_wait_five_seconds_for_a_study_that_is_locked_before_anything_is_begun(
    make_search: MakeSearch, tmp_path: Path
) -> None:
    search = make_search()
    with Owner(tmp_path) as owner:
        open_study(search, "s", tmp_path, "sqlite", 3, owner)
        started = time.monotonic()
        with held(tmp_path / "study.db"), pytest.raises(StudyLockedError, match="is locked by process"):
            open_study(search, "s", tmp_path, "sqlite", 3, owner)
    assert 4 < time.monotonic() - started < 14


@pytest.fixture
def opened(make_search: MakeSearch, tmp_path: Path, in_a_hurry: None) -> Iterator[Study]:
    with Owner(tmp_path) as owner:
        yield open_study(make_search("modularity", pruner="median"), "s", tmp_path, "sqlite", 3, owner)


@pytest.mark.parametrize("how", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE", "BEGIN"])
def test_no_trial_is_claimed_while_the_study_is_locked(how: str, opened: Study) -> None:
    started = time.monotonic()
    with held(opened.folder / "study.db", how) as number, pytest.raises(StudyLockedError, match=f"process {number}"):
        opened.claim()
    assert time.monotonic() - started < 5, "Optuna's own five attempts take longer"
    assert opened.trials() == []
    assert opened.claim() is not None


def test_a_run_that_cannot_be_judged_for_a_lock_ends_and_its_trial_is_left_to_be_made_again(opened: Study) -> None:
    first, second = opened.claim(), opened.claim()
    assert first is not None
    assert second is not None
    assert not opened.gives_up(first.number, 0, 0.5)
    with held(opened.folder / "study.db") as number:
        assert opened.gives_up(first.number, 1, 0.5)
        started = time.monotonic()
        assert opened.gives_up(second.number, 1, 0.5)
        assert time.monotonic() - started < 0.1, "what is known is not waited for"
    tell = (
        partial(opened.prune, first.number, "given up"),
        partial(opened.fail, second.number, "broken"),
        partial(opened.complete, second.number, {"simulated0": 1.0}),
        opened.claim,
    )
    for told in tell:
        with pytest.raises(StudyLockedError, match=f"process {number}"):
            told()
    assert [trial.state for trial in opened.trials()] == [TrialState.RUNNING] * 2
