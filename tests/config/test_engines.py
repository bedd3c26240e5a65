from __future__ import annotations

from pathlib import Path

import pytest

from scbench.config.compose import run_with_config
from scbench.config.groups import is_in_mapping
from scbench.config.schema import LocalEngine, RunConfig, SlurmEngine
from scbench.errors import ConfigError
from scbench.run.slurm import queue as slurm_queue
from scbench.run.slurm import runner as slurm
from scbench.run.slurm.runner import check_slurm


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"runs_per_job": 0}, "engine.runs_per_job must be at least 1, got 0"),
        ({"array_parallelism": 0}, "engine.array_parallelism must be at least 1, got 0"),
        ({"gpus_per_job": -1}, "engine.gpus_per_job must be at least 0, got -1"),
        ({"max_requeues": -1}, "engine.max_requeues must be at least 0, got -1"),
        ({"job_hours": 0.0}, "engine.job_hours must be a positive number, got 0.0"),
        ({"job_memory_gb": float("inf")}, "engine.job_memory_gb must be a positive number, got inf"),
        ({"poll_seconds": -1.0}, "engine.poll_seconds must be a positive number, got -1.0"),
        ({"partition": "a b"}, "engine.partition must be a name of the cluster, got 'a b'"),
        ({"account": "-x"}, "engine.account must be a name of the cluster, got '-x'"),
        ({"threads": 0}, "engine.threads must be at least 1, got 0"),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SlurmEngine(**values)  # type: ignore[arg-type]


def test_slurm_has_all_that_the_local_engine_has() -> None:
    engine = SlurmEngine(partition="gpu,long", cpu_slots=3)
    assert isinstance(engine, LocalEngine)
    assert engine.slots_per_job == 3
    assert SlurmEngine().slots_per_job == 1


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda:1", "device=cuda:1 names GPUs, but SLURM chooses them; use engine.gpus_per_job=N"),
        (["cuda:0", "cuda:1"], "names GPUs, but SLURM chooses them"),
        ("cuda", "engine.gpus_per_job=0 asks SLURM for no GPU; set engine.gpus_per_job=1"),
    ],
)
def test_devices_are_slurms_to_choose(device: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_slurm(SlurmEngine(), device)


def test_without_slurm_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_queue.shutil, "which", lambda command: None if command == "sbatch" else command)
    with pytest.raises(ConfigError, match="engine=slurm needs sbatch, not found on PATH; start the command on a node"):
        check_slurm(SlurmEngine(), "auto")
    monkeypatch.setattr(slurm_queue.shutil, "which", lambda command: command)
    monkeypatch.setitem(__import__("sys").modules, "submitit", None)
    with pytest.raises(ConfigError, match=r"engine=slurm needs submitit, .*; pip install 'scbench\[cluster\]'"):
        check_slurm(SlurmEngine(gpus_per_job=1), "cuda")
    assert slurm.require_slurm is slurm_queue.require_slurm


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["engine.sbatch.nice=100"], {"nice": 100}),
        (["+engine.sbatch.nice=100", "++engine.sbatch.export=NONE"], {"nice": 100, "export": "NONE"}),
        (["engine.sbatch={nice: 5}", "engine.sbatch.exclude=node13"], {"nice": 5, "exclude": "node13"}),
        (["-m", "engine.sbatch.nice=100"], {"nice": 100}),
    ],
)
def test_options_of_sbatch_are_added_as_the_readme_writes_them(
    given: list[str], expected: dict[str, object], tmp_path: Path
) -> None:
    found: list[RunConfig] = []

    def keep(configs: list[RunConfig]) -> int:
        found.extend(configs)
        return 0

    assert run_with_config(["method=random", "engine=slurm", *given, f"store={tmp_path}"], keep) == 0
    assert [config.engine.sbatch for config in found] == [expected]


def test_only_mappings_take_keys_of_the_users_own() -> None:
    found = [
        is_in_mapping(SlurmEngine, key) for key in ("sbatch", "sbatch.a", "sbatch.a.b", "setup", "threads", "none.a")
    ]
    assert found == [True, True, True, False, False, False]
