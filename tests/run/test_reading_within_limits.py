"""A file is read in a process of its own, within the engine's limits; whatever it does there, the command tells it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from scbench.__main__ import main
from scbench.config.schema import LocalEngine
from scbench.data.config import DatasetConfig, FileDataset, SimulatedDataset, Subsample
from scbench.data.dataset import Dataset
from scbench.data.load import open_dataset
from scbench.errors import DataError
from scbench.run.local.limits import Limits
from scbench.run.open_datasets import _open

READER = """
import ctypes, logging, os, signal, subprocess, tempfile, time
from pathlib import Path
import numpy as np
from scbench.data.labelled import LabelledCounts
from scbench.errors import ConfigError, DataError

recognises = lambda path: path.suffix == ".toy"

def read(path, source, *, label, label_path):
    Path(str(path) + ".pid").write_text(str(os.getpid()))
    exec(path.read_text())
    return LabelledCounts(np.random.default_rng(0).poisson(2, (6, 4)), np.array(list("aabbcc")))
"""
HANGS = "Path(str(path) + '.hangs').touch(); ctypes.PyDLL(None).sleep(60)"  # no thread of Python goes on meanwhile
LEAVES = """
orphan = ["sh", "-c", "sleep 60 > /dev/null & echo $!"]
child = int(subprocess.run(orphan, start_new_session=True, stdout=subprocess.PIPE).stdout)
copy = Path(tempfile.mkdtemp()) / "copy"
copy.touch()
for lock in (path.parent / "cache").glob("*.lock"):
    (path.parent / "cache" / "counts" / f".{lock.stem}.{os.getpid()}").mkdir(parents=True)
