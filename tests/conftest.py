"""Shared by all tests: an own cache, and a method from another distribution."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path

import pytest

from scbench.plugins import discover
from scbench.run.local.process import server_environment, signals_held

# One thread in each process of the suite, before anything reads these: two processes whose libraries take all cores
# spend most of their time waiting for each other.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

TOYS = Path(__file__).parent / "toys"
_MANY = 100

_LONGEST = {"test_every_block_runs"}  # minutes long, so never the one that the other processes wait for at the end


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first."""
    items.sort(key=lambda item: item.name not in _LONGEST)


def pytest_collection_finish() -> None:
    """Take what is imported by now out of garbage collection, which goes through all of it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def warm_server(request: pytest.FixtureRequest) -> None:
    """Start the server that runs are forked from with all methods imported, when there are many tests.

    It lives as long as the test process, and would otherwise know only the methods of the first test that makes runs.
    """
    if len(request.session.items) >= _MANY:
        start_warm_server()


def start_warm_server() -> None:
    """Start the server with the methods of this repository; those that a test installs are for its own runs."""
    in_tree = [plugin.package for plugin in discover().values() if plugin.package.startswith("scbench_methods.")]
    multiprocessing.set_forkserver_preload(["scbench.run.local.preload"])
    with server_environment(1, [f"{package}.method" for package in in_tree]), signals_held():
        forkserver.ensure_running()


@pytest.fixture
def own_server(warm_server: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the first run of a test start a server, as in a new command."""
    server = forkserver._forkserver  # type: ignore[attr-defined]
    server._stop()
    yield
    server._stop()
    if len(request.session.items) >= _MANY:
        start_warm_server()


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache folder for the session, so that inputs computed by one test serve the next."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared_cache: Path) -> None:
    """Keep tests out of the user's cache, data and configuration."""
    monkeypatch.setenv("SCBENCH_CACHE", str(shared_cache))
    monkeypatch.setenv("SCBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("SCBENCH_CONF", raising=False)


@pytest.fixture(autouse=True)
def denormals_kept() -> Iterator[None]:
    """Put back what seeding a run does to the whole process: numbers below 1e-38 count as 0 from then on."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture(scope="session")
def short_training() -> dict[str, dict[str, int]]:
    """Keys that cut the training of each trained method short, for tests of what does not depend on its length."""
    return {
        "cicl": {"epochs": 2},
        "sccagn": {"pretrain_epochs": 3, "pretrain_least_steps": 0, "epochs": 5},
        "scsamac": {"pretrain_epochs": 2, "epochs": 3},
        "scsiameseclu": {"pretrain_epochs": 3, "pretrain_graph_epochs": 3, "pretrain_joint_epochs": 3, "epochs": 3},
    }


@pytest.fixture(scope="session")
def toys() -> Path:
    """The folder on whose path the toy methods are installed."""
    return TOYS


@pytest.fixture
def toy_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the toy method as another distribution would: by an entry point on the path."""
    monkeypatch.syspath_prepend(str(TOYS))
    inherited = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", f"{TOYS}{os.pathsep}{inherited}" if inherited else str(TOYS))


@pytest.fixture
def real_data() -> Path:
    """The folder with real count sets; skips where there is none."""
    folders = os.environ.get("SCBENCH_DATA_PATH", "")
    if not folders:
        pytest.skip("SCBENCH_DATA_PATH is not set, so there are no real count sets")
    return Path(folders.split(os.pathsep)[0])
