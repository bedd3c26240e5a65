"""CONTRIBUTING.md's sections do what they say, each tried in a copy of the tree that lies elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECTIONS = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL | re.MULTILINE)
FORMAT = re.search(r"```python\n(.*?)```", (ROOT / "docs/add-a-format.md").read_text(), re.DOTALL)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages under their own names, as an installation has them."""
    without = shutil.ignore_patterns("__pycache__", "conf")
    shutil.copytree(ROOT / "scbench", tmp_path / "tree/scbench", ignore=without)
    shutil.copytree(ROOT / "conf", tmp_path / "tree/conf")
    shutil.copytree(ROOT / "methods", tmp_path / "tree/methods", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "path").mkdir()
    (tmp_path / "tree/scbench/conf").symlink_to(tmp_path / "tree/conf")
    (tmp_path / "path/scbench").symlink_to(tmp_path / "tree/scbench")
    (tmp_path / "path/scbench_methods").symlink_to(tmp_path / "tree/methods")
    return tmp_path


def apply(block: str, tree: Path) -> None:
    """Write a new file, or a line beside the line that is named."""
    head, _, body = block.partition("\n")
    if (new := re.fullmatch(r"\w+ new (\S+)", head)) is not None:
        (tree / new[1]).parent.mkdir(parents=True, exist_ok=True)
        (tree / new[1]).write_text(body)
        return
    where = re.fullmatch(r"\w+ in (\S+) (after|before) (.+)", head)
    assert where is not None, head
    lines = (tree / where[1]).read_text().splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if where[3] in line]
    assert len(places) == 1, f"{head}: {len(places)} such lines"
    at = places[0] + (where[2] == "after")
    (tree / where[1]).write_text("".join([*lines[:at], body, *lines[at:]]))


def run(block: str, folder: Path) -> None:
    """Run each command, and look for the lines below it in what it prints."""
    python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PYTHONPATH": str(folder / "path"), "PATH": python, "SCBENCH_DATA": str(folder / "cache")}
    for command, expected in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder / "tree",
            env=os.environ | own,
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{command}\n{said}"
        for line in expected.splitlines():
            assert line in said, f"{command}: no {line!r} in\n{said}"


@pytest.mark.parametrize(("title", "text"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_a_section_does_what_it_says(title: str, text: str, copy: Path) -> None:
    blocks = re.findall(r"^```(\w+.*?\n.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert any(block.startswith("console") for block in blocks), "nothing tries it"
    if title == "A reader":
        assert FORMAT is not None
        (copy / "tree/scbench/data/readers/npz.py").write_text(FORMAT[1])
    if title == "A figure":
        run("$ python -m scbench method=random dataset=simulated seeds=2\n", copy)
    for block in blocks:
        if block.startswith("console"):
            run(block.partition("\n")[2], copy)
        else:
            apply(block, copy / "tree")
