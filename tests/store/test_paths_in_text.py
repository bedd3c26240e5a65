"""Absolute paths are cut; everything else that has slashes stays."""

from __future__ import annotations

import pytest

from scbench.store.paths_in_text import without_folders


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("store=/home/me/runs", "store=.../runs"),
        ("/home/me/data.h5", ".../data.h5"),
        ("cannot read /home/me/data.h5; give another", "cannot read .../data.h5; give another"),
        ("https://zenodo.org/records/1/files/a.h5", "https://zenodo.org/records/1/files/a.h5"),
        ("results/runs", "results/runs"),
        ("cells/genes a / b, 3/4", "cells/genes a / b, 3/4"),
        ("/only", "/only"),
        ("storage=sqlite:////home/me/study.db", "storage=sqlite://.../study.db"),
        ("file:///home/me/a.h5", "file://.../a.h5"),
        ("out=~/private/runs", "out=.../runs"),
        ("~/runs", ".../runs"),
        ("postgresql://me@host/base", "postgresql://me@host/base"),
    ],
)
def test_absolute_paths_are_cut(text: str, shown: str) -> None:
    assert without_folders(text) == shown


def test_tracebacks_keep_the_module_and_other_values_stay() -> None:
    line = '  File "/opt/x/lib/python3.11/site-packages/scbench/run/worker.py", line 3'
    assert without_folders(line, 3) == '  File ".../scbench/run/worker.py", line 3'
    assert without_folders({"a": ["/b/c/d", 3, None], "e": ("x",)}) == {"a": [".../d", 3, None], "e": ["x"]}
