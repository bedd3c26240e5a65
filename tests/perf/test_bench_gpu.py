"""The program of ``make bench-gpu``, without a GPU."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bench_gpu
import numpy as np
import pytest
from bench_gpu import LARGE, ROWS, Bench
from comparison.builds import Build
from gpu.agreement import agreement
from gpu.fits import Fit
from gpu.sharing import Made
from gpu.sizes import SHORT, TINY
from gpu.time_left import TimeLeft

A, B = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])


def test_a_device_may_differ_as_much_as_a_seed() -> None:
    assert agreement({0: A, 1: A}, {0: 1 - A}).holds, "names of clusters do not matter"
    assert not agreement({0: A, 1: A}, {0: B}).holds
    found = agreement({0: A, 1: B, 2: A}, {0: A, 1: A})
    assert (found.seeds_least, found.same_seed) == (-0.5, 0.25), "ARI of A and B is -0.5"
    assert found.seeds_mean == 0.0
    assert found.holds


@pytest.mark.parametrize(("cpu", "gpu"), [([0], [0]), ([0, 1], [2]), ([], [])])
def test_agreement_takes_two_seeds_and_one_on_both(cpu: list[int], gpu: list[int]) -> None:
    with pytest.raises(ValueError, match="two seeds on the CPU and one on both devices are needed"):
        agreement(dict.fromkeys(cpu, A), dict.fromkeys(gpu, A))


def test_rows_share_the_time() -> None:
    now = [0.0]
    time_left = TimeLeft(100, lambda: now[0])
    assert time_left.limit(30) == 30
    now[0] = 80
    assert time_left.limit(30) == 20
    now[0] = 97
    assert time_left.limit(30, least_seconds=5) is None


def test_limits_fit_into_eight_minutes() -> None:
    assert bench_gpu.TOTAL_SECONDS < 480
    assert all(large.limit <= bench_gpu.TOTAL_SECONDS and large.limit > large.seconds for large in LARGE.values())
    assert set(SHORT) == set(TINY) == {"scsiameseclu", "scsamac", "sccagn", "cicl", "pca_kmeans", "leiden", "louvain"}


def bench(device: str = "cuda") -> Bench:
    return Bench(Build("new", Path("nowhere")), device, quick=False)


def large(
    monkeypatch: pytest.MonkeyPatch, row: str, seconds: float, *, finished: bool, gpu_bytes: float = 1e9
) -> list[Any]:
    """Return the verdicts of a large row whose fit took so long."""
    told = {"wall_seconds": seconds, "epochs": 5, "info": {}, "peak_gpu_bytes": gpu_bytes, "reserved_gpu_bytes": 2e9}
    monkeypatch.setattr(bench_gpu, "fit", lambda *_, **__: Fit(told, A if finished else None))
    ready: Future[Path] = Future()
    ready.set_result(Path("x.npz"))
    monkeypatch.setattr(Bench, "make", lambda *_: ready)
    return [line.holds for line in bench().measured(row)]


def test_verdicts_of_large_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert large(monkeypatch, "scsiameseclu_large", 59, finished=True) == ["yes", "yes"]
    assert large(monkeypatch, "scsiameseclu_large", 61, finished=True, gpu_bytes=9e9) == ["no", "no"]
    assert large(monkeypatch, "scsamac_large", 61, finished=True) == ["yes", "-"]
    assert large(monkeypatch, "cicl_large", 200, finished=False) == ["-"], "cut for want of time is no verdict"
    assert large(monkeypatch, "cicl_large", 361, finished=False) == ["no"]


def test_a_row_without_time_says_so() -> None:
    late = bench()
    late.time = TimeLeft(0)
    for row in ROWS:
        late.make = lambda _data: SimpleNamespace(result=lambda limit: limit)  # type: ignore[method-assign,assignment,return-value]
        (line,) = late.measured(row)
        assert "left out: no time left of 450 s; rows= gives it some" in line.value


def test_the_rate_is_of_the_runs_that_were_made() -> None:
    assert str(Made(30.0, 8, 4, 1, 2_000_000)) == "8.0 runs/min, 4/8 ok, 1 failed, peak 2 MB a run"


def test_without_a_gpu_nothing_is_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=0, stdout="0\n"))
    bench_gpu.main([])
    assert capsys.readouterr().out == "no CUDA device: nothing measured\n"


def test_without_torch_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1, stdout=""))
    with pytest.raises(SystemExit, match="torch cannot be imported by .*; make run installs it, or give VENV="):
        bench_gpu.main([])


@pytest.mark.parametrize("word", ["rows=x", "device=gpu", "quick=2", "speed=1", "agreement"])
def test_wrong_options_are_refused(word: str) -> None:
    with pytest.raises(SystemExit, match=f"rows=agreement,scsiameseclu_large.*got {word}"):
        bench_gpu.main([word])


@pytest.mark.slow  # some forty processes
@pytest.mark.timeout(600)
def test_all_rows_go_through_on_the_cpu(tmp_path: Path) -> None:
    bench_gpu.main(["device=cpu", "quick=1", f"out={tmp_path / 'out.json'}"])
    found = json.loads((tmp_path / "out.json").read_text())
    assert {line["row"] for line in found} == set(ROWS)
    assert [line["value"] for line in found if "left out" in line["value"]] == []
    labels = [line for line in found if line["what"].endswith(", labels")]
    assert [line["holds"] for line in labels] == ["yes"] * 7, "the CPU agrees with itself"
    assert all(line["value"].startswith("ARI 1.000") for line in labels)
    assert [line["value"].split(", ")[1] for line in found if line["row"] == "sharing"] == ["2/2 ok"] * 2
