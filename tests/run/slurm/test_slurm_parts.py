"""The parts of the SLURM engine that need no SLURM: chunks, notes, what the queue says, when a run is settled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from scbench.config.schema import RunConfig, SlurmEngine
from scbench.data.config import SimulatedDataset
from scbench.data.load import Dataset
from scbench.errors import ConfigError, DataError
from scbench.plugins import find
from scbench.run.plan import PlannedRun, plan_runs
from scbench.run.slurm import runner as slurm
from scbench.run.slurm.job import ChunkJob
from scbench.run.slurm.ledger import close, new_submission, open_submissions
from scbench.run.slurm.queue import JobState, cancel, states
from scbench.run.slurm.runner import SlurmRunner
from scbench.run.slurm.submit import _configs_of, _parameters, chunks_of, submit_jobs
from scbench.run.to_make import must_be_made
from scbench.store.store import Store

DATASET = Dataset("d", "0" * 64, "", {}, Path(), None, 100, 10, 3, True, ())


def config(method: str, engine: SlurmEngine, seeds: int | list[int] = 4) -> RunConfig:
    return RunConfig(method=find(method).config_class()(name=method), dataset=None, engine=engine, seeds=seeds)


def planned(*methods: str, seeds: int = 4) -> list[PlannedRun]:
    return [run for method in methods for run in plan_runs(config(method, SlurmEngine(), seeds), DATASET)]


def test_a_job_gets_so_many_runs_in_their_order_and_only_torch_methods_a_gpu() -> None:
    runs = planned("cicl", "random", seeds=5)
    arrays = chunks_of(runs, SlurmEngine(runs_per_job=2, gpus_per_job=1), "auto")
    assert [(device, [len(chunk) for chunk in chunks]) for device, chunks in arrays] == [
        ("cuda", [2, 2, 1]),
        ("cpu", [2, 2, 1]),
    ]
    assert [run for _, chunks in arrays for chunk in chunks for run in chunk] == runs
    for engine, device in ((SlurmEngine(), "auto"), (SlurmEngine(gpus_per_job=1), "cpu")):
        ((where, chunks),) = chunks_of(runs, engine, device)
        assert where == "cpu"
        assert [len(chunk) for chunk in chunks] == [8, 2]
    assert chunks_of([], SlurmEngine(), "auto") == []


def test_an_array_has_no_more_jobs_than_slurm_takes() -> None:
    arrays = chunks_of(planned("random", seeds=2100), SlurmEngine(runs_per_job=1), "auto")
    assert [len(chunks) for _, chunks in arrays] == [1000, 1000, 100]


def test_a_job_asks_for_what_its_runs_need() -> None:
    engine = SlurmEngine(
        partition="long", threads=2, cpu_slots=3, runs_per_gpu=2, gpus_per_job=2, job_hours=1.5, job_memory_gb=3.5,
        setup=["module load x"], sbatch={"nice": 5},
    )  # fmt: skip
    cpu, gpu = (_parameters(engine, device, "name") for device in ("cpu", "cuda"))
    assert (cpu["cpus_per_task"], gpu["cpus_per_task"]) == (6, 8)
    assert "gpus_per_node" not in cpu
    assert gpu["gpus_per_node"] == 2
    assert (cpu["time"], cpu["mem"], cpu["partition"]) == (90, "3584M", "long")
    assert cpu["setup"] == ["export SLURM_EXPORT_ENV=ALL", "module load x"], (
        "what a user sets there comes later and wins"
    )
    assert cpu["additional_parameters"] == {"requeue": True, "export": "ALL", "nice": 5}
    assert "qos" not in cpu


def test_a_chunk_carries_its_own_seeds_of_each_configuration() -> None:
    a, b = config("random", SlurmEngine(), [0, 5, 7]), config("leiden", SlurmEngine(), [1])
    runs = [*plan_runs(a, DATASET), *plan_runs(b, DATASET)]
    configs = {run.run_id: a if run.config.name == "random" else b for run in runs}
    found = _configs_of([runs[0], runs[3], runs[2]], configs)
    assert [(of.method.name, of.seeds) for of in found] == [("random", [0, 7]), ("leiden", [1])]


def test_what_was_submitted_is_found_until_it_is_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = new_submission(tmp_path, [["a", "b"], ["c"]])
    second = new_submission(tmp_path, [["d"]])
    assert first.name != second.name
    assert first.name.startswith("scbench-")
    assert sorted(open_submissions(tmp_path), key=repr) == sorted([first, second], key=repr)
    close(first)
    close(first)
    assert list(open_submissions(tmp_path)) == [second]
    assert (first.folder / "ended.json").exists(), "its logs stay"
    (second.folder / "submission.json").write_text("{")
    assert list(open_submissions(tmp_path)) == []
    assert "cannot be read" in caplog.text


def fake(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_the_queue_is_asked_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "scbench-x|12|0|RUNNING\\nscbench-x|12|3|CANCELLED by 0\\nscbench-y|15|N/A|PENDING"
    fake(tmp_path, "squeue", f'echo "$@" > {tmp_path}/asked; printf "{lines}\\n"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = states(["scbench-x", "scbench-y"])
    assert found == {
        ("scbench-x", 0): JobState("12_0", "RUNNING"),
        ("scbench-x", 3): JobState("12_3", "CANCELLED"),
        ("scbench-y", 0): JobState("15", "PENDING"),
    }
    assert "--name=scbench-x,scbench-y" in (tmp_path / "asked").read_text()
    assert [found[key].is_over for key in sorted(found)] == [False, True, False]
    assert states([]) == {}
    fake(tmp_path, "squeue", "exit 1")
    assert states(["scbench-x"]) is None, "no answer is not the answer that there are no jobs"


def test_an_order_to_cancel_that_is_not_taken_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not cancel(["scbench-x"])
    fake(tmp_path, "scancel", "exit 0")
    assert cancel(["scbench-x", "scbench-y"])


@pytest.mark.parametrize(
    ("engine", "export"), [(SlurmEngine(), "ALL"), (SlurmEngine(sbatch={"export": "NONE"}), "NONE")]
)
def test_jobs_inherit_the_environment_whatever_sbatch_export_says_unless_the_engine_is_told_otherwise(
    engine: SlurmEngine, export: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("submitit")
    fake(tmp_path, "srun", "exit 0")
    fake(tmp_path, "sbatch", f'echo "${{SBATCH_EXPORT-unset}}" > {tmp_path}/export; echo "Submitted batch job 7"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SBATCH_EXPORT", "NONE")
    submit_jobs(new_submission(tmp_path, [["a"]]), engine, "cpu", [print])
    assert (tmp_path / "export").read_text() == "unset\n", (
        "to sbatch the variable counts more than a line of the script"
    )
    assert os.environ["SBATCH_EXPORT"] == "NONE", "the user's own sbatch finds it"
    (script,) = tmp_path.rglob("*_submission.sh")
    lines = script.read_text().splitlines()
    assert f"#SBATCH --export={export}" in lines
    steps = next(number for number, line in enumerate(lines) if line.startswith("srun "))
    assert lines.index("export SLURM_EXPORT_ENV=ALL") < steps


@pytest.mark.parametrize(
    ("status", "started_at", "before", "expected"),
    [
        ("ok", "1", None, True),
        ("ok", "1", "1", True),
        ("error", "1", None, True),
        ("error", "1", "1", False),
        ("error", "2", "1", True),
        ("interrupted", "2", None, False),
        ("interrupted", "2", "1", False),
    ],
)
def test_a_run_is_settled_by_a_result_or_by_another_failure_than_the_old_one(
    status: str, started_at: str, before: str | None, expected: bool
) -> None:
    record = {"status": status, "provenance": {"started_at": started_at}}
    assert must_be_made(record, replaced=before) is not expected
    assert must_be_made(None, replaced=before)


def job(tmp_path: Path, run_ids: tuple[str, ...], **more: Any) -> ChunkJob:
    simulated = SimulatedDataset(name="simulated", n_cells=40, n_genes=20, n_types=3)
    method = find("random").config_class()(name="random")
    run_config = RunConfig(method=method, dataset=simulated, engine=SlurmEngine(), seeds=[0, 1], store=str(tmp_path))
    return ChunkJob((run_config,), run_ids, {}, tmp_path, "cpu", ("scbench",), **more)


def test_a_node_with_other_data_makes_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="simulated/random/none is another run on this node, found"):
        job(tmp_path, ("simulated/random/none",))()
    assert not list(tmp_path.rglob("record.json"))


def test_a_job_makes_its_runs_once_and_goes_on_after_a_requeue(tmp_path: Path) -> None:
    from scbench.run.open_datasets import open_all

    run_ids = tuple(run.run_id for run in open_all(job(tmp_path, ()).configs).runs)
    chunk = job(tmp_path, run_ids[:1])
    chunk()
    (path,) = tmp_path.rglob("record.json")
    before = path.stat().st_mtime_ns
    pytest.importorskip("submitit")
    again = chunk.checkpoint()
    again.function()
    assert path.stat().st_mtime_ns == before
    job(tmp_path, run_ids)()
    assert len(list(tmp_path.rglob("record.json"))) == 2


class Silent:
    """Listen to nothing."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: None


