"""Ctrl-C at start-up, in a fit, in scoring and in a report: one line, no process is left, the same command goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import TOY, ctrl_c, end_of, files_below, simulated, start, until

from scbench.store.store import load

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("toy_installed")]
Note = Callable[..., None]
# Scoring takes a moment for small data: it waits here, in the process that scores, until it is killed.
_SLOW_SCORES = """
import os, sys
if os.environ.get("SLOW_SCORES"):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "scbench.run.local.scoring":
                sys.meta_path.remove(self)
                import scbench.metrics, time
                def slow(*_):
                    open(os.environ["SLOW_SCORES"], "w").close()
                    time.sleep(300)
                scbench.metrics.score = slow
    sys.meta_path.insert(0, Finder())
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    return [*TOY, *simulated(), f"store={tmp_path / 'store'}"]


def goes_on(words: list[str], root: Path, before: dict[Path, bytes]) -> None:
    """Check that the same command completes, and that what was there is there."""
    status, _, err = end_of(start(*words))
    assert status == 0, err
    assert set(load(root)["status"]) == {"ok"}
    after = files_below(root)
    assert all(after.get(path) == content for path, content in before.items())
    assert not list((root / ".work").glob("*"))
    assert not list((root / ".running").glob("*"))


def test_at_start_up(words: list[str], tmp_path: Path, note: Note) -> None:
    root = tmp_path / "store"
    assert end_of(start(*words, "seeds=2"))[0] == 0
    before = files_below(root)
    moments = (
        "scbench/config/compose",
        "site-packages/numpy",
        "site-packages/scipy/sparse",
        "scbench/run/local/engine",
    )
    for moment in moments:
        command = start("-v", *words, "seeds=4")  # tells each module on stderr when it has been imported
        assert command.stderr is not None
        said = ""
        while moment not in said:
            said = command.stderr.readline()
            assert said, "it ended before it came"
        status, out, err, left = ctrl_c(command)
        assert status in (0, 1), err[-2000:]
        lines = [line for line in err.splitlines() if line.startswith(("scbench:", "Traceback", "stopping"))]
        assert len(lines) == 1, (moment, lines, out)
        assert not lines[0].startswith("Traceback")
        assert left == []
        assert status == 1
    goes_on([*words, "seeds=4"], root, before)
    note("Ctrl-C at start-up", tried=len(moments), ended=1)


def test_in_a_fit(words: list[str], tmp_path: Path, note: Note) -> None:
    root, trace = tmp_path / "store", tmp_path / "trace"
    assert end_of(start(*words, "seeds=2"))[0] == 0
    before = files_below(root)
    words += ["seeds=2", "method.seconds=4", f"method.trace={trace}"]
    command = start(*words)
    until(command, trace.exists)
    status, out, err, left = ctrl_c(command)
    assert (status, left) == (1, [])
    assert "Traceback" not in out + err
    assert "stopped by Ctrl-C" in out
    assert set(load(root)["status"]) == {"ok", "interrupted"}
    goes_on(words, root, before)
    note("Ctrl-C in a fit", tried=1, ended=status)


def test_in_scoring(words: list[str], tmp_path: Path, note: Note) -> None:
    root, mark, site = tmp_path / "store", tmp_path / "scoring", tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(_SLOW_SCORES)
    environment = {"PYTHONPATH": f"{site}{os.pathsep}{os.environ['PYTHONPATH']}", "SLOW_SCORES": str(mark)}
    command = start(*words, "seeds=2", "engine.grace_seconds=0.5", **environment)
    until(command, mark.exists)
    os.killpg(command.pid, signal.SIGINT)  # the first lets a score be finished, the second does not
    assert command.stderr is not None
    while "stopping" not in (line := command.stderr.readline()):
        assert line, "it ended before it was told to"
    status, out, err, left = ctrl_c(command)
    assert (status, left) == (1, []), err
    assert "Traceback" not in out + err
    goes_on([*words, "seeds=2"], root, {})
    note("Ctrl-C in scoring", tried=1, ended=status)


def test_in_a_report(words: list[str], tmp_path: Path, note: Note) -> None:
    root, out = tmp_path / "store", tmp_path / "out"
    assert end_of(start(*words, "seeds=2"))[0] == 0
    report = ["-m", "scbench.report", f"store={root}", f"out={out}", "details=none"]
    assert end_of(start(*report))[0] == 0
    before = files_below(out)
    for moment in ("tables.md", "gaps.md", "figures/*.svg"):
        command = start(*report)
        until(command, lambda at=moment: list(out.glob(f".report.*/{at}")))  # type: ignore[misc]
        status, said, err, left = ctrl_c(command)
        assert (status, said, left) == (130, "", []), err
        assert err.count("\n") == 1, err
        assert "stopped by Ctrl-C" in err
        assert files_below(out) == before
    assert end_of(start(*report))[0] == 0
    assert not list(out.glob(".report*"))
    note("Ctrl-C in a report", tried=3, ended=130)
