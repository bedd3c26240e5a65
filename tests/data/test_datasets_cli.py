import hashlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scbench import datasets
from scbench.data import fetch as fetch_module
from scbench.data.registry import dataset_names

pytestmark = pytest.mark.usefixtures("store")

GOOD, OTHER = b"good counts", b"bad counts!"
SUM = f"md5:{hashlib.md5(GOOD).hexdigest()}"
ZERO_SUM = f"md5:{'0' * 32}"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a host that has set.h5."""
    put(tmp_path / "site" / "set.h5", GOOD)
    handler = partial(Quiet, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def registered(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the registry by three toys: on the host, without a source, and with a wrong address."""
    folder = tmp_path / "conf" / "dataset"
    put(
        folder / "toy_remote.yaml",
        f"""
title: Toy
cells: 3
genes: 20
types: 2
papers: [cicl, sccagn]
note: >-
  Two
  lines.
files:
- {{reader: xy_h5, url: '{address}/set.h5', checksum: '{SUM}', size_bytes: {len(GOOD)}}}
""".encode(),
    )
    put(folder / "toy_nowhere.yaml", b"files: [{reader: xy_h5}]\nnote: Ask the authors.")
    put(
        folder / "toy_gone.yaml",
        f"files: [{{reader: xy_h5, url: '{address}/gone.h5', checksum: '{ZERO_SUM}'}}]".encode(),
    )
    names = ["toy_gone", "toy_nowhere", "toy_remote"]
    monkeypatch.setattr(datasets, "dataset_names", lambda: names)


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


# --- list