def test_when_slurm_does_not_answer_nothing_is_submitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_submission(tmp_path, [["a"]])
    monkeypatch.setattr(slurm, "states", lambda names: None)
    runs = planned("random")
    of_run = {run.run_id: config("random", SlurmEngine()) for run in runs}
    runner = SlurmRunner(Store(tmp_path), of_run[runs[0].run_id], of_run, Silent(), {"argv": []})
    with pytest.raises(ConfigError, match=r"SLURM does not answer \(squeue failed\); try again when it does"):
        runner.execute(runs)


def test_while_slurm_is_silent_runs_are_waited_for_and_a_job_that_is_over_is_given_up_after_three_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Jobs of an array that is there already; squeue fails twice, and then has forgotten the job."""
    runs = planned("random", seeds=1)
    array = new_submission(tmp_path, [[runs[0].run_id]])
    live = {(array.name, 0): JobState("7_0", "RUNNING")}
    over = {(array.name, 0): JobState("7_0", "CANCELLED")}
    answers = [live, None, None, over, live, over, over, over]  # a requeue between: it starts to count again
    (array.folder / "7_0_0_log.err").write_text("slurmstepd: error: cancelled\nsrun: error: task 0: exit 1\n")
    monkeypatch.setattr(slurm, "states", lambda names: answers.pop(0))
    engine = SlurmEngine(poll_seconds=0.01)
    of_run = {runs[0].run_id: config("random", engine, 1)}
    records = SlurmRunner(Store(tmp_path), of_run[runs[0].run_id], of_run, Silent(), {"argv": []}).execute(runs)
    record = records[runs[0].run_id]
    assert answers == []
    assert record["status"] == "interrupted"
    assert (
        "job 7_0 ended as CANCELLED (slurmstepd: error: cancelled) before this run was made"
        in record["error"]["message"]
    )
    assert caplog.text.count("SLURM does not answer; still waiting for 1 runs") == 1
    assert not list(tmp_path.rglob("record.json")), "nothing is stored for a run that nobody made"
