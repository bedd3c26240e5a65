"""A lock is held until it is left or until all who have it are gone; where there are no locks, nobody can take one."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from scbench.store.work_lock import WorkLock, hold, take


def test_a_lock_that_is_held_cannot_be_taken_and_one_that_was_left_is_gone(tmp_path: Path) -> None:
    work = tmp_path / "w"
    lock = hold(work)
    assert take(work) is None
    lock.leave()
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError):
        take(work)


def test_a_lock_can_be_left_with_its_file_and_taken_by_another(tmp_path: Path) -> None:
    work = tmp_path / "w"
    hold(work).leave(keeps_file=True)
    taken = take(work)
    assert taken is not None
    assert take(work) is None
    taken.leave()


def _have(lock: WorkLock, ready: Connection) -> None:
    ready.send(os.getpid())
    ready.recv()


@pytest.mark.usefixtures("own_server")
def test_a_process_that_was_given_a_lock_holds_it_when_the_giver_has_closed_its_own(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    lock = hold(tmp_path / "w")
    process = context.Process(target=_have, args=(lock, theirs))
    process.start()
    ours.recv()
    lock.leave(keeps_file=True)
    assert take(tmp_path / "w") is None
    process.kill()
    process.join()
    assert take(tmp_path / "w") is not None


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_on_a_file_system_without_locks_one_can_be_held_and_none_be_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock = hold(tmp_path / "w")
    assert (tmp_path / "w.lock").exists()
    assert take(tmp_path / "w") is None
    lock.leave()


def test_a_file_that_is_removed_between_opening_and_locking_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = fcntl.flock, []

    def late(descriptor: int, operation: int) -> None:
        if not calls:
            (tmp_path / "w.lock").unlink()
        calls.append(descriptor)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    hold(tmp_path / "w")
    assert len(calls) == 2
    assert (tmp_path / "w.lock").exists()


def test_a_holder_waits_while_another_command_looks_at_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(tmp_path / "w").leave(keeps_file=True)
    other = take(tmp_path / "w")
    assert other is not None
    monkeypatch.setattr("scbench.store.work_lock.time.sleep", lambda _seconds: other.leave())
    hold(tmp_path / "w")
    assert take(tmp_path / "w") is None


def test_a_file_that_is_removed_while_it_is_being_taken_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(tmp_path / "w").leave(keeps_file=True)
    real = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        (tmp_path / "w.lock").unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    assert take(tmp_path / "w") is None
