"""The notebooks of the documentation run as they stand, and their outputs are stored with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.ipynb"))


def cells(path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def test_there_are_two_and_they_were_run_without_an_error() -> None:
    assert len(NOTEBOOKS) == 2
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert '"output_type": "error"' not in text
        assert "scbench: " not in text  # a command that refused
        assert sum(bool(cell["outputs"]) for cell in cells(path)) >= len(cells(path)) - 1


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_as_it_stands(path: Path, tmp_path: Path) -> None:
    """Its code as one script; lines for the shell run there, with the names in braces filled in."""
    lines = ["import subprocess"]
    for cell in cells(path):
        for line in "".join(map(str, cell["source"])).splitlines():  # type: ignore[arg-type]
            shell = f"subprocess.run(f{line[1:]!r}, shell=True, check=True)"
            lines.append(shell if line.startswith("!") else "" if line.startswith("%") else line)
    script = tmp_path / "notebook.py"
    script.write_text("\n".join(lines), encoding="utf-8")
    path_with_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        [sys.executable, script.name],
        cwd=tmp_path,
        env=os.environ | {"PATH": path_with_python},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
