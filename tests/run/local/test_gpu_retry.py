"""GPU slots with a GPU that is not there: visibility, and the retry alone after running out of its memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scbench.config.schema import LocalEngine, RunConfig
from scbench.data.config import SimulatedDataset
from scbench.data.load import open_dataset
from scbench.plugins import find
from scbench.run.local.devices import Device, Slots
from scbench.run.local.engine import LocalRunner
from scbench.run.plan import PlannedRun, plan_runs
from scbench.store.store import Store


class Listening:
    """Keep what the engine says."""

    def __init__(self) -> None:
        self.devices: dict[int, list[str]] = {}
        self.retried: list[int] = []

    def started(self, run: PlannedRun, device: str) -> None:
        self.devices.setdefault(run.seed, []).append(device)

    def progress(self, run: PlannedRun, epoch: int, values: Mapping[str, float]) -> None: ...

    def ended(self, run: PlannedRun, record: Mapping[str, Any], *, will_retry: bool = False) -> None:
        if will_retry:
            self.retried.append(run.seed)

    def stopping(self) -> None: ...

    def tick(self) -> None: ...


def execute(tmp_path: Path, gpus: list[Device], seeds: int, **params: Any) -> tuple[list[dict[str, Any]], Listening]:
    dataset = open_dataset(SimulatedDataset(name="simulated", n_cells=30, n_genes=20, n_types=3))
    method = find("toy_gpu").config_class()(folder=str(tmp_path), **params)
    runs = plan_runs(RunConfig(method=method, dataset=None, engine=LocalEngine(), seeds=seeds), dataset)
    listening = Listening()
    runner = LocalRunner(Store(tmp_path / "store"), LocalEngine(), Slots(gpus, Device("cpu", 1)), listening, {})
    records = runner.execute(runs)
    return [records[run.run_id] for run in runs], listening


def test_a_run_out_of_gpu_memory_is_tried_again_alone(tmp_path: Path, toy_installed: None) -> None:
    records, listening = execute(tmp_path, [Device("cuda:0", 2)], seeds=3, first_too_big=True)
    assert [record["status"] for record in records] == ["ok"] * 3, [record["error"] for record in records]
    assert sorted(listening.retried) == [0, 1, 2]
    assert listening.devices == {seed: ["cuda:0", "cuda:0"] for seed in range(3)}


def test_the_retry_is_the_last(tmp_path: Path, toy_installed: None) -> None:
    records, listening = execute(tmp_path, [Device("cuda:0", 2)], seeds=1, always_too_big=True)
    assert [record["status"] for record in records] == ["oom"]
    assert listening.retried == [0]
    stored = Store(tmp_path / "store").find("simulated", "toy_gpu", records[0]["key"])
    assert stored is not None
    assert (stored["status"], stored["device"]) == ("oom", "cuda:0")


@pytest.mark.parametrize(
    ("allotted", "gpu", "visible"),
    [(None, "cuda:0", "0"), (None, "cuda:3", "3"), ("5,6", "cuda:1", "6"), ("GPU-ab, GPU-cd", "cuda:1", "GPU-cd")],
)
def test_each_run_sees_its_own_gpu_only(
    tmp_path: Path, toy_installed: None, monkeypatch: pytest.MonkeyPatch, allotted: str | None, gpu: str, visible: str
) -> None:
    if allotted is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allotted)
    (record,), listening = execute(tmp_path, [Device(gpu, 1)], seeds=1)
    assert record["info"]["visible"] == visible
    assert record["device"] == gpu
    assert listening.devices == {0: [gpu]}
