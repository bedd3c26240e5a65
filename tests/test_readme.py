"""README's commands do what they say: every ```bash block runs, in order, in one folder with the stored runs only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.timeout(900)  # a dozen commands; each has a limit of its own below
def test_every_block_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", README.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 4
    stored = Path("results", "reference", "records.tar.xz")  # what a block unpacks from a checkout
    (tmp_path / stored).parent.mkdir(parents=True)
    shutil.copy(README.parent / stored, tmp_path / stored)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
