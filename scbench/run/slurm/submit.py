"""Hand chunks of runs to SLURM as array jobs, through submitit."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from scbench.config.schema import RunConfig, SlurmEngine
from scbench.errors import ConfigError
from scbench.run.plan import PlannedRun
from scbench.run.slurm.job import ChunkJob
from scbench.run.slurm.ledger import Submission, new_submission
from scbench.store.store import Store

__all__ = ["chunks_of", "device_of", "submit", "submit_jobs"]

_JOBS_PER_ARRAY = 1000  # SLURM's default MaxArraySize is 1001
_ENVIRONMENT_OF_SBATCH = "SBATCH_EXPORT"
_STEPS_INHERIT = "export SLURM_EXPORT_ENV=ALL"  # sbatch --export=NONE keeps even srun from telling a step its job


def chunks_of(runs: Sequence[PlannedRun], engine: SlurmEngine, device: str) -> list[tuple[str, list[list[PlannedRun]]]]:
    """Return, for each array to submit, the device of its jobs and their runs.

    Jobs with a GPU and jobs without one ask for different things, so they are different arrays. Within each the order
    of the runs stays: the longest are in the first jobs, and runs that share inputs in the same.
    """
    arrays = []
    for wanted in ("cuda", "cpu"):
        of_device = [run for run in runs if device_of(run, engine, device) == wanted]
        size = engine.runs_per_job
        chunks = [of_device[start : start + size] for start in range(0, len(of_device), size)]
        arrays += [(wanted, chunks[i : i + _JOBS_PER_ARRAY]) for i in range(0, len(chunks), _JOBS_PER_ARRAY)]
    return arrays


def submit(
    store: Store,
    device: str,
    chunks: Sequence[Sequence[PlannedRun]],
    configs: Mapping[str, RunConfig],
    before: Mapping[str, str | None],
    argv: Sequence[str],
) -> Submission:
    """Submit one array.

    Args:
        store: where the jobs write to.
        device: ``cuda`` or ``cpu``.
        chunks: the runs of each job.
        configs: the configuration of each run, by run_id.
        before: start times of failed records that are to be replaced, by run_id.
        argv: the command line, for the records.

    Raises:
        ConfigError: when SLURM refuses the jobs.
    """
    submission = new_submission(store.root, [[run.run_id for run in chunk] for chunk in chunks])
    jobs = [
        ChunkJob(
            configs=_configs_of(chunk, configs),
            run_ids=tuple(run.run_id for run in chunk),
            before={run.run_id: before[run.run_id] for run in chunk if run.run_id in before},
            store=store.root,
            device=device,
            argv=tuple(argv),
        )
        for chunk in chunks
    ]
    submit_jobs(submission, configs[chunks[0][0].run_id].engine, device, jobs)
    return submission


def submit_jobs(submission: Submission, engine: SlurmEngine, device: str, jobs: Sequence[Callable[[], None]]) -> None:
    """Hand the jobs of one array to SLURM.

    Args:
        submission: the note of the array; its name and folder are the jobs'.
        engine: what they ask for.
        device: ``cuda`` or ``cpu``.
        jobs: what is called on the nodes; each can be pickled.

    Raises:
        ConfigError: when SLURM refuses them.
    """
    import submitit

    executor = submitit.SlurmExecutor(folder=submission.folder, max_num_timeout=engine.max_requeues)
    executor.update_parameters(**_parameters(engine, device, submission.name))
    try:
        with _own_export(), executor.batch():
            for job in jobs:
                executor.submit(job)
    except submitit.core.utils.FailedJobError as error:
        reason = " ".join(str(error).split()[-30:])
        raise ConfigError(
            f"SLURM refuses the jobs ({reason}); correct engine.partition and the other limits"
        ) from error


def device_of(run: PlannedRun, engine: SlurmEngine, device: str) -> str:
    """Return the device that a run's job asks for."""
    return "cuda" if engine.gpus_per_job and device != "cpu" and run.config.USES_TORCH else "cpu"


def _configs_of(chunk: Sequence[PlannedRun], configs: Mapping[str, RunConfig]) -> tuple[RunConfig, ...]:
    """Return the configurations of a chunk, each once, with the chunk's seeds of it."""
    seeds: list[tuple[RunConfig, list[int]]] = []
    for run in chunk:
        config = configs[run.run_id]
        known = next((of_config for other, of_config in seeds if other is config), None)
        if known is None:
            seeds.append((config, [run.seed]))
        else:
            known.append(run.seed)
    return tuple(dataclasses.replace(config, seeds=of_config) for config, of_config in seeds)


@contextmanager
def _own_export() -> Iterator[None]:
    """Hide SBATCH_EXPORT from sbatch, for which it would come before the ``--export`` of the job."""
    before = os.environ.pop(_ENVIRONMENT_OF_SBATCH, None)
    try:
        yield
    finally:
        if before is not None:
            os.environ[_ENVIRONMENT_OF_SBATCH] = before


def _parameters(engine: SlurmEngine, device: str, name: str) -> dict[str, Any]:
    """Return what submitit is told."""
    on_gpu = device == "cuda"
    slots = engine.gpus_per_job * engine.runs_per_gpu if on_gpu else engine.slots_per_job
    parameters: dict[str, Any] = {
        "job_name": name,
        "time": math.ceil(engine.job_hours * 60),
        "array_parallelism": engine.array_parallelism,
        "cpus_per_task": slots * engine.threads,
        "setup": [_STEPS_INHERIT, *engine.setup],
        "additional_parameters": {"requeue": True, "export": "ALL"} | dict(engine.sbatch),
    }
    if on_gpu:
        parameters["gpus_per_node"] = engine.gpus_per_job
    if engine.job_memory_gb is not None:
        parameters["mem"] = f"{math.ceil(engine.job_memory_gb * 1024)}M"
    named = ("partition", "account", "qos", "constraint")
    return parameters | {key: getattr(engine, key) for key in named if getattr(engine, key) is not None}
