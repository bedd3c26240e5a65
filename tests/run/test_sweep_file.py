from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scbench.run import sweep_file
from scbench.run.plan import PlannedRun
from scbench.run.sweep_file import SweepFile
from scbench.store.store import Store
from scbench.store.sweeps import sweeps


def run(seed: int) -> PlannedRun:
    names = {"config": SimpleNamespace(name="m"), "dataset": SimpleNamespace(name="d")}
    return cast(PlannedRun, SimpleNamespace(seed=seed, run_id=f"d/m/{seed}", **names))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_file, "_AT_MOST_EVERY_SECONDS", -1.0)


def state(root: Path) -> dict[str, Any]:
    (found,) = sweeps(root)
    return found


def test_a_command_says_what_it_does_and_is_gone_when_it_has_ended(tmp_path: Path) -> None:
    with SweepFile(tmp_path, ["scbench", "x=1"], n_runs=3, n_cached=2) as file:
        assert state(tmp_path)["ended"] == {}
        file.started(run(0), "cpu")
        file.started(run(1), "cuda:0")
        file.progress(run(1), 7, {"loss": 0.5})
        file.ended(run(0), {"status": "oom"}, will_retry=True)
        file.started(run(0), "cuda:0")
        file.stopping()
        file.tick()
        found = state(tmp_path)
        assert {(entry["seed"], entry["device"], entry["epoch"]) for entry in found["running"]} == {
            (0, "cuda:0", None),
            (1, "cuda:0", 7),
        }
        assert (found["n_runs"], found["n_cached"], found["argv"], found["is_alive"]) == (
            3,
            2,
            ["scbench", "x=1"],
            True,
        )
        file.ended(run(0), {"status": "ok"})
        file.ended(run(1), {"status": "error"})
        file.tick()
        assert state(tmp_path)["ended"] == {"ok": 1, "error": 1}
        assert state(tmp_path)["running"] == []
    assert list(sweeps(tmp_path)) == []


def test_nothing_is_written_while_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SweepFile(tmp_path, [], 1, 0) as file:
        before = state(tmp_path)["updated_at"]
        file.tick()
        assert state(tmp_path)["updated_at"] == before
        monkeypatch.setattr(sweep_file, "_HEARTBEAT_SECONDS", -1.0)
        file.tick()
        assert state(tmp_path)["updated_at"] > before, "but for a sign of life now and then"


def test_a_store_that_cannot_be_written_stops_nothing_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".running").write_text("in the way")
    with caplog.at_level(logging.WARNING), SweepFile(tmp_path, [], 1, 0) as file:
        file.started(run(0), "cpu")
        file.tick()
    assert caplog.text.count("will not show this command") == 1


def test_files_of_the_dead_are_told_from_those_of_the_living_and_removed_by_the_next_command(tmp_path: Path) -> None:
    with SweepFile(tmp_path, [], 1, 0):
        (path,) = (tmp_path / ".running").iterdir()
        dead = json.loads(path.read_text()) | {"pid": 999_999_999, "started_at": 1.0}
        ghost = path.with_name(path.name.rpartition(".")[0] + ".999999999")
        ghost.write_text(json.dumps(dead))
        elsewhere = path.with_name("sweep.elsewhere.999999999")
        elsewhere.write_text(json.dumps(dead | {"host": "elsewhere", "started_at": 2.0}))
        (tmp_path / ".running" / "odd").write_text("{")
        assert [found["is_alive"] for found in sweeps(tmp_path)] == [False, True, True]
        Store(tmp_path).remove_leftovers()
        assert not ghost.exists()
        assert path.exists()
        assert elsewhere.exists()
