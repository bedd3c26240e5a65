"""Every way a run can end: its own record is right, the others finish, and the same command does what is missing."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest

from scbench.__main__ import main
from scbench.store.store import load

DATASET = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3"]


def scbench(store: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "scbench", "method=toy", *DATASET, f"store={store}", "device=cpu", *arguments]


def run(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command within this process; what happens to its runs happens in processes of their own."""
    out, err = io.StringIO(), io.StringIO()
    _python, _m, _scbench, *words = scbench(store, *arguments)
    with redirect_stdout(out), redirect_stderr(err):
        status = main(words)
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


@pytest.fixture
def store(tmp_path: Path, toy_installed: None) -> Path:
    return tmp_path / "store"


def by_seed(store: Path) -> pd.DataFrame:
    return load(store).set_index("seed").sort_index()


BAD = {
    "raise": ("error", "the toy broke"),
    "nan": ("diverged", "loss is not finite at epoch 3: loss = nan"),
    "abort": ("crashed", "SIGABRT"),
    "kill": ("crashed", "SIGKILL"),
    "exit": ("crashed", "exit status 3"),
    "memory_error": ("oom", "cannot allocate"),
}


def test_bad_runs_cost_only_themselves(store: Path) -> None:
    done = run(store, "-m", "seeds=2", f"method.behaviour={','.join(BAD)}", "method.bad_seed=1")
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("1/2") == len(BAD)
    records = load(store).set_index(["params.behaviour", "seed"]).sort_index()
    assert len(records) == 2 * len(BAD)
    assert records["provenance.started_at"].str.startswith("20").all()
    for behaviour, (status, message) in BAD.items():
        good, bad = records.loc[(behaviour, 0)], records.loc[(behaviour, 1)]
        assert f"1 x {status} (seed 1)" in done.stdout
        assert (good["status"], bad["status"]) == ("ok", status)
        assert message in bad["error.message"]
        assert pd.isna(bad["metrics.acc"])
        assert pd.isna(good["error.message"])
        folder = store / "simulated" / "toy" / bad["key"][:16]
        assert (folder / "run.log").exists()
        assert (folder / "history.csv").read_text().startswith("epoch,loss")
    assert not list((store / ".work").glob("*"))


