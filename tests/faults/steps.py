"""The steps that change a disk: each with a folder as it is before, and what takes it to what is there after."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scbench_methods.random.config import RandomConfig
from scipy.sparse import csr_matrix
from whole_records import whole_record

from scbench.config.schema import RunConfig
from scbench.data.checksum import file_checksums
from scbench.data.config import RegisteredDataset, SimulatedDataset, SourceFile
from scbench.data.dataset import Dataset
from scbench.data.download import download
from scbench.data.fetch import fetch
from scbench.data.load import open_dataset
from scbench.inputs import Derived
from scbench.run.local.arrays import write_array
from scbench.run.local.scoring import Fitted, finish
from scbench.run.new_record import new_record
from scbench.run.plan import plan_runs
from scbench.run.sweep_file import SweepFile
from scbench.store import record_index
from scbench.store.archive.pack import pack, unpack
from scbench.store.store import Store

__all__ = ["BODY", "SIMULATED", "STEPS", "Step", "contents", "download_steps", "put_run", "units"]

SIMULATED = SimulatedDataset(name="simulated", n_cells=60, n_genes=40, n_types=3)
BODY = os.urandom(300_000)
_FOR_ITSELF = re.compile(r"(^|/)\.[^/]*|\.(part|lock|tmp)(/|$)")  # what no reader takes for something finished
_OF_THE_MOMENT = ("seconds", "provenance")  # fields that no two runs share


@dataclass(frozen=True)
class Step:
    """A step whose process is killed.

    Attributes:
        name: of the step, for the table.
        before: makes what is there before.
        act: the step itself; given again after it was killed, it goes on.
        depth: so many parts of a path name what is written whole or not at all; 0 is a single file.
        volatile: files that are others in each folder, as a pattern of their paths; they are not looked at.
        is_cache: what is there can be made again, so that its absence is no loss.
    """

    name: str
    before: Callable[[Path], object]
    act: Callable[[Path], object]
    depth: int = 0
    volatile: str = "$^"
    is_cache: bool = False


def contents(folder: Path, volatile: str = "$^") -> dict[str, object]:
    """Return all files below a folder, hidden ones included, with their contents; folders have none."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not re.search(volatile, name):
            found[name] = None if path.is_dir() else _content(path)
    return found


def _content(path: Path) -> object:
    content = path.read_bytes()
    if path.name == "record.json":
        try:
            return {name: value for name, value in json.loads(content).items() if name not in _OF_THE_MOMENT}
        except ValueError:
            return content
    return content


def units(found: Mapping[str, object], depth: int) -> dict[str, dict[str, object]]:
    """Return what readers see, by what has to be whole."""
    seen: dict[str, dict[str, object]] = {}
    for name, content in found.items():
        parts = name.split("/")
        if not _FOR_ITSELF.search(name) and (len(parts) >= depth if depth else content is not None):
            seen.setdefault("/".join(parts[:depth] if depth else parts), {})[name] = content
    return seen


def put_run(root: Path, seed: int, status: str = "ok") -> None:
    """Store a run of the simulated dataset, as the process that scores does."""
    dataset = _dataset()
    config = RunConfig(method=RandomConfig(), dataset=None, engine=None, seeds=[seed])
    (run,) = plan_runs(config, dataset)
    store = Store(root)
    store.remove_leftovers()  # as every command does first
    work = store.work_folder(run.run_id)
    record = new_record(run, "cpu", 1, {"started_at": "2026-11-30T10:00:00+00:00"}) | {"status": status}
    if status == "ok":
        write_array(work, "labels", (np.arange(60) + seed) % 3)
        write_array(work, "embedding", np.full((60, 2), seed))
        np.savez(work / "snapshots.npz", epochs=np.arange(2), labels=np.zeros((2, 60), np.int32))
    else:
        record["error"] = {"type": "E", "message": "m", "traceback": ""}
    (work / "history.csv").write_text("epoch,loss\n0,1.0\n")
    finish(Fitted(dataset, "published", root, work, record))
    store.leave(work)


def _dataset() -> Dataset:
    """Return the dataset from the cache of the tests."""
    return open_dataset(SIMULATED)


def _three(folder: Path) -> None:
    for seed in range(3):
        put_run(folder / "store", seed)


def _with_a_failure(folder: Path) -> None:
    _three(folder)
    put_run(folder / "store", 3, "error")


def _read(folder: Path) -> None:
    record_index._WORTH_WRITING = 1
    store = Store(folder / "store")
    store.remove_leftovers()
    assert len(list(store.records())) == len(store.run_folders())


def _indexed(folder: Path) -> None:
    _three(folder)
    worth = record_index._WORTH_WRITING
    _read(folder)
    record_index._WORTH_WRITING = worth
    put_run(folder / "store", 3)


def _start(folder: Path) -> None:
    store = Store(folder / "store")
    store.check_writable()
    store.remove_leftovers()
    with SweepFile(store.root, ["scbench"], 1, 0) as file:
        file._write()


