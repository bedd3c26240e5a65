"""A disk that fills while a run, an archive or a report is written: said in one line, and nothing that was there goes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from own_mounts import OwnMount, own_mount

from scbench.store.store import Store, load

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("toy_installed")]
CELLS = ["dataset=simulated", "dataset.n_cells=8000", "dataset.n_genes=20", "dataset.n_types=3"]
RUN = ["-m", "scbench", "method=toy", *CELLS, "device=cpu", "engine.cpu_slots=1"]
Note = Callable[..., None]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[OwnMount]:
    """A disk with room for four runs of about 100 KB, or for what is written first to see whether there is any."""
    with own_mount(tmp_path / "disk", ["mount -t tmpfs -o size=420k none {}"]) as mount:
        yield mount


def free_some_space(disk: OwnMount) -> None:
    disk.shell(f"mount -o remount,size=40m {disk.folder}")


def whole(root: Path) -> dict[str, bytes]:
    """Return the record of every run that has a result, after a look at its arrays."""
    found = {}
    for record in Store(root).records():
        folder = Store(root).folder(record["dataset"], record["method"], record["key"])
        if record["status"] == "ok":
            assert np.load(folder / "labels.npy").shape == (record["n_cells"],)
            assert np.load(folder / "embedding.npy").shape == (record["n_cells"], 1)
            found[folder.name] = (folder / "record.json").read_bytes()
    return found


def one_line(done: subprocess.CompletedProcess[str], place: Path) -> None:
    """Check that a command has said what is wrong and where, and nothing else."""
    assert done.returncode == 2, done.stderr
    assert "No space left" in done.stderr
    assert str(place) in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_disk_that_fills_during_the_runs(disk: OwnMount, note: Note) -> None:
    done = disk.python(*RUN, "seeds=8", f"store={disk.folder / 'store'}")
    assert done.returncode == 1, done.stderr
    assert re.search(rf"cannot be written to {disk.folder}/store.*No space left.*free some space", done.stdout), done
    assert "Traceback" not in done.stdout + done.stderr
    before = whole(disk.seen / "store")
    assert 0 < len(before) < 8
    statuses = load(disk.seen / "store")["status"]
    assert set(statuses) <= {"ok", "interrupted"}, "what the disk does not take is no failure of the method"
    one_line(disk.python(*RUN, "seeds=8", f"store={disk.folder / 'store'}"), disk.folder / "store")
    free_some_space(disk)
    again = disk.python(*RUN, "seeds=8", f"store={disk.folder / 'store'}")
    assert again.returncode == 0, again.stdout
    after = whole(disk.seen / "store")
    assert len(after) == 8
    lost = [name for name, content in before.items() if after.get(name) != content]
    assert lost == []
    assert not list((disk.seen / "store" / ".work").glob("*"))
    note("disk full: during runs", tried=1, lost=len(lost), ended="1, then 2, then 0")


@pytest.fixture
def made(disk: OwnMount, tmp_path: Path) -> Path:
    """A store elsewhere."""
    done = disk.python(*RUN, "seeds=12", f"store={tmp_path / 'store'}")
    assert done.returncode == 0, done.stderr
    return tmp_path / "store"


def test_a_disk_that_fills_during_an_archive(disk: OwnMount, made: Path, note: Note) -> None:
    path = disk.folder / "runs.tar.xz"
    pack = ["-m", "scbench.archive", "pack", str(path), str(made), "--with", "embedding"]
    disk.shell(f"echo old > {path} && head -c 410000 /dev/zero > {disk.folder}/filling || true")
    one_line(disk.python(*pack), path)
    assert sorted(one.name for one in disk.seen.iterdir()) == ["filling", "runs.tar.xz"]
    assert (disk.seen / "runs.tar.xz").read_text() == "old\n"
    disk.shell(f"rm {disk.folder}/filling")
    free_some_space(disk)
    assert disk.python(*pack).returncode == 0
    disk.shell(f"mount -o remount,size=1m {disk.folder}")
    unpack = ["-m", "scbench.archive", "unpack", str(path), str(disk.folder / "again")]
    one_line(disk.python(*unpack), disk.folder / "again")
    before = whole(disk.seen / "again")
    assert 0 < len(before) < 12
    assert len(before) == len(list((disk.seen / "again").glob("[!.]*/*/*")))
    free_some_space(disk)
    assert disk.python(*unpack).returncode == 0
    after = whole(disk.seen / "again")
    assert len(after) == 12
    lost = [name for name, content in before.items() if after.get(name) != content]
    assert lost == []
    note("disk full: archive packed, unpacked", tried=2, lost=len(lost), ended="2, then 0")


def test_a_disk_that_fills_during_a_report(disk: OwnMount, made: Path, note: Note) -> None:
    out = disk.folder / "out"
    report = ["-m", "scbench.report", f"store={made}", f"out={out}", "figures=false", "published=nowhere"]
    free_some_space(disk)
    assert disk.python(*report).returncode == 0
    first = {path: path.read_bytes() for path in (disk.seen / "out").rglob("*") if path.is_file()}
    assert disk.python(*RUN, "seeds=[20,21]", f"store={made}").returncode == 0
    used = sum(path.stat().st_blocks * 512 for path in first)
    torn = 0
    for room in (0, used // 4, used // 2):
        disk.shell(f"head -c {40 * 2**20} /dev/zero > {disk.folder}/filling || true")
        disk.shell(f"truncate -s -{room // 4096 * 4096} {disk.folder}/filling")
        one_line(disk.python(*report), out)
        found = {path: path.read_bytes() for path in (disk.seen / "out").rglob("*") if path.is_file()}
        torn += sum(found.get(path) != content for path, content in first.items()) + len(found.keys() - first.keys())
        disk.shell(f"rm {disk.folder}/filling")
    assert torn == 0, "what was there is the report as it was"
    assert disk.python(*report).returncode == 0
    names = {path.name for path in first}
    assert {path.name for path in (disk.seen / "out").rglob("*") if path.is_file()} == names
    note("disk full: report", tried=3, torn=torn, ended="2, then 0")