def test_list_is_tab_separated_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert datasets.main(["list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "name\tcells\tgenes\ttypes\tpapers\tbytes\twhere",
        "toy_gone\t\t\t\t\t\tremote",
        "toy_nowhere\t\t\t\t\t\tno verified source",
        f"toy_remote\t3\t20\t2\tcicl,sccagn\t{len(GOOD)}\tremote",
    ]


def test_list_knows_what_is_here(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(store / "renamed", GOOD)
    assert datasets.main(["list", "--here"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [f"toy_remote\t3\t20\t2\tcicl,sccagn\t{len(GOOD)}\there"]


def test_list_shows_a_wrong_file(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(store / "toy_remote.h5", OTHER)
    assert datasets.main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("\twrong checksum")


def test_list_is_a_table_with_counts_on_a_terminal(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store / "renamed", GOOD)
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "120")
    assert datasets.main(["list"]) == 0
    shown = screen.getvalue()
    assert "toy_remote" in shown
    assert "cicl, sccagn" in shown
    assert "11 bytes" in shown
    assert "3 datasets: 1 here, 1 remote, 1 no verified source" in shown


def test_list_leaves_out_a_broken_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "conf" / "dataset" / "toy_gone.yaml", b"titel: x")
    assert datasets.main(["list"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 3
    assert told.err.startswith("toy_gone is left out: unknown key 'titel'")
    assert len(told.err.splitlines()) == 1


def test_list_works_without_any_writable_folder(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / "cache", b"a file")
    os.utime(put(store / "renamed", GOOD), (1e9, 1e9))
    assert datasets.main(["list"]) == 0
    assert capsys.readouterr().out.count("\there\n") == 1


def test_list_stops_quietly_when_its_reader_does(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    assert datasets.main(["list"]) == 0


def test_real_list_runs_offline_and_light() -> None:
    code = (
        "import sys; from scbench.datasets import main; status = main(['list']);"
        "heavy = {'torch', 'scanpy', 'anndata', 'numpy', 'pandas', 'hydra', 'requests'} & set(sys.modules);"
        "sys.exit(str(sorted(heavy)) if heavy else status)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    assert len(told.stdout.splitlines()) == 1 + len(dataset_names())


# --- info


def test_info_tells_all_facts(capsys: pytest.CaptureFixture[str], address: str) -> None:
    assert datasets.main(["info", "toy_remote"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in (
        "name: toy_remote",
        "cells: 3",
        "papers: cicl, sccagn",
        "verify: true",
        "licence: not stated",
        "note: Two lines.",
        "file 1:",
        f"  url: {address}/set.h5",
        f"  checksum: {SUM}",
        "where: remote",
    ):
        assert line in lines


def test_info_tells_where_the_file_is(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(store / "renamed", GOOD)
    assert datasets.main(["info", "toy_remote"]) == 0
    assert f"where: here: {path} (data folder)\n" in capsys.readouterr().out


def test_info_tells_where_the_labels_are(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"files: [{{reader: x, checksum: '{SUM}', label_url: 'u', label_checksum: '{SUM}'}}]"
    put(tmp_path / "conf" / "dataset" / "toy_gone.yaml", text.encode())
    path = put(store / "renamed", GOOD)
    assert datasets.main(["info", "toy_gone"]) == 0
    assert f"where: here: {path} (data folder), labels {path}\n" in capsys.readouterr().out


def test_info_tells_what_is_wrong(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(store / "toy_remote.h5", OTHER)
    assert datasets.main(["info", "toy_remote"]) == 0
    assert f"where: wrong checksum: {path} is not the file of" in capsys.readouterr().out


# --- fetch


def test_fetch_stores_the_file(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert datasets.main(["fetch", "toy_remote"]) == 0
    path = store / "toy_remote" / "set.h5"
    assert path.read_bytes() == GOOD
    told = capsys.readouterr()
    assert told.out == f"toy_remote\t{path}\tdownload\n"
    assert "fetching http://127.0.0.1" in told.err
    assert datasets.main(["fetch", "toy_remote"]) == 0
    assert capsys.readouterr().out == f"toy_remote\t{path}\tdata folder\n"


def test_fetch_goes_on_after_a_failure(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert datasets.main(["fetch", "toy_gone", "toy_nowhere", "toy_remote"]) == 2
    told = capsys.readouterr()
    errors = [line for line in told.err.splitlines() if line.startswith("scbench: ")]
    assert len(errors) == 2
    assert "gone.h5 answered 404" in errors[0]
    assert "'toy_nowhere' has no verified source (Ask the authors)" in errors[1]
    assert told.out.startswith("toy_remote\t")


def test_fetch_all_leaves_out_what_has_no_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert datasets.main(["fetch", "--all"]) == 2
    told = capsys.readouterr()
    assert "1 datasets without a verified source are left out" in told.err
    assert "toy_nowhere" not in told.err
    assert told.out.startswith("toy_remote\t")


def test_fetch_without_verification(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "site" / "set.h5", OTHER)
    assert datasets.main(["fetch", "toy_remote"]) == 2
    assert datasets.main(["fetch", "--no-verify", "toy_remote"]) == 0
    assert "not verified" in capsys.readouterr().err
    assert (store / "toy_remote" / "set.h5").read_bytes() == OTHER


def test_interrupt_is_status_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(config: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch_module, "fetch", interrupt)
    assert datasets.main(["fetch", "toy_remote"]) == 130
    assert capsys.readouterr().err == "interrupted; run the same command again to go on\n"


# --- mistakes


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["info", "toy_remot"], "scbench: unknown dataset 'toy_remot'. Did you mean 'toy_remote'?"),
        (["fetch", "toy_remote", "toy_remot"], "scbench: unknown dataset 'toy_remot'. Did you mean 'toy_remote'?"),
        (["fetch"], "scbench: name the datasets to fetch, or give --all; 'list' shows their names"),
        (["fetch", "--all", "toy_remote"], "scbench: name the datasets to fetch, or give --all"),
        (["lsit"], "scbench: argument {list,info,fetch}: invalid choice: 'lsit'"),
        ([], "scbench: the following arguments are required: {list,info,fetch}; see"),
        (["list", "--hree"], "scbench: unrecognized arguments: --hree; see python -m scbench.datasets --help"),
    ],
)
def test_mistake_is_one_line_and_status_2(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert datasets.main(argv) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(message)
    assert len(told.err.splitlines()) == 1


def test_module_runs_as_a_command() -> None:
    command = [sys.executable, "-m", "scbench.datasets", "info", "toy_nowhere"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.endswith("where: no verified source\n")
    told = subprocess.run([*command[:-1], "toy_nowher"], capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "Did you mean 'toy_nowhere'" in told.stderr


def test_logging_is_left_as_it_was() -> None:
    import logging

    package = logging.getLogger("scbench")
    before = (package.level, list(package.handlers))
    datasets.main(["list"])
    assert (package.level, list(package.handlers)) == before