def _dead(folder: Path) -> None:
    """Leave what a process leaves that is killed at work, and one that is killed while it replaces a record."""
    _three(folder)
    work = folder / "store" / ".work"
    host = os.uname().nodename
    for name in (f"a.{host}.999999999", f"old-b.{host}.999999998"):
        (work / name).mkdir()
        (work / f"{name}.lock").touch()
        (work / name / "labels.npy").write_bytes(b"half")
    record = whole_record(seed=7)
    (work / f"old-b.{host}.999999998" / "record.json").write_text(json.dumps(record))


def _sweep(folder: Path) -> None:
    Store(folder / "store").remove_leftovers()


def _in(folder: Path) -> None:
    os.environ["SCBENCH_CACHE"] = str(folder / "cache")


def _nothing(folder: Path) -> None:
    (folder / "cache").mkdir()


def _cached(folder: Path) -> None:
    before = os.environ["SCBENCH_CACHE"]
    _derive(folder)
    os.environ["SCBENCH_CACHE"] = before


def _open(folder: Path) -> None:
    _in(folder)
    _dataset().labels()


def _compute(matrix: csr_matrix, _cache: object) -> Derived:
    half = csr_matrix(matrix[:, : matrix.shape[1] // 2])
    return Derived(
        {"half": half, "sums": np.asarray(matrix.sum(axis=1))}, {"graph": half @ half.T}, {"one": np.ones(9)}
    )


def _derive(folder: Path) -> None:
    _in(folder)
    dataset = _dataset()
    matrix = dataset.counts().matrix
    dataset.cache(matrix).get(matrix, "halves", {"a": 1}, _compute)


def _damaged(pattern: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        _cached(folder)
        (path,) = (folder / "cache").glob(pattern)
        path.write_bytes(path.read_bytes()[:-5])

    return damage


def _file(folder: Path) -> None:
    (folder / "cache").mkdir()
    path = folder / "cells.h5"
    path.write_bytes(BODY)
    os.utime(path, (0, 0))


def _checksums(folder: Path) -> None:
    _in(folder)
    file_checksums(folder / "cells.h5")


def _packed(folder: Path) -> None:
    _three(folder)
    pack(Store(folder / "store"), folder / "runs.tar.xz")
    put_run(folder / "store", 3)


def _pack(folder: Path) -> None:
    pack(Store(folder / "store"), folder / "runs.tar.xz", ["labels", "history", "embedding"])


def _to_unpack(folder: Path) -> None:
    _three(folder)
    pack(Store(folder / "store"), folder / "runs.tar.xz", ["labels", "history", "embedding"])
    kept = next((folder / "store").glob("*/*/*"))
    for other in (folder / "store").glob("*/*/*"):
        if other != kept:
            os.rename(other, folder / other.name)
            for path in (folder / other.name).iterdir():
                path.unlink()
            (folder / other.name).rmdir()
    put_run(folder / "store", 5, "error")


def _unpack(folder: Path) -> None:
    unpack(folder / "runs.tar.xz", Store(folder / "store"))


STEPS = (
    Step("start of a command", _three, _start, depth=4),
    Step("record", _three, lambda folder: put_run(folder / "store", 3), depth=4),
    Step("record in place of a failure", _with_a_failure, lambda folder: put_run(folder / "store", 3), depth=4),
    Step("leftovers of the dead", _dead, _sweep, depth=4),
    Step("index", _indexed, _read, depth=4, volatile=r"\.index/records\.json$"),
    Step("cache: counts", _nothing, _open, is_cache=True),
    Step("cache: counts that were damaged", _damaged("counts/*/arrays/counts.data.npy"), _open, is_cache=True),
    Step("cache: derived inputs", _nothing, _derive, is_cache=True),
    Step(
        "cache: derived inputs that were damaged", _damaged("counts/*/derived/*/shared/one.npy"), _derive, is_cache=True
    ),
    Step("cache: checksums", _file, _checksums, volatile=r"checksums/[^/]*\.json$", is_cache=True),
    Step("archive: pack", _packed, _pack),
    Step("archive: unpack", _to_unpack, _unpack, depth=4),
)


def download_steps(address: str) -> tuple[Step, ...]:
    """Return the downloads of ``BODY`` from ``ADDRESS/set.h5``, whose checksum the host tells at ``ADDRESS/api``."""
    checksum = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
    source = SourceFile(reader="xy_h5", url=f"{address}/set.h5", checksum_api=f"{address}/api")

    def another_version(folder: Path) -> None:
        (folder / "set.h5").write_bytes(b"another version")

    def partly(folder: Path) -> None:
        (folder / "set.h5.part").write_bytes(BODY[:100_000])

    def get(folder: Path) -> None:
        download(f"{address}/set.h5", folder / "set.h5", checksum)

    def get_published(folder: Path) -> None:
        _in(folder)
        os.environ["SCBENCH_DATA"] = str(folder / "data")
        found = fetch(RegisteredDataset(name="toy", files=[source]))
        assert found.path.read_bytes() == BODY

    return (
        Step("download: over another version", another_version, get),
        Step("download: resumed", partly, get),
        Step("download: with the host's checksum", _nothing, get_published, volatile=r"checksums/[^/]*\.json$"),
    )
