"""The options of the group ``engine``: where runs are made, and within which limits."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from scbench.errors import ConfigError

__all__ = ["LocalEngine", "SlurmEngine"]

_PLAIN_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,:-]*")


@dataclass(frozen=True)
class LocalEngine:
    """Group ``engine``, option ``local``: one process per run on this machine.

    Attributes:
        cpu_slots: runs at a time on the CPU; null = as many as the cores at hand bear.
        threads: threads per run. One by default: more change the last digits, and packing multi-threaded runs on
            few cores is far slower than single-threaded ones.
        runs_per_gpu: runs at a time on each GPU.
        timeout_min: minutes after which a run is stopped and recorded as ``timeout``; null = never. A file that takes
            longer to read, which is done once, is refused.
        memory_gb: resident memory (GiB) at which a run is stopped and recorded as ``oom``; null = no limit. A file that
            takes more to read is refused.
        grace_seconds: time between asking a run to stop and killing it.
        keep_snapshots: whether a run under protocol=honest stores the labels of its epochs as well, for curves. No
            epoch is chosen by them: its record has no best one. Making them is in the run's seconds.
    """

    name: str = "local"
    cpu_slots: int | None = None
    threads: int = 1
    runs_per_gpu: int = 1
    timeout_min: float | None = 1440.0
    memory_gb: float | None = None
    grace_seconds: float = 5.0
    keep_snapshots: bool = False

    def __post_init__(self) -> None:
        """Check ranges."""
        _check_at_least(self, 1, "cpu_slots", "threads", "runs_per_gpu")
        _check_positive(self, "timeout_min", "memory_gb", "grace_seconds")


@dataclass(frozen=True)
class SlurmEngine(LocalEngine):
    """Group ``engine``, option ``slurm``: array jobs that each run the local queue on a part of the plan.

    ``cpu_slots`` (null = 1), ``threads`` and ``runs_per_gpu`` say what runs at a time in one job, and so what it asks
    SLURM for.

    Attributes:
        partition, account, qos, constraint: as for ``sbatch``; null leaves the cluster's default.
        runs_per_job: at most so many runs in one job of the array.
        array_parallelism: at most so many jobs of an array at a time.
        gpus_per_job: GPUs for jobs of methods that can use one; 0 runs everything on CPUs. Others never get one.
        job_hours: time limit of a job. What is not finished by then is requeued without repeating finished runs.
        max_requeues: how often a job may run into its time limit and be requeued.
        job_memory_gb: memory of a job (GB); null leaves the cluster's default.
        setup: shell commands before the job's own, such as ``module load cuda``.
        sbatch: more options of ``sbatch`` by their long names with underscores.
        poll_seconds: time between two looks at the store and the queue.
        cancel_on_interrupt: whether Ctrl-C cancels the jobs; otherwise they go on and the same command finds them.
    """

    name: str = "slurm"
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    runs_per_job: int = 8
    array_parallelism: int = 16
    gpus_per_job: int = 0
    job_hours: float = 24.0
    max_requeues: int = 3
    job_memory_gb: float | None = None
    setup: list[str] = field(default_factory=list)
    sbatch: dict[str, Any] = field(default_factory=dict)
    poll_seconds: float = 5.0
    cancel_on_interrupt: bool = False

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        _check_at_least(self, 1, "runs_per_job", "array_parallelism")
        _check_at_least(self, 0, "gpus_per_job", "max_requeues")
        _check_positive(self, "job_hours", "job_memory_gb", "poll_seconds")
        for key in ("partition", "account", "qos"):
            value = getattr(self, key)
            if value is not None and not _PLAIN_WORD.fullmatch(value):
                raise ConfigError(f"engine.{key} must be a name of the cluster, got {value!r}")

    @property
    def slots_per_job(self) -> int:
        """Return how many runs of methods that use no GPU run at a time in one job."""
        return self.cpu_slots or 1


def _check_at_least(engine: LocalEngine, least: int, *keys: str) -> None:
    """Refuse a number that is too small."""
    for key in keys:
        value = getattr(engine, key)
        if value is not None and value < least:
            raise ConfigError(f"engine.{key} must be at least {least}, got {value}")


def _check_positive(engine: LocalEngine, *keys: str) -> None:
    """Refuse a number that is not positive and finite."""
    for key in keys:
        value = getattr(engine, key)
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise ConfigError(f"engine.{key} must be a positive number, got {value}")
