"""The SLURM engine on a real SLURM: crashes, cancelled and requeued jobs, killed and doubled commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from scbench.store.store import load

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("slurm"), pytest.mark.timeout(240)]

DATASET = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3"]
ENGINE = ["engine=slurm", "engine.partition=gpu", "engine.poll_seconds=0.5", "engine.job_hours=0.2"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def command(store: Path, *arguments: str) -> list[str]:
    trace = f"method.trace={store.parent / 'trace'}"
    return [sys.executable, "-m", "scbench", "method=toy", *DATASET, *ENGINE, f"store={store}", trace, *arguments]


def run(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(store, *arguments), capture_output=True, text=True, timeout=200)


def start(store: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(store, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def fits(store: Path) -> Counter[int]:
    """Return how often each seed was begun."""
    trace = store.parent / "trace"
    return Counter(int(line.split()[0]) for line in trace.read_text().splitlines()) if trace.exists() else Counter()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.1)


def jobs(*states: str) -> list[str]:
    """Return the numbers of the jobs in one of these states."""
    asked = ["squeue", "--noheader", "--array", "--format=%i", f"--states={','.join(states)}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()


def by_seed(store: Path) -> pd.DataFrame:
    return load(store).set_index("seed").sort_index()


def test_a_crashing_run_costs_only_itself_and_nothing_is_made_twice(store: Path) -> None:
    arguments = ("seeds=6", "method.behaviour=abort", "method.bad_seed=2", "engine.runs_per_job=3")
    done = run(store, *arguments)
    assert done.returncode == 1, done.stderr
    assert "submitted 6 runs in 2 jobs" in done.stderr
    assert "5/6" in done.stdout
    records = by_seed(store)
    assert records["status"].to_dict() == {0: "ok", 1: "ok", 2: "crashed", 3: "ok", 4: "ok", 5: "ok"}
    assert "SIGABRT" in records.loc[2, "error.message"]
    again = run(store, *arguments)
    assert again.returncode == 1
    assert "6 of 6 were there before" in again.stdout
    retried = run(store, *arguments, "retry_failed=true")
    assert "submitted 1 runs in 1 jobs" in retried.stderr
    assert fits(store) == Counter({seed: 1 + (seed == 2) for seed in range(6)})
    assert not list((store / ".work").glob("*"))


def test_cancelled_jobs_are_told_and_the_same_command_goes_on(store: Path) -> None:
    arguments = ("seeds=4", "method.seconds=2", "engine.runs_per_job=4", "engine.array_parallelism=1")
    process = start(store, *arguments)
    wait_for(lambda: fits(store)[1] == 1)  # seed 0 is done
    subprocess.run(["scancel", *jobs("RUNNING")], check=True)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 1, err
    assert "1/4" in out
    assert "ended as CANCELLED" in out
    again = run(store, *arguments)
    assert again.returncode == 0, again.stderr
    assert "4/4" in again.stdout
    assert fits(store)[0] == 1, "a finished run is not repeated"
    assert by_seed(store)["status"].tolist() == ["ok"] * 4


@pytest.mark.slow  # SLURM lets a requeued job wait for two minutes
def test_a_requeued_job_repeats_no_finished_run(store: Path) -> None:
    process = start(store, "seeds=3", "method.seconds=2", "engine.runs_per_job=3")
    wait_for(lambda: fits(store)[1] == 1)
    (job,) = jobs("RUNNING")
    subprocess.run(["scontrol", "requeue", job], check=True)  # as after a preemption
    out, err = process.communicate(timeout=220)
    assert process.returncode == 0, out + err
    assert fits(store)[0] == 1
    assert fits(store)[1] == 2
    assert by_seed(store)["status"].tolist() == ["ok"] * 3


def test_a_killed_command_finds_its_jobs_again(store: Path) -> None:
    arguments = ("seeds=2", "method.seconds=20", "engine.runs_per_job=1")  # longer than a command takes to come back
    process = start(store, *arguments)
    wait_for(lambda: len(fits(store)) >= 1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    again = run(store, *arguments)
    assert again.returncode == 0, again.stderr
    assert "submitted 0 runs in 0 jobs; " in again.stderr
    assert fits(store) == Counter(range(2))


@pytest.mark.slow  # that a submission is found until it is over is tested without SLURM
def test_two_commands_at_once_submit_each_run_once(store: Path) -> None:
    arguments = ("seeds=6", "method.seconds=0.5", "engine.runs_per_job=2")
    for process in [start(store, *arguments) for _ in range(2)]:
        out, err = process.communicate(timeout=150)
        assert process.returncode == 0, err
        assert "6/6" in out
    assert fits(store) == Counter(range(6))


@pytest.mark.slow  # two commands, each stopped while its jobs run
def test_ctrl_c_leaves_the_jobs_alone_or_cancels_them_when_asked(store: Path) -> None:
    arguments = ("seeds=2", "method.seconds=60", "engine.runs_per_job=1")
    process = start(store, *arguments)
    wait_for(lambda: len(fits(store)) == 2)
    status = subprocess.run([sys.executable, "-m", "scbench.status", store], capture_output=True, text=True).stdout
    assert "toy on simulated, seed 0" in status
    assert f"job {jobs('RUNNING')[0]}" in status
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the jobs go on, and the same command finds them" in err
    assert "Traceback" not in err
    assert "its job goes on" in out
    assert len(jobs("RUNNING")) == 2
    process = start(store, *arguments, "engine.cancel_on_interrupt=true")
    assert process.stderr is not None
    first = process.stderr.readline()
    assert "submitted 0 runs in 0 jobs; 2 runs are in jobs submitted before" in first
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 1
    wait_for(lambda: not jobs("RUNNING", "PENDING", "COMPLETING"))
    assert fits(store) == Counter(range(2))
    wait_for(lambda: load(store)["status"].tolist() == ["interrupted"] * 2)


@pytest.mark.slow  # what a job asks for is tested without SLURM
def test_only_methods_that_use_a_gpu_ask_for_one_and_none_falls_back_to_the_cpu(store: Path) -> None:
    words = command(store, "-m", "seeds=1", "engine.gpus_per_job=1", "engine.runs_per_gpu=2")
    sweep = [word for word in words if not word.startswith(("method=", "method.trace="))]
    cpu = subprocess.run([*sweep, "method=toy"], capture_output=True, text=True, timeout=100)
    assert cpu.returncode == 0, cpu.stderr
    scripts = {path: path.read_text() for path in store.rglob("*_submission.sh")}
    assert not [text for text in scripts.values() if "gpus" in text]
    gpu = [*sweep, "method=toy_gpu", f"method.folder={store.parent}"]
    done = subprocess.run(gpu, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert "torch finds no CUDA device" in done.stdout, "the GPUs of this SLURM are none"
    (script,) = [path.read_text() for path in store.rglob("*_submission.sh") if path not in scripts]
    assert "#SBATCH --gpus-per-node=1" in script
    assert "#SBATCH --cpus-per-task=2" in script
    assert "#SBATCH --partition=gpu" in script
    assert "#SBATCH --requeue" in script


def test_a_partition_that_is_not_there_is_said_and_costs_nothing(store: Path) -> None:
    done = run(store, "seeds=1", "engine.partition=nowhere")
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]  # sbatch has its say before
    assert last.startswith("scbench: SLURM refuses the jobs")
    assert "nvalid partition" in last
    assert "Traceback" not in done.stderr
    assert run(store, "seeds=1").returncode == 0, "an array that was refused is in nobody's way"


@pytest.mark.parametrize("how", ["SBATCH_EXPORT", "engine.sbatch.export"])
def test_jobs_that_are_to_inherit_nothing_are_made_and_only_what_the_user_asks_of_scbench_holds(
    how: str, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = store.parent / "seen"
    monkeypatch.setenv("SCBENCH_CACHE", str(store.parent / "cache"))
    monkeypatch.setenv("SBATCH_EXPORT", "NONE" if how == "SBATCH_EXPORT" else "ALL")
    words = [word for word in command(store, "seeds=1") if not word.startswith("method")]  # the toy needs a PYTHONPATH
    more = ["method=random", f"engine.setup=['echo cache=$SCBENCH_CACHE > {seen}']"]
    more += ["engine.sbatch.export=NONE"] if how == "engine.sbatch.export" else []
    done = subprocess.run([*words, *more], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1/1" in done.stdout
    inherited = str(store.parent / "cache") if how == "SBATCH_EXPORT" else ""
    assert seen.read_text() == f"cache={inherited}\n"
