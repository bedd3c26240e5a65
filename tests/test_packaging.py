"""The wheel holds what runs need, and the installed package works from any folder."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_it_runs_from_any_folder(tmp_path: Path) -> None:
    command = ["method=random", "dataset=simulated", "dataset.n_cells=30", "seeds=1", "device=cpu"]
    done = subprocess.run([sys.executable, "-m", "scbench", *command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "results" / "runs").rglob("record.json"))


def test_the_console_script_is_the_same_command(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("scbench")
    done = subprocess.run([script, "run", "metod=x"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Did you mean 'method'" in done.stderr
    done = subprocess.run([script, "datasets", "info", "shekar"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "shekhar" in done.stderr


@pytest.mark.slow
def test_the_wheel_has_everything_and_runs(tmp_path: Path) -> None:
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    subprocess.run([sys.executable, "-m", "build", "-q", "--outdir", str(tmp_path / "dist"), str(source)], check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "scbench/py.typed",
        "scbench/report/html/page/template.html",
        "scbench/conf/config.yaml",
        "scbench/conf/dataset/shekhar.yaml",
        "scbench_methods/leiden/method.py",
        "scbench_methods/leiden/README.md",
        "scbench_methods/leiden/conf/method/leiden.yaml",
        "scbench_methods/leiden/search.yaml",
    } <= names
    assert not any(name.startswith("tests") for name in names)
    target = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "-t", str(target), str(wheel)], check=True
    )
    code = (
        f"import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()];"
        f"sys.path.insert(0, {str(target)!r}); import scbench; assert {str(target)!r} in scbench.__file__;"
        "from scbench.__main__ import main;"
        "sys.exit(main(['method=leiden', 'dataset=simulated', 'dataset.n_cells=30', '--cfg', 'job']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "n_neighbors: 20" in done.stdout
