"""What the dead have left is removed; what a living process holds stays, whatever its age and its host are."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scbench.store.store import Store
from scbench.store.work_lock import hold

HOLDER = """
import socket, sys
socket.gethostname = lambda: sys.argv[2]
from scbench.store.store import Store
print(Store(sys.argv[1]).work_folder("d/m/k"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@contextmanager
def other_command(store: Store, host: str) -> Iterator[Path]:
    """A process that says it runs on ``host`` and holds a work folder, until it is killed at the end."""
    words = [sys.executable, "-c", HOLDER, str(store.root), host]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


def make_old(path: Path) -> None:
    os.utime(path, (0, 0))


def test_a_folder_that_another_host_holds_stays_however_old_it_looks(store: Store) -> None:
    with other_command(store, "elsewhere") as work:
        make_old(work)
        store.remove_leftovers()
        assert work.exists()
    store.remove_leftovers()
    assert not work.exists(), "its process is gone, and it is old"
    assert not list(work.parent.iterdir())


def test_a_young_folder_of_another_host_stays_even_when_its_lock_is_free(store: Store) -> None:
    """Locks of some file systems do not reach other machines."""
    with other_command(store, "elsewhere") as work:
        pass
    store.remove_leftovers()
    assert work.exists()


def test_a_container_of_the_same_host_name_whose_processes_cannot_be_seen_keeps_its_folder(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scbench.store.dead_work.is_alive", lambda _pid: False)  # it has process numbers of its own
    with other_command(store, socket.gethostname()) as work:
        make_old(work)
        store.remove_leftovers()
        assert work.exists()
    store.remove_leftovers()
    assert not list(work.parent.iterdir())


def test_two_containers_of_one_host_name_and_process_number_have_two_folders_for_one_run(store: Store) -> None:
    first, second = store.work_folder("d/m/k"), Store(store.root).work_folder("d/m/k")
    assert first != second
    assert first.exists()


def test_left_overs_of_the_dead_are_removed_and_those_of_the_living_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "node1.cluster.org")
    living = store.work_folder("a" * 64)
    dead = living.with_name(living.name.replace(f".{os.getpid()}", ".999999999"))
    dead.mkdir()
    (dead / "labels.npy").touch()
    hold(dead).leave(keeps_file=True)
    store.remove_leftovers()
    assert living.exists()
    assert sorted(path.name for path in living.parent.iterdir()) == [living.name, f"{living.name}.lock"]


def test_a_folder_that_never_had_a_lock_is_removed_when_it_is_old(store: Store) -> None:
    """Older versions of scbench have made it; they may be at work."""
    unlocked = store.root / ".work" / f"a.{socket.gethostname()}.999999999"
    unlocked.mkdir(parents=True)
    store.remove_leftovers()
    assert unlocked.exists()
    make_old(unlocked)
    store.remove_leftovers()
    assert not unlocked.exists()


def test_where_there_are_no_locks_nothing_is_removed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with other_command(store, socket.gethostname()) as work:
        pass
    make_old(work)
    store.remove_leftovers()
    assert work.exists()


def test_a_lock_without_a_folder_is_removed_when_nobody_holds_it(store: Store) -> None:
    (store.root / ".work").mkdir(parents=True)
    held, free = (store.root / ".work" / f"{name}.elsewhere.1" for name in ("held", "free"))
    hold(held)
    hold(free).leave(keeps_file=True)
    store.remove_leftovers()
    assert [path.name for path in held.parent.iterdir()] == ["held.elsewhere.1.lock"]


def test_a_folder_that_was_left_without_a_result_is_not_in_use(store: Store) -> None:
    work = store.work_folder("d/m/k")
    store.leave(work)
    store.leave(work)
    assert work.with_name(f"{work.name}.lock").exists(), "so that the next command can tell"
    assert store.lock_of(work) is None
