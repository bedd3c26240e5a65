"""A real SLURM on this machine, two nodes of two cores each, started once for all tests that ask for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = ("munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "sbatch")


@pytest.fixture(scope="session")
def slurm_conf() -> Iterator[Path]:
    """The configuration of a running SLURM; skips with the reason where none can be started."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed (tests/run/slurm/install_slurm.sh installs them)")
    if os.geteuid() != 0:
        pytest.skip("the daemons of SLURM are started as root here, and this is no root")
    pytest.importorskip("submitit")
    base = Path(tempfile.mkdtemp(prefix="sl"))  # a short path: it holds sockets
    try:
        started = subprocess.run(
            [HERE / "start_slurm.sh", base, "2", "2", "2"], capture_output=True, text=True, timeout=120, check=False
        )
        if started.returncode != 0:
            pytest.skip(f"SLURM does not start here: {(started.stdout + started.stderr).strip()[-300:]}")
        yield base / "etc" / "slurm.conf"
    finally:
        subprocess.run([HERE / "stop_slurm.sh", base], timeout=120, check=False)
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def slurm(slurm_conf: Path, monkeypatch: pytest.MonkeyPatch, toy_installed: None) -> None:
    """Let commands of this test use that SLURM, without jobs of an earlier test in its queue."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_conf))
    subprocess.run(["scancel", "--user=root"], check=True, timeout=60)