Path(str(path) + ".left").write_text(f"{child} {copy}")
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a reader of another package that does what the file says; return the file."""
    site = tmp_path / "site"
    (site / "package_of_toy").mkdir(parents=True)
    (site / "package_of_toy" / "__init__.py").write_text("")
    (site / "package_of_toy" / "reader.py").write_text(READER)
    info = site / "package_of_toy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: package_of_toy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[scbench.readers]\ntoy = package_of_toy.reader\n")
    monkeypatch.syspath_prepend(str(site))
    for module in ("package_of_toy", "package_of_toy.reader"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setenv("SCBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")  # of commands
    return tmp_path / "x.toy"


def opened(toy: Path, does: str = "", **limits: float) -> Dataset:
    toy.write_text(does)
    return of(FileDataset(name="file", path=str(toy)), **limits)


def of(config: DatasetConfig, **limits: float) -> Dataset:
    found = _open(config, LocalEngine(**limits), leave_out=False, download=True)  # type: ignore[arg-type]
    assert isinstance(found, Dataset)
    return found


def reader_of(toy: Path) -> int:
    return int(Path(f"{toy}.pid").read_text())


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def gone_within(pid: int, seconds: float) -> bool:
    last = time.monotonic() + seconds
    while not is_gone(pid):
        if time.monotonic() > last:
            return False
        time.sleep(0.02)
    return True


def nothing_is_left(toy: Path) -> bool:
    child, copy = Path(f"{toy}.left").read_text().split()
    return gone_within(int(child), 2) and not Path(copy).exists()


def nothing_is_unfinished(toy: Path) -> bool:
    return (toy.parent / "cache" / "counts").is_dir() and not list((toy.parent / "cache" / "counts").iterdir())


def test_a_file_is_read_elsewhere_once_and_the_result_is_that_of_reading_it_here(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(toy)
    assert reader_of(toy) != os.getpid()
    Path(f"{toy}.pid").unlink()
    assert of(FileDataset(name="file", path=str(toy))) == first
    assert not Path(f"{toy}.pid").exists()
    monkeypatch.setenv("SCBENCH_CACHE", str(toy.parent / "other"))
    here = open_dataset(FileDataset(name="file", path=str(toy)))
    assert reader_of(toy) == os.getpid()
    np.testing.assert_array_equal(here.counts().matrix.toarray(), first.counts().matrix.toarray())
    assert here.labels().tolist() == first.labels().tolist() == list("aabbcc")  # type: ignore[union-attr]


def test_no_process_is_started_for_what_is_in_the_cache_or_is_no_file(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = opened(toy)
    monkeypatch.setattr("multiprocessing.get_context", None)
    assert of(FileDataset(name="file", path=str(toy))) == whole
    part = FileDataset(name="file", path=str(toy), subsample=Subsample(share=0.5))
    assert of(part).n_cells == 3
    assert of(SimulatedDataset(name="simulated", n_cells=30, n_genes=20, n_types=2)).n_cells == 30


def test_a_reader_that_hangs_is_ended_with_all_that_it_has_started(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over_time, hangs = Limits.over_time, Path(f"{toy}.hangs")
    monkeypatch.setattr(Limits, "over_time", lambda *given: over_time(*given) if hangs.exists() else None)  # imports
    message = (
        r"^dataset x: reading x\.toy was not finished after engine\.timeout_min=0\.02 minutes; raise it, or give .*$"
    )
    with pytest.raises(DataError, match=message):
        opened(toy, LEAVES + "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 60))\n" + HANGS, timeout_min=0.02)
    assert time.time() - hangs.stat().st_mtime < 10
    assert gone_within(reader_of(toy), 2)
    assert nothing_is_left(toy)


def test_a_reader_that_takes_too_much_memory_is_ended(toy: Path) -> None:
    message = r"x\.toy takes too much memory \(0\.\d\d GiB resident, over engine\.memory_gb=0\.4\); raise it"
    with pytest.raises(DataError, match=message):
        opened(toy, "held = np.ones(80_000_000)\n" + HANGS, memory_gb=0.4)
    assert gone_within(reader_of(toy), 2)


@pytest.mark.parametrize(
    ("does", "error", "message"),
    [
        ("raise DataError('row 3 of x.toy is empty; fill it')", DataError, r"^row 3 of x\.toy is empty; fill it$"),
        ("os.kill(os.getpid(), 9)", DataError, r"ended by SIGKILL.*; fetch or save the file anew"),
        ("os.kill(os.getpid(), 11)", DataError, "x: reading x.toy was ended by SIGSEGV; fetch"),
        ("os._exit(3)", DataError, "has ended its process with exit status 3; fetch"),
        ("os.kill(os.getppid(), 9); time.sleep(9)", DataError, "has ended its process; fetch"),
        ("raise MemoryError", DataError, "x: reading x.toy needs more memory than there is; give"),
        ("raise LookupError('a bug')", RuntimeError, "a bug\nTraceback(.|\n)*in read\n(.|\n)*LookupError"),
    ],
)
def test_how_reading_failed_is_told(toy: Path, does: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        opened(toy, LEAVES + does)
    assert gone_within(reader_of(toy), 2)
    assert nothing_is_unfinished(toy)


def test_what_the_reader_logs_is_logged_here_once(toy: Path, caplog: pytest.LogCaptureFixture) -> None:
    opened(toy, "logging.getLogger('toys').warning('%s cells', 6); logging.getLogger('toys').info('quiet')")
    assert [each for each in caplog.record_tuples if each[0] == "toys"] == [("toys", logging.WARNING, "6 cells")]


def test_a_file_that_changes_while_it_is_opened_is_refused(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scbench.run.local.reading import read_within_limits

    def changed_before(*args: object, **more: object) -> None:
        toy.write_text("pass")
        read_within_limits(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("scbench.run.open_datasets.read_within_limits", changed_before)
    with pytest.raises(DataError, match=r"^x\.toy has changed while it was opened; run again"):
        opened(toy)


@pytest.mark.parametrize("is_full", [False, True])
def test_without_a_cache_folder_the_dataset_arrives_all_the_same(
    toy: Path, is_full: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if not is_full:
        (toy.parent / "cache").touch()
    once = "once = Path(str(path) + '.once')\nif not once.exists(): once.touch(); raise OSError(28, 'No space')"
    dataset = opened(toy, once if is_full else "")
    assert dataset.labels().tolist() == list("aabbcc")  # type: ignore[union-attr]
    assert ["cannot be used" in text for text in caplog.messages if "cache folder" in text] == [True]
    assert reader_of(toy) != os.getpid()


def test_the_time_limit_is_not_for_waiting_for_another_command(toy: Path, caplog: pytest.LogCaptureFixture) -> None:
    toy.write_text("time.sleep(2.5 if not Path(str(path) + '.once').exists() else 0)")
    imports = "from scbench.data.load import open_dataset; from scbench.data.config import FileDataset"
    code = f"{imports}; open_dataset(FileDataset(name='file', path={str(toy)!r}))"
    other = subprocess.Popen([sys.executable, "-c", code])
    last = time.monotonic() + 20
    while not Path(f"{toy}.pid").exists() and time.monotonic() < last:
        time.sleep(0.02)
    dataset = of(FileDataset(name="file", path=str(toy)), timeout_min=0.01)
    assert other.wait() == 0
    assert dataset.n_cells == 6
    assert reader_of(toy) == other.pid
    warned = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warned == ["waiting for another command that reads dataset x"]


def hanging_command(toy: Path) -> subprocess.Popen[str]:
    toy.write_text(LEAVES + HANGS)
    arguments = ["method=random", "dataset=file", f"dataset.path={toy}", f"store={toy.parent / 'store'}"]
    command = subprocess.Popen(
        [sys.executable, "-m", "scbench", *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    last = time.monotonic() + 30
    while not Path(f"{toy}.hangs").exists() and time.monotonic() < last:
        time.sleep(0.02)
    return command


@pytest.mark.parametrize("is_group", [False, True])
def test_kill_9_of_the_command_leaves_nothing(toy: Path, is_group: bool) -> None:
    command = hanging_command(toy)
    (os.killpg if is_group else os.kill)(command.pid, signal.SIGKILL)
    command.communicate(timeout=10)  # what outlives it would hold its stderr
    assert gone_within(reader_of(toy), 2)
    assert gone_within(int(Path(f"{toy}.left").read_text().split()[0]), 2)
    last = time.monotonic() + 2
    while not nothing_is_left(toy) and time.monotonic() < last:  # nobody is there to wait for it
        time.sleep(0.02)
    assert nothing_is_left(toy)


def test_ctrl_c_ends_reading_at_once_with_the_usual_line(toy: Path) -> None:
    command = hanging_command(toy)
    started = time.monotonic()
    os.killpg(command.pid, signal.SIGINT)
    _, said = command.communicate(timeout=20)
    assert time.monotonic() - started < 3
    assert said == "\nscbench: stopped by Ctrl-C; the same command goes on from here\n"
    assert command.returncode == 1
    assert is_gone(reader_of(toy))
    assert nothing_is_left(toy)
    assert nothing_is_unfinished(toy)


def test_a_command_says_it_in_one_line(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.write_text("os.kill(os.getpid(), 11)")
    assert main(["method=random", "dataset=file", f"dataset.path={toy}", f"store={toy.parent / 'store'}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("scbench: dataset x: reading x.toy was ended by SIGSEGV; ")
    assert said.count("\n") == 1
