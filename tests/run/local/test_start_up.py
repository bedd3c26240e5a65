"""What a command imports to start a run, and what the process imports that runs are forked from."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        # The command names what is fitted and scored, and computes nothing.
        ("scbench.run.local.engine, scbench.run.command", "scipy pandas sklearn scanpy anndata torch"),
        # A run has scipy's matrices, and no more than its method imports.
        ("scbench.run.local.preload", "pandas sklearn scanpy anndata torch scipy.optimize scipy.linalg"),
        # Scores need an assignment, and tables of strings can do without pandas.
        ("scbench.run.local.scoring", "pandas sklearn scanpy anndata torch"),
    ],
)
def test_nothing_is_imported_that_is_not_used(module: str, heavy: str) -> None:
    program = f"import sys, {module}; sys.exit(' '.join({set(heavy.split())} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
