"""The queue with devices that are not there: how many runs at a time, which first, and nothing after a failure."""

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

pytestmark = pytest.mark.usefixtures("toy_installed")


class Watching:
    """Count the runs on each device as they start and end."""

    def __init__(self) -> None:
        self.on: dict[str, set[str]] = {}
        self.most: dict[str, int] = {}
        self.order: list[tuple[str, int]] = []
        self.stopped = 0

    def started(self, run: PlannedRun, device: str) -> None:
        self.on.setdefault(device, set()).add(run.run_id)
        self.most[device] = max(self.most.get(device, 0), len(self.on[device]))
        self.order.append((device, run.seed))

    def progress(self, run: PlannedRun, epoch: int, values: Mapping[str, float]) -> None: ...

    def ended(self, run: PlannedRun, record: Mapping[str, Any], *, will_retry: bool = False) -> None:
        for places in self.on.values():
            places.discard(run.run_id)

    def stopping(self) -> None:
        self.stopped += 1

    def tick(self) -> None: ...


def planned(method: str, seeds: int, **params: Any) -> list[PlannedRun]:
    dataset = open_dataset(SimulatedDataset(name="simulated", n_cells=30, n_genes=20, n_types=3))
    config = find(method).config_class()(name=method, **params)
    return plan_runs(RunConfig(method=config, dataset=None, engine=LocalEngine(), seeds=seeds), dataset)


def execute(
    folder: Path, runs: list[PlannedRun], gpus: list[Device], n_cpu: int, *, fail_fast: bool = False
) -> tuple[dict[str, dict[str, Any]], Watching]:
    watching = Watching()
    slots = Slots(gpus, Device("cpu", n_cpu))
    engine = LocalEngine(grace_seconds=0.5)
    runner = LocalRunner(Store(folder / "store"), engine, slots, watching, {}, fail_fast=fail_fast)
    return runner.execute(runs), watching


@pytest.mark.usefixtures("own_server")
def test_no_device_takes_more_than_its_slots_and_all_are_used(tmp_path: Path) -> None:
    runs = [*planned("toy_gpu", 5, folder=str(tmp_path)), *planned("toy", 3, seconds=0.3)]
    records, watching = execute(tmp_path, runs, [Device("cuda:0", 2), Device("cuda:1", 1)], n_cpu=1)
    assert {record["status"] for record in records.values()} == {"ok"}
    assert watching.most == {"cuda:0": 2, "cuda:1": 1, "cpu": 1}
    for record in records.values():
        on_cpu = record["method"] == "toy"
        assert (record["device"] == "cpu") == on_cpu, "a method that cannot use a GPU holds no place on one"
        if not on_cpu:
            assert record["info"]["visible"] == record["device"].removeprefix("cuda:")
            assert not record["info"]["torch_was_there"], "torch is not imported before the run's GPU is chosen"


def test_each_device_takes_the_runs_in_the_order_of_the_queue(tmp_path: Path) -> None:
    gpu, cpu = planned("toy_gpu", 2, folder=str(tmp_path)), planned("toy", 3)
    mixed = [gpu[1], cpu[1], cpu[2], cpu[0], gpu[0]]
    _, watching = execute(tmp_path, mixed, [Device("cuda:0", 1)], n_cpu=1)
    assert [seed for device, seed in watching.order if device == "cuda:0"] == [1, 0]
    assert [seed for device, seed in watching.order if device == "cpu"] == [1, 2, 0]


def test_a_failure_stops_nothing_unless_it_is_asked_to(tmp_path: Path) -> None:
    runs = planned("toy", 4, behaviour="raise", bad_seed=0)
    records, watching = execute(tmp_path, runs, [], n_cpu=1)
    assert [records[run.run_id]["status"] for run in runs] == ["error", "ok", "ok", "ok"]
    assert not watching.stopped


def test_fail_fast_ends_the_running_runs_and_starts_no_other(tmp_path: Path) -> None:
    bad = planned("toy", 1, behaviour="raise", bad_seed=0)
    long = planned("toy", 3, seconds=60.0)
    records, watching = execute(tmp_path, [long[0], bad[0], *long[1:]], [], n_cpu=2, fail_fast=True)
    assert records[bad[0].run_id]["status"] == "error"
    assert records[long[0].run_id]["status"] == "interrupted"
    assert (
        "another run failed and fail_fast=true; the same command goes on" in records[long[0].run_id]["error"]["message"]
    )
    assert len(watching.order) < 4, "at least one run is never begun"
    assert watching.stopped == 1
    assert set(records) < {run.run_id for run in [*bad, *long]}


def test_an_attempt_that_is_tried_again_is_no_failure_that_ends_all(tmp_path: Path) -> None:
    runs = planned("toy_gpu", 1, folder=str(tmp_path), first_too_big=True)
    records, watching = execute(tmp_path, runs, [Device("cuda:0", 1)], n_cpu=1, fail_fast=True)
    assert records[runs[0].run_id]["status"] == "ok"
    assert len(watching.order) == 2
