"""What a worker and the process that scores do when the disk is full: it is told, no half result stays."""

from __future__ import annotations

import os
import sys
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scbench_methods.random.config import RandomConfig

from scbench.config.schema import RunConfig
from scbench.data.config import SimulatedDataset
from scbench.data.load import open_dataset
from scbench.errors import StoreError
from scbench.method import Diverged
from scbench.run.local import worker
from scbench.run.local.arrays import write_array
from scbench.run.local.job import Job
from scbench.run.local.one_run import do_run
from scbench.run.local.scoring import Fitted, finish
from scbench.run.local.wire import Wire
from scbench.run.new_record import new_record
from scbench.run.plan import plan_runs
from scbench.store.store import Store


def job(tmp_path: Path) -> Job:
    dataset = open_dataset(SimulatedDataset(name="simulated", n_cells=30, n_genes=20, n_types=3))
    (run,) = plan_runs(RunConfig(method=RandomConfig(), dataset=None, engine=None, seeds=1), dataset)
    store = Store(tmp_path / "store")
    return Job(run, "cpu", "", 1, store.root, store.work_folder(run.run_id), {})


def fitted(given: Job, labels: np.ndarray | None = None) -> Fitted:
    """Return the job as after a fit with these labels."""
    write_array(given.work, "labels", np.arange(30) % 3 if labels is None else labels)
    record = new_record(given.run, "cpu", 1, {}) | {"status": "ok"}
    return Fitted(given.run.dataset, "honest", given.store, given.work, record)


def test_a_result_that_the_disk_does_not_take_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("4186 requested and 0 written")

    given = job(tmp_path)
    monkeypatch.setattr(np, "save", full)
    with pytest.raises(StoreError, match=r"cannot be written to .*store.* \(4186 requested.*; free some space there"):
        do_run(given.for_fit(), {}, Wire(Pipe()[1]))
    monkeypatch.undo()
    done = fitted(given)
    monkeypatch.setattr(np, "save", full)
    record = finish(done)
    assert record["status"] == "interrupted", "the same command makes it when there is space"
    assert "free some space there" in record["error"]["message"]


def test_an_outcome_that_the_disk_does_not_take_is_told_to_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    given = job(tmp_path)
    write_array(given.work, "labels", np.zeros(30))
    monkeypatch.setattr(worker, "note_outcome", full)
    outcome = {"status": "ok", "error": None, "info": {}, "seconds": {"total": 1.0}, "peak_rss_bytes": 1}
    told = worker._note(given.work, outcome)
    assert told is not None
    assert (told["status"], told["seconds"]) == ("interrupted", {"total": 1.0})
    assert "No space left on device" in told["error"]["message"]
    assert not list(given.work.glob("*.npy"))


def test_a_record_that_the_disk_does_not_take_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = job(tmp_path)
    done = fitted(given)
    real_fsync, calls = os.fsync, []

    def full_once(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full_once)
    record = finish(done)
    stored = Store(given.store).find("simulated", "random", given.run.key)
    assert stored is not None
    assert stored["status"] == record["status"] == "interrupted"
    assert stored["metrics"]["acc"] is None
    assert "No space left on device" in stored["error"]["message"]
    folder = Store(given.store).folder("simulated", "random", given.run.key)
    assert sorted(path.name for path in folder.iterdir()) == ["record.json"]


def test_a_disk_that_takes_nothing_is_told_to_the_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    given = job(tmp_path)
    done = fitted(given)
    monkeypatch.setattr(os, "fsync", full)
    record = finish(done)
    assert record["status"] == "interrupted"
    assert Store(given.store).find("simulated", "random", given.run.key) is None


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Diverged(1, {}), "diverged"),
        (FloatingPointError("nan"), "diverged"),
        (MemoryError(), "oom"),
        (OutOfMemoryError(), "oom"),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported at some other call"), "oom"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "oom"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "error"),
        (ValueError("CUDA error: out of memory"), "error"),
        (StoreError("no space"), "interrupted"),
        (RuntimeError(), "error"),
    ],
)
def test_exceptions_stand_for_statuses(error: Exception, status: str) -> None:
    assert worker._status_of(error) == status


class FakeCuda:
    """A CUDA that was used; ``broken`` answers nothing after an error, as a real one."""

    def __init__(self, broken: bool = False) -> None:
        self._broken = broken

    def is_initialized(self) -> bool:
        return True

    def max_memory_allocated(self) -> int:
        return 7

    def get_device_name(self, _index: int) -> str:
        if self._broken:
            raise RuntimeError("CUDA error: device-side assert triggered")
        return "a GPU"


@pytest.mark.parametrize(
    ("device", "broken", "found"),
    [
        ("cuda:1", False, {"gpu": "a GPU", "peak_gpu_bytes": 7}),
        ("cuda:1", True, {"peak_gpu_bytes": 7}),
        ("cpu", False, {}),
    ],
)
def test_a_gpu_that_an_error_has_ended_does_not_end_the_record(
    monkeypatch: pytest.MonkeyPatch, device: str, broken: bool, found: dict[str, object]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=FakeCuda(broken)))
    assert worker._of_gpu(device) == found