def test_the_same_command_repeats_nothing_and_retries_only_when_told(store: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    arguments = ("seeds=3", "method.behaviour=raise", "method.bad_seed=1", f"method.trace={trace}")
    assert run(store, *arguments).returncode == 1
    assert sorted(line.split()[0] for line in trace.read_text().splitlines()) == ["0", "1", "2"]
    before = {path: path.stat().st_mtime_ns for path in store.rglob("record.json")}
    again = run(store, *arguments)
    assert again.returncode == 1
    assert "3 of 3 were there before" in again.stdout
    assert len(trace.read_text().splitlines()) == 3
    assert {path: path.stat().st_mtime_ns for path in store.rglob("record.json")} == before
    assert run(store, *arguments, "retry_failed=true").returncode == 1
    assert [line.split()[0] for line in trace.read_text().splitlines()[3:]] == ["1"]


def test_a_hanging_run_is_stopped_at_its_time_limit(store: Path) -> None:
    done = run(
        store,
        "seeds=3",
        "method.behaviour=hang",
        "method.bad_seed=0",
        "engine.timeout_min=0.03",
        "engine.grace_seconds=0.5",
    )
    assert done.returncode == 1
    records = by_seed(store)
    assert records["status"].to_dict() == {0: "timeout", 1: "ok", 2: "ok"}
    assert "engine.timeout_min=0.03" in records.loc[0, "error.message"]


def test_a_run_over_its_memory_limit_is_stopped(store: Path) -> None:
    done = run(store, "seeds=2", "method.behaviour=eat_memory", "method.bad_seed=0", "engine.memory_gb=1")
    assert done.returncode == 1
    records = by_seed(store)
    assert records["status"].to_dict() == {0: "oom", 1: "ok"}
    assert "engine.memory_gb=1" in records.loc[0, "error.message"]


def test_odd_but_finished_runs_are_ok_in_store_and_table(store: Path) -> None:
    done = run(store, "-m", "seeds=2", "method.behaviour=odd_info,close_pipes,thread", "engine.grace_seconds=0.5")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("2/2") == 3
    assert load(store)["status"].tolist() == ["ok"] * 6


def test_a_failure_without_words_is_shown_and_stays_readable(store: Path) -> None:
    arguments = ("seeds=1", "method.behaviour=blank_message")
    for _ in range(2):
        done = run(store, *arguments)
        assert done.returncode == 1
        assert "1 x error (seed 0): RuntimeError" in done.stdout


def test_a_closed_pipe_of_progress_does_not_end_the_runs(store: Path) -> None:
    command = " ".join(f"'{word}'" for word in scbench(store, "seeds=6", "method.seconds=0.2"))
    done = subprocess.run(["bash", "-c", f"{command} 2> >(true)"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "6/6" in done.stdout
    again = subprocess.run(
        ["bash", "-c", f"{command} retry_failed=true 2>&1 | head -1"], capture_output=True, text=True
    )
    assert again.stderr == ""
    assert by_seed(store)["status"].tolist() == ["ok"] * 6


@pytest.mark.parametrize("how", ["sys.exit('need a licence')", pytest.param("os.abort()", marks=pytest.mark.slow)])
def test_a_method_that_dies_when_imported_costs_only_its_own_runs(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    package = tmp_path / "site" / "dying"
    (package / "conf" / "method").mkdir(parents=True)
    for file in (package / "__init__.py", package / "conf" / "__init__.py"):
        file.write_text("")
    (package / "conf" / "method" / "dying.yaml").write_text("defaults: [dying_schema, _self_]\nname: dying\n")
    (package / "config.py").write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\nfrom scbench.method import MethodConfig\n"
        "@dataclass(frozen=True)\nclass DyingConfig(MethodConfig):\n"
        "    USES_TORCH: ClassVar[bool] = False\n    name: str = 'dying'\n"
    )
    (package / "method.py").write_text(f"import os, sys\n{how}\n")
    info = tmp_path / "site" / "dying-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dying\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[scbench.methods]\ndying = dying\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}{os.pathsep}{os.environ['PYTHONPATH']}")
    command = [word for word in scbench(store, "-m", "seeds=2") if word != "method=toy"]
    done = subprocess.run([*command, "method=toy,dying"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    statuses = load(store).groupby("method")["status"].unique().map(list).to_dict()
    assert statuses["toy"] == ["ok"]
    assert statuses["dying"] in (["error"], ["crashed"]), done.stdout


def test_closed_streams_and_narrow_encodings_do_no_harm(store: Path) -> None:
    command = " ".join(f"'{word}'" for word in scbench(store, "seeds=2"))
    assert subprocess.run(f"{command} 2>&-", shell=True, stdout=subprocess.DEVNULL).returncode == 0
    assert by_seed(store)["status"].tolist() == ["ok", "ok"]
    done = subprocess.run(f"PYTHONIOENCODING=ascii {command}", shell=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2/2" in done.stdout
    full = subprocess.run(f"{command} > /dev/full", shell=True, capture_output=True, text=True)
    assert full.returncode == 1
    assert "No space left" in full.stderr
    assert "Traceback" not in full.stderr


# Ctrl-C comes as soon as this module is imported: on the way to the configuration, to the store, to the runs.
@pytest.mark.parametrize("module", ["hydra", "numpy", "scbench.metrics"])
def test_ctrl_c_during_start_up_is_no_traceback(store: Path, module: str) -> None:
    python, *arguments = scbench(store, "seeds=3", "method.seconds=30")
    process = subprocess.Popen(
        [python, "-X", "importtime", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert any(line.split()[-1:] == [module] for line in process.stderr)  # one line for each import
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "stopped by Ctrl-C" in err or "stopping: ending" in err
    assert "Traceback" not in err


def started(trace: Path, n: int, timeout: float = 60) -> list[int]:
    """Wait until ``n`` fits have begun and return their process ids."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        lines = trace.read_text().splitlines() if trace.exists() else []
        if len(lines) >= n:
            return [int(line.split()[1]) for line in lines]
        time.sleep(0.05)
    raise AssertionError(f"fewer than {n} fits began")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_gone(pids: list[int]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and any(alive(pid) for pid in pids):
        time.sleep(0.05)
    assert not [pid for pid in pids if alive(pid)]


SLOW = ("seeds=5", "method.seconds=1.5", "engine.cpu_slots=2")


@pytest.mark.parametrize("signal_number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(store: Path, tmp_path: Path, signal_number: int) -> None:
    trace = tmp_path / "trace"
    arguments = (*SLOW, f"method.trace={trace}")
    process = subprocess.Popen(
        scbench(store, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    pids = started(trace, 4)  # two are done, the third and fourth are running
    os.killpg(process.pid, signal_number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "2/5" in out
    assert "Traceback" not in err
    wait_gone(pids)
    statuses = load(store)["status"].value_counts().to_dict()
    assert statuses["ok"] == 2
    assert set(statuses) == {"ok", "interrupted"}
    n_before = len(trace.read_text().splitlines())
    again = run(store, *arguments)
    assert again.returncode == 0, again.stderr
    assert "5/5" in again.stdout
    assert len(trace.read_text().splitlines()) == n_before + 3
    assert not list((store / ".work").glob("*"))


def test_kill_9_of_the_command_leaves_no_process_and_no_half_record(store: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    arguments = (*SLOW, f"method.trace={trace}")
    process = subprocess.Popen(scbench(store, *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pids = started(trace, 4)
    process.kill()
    process.wait(timeout=30)
    wait_gone(pids)
    for path in store.rglob("record.json"):
        assert json.loads(path.read_text())["status"] == "ok"
    assert len(load(store)) == 2
    again = run(store, *arguments)
    assert again.returncode == 0, again.stderr
    assert "2 of 5 were there before" in again.stdout
    assert not list((store / ".work").glob("*")), "left-overs of the killed command are removed by the next one"


def test_what_a_run_prints_is_in_its_log_and_not_on_the_terminal(store: Path) -> None:
    done = run(store, "seeds=1")
    assert done.returncode == 0
    assert "the toy is done" not in done.stdout + done.stderr
    (log,) = store.rglob("run.log")
    assert "the toy is done" in log.read_text()


def test_two_commands_at_once_share_a_store(store: Path, tmp_path: Path) -> None:
    arguments = ("seeds=4", "method.seconds=0.3")
    commands = [
        subprocess.Popen(scbench(store, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for command in commands:
        _, err = command.communicate(timeout=120)
        assert command.returncode == 0, err
    assert by_seed(store)["status"].tolist() == ["ok"] * 4
    assert not list((store / ".work").glob("*"))


def test_threads_and_device_are_recorded(store: Path) -> None:
    assert run(store, "seeds=1", "engine.threads=2").returncode == 0
    record = by_seed(store).loc[0]
    assert record["threads"] == 2
    assert record["device"] == "cpu"
