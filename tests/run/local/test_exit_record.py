from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scbench_methods.random.config import RandomConfig

from scbench.config.schema import RunConfig
from scbench.data.config import SimulatedDataset
from scbench.data.load import open_dataset
from scbench.run.local import exit_record as endings
from scbench.run.local.exit_record import Endings
from scbench.run.local.job import Job
from scbench.run.plan import plan_runs
from scbench.store.store import Store


def job(store: Store) -> Job:
    dataset = open_dataset(SimulatedDataset(name="simulated", n_cells=30, n_genes=20, n_types=3))
    (run,) = plan_runs(RunConfig(method=RandomConfig(), dataset=None, engine=None, seeds=1), dataset)
    return Job(
        run, "cpu", "", 1, store.root, store.work_folder(run.run_id), {"started_at": "2026-01-01T00:00:00+00:00"}
    )


@pytest.mark.parametrize(
    ("exitcode", "oom_kills", "status", "message"),
    [
        (-9, (4, 5), "oom", "killed by the kernel because memory ran out"),
        (-9, (4, 4), "crashed", "killed by SIGKILL"),
        (-11, (4, 5), "crashed", "killed by SIGSEGV"),
        (-60, (4, 4), "crashed", "killed by signal 60"),
        (3, (4, 4), "crashed", "exit status 3"),
        (None, (4, 4), "crashed", "exit status None"),
    ],
)
def test_exit_statuses_are_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    exitcode: int | None,
    oom_kills: tuple[int, int],
    status: str,
    message: str,
) -> None:
    counts = iter(oom_kills)
    monkeypatch.setattr(endings, "oom_kill_count", lambda: next(counts))
    store = Store(tmp_path)
    given = job(store)
    run, work = given.run, given.work
    (work / "run.log").write_text("last words")
    np.save(work / "labels.npy", np.zeros(30))
    record = Endings(store).record(given, seconds=2.0, exitcode=exitcode, stop_reason=None)
    assert (record["status"], record["seconds"]["total"]) == (status, 2.0)
    assert message in record["error"]["message"]
    assert record["error"]["traceback"] == "last words"
    assert record["provenance"]["started_at"].startswith("2026")
    assert store.find("simulated", "random", run.key) == record
    folder = store.folder("simulated", "random", run.key)
    assert sorted(path.name for path in folder.iterdir()) == ["record.json", "run.log"]


def test_a_run_that_was_published_but_not_heard_keeps_its_record(tmp_path: Path) -> None:
    store = Store(tmp_path)
    given = job(store)
    made = Endings(store).record(given, seconds=1, exitcode=None, stop_reason=("oom", "too big"))
    heard = Endings(store).record(given, seconds=9, exitcode=-15, stop_reason=None)
    assert heard == made
