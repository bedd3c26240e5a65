from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scbench.errors import StoreError
from scbench.metrics.registry import SCORES
from scbench.status import main, status_lines
from scbench.store.record_file import write_json

SMALL = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3", "device=cpu"]


def put(root: Path, key: str, status: str, message: str = "", method: str = "m") -> None:
    folder = root / "d" / method / key
    folder.mkdir(parents=True)
    error = None if status == "ok" else {"type": "E", "message": message, "traceback": ""}
    is_ok = status == "ok"
    record = {
        "schema": 1, "key": key, "method": method, "variant": "default", "dataset": "d", "protocol": "honest",
        "seed": 0, "status": status, "error": error, "n_cells": 60, "n_genes": 20, "n_types": 3,
        "n_clusters_requested": 3, "n_clusters_found": 3 if is_ok else None,
        "metrics": dict.fromkeys(SCORES, 0.5 if is_ok else None), "best_epoch": None, "seconds": {"total": 1.0},
        "peak_rss_bytes": None, "peak_gpu_bytes": None, "device": "cpu", "threads": 1, "params": {},
        "data": {"sha256": "ab" * 32}, "provenance": {},
    }  # fmt: skip
    write_json(folder / "record.json", record)


def sweep(root: Path, **more: Any) -> None:
    now = time.time()
    about = {"host": "n1", "pid": 1, "job": "", "argv": ["scbench", "method=m"], "n_runs": 10, "n_cached": 3}
    times = {"started_at": now - 120, "updated_at": now, "ended": {"ok": 3, "timeout": 1}, "running": []}
    (root / ".running").mkdir(exist_ok=True)
    (root / ".running" / f"{len(list((root / '.running').iterdir()))}").write_text(json.dumps(about | times | more))


def test_records_are_counted_and_failures_by_their_reason(tmp_path: Path) -> None:
    put(tmp_path, "a", "ok")
    put(tmp_path, "b", "error", "it broke\nhere")
    put(tmp_path, "c", "error", "it broke\nthere", method="n")
    put(tmp_path, "e", "timeout", "too long")
    put(tmp_path, "f", "interrupted", "stopped")
    assert status_lines(tmp_path)[1:] == [
        "nothing is running",
        "5 records: 1 ok, 3 failed, 1 interrupted",
        "  2 x error (m, n): it broke",
        "  1 x timeout (m): too long",
    ]


def test_a_sweep_elsewhere_is_shown_with_rate_and_time_left(tmp_path: Path) -> None:
    running = {"method": "m", "dataset": "d", "seed": 4, "device": "cuda:1", "since": time.time() - 65, "epoch": 12}
    sweep(tmp_path, running=[running, running | {"seed": 5, "epoch": None}])
    lines = status_lines(tmp_path)
    assert lines[1] == "command scbench method=m on n1 (process 1)"
    assert lines[2] == "  4/10 done, 1 timeout, 2 running, 2.0 runs/min, 3 min 00 s left, 3 were there before"
    assert lines[3] == "  m on d, seed 4: 1 min 05 s on cuda:1, epoch 12"
    assert lines[4].endswith("on cuda:1")


def test_before_the_first_run_is_done_nothing_is_promised(tmp_path: Path) -> None:
    sweep(tmp_path, ended={}, n_cached=0)
    assert status_lines(tmp_path)[2] == "  0/10 done, 0 running"


def test_jobs_silent_and_killed_commands_and_long_lists(tmp_path: Path) -> None:
    now = time.time()
    run = {"method": "m", "dataset": "d", "seed": 0, "device": "cpu", "since": now, "epoch": None}
    sweep(tmp_path, job="12_3", running=[run] * 20, started_at=now - 900)
    sweep(tmp_path, updated_at=now - 600, started_at=now - 800)
    sweep(tmp_path, host=os.uname().nodename, pid=999_999_999, started_at=now - 700)
    sweep(tmp_path, updated_at=now - 3e5, argv=["forgotten"])
    text = "\n".join(status_lines(tmp_path))
    assert "job 12_3 on n1 (process 1)" in text
    assert "  and 8 more" in text
    assert "has said nothing for 10 min 00 s; it may have been killed" in text
    assert "was killed after 3 ok; the same command goes on from there" in text
    assert "forgotten" not in text


def test_many_reasons_are_cut(tmp_path: Path) -> None:
    for i in range(15):
        put(tmp_path, str(i), "error", f"reason {i}")
    assert status_lines(tmp_path)[-1] == "  and 3 more reasons"


def test_a_store_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StoreError, match="does not exist; give the folder of a store"):
        status_lines(tmp_path / "no")
    assert main([f"store={tmp_path / 'no'}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["a", "b"], ["--watch", "0"], ["--wach"]])
def test_a_wrong_command_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("scbench: ")
    assert said.count("\n") == 1


def test_it_works_while_a_sweep_runs_elsewhere(tmp_path: Path, toy_installed: None) -> None:
    store, trace = tmp_path / "store", tmp_path / "trace"
    words = [
        "method=toy",
        "method.seconds=30",
        f"method.trace={trace}",
        "seeds=3",
        "engine.cpu_slots=1",
        f"store={store}",
    ]
    command = subprocess.Popen(
        [sys.executable, "-m", "scbench", *words, *SMALL], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 60
        while not trace.exists() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(2.5)  # the file is written once a second
        asked = subprocess.run([sys.executable, "-m", "scbench.status", store], capture_output=True, text=True)
        assert "0/3 done, 1 running" in asked.stdout, asked.stdout + asked.stderr
        assert "toy on simulated, seed 0: " in asked.stdout
        assert "\x1b" not in asked.stdout
        watching = subprocess.Popen(
            [sys.executable, "-m", "scbench", "status", store, "--watch", "0.2"], stdout=subprocess.PIPE, text=True
        )
        assert watching.stdout is not None
        seen = [watching.stdout.readline() for _ in range(10)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=30) == 0
        assert sum(line.startswith("store ") for line in seen) >= 2
    finally:
        command.send_signal(signal.SIGINT)
        assert command.wait(timeout=60) == 1
    assert "nothing is running" in "\n".join(status_lines(store))
    assert "0 ok, 0 failed, 1 interrupted" in "\n".join(status_lines(store))
