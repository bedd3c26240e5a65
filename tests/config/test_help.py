from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scbench.config.groups import options


def test_help_shows_groups_and_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from scbench.__main__ import main; status = main(['--help']);"
        "heavy = {'torch', 'scanpy', 'sklearn', 'pandas', 'numpy', 'hydra'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for group in ("method", "dataset", "engine"):
        assert f"  {group}: " in done.stdout
        for option in options(group):
            assert option in done.stdout
    for key in ("seeds=10", "n_clusters=true", "timeout_min=1440.0", "n_neighbors=20", "separation="):
        assert key in done.stdout


def test_composing_a_configuration_imports_neither_torch_nor_scanpy(tmp_path: Path) -> None:
    code = (
        "import sys; from scbench.__main__ import main; status = main(['method=leiden', '--cfg', 'job']);"
        "heavy = {'torch', 'scanpy'} & set(sys.modules); sys.exit(f'imported {heavy}' if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_method_of_another_distribution_is_listed(toy_installed: None) -> None:
    done = subprocess.run([sys.executable, "-m", "scbench", "--help"], capture_output=True, text=True)
    assert "method=toy: " in done.stdout
    assert "train.rate=0.1, train.steps=10" in " ".join(done.stdout.split()), "the parts of a nested setting are keys"
    assert "presets of toy: kidney, quick\n" in done.stdout
    assert "preset=auto " in done.stdout
