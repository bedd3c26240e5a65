"""Many writers, some killed at any moment: every record is whole, nothing is lost or doubled, and a rerun completes."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from multiprocessing.context import ForkProcess
from pathlib import Path

import numpy as np
import pytest
from whole_records import whole_record

from scbench.store.record import FIELDS
from scbench.store.store import Store, load

DATASET = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3"]


def write(root: Path, first: int, n_runs: int) -> None:
    """Make the runs that the store has not, each with arrays that belong to it, and note each that was accepted."""
    store = Store(root)
    noted = os.open(root / f"accepted.{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for run in range(first, first + n_runs):
        key = hashlib.sha256(str(run).encode()).hexdigest()
        record = store.find("d", "m", key)
        if record is not None and record["status"] == "ok":
            continue
        work = store.work_folder(f"d/m/{key}")
        np.save(work / "labels.npy", np.full(50, run))
        status = "error" if run % 17 == 0 and record is None else "ok"  # some fail first
        store.publish(work, whole_record(status, key=key, seed=run))
        os.write(noted, f"{run} {status}\n".encode())


def start_writers(root: Path, n_writers: int, n_runs: int) -> list[ForkProcess]:
    """Start writers of which each shares half of its runs with the next."""
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write, args=(root, i * n_runs // 2, n_runs)) for i in range(n_writers)]
    for writer in writers:
        writer.start()
    return writers


def end_of(writer: ForkProcess) -> int | None:
    """Wait for a writer and return how it ended."""
    writer.join(120)
    return writer.exitcode


def accepted(root: Path) -> dict[int, set[str]]:
    """Return which runs a writer saw accepted, with their statuses."""
    found: dict[int, set[str]] = {}
    for path in root.glob("accepted.*"):
        for line in path.read_text().splitlines():
            run, status = line.split()
            found.setdefault(int(run), set()).add(status)
    return found


def check_whole(root: Path) -> dict[int, str]:
    """Check every folder that readers see, and return the status of each run."""
    statuses: dict[int, str] = {}
    for folder in sorted(root.glob("d/m/*")):
        record = json.loads((folder / "record.json").read_text())
        assert set(FIELDS) <= set(record)
        assert folder.name == record["key"][:16]
        assert (np.load(folder / "labels.npy") == record["seed"]).all(), "its arrays are its own"
        assert record["seed"] not in statuses
        statuses[record["seed"]] = record["status"]
    return statuses


def test_eight_writers_of_which_some_are_killed(tmp_path: Path) -> None:
    n_writers, n_runs = 8, 200
    n_all = (n_writers - 1) * n_runs // 2 + n_runs
    rng = random.Random(0)
    killed = 0
    for _ in range(3):
        writers = start_writers(tmp_path, n_writers, n_runs)
        for victim in rng.sample(writers, 4):
            time.sleep(rng.uniform(0.0, 0.05))
            victim.kill()
        ends = [end_of(writer) for writer in writers]
        assert set(ends) <= {0, -signal.SIGKILL}
        killed += ends.count(-signal.SIGKILL)
        Store(tmp_path).remove_leftovers()  # as every command does first
        statuses = check_whole(tmp_path)
        seen = accepted(tmp_path)
        assert set(seen) <= set(statuses), "what was accepted is there"
        assert all(statuses[run] == "ok" for run, found in seen.items() if "ok" in found), "a result is never replaced"
    assert killed  # how many depends on the machine: on a fast one most have ended before
    for _ in range(2):  # the first attempt at some runs fails
        for writer in start_writers(tmp_path, n_writers, n_runs):
            assert end_of(writer) == 0
    assert check_whole(tmp_path) == dict.fromkeys(range(n_all), "ok")
    assert len(load(tmp_path)) == n_all
    Store(tmp_path).remove_leftovers()
    assert not list((tmp_path / ".work").glob("*"))


@pytest.mark.usefixtures("toy_installed")
@pytest.mark.parametrize(
    ("n_commands", "n_runs"),
    [pytest.param(2, 10, id="small"), pytest.param(8, 200, id="large", marks=pytest.mark.slow)],
)
@pytest.mark.timeout(900)
def test_commands_that_are_killed_at_random_complete_when_given_again(
    tmp_path: Path, n_commands: int, n_runs: int
) -> None:
    """Whole commands with their own queues and processes; each shares half of its seeds with the next."""
    store, trace, rng = tmp_path / "store", tmp_path / "trace", random.Random(1)

    def start(command: int) -> subprocess.Popen[bytes]:
        seeds = list(range(command * n_runs // 2, command * n_runs // 2 + n_runs))
        words = ["method=toy", f"method.trace={trace}", f"seeds={seeds}", f"store={store}", "device=cpu", *DATASET]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([sys.executable, "-m", "scbench", *words], start_new_session=True, **quiet)  # type: ignore[call-overload,no-any-return]

    commands = {number: start(number) for number in range(n_commands)}
    kills = 0
    while commands:
        time.sleep(rng.uniform(0.2, 0.6))
        if kills < n_commands and trace.exists():
            number = rng.choice(list(commands))
            if commands[number].poll() is None:
                os.killpg(commands[number].pid, signal.SIGKILL)
                kills += 1
        for number, process in list(commands.items()):
            if process.poll() is None:
                continue
            if process.returncode == 0:
                del commands[number]
            else:
                assert process.returncode == -signal.SIGKILL
                commands[number] = start(number)
    n_all = (n_commands - 1) * n_runs // 2 + n_runs
    assert kills
    records = load(store)
    assert sorted(records["seed"]) == list(range(n_all))
    assert set(records["status"]) == {"ok"}
    for folder in store.glob("simulated/toy/*"):
        assert len(np.load(folder / "labels.npy")) == 60
        assert (folder / "history.csv").read_text().startswith("epoch,loss")
    fits = Counter(int(line.split()[0]) for line in trace.read_text().splitlines())
    assert set(fits) == set(range(n_all))
