"""Two commands on one store with the same runs, started together: nothing is lost, and no run is there in two ways."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pytest
from commands import TOY, end_of, simulated, start
from steps import put_run

from scbench.store.store import Store, load

pytestmark = pytest.mark.slow
_SEEDS = range(4)
_COMMANDS = 6  # of the fifty, with processes and queues of their own
Note = Callable[..., None]


def check(root: Path, n_runs: int) -> None:
    """Check that each run is there once and whole, and that nobody has left anything."""
    records = load(root)
    assert sorted(records["seed"]) == list(range(n_runs))
    assert set(records["status"]) == {"ok"}
    for record in Store(root).records():
        folder = Store(root).folder(record["dataset"], record["method"], record["key"])
        labels = np.load(folder / "labels.npy")
        assert len(np.unique(labels)) == record["n_clusters_found"]
        assert json.loads((folder / "record.json").read_text())["seed"] == record["seed"]
    assert not list((root / ".work").glob("*"))
    assert not list((root / ".running").glob("*"))
    assert not list(root.glob(".probe*"))


def _make(root: Path, barrier: Barrier) -> None:
    barrier.wait(30)
    for seed in _SEEDS:
        Store(root).check_writable()
        put_run(root, seed)


def test_two_processes_that_store_the_same_runs(tmp_path: Path, note: Note) -> None:
    context = multiprocessing.get_context("fork")
    n_pairs = 50 - _COMMANDS
    for pair in range(n_pairs):
        root, barrier = tmp_path / str(pair), context.Barrier(2)
        processes = [context.Process(target=_make, args=(root, barrier)) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0, 0]
        check(root, len(_SEEDS))
    note("two commands, in short", tried=n_pairs, ended="0 and 0")


@pytest.mark.usefixtures("toy_installed")
def test_two_commands_that_make_the_same_runs(tmp_path: Path, note: Note) -> None:
    for pair in range(_COMMANDS):
        words = [*TOY, *simulated(), "seeds=3", f"store={tmp_path / str(pair)}"]
        commands = []
        for _ in range(2):
            commands.append(start(*words))
            time.sleep(0.2 * (pair % 2))
        for command in commands:
            status, _, err = end_of(command)
            assert (status, err.count("Traceback")) == (0, 0), err
        check(tmp_path / str(pair), 3)
    note("two commands", tried=_COMMANDS, ended="0 and 0")
