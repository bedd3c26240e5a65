"""A study in a real PostgreSQL server, which these tests start and stop."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

PASSWORD = "s3cret@word"
IN_URL = "s3cret%40word"
FOLDERS = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]  # Debian's place
N_TRIALS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The host and port of a server with a user ``me`` who needs a password; skips with the reason without one."""
    path = os.pathsep.join([os.environ["PATH"], *FOLDERS])
    programs = {name: shutil.which(name, path=path) for name in ("initdb", "pg_ctl")}
    missing = [name for name, found in programs.items() if found is None]
    if missing:
        pytest.skip(f"no server of PostgreSQL is installed here ({', '.join(missing)} not found)")
    pytest.importorskip("psycopg")
    user = "postgres" if os.geteuid() == 0 else None  # it does not run as root
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: it holds a socket
    try:
        if user is not None:
            shutil.chown(base, user)
        secret = base / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)

        def call(program: str, *arguments: str) -> None:
            command = [str(programs[program]), "--pgdata", str(base / "data"), *arguments]
            log = base / f"{program}.log"
            with log.open("w") as file:  # not a pipe, which the server would keep open
                done = subprocess.run(command, stdout=file, stderr=file, user=user, cwd=base, timeout=60, check=False)
            if done.returncode != 0:
                pytest.skip(f"PostgreSQL does not start here: {log.read_text().strip()[-300:]}")

        call("initdb", "--username=me", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "--encoding=UTF8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {base} -F"
        call("pg_ctl", "start", "--wait", "--options", options, "--log", str(base / "server.log"))
        yield f"127.0.0.1:{port}"
        call("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def start(folder: Path, storage: str, *arguments: str) -> subprocess.Popen[str]:
    dataset = ["dataset=simulated", "dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3"]
    search = ["method=parabola", "objective=loss", "method.epochs=5", "method.seconds=0.1", f"n_trials={N_TRIALS}"]
    usual = [*dataset, *search, "device=cpu", "engine.cpu_slots=1", "evaluate=false", f"storage={storage}"]
    return subprocess.Popen(
        [sys.executable, "-m", "scbench.tune", *usual, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


@pytest.mark.slow  # starts a server and two commands; test_processes.py does the same with a file
def test_two_processes_make_exactly_the_trials_and_no_password_is_left_behind(
    server: str,
    tune: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = f"postgresql://me:{IN_URL}@{server}/postgres"
    ended = [end(process) for process in [start(tmp_path, url, "study=s") for _ in range(2)]]
    assert [status for status, _, _ in ended] == [0, 0], ended
    storage = optuna.storages.RDBStorage(url.replace("postgresql:", "postgresql+psycopg:"))
    trials = optuna.load_study(study_name="s", storage=storage).trials
    assert [trial.number for trial in trials] == list(range(N_TRIALS))
    assert all(trial.state == TrialState.COMPLETE for trial in trials)
    assert len({trial.user_attrs["owner"] for trial in trials}) == 2, "both had a part"
    said = "".join(out + err for _, out, err in ended)
    assert f"storage postgresql://me:***@{server}/postgres" in said
    assert "best: trial" in said

    same = ("objective=loss", "method.epochs=5", "method.seconds=0.1", f"n_trials={N_TRIALS}", "study=s")
    assert tune(*same, f"storage={url}", f"out={tmp_path / 'elsewhere'}") == 2
    assert "study s has another folder than" in capsys.readouterr().err
    assert tune(*same, f"storage=postgresql://me:wr0ng@{server}/postgres") == 2
    said += (err := capsys.readouterr().err)
    assert err.count("\n") == 1, err
    assert f"storage=postgresql://me:***@{server}/postgres cannot be used" in err
    assert "password authentication failed" in err
    assert "wr0ng" not in err
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert tune(*same, f"storage=postgresql://me@{server}/postgres") == 0
    said += (err := capsys.readouterr().err)
    assert f"{N_TRIALS} of {N_TRIALS} trials are there" in err

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "record.json" for path in files)
    for word in (PASSWORD, IN_URL):
        assert word not in said
        assert not [path for path in files if word.encode() in path.read_bytes()]
