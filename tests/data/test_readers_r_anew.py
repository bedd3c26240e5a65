"""The R files of the tests, made anew by the R at hand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.readers import read
from scbench.errors import DataError

FILES = Path(__file__).parent / "r_files"
PACKAGES = ("Matrix", "Seurat", "SingleCellExperiment", "DelayedArray", "Biobase", "tibble", "bit64")


def _content(path: Path) -> object:
    """Return all that is read of a file without a word from the user, or why nothing is."""
    try:
        counts = read(path, SourceFile(reader="r_file"), label=None)
    except DataError as error:
        return str(error)
    parts = (counts.labels, counts.genes, counts.cells)
    named = [None if part is None else list(part) for part in parts]
    return counts.matrix.toarray().tolist(), named, counts.warnings, counts.labels_from


@pytest.mark.slow
def test_r_writes_the_files_that_are_tested(tmp_path: Path) -> None:
    pytest.importorskip("rdata", reason="rdata is not installed")
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("there is no Rscript")
    there = " && ".join(f"requireNamespace('{name}', quietly = TRUE)" for name in PACKAGES)
    version = "packageVersion('Seurat') < '5'"
    if subprocess.run([rscript, "-e", f"quit(status = !({there} && {version}))"], capture_output=True).returncode:
        pytest.skip(f"R lacks one of {', '.join(PACKAGES)}, or Seurat is not version 4")
    made = subprocess.run([rscript, str(FILES / "make.R"), str(tmp_path)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    suffixes = (".rds", ".rda", ".RData")
    names = sorted(path.name for path in FILES.iterdir() if path.suffix in suffixes)
    assert names == sorted(path.name for path in tmp_path.iterdir() if path.suffix in suffixes)
    for name in names:
        np.testing.assert_equal(_content(tmp_path / name), _content(FILES / name), err_msg=name)
