"""Which devices there are, and the slots that runs take on them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from scbench.config.schema import LocalEngine, parse_devices
from scbench.errors import ConfigError

__all__ = ["Device", "Slots", "cores_at_hand", "gpu_count", "resolve_devices"]

_ASK_SECONDS = 120


@dataclass
class Device:
    """One place to run: the CPU, or one GPU.

    Attributes:
        name: ``cpu`` or ``cuda:<n>``.
        capacity: runs at a time.
        running: keys of the runs that hold a slot now.
        is_exclusive: whether its one run must stay alone (a retry after running out of GPU memory).
    """

    name: str
    capacity: int
    running: set[str] = field(default_factory=set)
    is_exclusive: bool = False

    @property
    def gpu_index(self) -> int | None:
        """Return the GPU's number as this process counts, or None on the CPU."""
        return int(self.name.partition(":")[2]) if self.name != "cpu" else None

    @property
    def visible(self) -> str:
        """Return the run's CUDA_VISIBLE_DEVICES: one entry of the GPUs allotted to this process, none on the CPU."""
        if self.gpu_index is None:
            return ""
        allotted = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
        return allotted[self.gpu_index] if self.gpu_index < len(allotted) else str(self.gpu_index)


class Slots:
    """Give each run a slot on one of its devices.

    Args:
        gpus: the GPUs that may be used; empty for a command on the CPU.
        cpu: the CPU. Runs of methods that cannot use a GPU always go there.
    """

    def __init__(self, gpus: Sequence[Device], cpu: Device) -> None:
        self.gpus = list(gpus)
        self.cpu = cpu

    def take(self, key: str, uses_gpu: bool, alone: bool = False) -> Device | None:
        """Return the device with most free slots that can take the run now, or None.

        ``alone`` asks for a GPU that nobody uses and that nobody else gets until the run is over.
        """
        free = self._free(uses_gpu, alone)
        if not free:
            return None
        device = max(free, key=lambda d: d.capacity - len(d.running))
        device.running.add(key)
        device.is_exclusive = alone
        return device

    def has_room(self, uses_gpu: bool) -> bool:
        """Return whether one more run could start now."""
        return bool(self._free(uses_gpu))

    def _free(self, uses_gpu: bool, alone: bool = False) -> list[Device]:
        """Return the devices that can take a run now."""
        pool = self.gpus if uses_gpu and self.gpus else [self.cpu]
        return [d for d in pool if not d.is_exclusive and len(d.running) < (1 if alone else d.capacity)]

    def give_back(self, key: str) -> None:
        """Free the slot of a run."""
        for device in (*self.gpus, self.cpu):
            if key in device.running:
                device.running.discard(key)
                device.is_exclusive = False


def cores_at_hand() -> int:
    """Return the number of cores this process may use: those it is bound to, and in a SLURM job those it asked for.

    Not every cluster binds its jobs to their cores, so both are looked at.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return max(1, min(bound, int(asked)) if asked.isdecimal() else bound)


def resolve_devices(requested: object, engine: LocalEngine, any_uses_torch: bool) -> Slots:
    """Return the slots for ``device=...``.

    Args:
        requested: the configured device or devices.
        engine: the engine's settings.
        any_uses_torch: whether a planned method could use a GPU; otherwise ``auto`` does not look for one.

    Raises:
        ConfigError: when a GPU is asked for that is not there, or more threads than there are cores.
    """
    gpus = _gpus(requested, engine, any_uses_torch)
    return Slots(gpus, Device("cpu", _cpu_slots(engine, sum(gpu.capacity for gpu in gpus))))


def _cpu_slots(engine: LocalEngine, n_gpu_runs: int) -> int:
    """Return how many runs the CPU takes at a time, so that no core has to serve two threads.

    A run on a GPU keeps a core busy, too; at least one slot stays, because some methods cannot use a GPU.
    """
    cores = cores_at_hand()
    slots = engine.cpu_slots
    if engine.threads > cores:
        raise ConfigError(f"engine.threads={engine.threads}, but {cores} cores are at hand; use at most that many")
    if slots is None:
        return max(1, cores // engine.threads - n_gpu_runs)
    if slots * engine.threads > cores:
        raise ConfigError(
            f"engine.cpu_slots={slots} with engine.threads={engine.threads} needs {slots * engine.threads} cores, but "
            f"{cores} are at hand; use engine.cpu_slots={cores // engine.threads} or fewer threads"
        )
    return slots


def _gpus(requested: object, engine: LocalEngine, any_uses_torch: bool) -> list[Device]:
    """Return the GPUs to use, each with its slots."""
    names = parse_devices(requested)
    if names == ["cpu"] or (names == ["auto"] and not any_uses_torch):
        return []
    present = gpu_count()
    if names == ["auto"]:
        wanted = list(range(present))
    elif names == ["cuda"]:
        wanted = list(range(present))
        if not wanted:
            raise ConfigError(
                "device=cuda, but torch finds no CUDA device; use device=cpu, or see python -m scbench.doctor"
            )
    else:
        wanted = [_index(name, present) for name in names]
    return [Device(f"cuda:{index}", engine.runs_per_gpu) for index in wanted]


def _index(name: str, present: int) -> int:
    """Return the number of a named GPU that is there."""
    if name in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device {name!r} cannot stand in a list; name the devices, for example [cuda:0,cuda:1]")
    index = int(name.partition(":")[2])
    if index >= present:
        have = ", ".join(f"cuda:{i}" for i in range(present)) or "none"
        raise ConfigError(f"device {name} is not there; CUDA devices found: {have}. Use device=cpu or one of them")
    return index


@lru_cache(maxsize=1)
def gpu_count() -> int:
    """Return the number of CUDA devices. Torch is asked in a process of its own, and only when a driver is there.

    This process must not import torch: it would hold a CUDA context, and start-up would take a second longer.

    Raises:
        ConfigError: when the driver does not answer.
    """
    traces = (Path("/proc/driver/nvidia"), Path("/dev/nvidiactl"), Path("/dev/dxg"))
    if not any(trace.exists() for trace in traces):
        return 0
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import torch; print(torch.cuda.device_count())"],
            capture_output=True,
            text=True,
            timeout=_ASK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"torch has not told within {_ASK_SECONDS} s which CUDA devices there are; use device=cpu, or see "
            "python -m scbench.doctor"
        ) from None
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip().isdigit() else 0
