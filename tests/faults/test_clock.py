"""A clock that goes back a day: records are read, changes noticed, the living kept, the dead removed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import TOY, end_of, files_below, simulated, start, until
from steps import put_run

from scbench.store import record_index
from scbench.store.store import Store, load

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("toy_installed")]
_DAY = 86400
_BACK = f"""
import datetime, sys, time
now, now_ns = time.time, time.time_ns
time.time = lambda: now() - {_DAY}
time.time_ns = lambda: now_ns() - {_DAY} * 10**9

class Back(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) - datetime.timedelta(days=1)

class Finder:  # pandas cannot be imported with another datetime, and is there before the engine
    def find_spec(self, name, path=None, target=None):
        if name == "scbench.run.local.engine":
            sys.meta_path.remove(self)
            import pandas
            datetime.datetime = Back

sys.meta_path.insert(0, Finder())
"""


@pytest.fixture
def day_before(tmp_path: Path) -> dict[str, str]:
    """The environment of a command that starts today and lives yesterday."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(_BACK)
    return {"PYTHONPATH": f"{site}{os.pathsep}{os.environ['PYTHONPATH']}"}


def dead_leftovers(root: Path) -> list[Path]:
    """Leave what a process of this machine leaves that dies tomorrow, by the clock of the command."""
    owner = f"{socket.gethostname()}.999999999"
    work, lock = (root / ".work" / f"a.{owner}{end}" for end in ("", ".lock"))
    work.mkdir(parents=True)
    others = [lock, root / f".probe.{owner}.tmp", root / ".running" / f"sweep.{owner}"]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    later = time.time() + _DAY
    for path in (work, *others):
        os.utime(path, (later, later))
    return [work, *others]


def test_a_command_goes_on_from_records_of_tomorrow(
    tmp_path: Path, day_before: dict[str, str], note: Callable[..., None]
) -> None:
    root, trace = tmp_path / "store", tmp_path / "trace"
    words = [*TOY, *simulated(), f"store={root}"]
    assert end_of(start(*words, "seeds=3"))[0] == 0
    before = files_below(root)
    dead = dead_leftovers(root)
    living = start(*words, "seeds=[9]", "method.seconds=300", f"method.trace={trace}")
    until(living, lambda: trace.exists() and list((root / ".running").glob("[!.]*")))
    (sweep,) = (path for path in (root / ".running").glob("[!.]*") if path not in dead)
    held = [path for path in (root / ".work").iterdir() if path not in dead]
    status, out, _ = end_of(start("-m", "scbench.status", str(root), **day_before))
    assert status == 0
    assert "toy on simulated, seed 9: 0" in out, out
    assert not re.search(r"[ (]-\d", out), "no time is negative"
    status, _, err = end_of(start(*words, "seeds=5", **day_before))
    assert status == 0, err
    assert [path for path in dead if path.exists()] == []
    assert sweep.exists()
    assert all(path.exists() for path in held), "the living keep what they hold"
    living.send_signal(signal.SIGTERM)
    assert end_of(living)[0] == 1
    records = load(root)
    assert set(records["seed"][records["status"] == "ok"]) == set(range(5))
    started = dict(zip(records["seed"], records["provenance.started_at"], strict=True))
    assert started[4][:10] < started[0][:10], "the clock has gone back"
    seconds = records.filter(like="seconds.")
    assert not (seconds < 0).any(axis=None)
    after = files_below(root)
    lost = [path for path, content in before.items() if after.get(path) != content]
    note("clock back a day", tried=1, lost=len(lost), ended="0")
    assert lost == []


def test_the_index_notices_what_was_changed_earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_index, "_WORTH_WRITING", 1)
    for seed in range(3):
        put_run(tmp_path, seed)
    assert len(list(Store(tmp_path).records())) == 3
    path = next(tmp_path.glob("*/*/*/record.json"))
    record = json.loads(path.read_text()) | {"threads": 7}
    path.write_text(json.dumps(record, indent=1) + "\n")
    os.utime(path, (time.time() - _DAY, time.time() - _DAY))
    assert sorted(record["threads"] for record in Store(tmp_path).records()) == [1, 1, 7]
