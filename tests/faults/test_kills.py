"""Kill -9 before every change that a step makes to the disk, and in the middle of its files.

Readers see what was there before or what is there after, never a mixture; the same step given again comes to what it
would have come to, and nothing of the dead process stays.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from killed import changes_of, cut_at, killed_before
from steps import BODY, STEPS, Step, contents, download_steps, units

from scbench.store.store import Store

_QUICK = 2  # kills of a step in the ordinary tests


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the file is to be had, and its checksum."""
    monkeypatch.setenv("no_proxy", "*")
    site = tmp_path / "site"
    site.mkdir()
    (site / "set.h5").write_bytes(BODY)
    entry = {"key": "set.h5", "size": len(BODY), "checksum": f"md5:{hashlib.md5(BODY).hexdigest()}"}
    (site / "api").write_text(json.dumps({"files": [entry]}))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Killing:
    """A step, its folder before, and what it comes to when nobody kills it."""

    def __init__(self, step: Step, folder: Path) -> None:
        self._step = step
        self._folder = folder / "case"
        self._before = folder / "before"
        self._before.mkdir()
        step.before(self._before)
        self._case()
        self._at_first = self._seen()
        self.changes = changes_of(step.act, self._folder)
        self._at_last = contents(self._folder, step.volatile)
        sizes = {path.stat().st_size for path in self._folder.rglob("*") if path.is_file()}
        self.sizes = sorted(size // 2 for size in sizes if size > 1)
        self.kills = self.lost = self.torn = 0

    def _case(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._before, self._folder)

    def _seen(self) -> dict[str, dict[str, object]]:
        return units(contents(self._folder, self._step.volatile), self._step.depth)

    def kill(self, how: Callable[..., int | None], at: int, expected: int) -> None:
        """Kill the step once, look, and give it again."""
        self._case()
        exitcode = how(self._step.act, self._folder, at)
        if expected == signal.SIGXFSZ and exitcode == 0:  # the file of that size is none that the step writes
            return
        assert exitcode == -expected
        self.kills += 1
        self._compare()
        changes_of(self._step.act, self._folder)
        assert contents(self._folder, self._step.volatile) == self._at_last

    def _compare(self) -> None:
        """Count what is neither as it was nor as it shall be, and what the next command, whatever it is, has not."""
        new = units(self._at_last, self._step.depth)
        torn = {name for name, found in self._seen().items() if found not in (self._at_first.get(name), new.get(name))}
        self.torn += len(torn)
        if self._step.is_cache:
            return
        Store(self._folder / "store").remove_leftovers()  # which puts a record back that was being replaced
        self.lost += len((self._at_first.keys() & new.keys()) - self._seen().keys())


@pytest.fixture
def killing(tmp_path: Path) -> Callable[[Step], Killing]:
    return lambda step: Killing(step, tmp_path)


def steps(address: str) -> dict[str, Step]:
    return {step.name: step for step in (*STEPS, *download_steps(address))}


@pytest.mark.parametrize("name", steps("http://nowhere"))
def test_a_step_that_is_killed_now_and_then_goes_on(
    name: str, address: str, killing: Callable[[Step], Killing]
) -> None:
    found = killing(steps(address)[name])
    n_changes = len(found.changes)
    for number in {1 + n_changes * (2 * i + 1) // (2 * _QUICK) for i in range(_QUICK)}:
        found.kill(killed_before, number, signal.SIGKILL)
    assert (found.lost, found.torn) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", steps("http://nowhere"))
def test_a_step_that_is_killed_anywhere_goes_on(
    name: str, address: str, killing: Callable[[Step], Killing], note: Callable[..., None]
) -> None:
    found = killing(steps(address)[name])
    for number in range(1, len(found.changes) + 1):
        found.kill(killed_before, number, signal.SIGKILL)
    for n_bytes in found.sizes:
        found.kill(cut_at, n_bytes, signal.SIGXFSZ)
    note(f"kill: {name}", tried=found.kills, lost=found.lost, torn=found.torn, ended=-signal.SIGKILL)
    assert (found.lost, found.torn) == (0, 0)
