"""Nothing that a run has started outlives it or the command, also what has left its session; its end is told as it is.

The method of these tests starts processes in three ways, writes their numbers to a file, and ends in a way of its own.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import psutil
import pytest

from scbench.__main__ import main
from scbench.store.store import load

CONFIG = """
from dataclasses import dataclass
from typing import ClassVar
from scbench.method import MethodConfig

@dataclass(frozen=True)
class LeaverConfig(MethodConfig):
    USES_TORCH: ClassVar[bool] = False
    name: str = "leaver"
    then: str = "ok"
    trace: str = ""
"""
METHOD = """
import os, signal, subprocess, sys, time
import numpy as np
from scbench.method import Clustering

def note(trace, pid):
    with open(trace, "a") as file:
        file.write(f"{pid}\\n")

def twice_forked(trace, work):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note(trace, os.getpid())
            work()
        os._exit(0)
    os.wait()

def eat():
    eaten = [np.ones(20_000_000) for _ in range(10)]
    time.sleep(600)

class Leaver:
    def __init__(self, config):
        self.config = config

    def fit_predict(self, counts, n_clusters, run):
        trace, then = self.config.trace, self.config.then
        note(trace, os.getpid())
        for apart in (False, True):
            note(trace, subprocess.Popen(["sleep", "600"], start_new_session=apart).pid)
        twice_forked(trace, eat if then == "eat" else lambda: time.sleep(600))
        while len(open(trace).readlines()) < 4:
            time.sleep(0.01)
        note(trace, "started")
        if then in ("kill", "abort"):
            os.kill(os.getpid(), signal.SIGKILL if then == "kill" else signal.SIGABRT)
        if then == "raise":
            raise RuntimeError("broke")
        if then == "exit":
            os._exit(3)
        if then in ("hang", "eat"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        if then == "busy":  # no other thread of the process can do anything meanwhile
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            sum(range(10**13))
        return Clustering(np.arange(counts.matrix.shape[0]) % n_clusters)
"""


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Install the method, and return the words of a command of one run that notes its processes."""
    site = tmp_path / "site"
    package = site / "leaver"
    (package / "conf" / "method").mkdir(parents=True)
    for file in (package / "__init__.py", package / "conf" / "__init__.py"):
        file.write_text("")
    (package / "conf" / "method" / "leaver.yaml").write_text("defaults: [leaver_schema, _self_]\nname: leaver\n")
    (package / "config.py").write_text(CONFIG)
    (package / "method.py").write_text(METHOD)
    info = site / "leaver-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: leaver\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[scbench.methods]\nleaver = leaver\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    for name in [name for name in sys.modules if name.split(".")[0] == "leaver"]:
        monkeypatch.delitem(sys.modules, name)
    dataset = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3"]
    return ["method=leaver", *dataset, "seeds=1", "device=cpu", f"method.trace={tmp_path / 'trace'}"]


def started(trace: Path) -> list[int]:
    """Wait until the run has started its processes and return their numbers, its own first."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        lines = trace.read_text().splitlines() if trace.exists() else []
        if "started" in lines:
            return [int(line) for line in lines if line != "started"]
        time.sleep(0.05)
    raise AssertionError("the run has not started its processes")


def alive(pids: list[int]) -> list[int]:
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def wait_gone(pids: list[int]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and alive(pids):
        time.sleep(0.02)
    assert alive(pids) == []


ENDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "ok": ("ok", "", ()),
    "raise": ("error", "broke", ()),
    "exit": ("crashed", "exit status 3", ()),
    "kill": ("crashed", "SIGKILL", ()),
    "abort": ("crashed", "SIGABRT", ()),
    "hang": ("timeout", "engine.timeout_min", ("engine.timeout_min=0.03", "engine.grace_seconds=0.2")),
    "busy": ("timeout", "engine.timeout_min", ("engine.timeout_min=0.03", "engine.grace_seconds=0.2")),
    "eat": ("oom", "engine.memory_gb=1", ("engine.memory_gb=1", "engine.grace_seconds=0.2")),
}


@pytest.mark.parametrize("then", ENDS)
def test_nothing_of_a_run_is_left_however_it_ends(words: list[str], tmp_path: Path, then: str) -> None:
    status, message, more = ENDS[then]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        main([*words, f"store={tmp_path / 'store'}", f"method.then={then}", *more])
    pids = started(tmp_path / "trace")
    assert len(pids) == 4
    assert alive(pids) == [], "at the end of the command, not some time after it"
    record = load(tmp_path / "store").iloc[0]
    assert record["status"] == status
    assert message in (record["error.message"] or "")
    assert not list((tmp_path / "store" / ".work").glob("*"))
    assert not list(tmp_path.glob("**/core*")), "the keeper ends by the same signal, and leaves no core file"


def interrupt(command: subprocess.Popen[bytes]) -> None:
    os.killpg(command.pid, signal.SIGINT)


def kill(command: subprocess.Popen[bytes]) -> None:
    command.kill()


def kill_group(command: subprocess.Popen[bytes]) -> None:
    os.killpg(command.pid, signal.SIGKILL)


def hang_up(command: subprocess.Popen[bytes]) -> None:
    os.killpg(command.pid, signal.SIGHUP)


def kill_server(command: subprocess.Popen[bytes]) -> None:
    """Kill the process that runs are forked from; the command goes on."""
    (server,) = (child for child in psutil.Process(command.pid).children() if child.children())
    server.kill()


@pytest.mark.parametrize(
    ("end", "then"),
    [
        (interrupt, "hang"),
        (kill, "hang"),
        (kill, "busy"),
        pytest.param(kill_group, "busy", marks=pytest.mark.slow),
        pytest.param(hang_up, "hang", marks=pytest.mark.slow),
        (kill_server, "hang"),
    ],
)
def test_nothing_of_a_run_is_left_when_its_command_ends(
    words: list[str], tmp_path: Path, end: Callable[[subprocess.Popen[bytes]], None], then: str
) -> None:
    more = (f"store={tmp_path / 'store'}", f"method.then={then}", "engine.grace_seconds=0.2")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = subprocess.Popen([sys.executable, "-m", "scbench", *words, *more], start_new_session=True, **quiet)  # type: ignore[call-overload]
    pids = started(tmp_path / "trace")
    others = [child.pid for child in psutil.Process(command.pid).children(recursive=True)]
    end(command)
    command.wait(timeout=60)
    wait_gone([*pids, *others])


def test_an_engine_that_breaks_leaves_nothing(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of a display or a search ends the loop that waits for the runs."""
    from scbench.run.local.engine import LocalRunner

    def break_when_started(_self: LocalRunner) -> None:
        if (tmp_path / "trace").exists():
            started(tmp_path / "trace")
            raise RuntimeError("the engine broke")
        time.sleep(0.05)

    monkeypatch.setattr(LocalRunner, "_enforce_limits", break_when_started)
    with (
        pytest.raises(RuntimeError, match="the engine broke"),
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()),
    ):
        main([*words, f"store={tmp_path / 'store'}", "method.then=hang"])
    wait_gone(started(tmp_path / "trace"))
