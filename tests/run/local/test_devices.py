"""Slots, proved with devices that do not exist."""

from __future__ import annotations

import subprocess

import pytest

from scbench.config.schema import LocalEngine
from scbench.errors import ConfigError
from scbench.run.local import devices
from scbench.run.local.devices import Device, Slots, resolve_devices


def slots(n_gpus: int = 2, runs_per_gpu: int = 2, cpu_slots: int = 3) -> Slots:
    return Slots([Device(f"cuda:{i}", runs_per_gpu) for i in range(n_gpus)], Device("cpu", cpu_slots))


def name(device: Device | None) -> str | None:
    return None if device is None else device.name


def test_runs_spread_over_gpus_before_they_share_one() -> None:
    pool = slots()
    assert [name(pool.take(key, True)) for key in "abcde"] == ["cuda:0", "cuda:1", "cuda:0", "cuda:1", None]
    pool.give_back("b")
    assert name(pool.take("f", True)) == "cuda:1"


def test_methods_without_a_gpu_take_cpu_slots() -> None:
    pool = slots(cpu_slots=1)
    assert name(pool.take("a", False)) == "cpu"
    assert pool.take("b", False) is None
    assert name(pool.take("c", True)) == "cuda:0"


def test_without_gpus_everything_runs_on_the_cpu() -> None:
    pool = slots(n_gpus=0)
    assert [name(pool.take(key, True)) for key in "abcd"] == ["cpu", "cpu", "cpu", None]


def test_a_retry_alone_waits_for_an_empty_gpu_and_keeps_others_out() -> None:
    pool = slots(n_gpus=1)
    pool.take("a", True)
    assert pool.take("b", True, alone=True) is None
    pool.give_back("a")
    assert name(pool.take("b", True, alone=True)) == "cuda:0"
    assert pool.take("c", True) is None
    pool.give_back("b")
    assert name(pool.take("c", True)) == "cuda:0"


@pytest.fixture
def seven_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cores_at_hand", lambda: 7)


@pytest.mark.usefixtures("seven_cores")
@pytest.mark.parametrize("threads", range(1, 8))
def test_cpu_slots_times_threads_never_exceeds_the_cores(threads: int) -> None:
    free = resolve_devices("cpu", LocalEngine(threads=threads), True).cpu.capacity
    assert free == 7 // threads, "by default as many as fit"
    for slots in range(1, 10):
        if slots * threads <= 7:
            assert resolve_devices("cpu", LocalEngine(cpu_slots=slots, threads=threads), True).cpu.capacity == slots
            continue
        with pytest.raises(
            ConfigError, match=f"engine.cpu_slots={slots} with engine.threads={threads} needs .* cores, but 7"
        ):
            resolve_devices("cpu", LocalEngine(cpu_slots=slots, threads=threads), True)


@pytest.mark.usefixtures("seven_cores")
def test_more_threads_than_cores_are_refused() -> None:
    with pytest.raises(ConfigError, match="engine.threads=9, but 7 cores are at hand; use at most that many"):
        resolve_devices("cpu", LocalEngine(threads=9), True)


@pytest.mark.usefixtures("seven_cores")
@pytest.mark.parametrize(("runs_per_gpu", "cpu_slots"), [(1, 5), (3, 1), (8, 1)])
def test_runs_on_gpus_need_a_core_each_too(monkeypatch: pytest.MonkeyPatch, runs_per_gpu: int, cpu_slots: int) -> None:
    monkeypatch.setattr(devices, "gpu_count", lambda: 2)
    found = resolve_devices("cuda", LocalEngine(runs_per_gpu=runs_per_gpu), True)
    assert [gpu.capacity for gpu in found.gpus] == [runs_per_gpu] * 2
    assert found.cpu.capacity == cpu_slots


@pytest.mark.parametrize(("asked", "expected"), [(None, 4), ("3", 3), ("64", 4), ("0", 1), ("odd", 4)])
def test_cores_at_hand_are_those_of_the_job(monkeypatch: pytest.MonkeyPatch, asked: str | None, expected: int) -> None:
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    if asked is not None:
        monkeypatch.setenv("SLURM_CPUS_PER_TASK", asked)
    assert devices.cores_at_hand() == expected


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        ("auto", ["cuda:0", "cuda:1"]),
        ("cuda", ["cuda:0", "cuda:1"]),
        ("cuda:1", ["cuda:1"]),
        (["cuda:1", "cuda:0"], ["cuda:1", "cuda:0"]),
        (["cuda:01"], ["cuda:1"]),
        ("cpu", []),
    ],
)
def test_devices_are_resolved_against_those_present(
    monkeypatch: pytest.MonkeyPatch, requested: object, expected: list[str]
) -> None:
    monkeypatch.setattr(devices, "gpu_count", lambda: 2)
    assert [device.name for device in resolve_devices(requested, LocalEngine(), True).gpus] == expected


def test_auto_does_not_look_for_gpus_when_no_method_could_use_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> int:
        raise AssertionError("looked for GPUs")

    monkeypatch.setattr(devices, "gpu_count", asked)
    assert resolve_devices("auto", LocalEngine(), False).gpus == []


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        ("cuda", "torch finds no CUDA device; use device=cpu"),
        ("cuda:3", "device cuda:3 is not there; CUDA devices found: none"),
        (["auto", "cuda:0"], "device 'auto' cannot stand in a list"),
        (["cpu", "cuda:0"], "device 'cpu' cannot stand in a list"),
    ],
)
def test_missing_gpus_are_refused(monkeypatch: pytest.MonkeyPatch, requested: object, message: str) -> None:
    monkeypatch.setattr(devices, "gpu_count", lambda: 0)
    with pytest.raises(ConfigError, match=message):
        resolve_devices(requested, LocalEngine(), True)


def test_a_driver_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("python", timeout)

    monkeypatch.setattr(devices.Path, "exists", lambda _: True)
    monkeypatch.setattr(subprocess, "run", silent)
    devices.gpu_count.cache_clear()
    with pytest.raises(
        ConfigError, match="torch has not told within 120 s which CUDA devices there are; use device=cpu"
    ):
        resolve_devices("auto", LocalEngine(), True)
