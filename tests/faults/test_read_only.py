"""A store that cannot be written: said before any fit, and read as any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import TOY, files_below, simulated
from own_mounts import OwnMount, own_mount

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("toy_installed")]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnMount]:
    """A store with three results that cannot be written any more."""
    with own_mount(tmp_path / "store", ["mount --bind {0} {0}"]) as mount:
        done = mount.python(*TOY, *simulated(), "seeds=3", f"store={mount.folder}")
        assert done.returncode == 0, done.stderr
        mount.shell(f"mount -o remount,bind,ro {mount.folder}")
        yield mount


def test_a_store_that_cannot_be_written_is_said_before_any_fit(
    store: OwnMount, tmp_path: Path, note: Callable[..., None]
) -> None:
    before = files_below(store.folder)
    trace = tmp_path / "trace"
    done = store.python(*TOY, *simulated(), "seeds=4", f"store={store.folder}", f"method.trace={trace}")
    assert done.returncode == 2
    assert f"store {store.folder} cannot be written (Read-only file system); make it writable" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not trace.exists()
    (tmp_path / "again").mkdir()
    for words, expected in (
        (["scbench.status", str(store.folder)], 0),
        (["scbench", *TOY[2:], *simulated(), "seeds=4", f"store={store.folder}", "--dry-run"], 0),
        (["scbench.report", f"store={store.folder}", f"out={tmp_path / 'out'}", "figures=false"], 0),
        (["scbench.archive", "pack", str(tmp_path / "runs.tar.xz"), str(store.folder)], 0),
        (["scbench.archive", "unpack", str(tmp_path / "runs.tar.xz"), str(tmp_path / "again")], 0),
        (["scbench.archive", "unpack", str(tmp_path / "runs.tar.xz"), str(store.folder)], 2),
        (["scbench.report", f"store={store.folder}", f"out={store.folder / 'out'}", "figures=false"], 2),
        (["scbench.archive", "pack", str(store.folder / "runs.tar.xz"), str(store.folder)], 2),
    ):
        done = store.python("-m", *words)
        assert done.returncode == expected, (words, done.stderr)
        said = [line for line in done.stderr.splitlines() if not line.startswith("WARNING: dataset")]
        assert len(said) == (expected == 2), (words, done.stderr)
        assert expected == 0 or "Read-only file system" in said[0]
    code = "import sys; from scbench.store.store import load; assert len(load(sys.argv[1])) == 3"
    assert store.python("-c", code, str(store.folder)).returncode == 0
    after = files_below(store.folder)
    note("read-only store", tried=10, lost=len(before.keys() - after.keys()), ended="writes 2, reads 0")
    assert after == before
