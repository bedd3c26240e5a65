"""README's line for Seurat puts the columns of ``scbench.labels`` beside the right cells."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from scbench.own_cells.write_table import write_csv

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.slow
def test_the_line_of_the_readme_adds_the_columns_by_the_names_of_the_cells(tmp_path: Path) -> None:
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("there is no Rscript (Debian: r-base-core, r-cran-seurat)")
    if subprocess.run(
        [rscript, "-e", "quit(status = !requireNamespace('SeuratObject'))"], capture_output=True
    ).returncode:
        pytest.skip("R has no SeuratObject (Debian: r-cran-seurat)")
    (line,) = re.findall(r"^```r\n(.*?)^```", README.read_text(), flags=re.DOTALL | re.MULTILINE)
    names = [f"AAAC{i}-1" for i in range(6)]
    columns = {"leiden resolution=2.0": [0, 1, 2, 0, 1, 2], "pca_kmeans_agreement": [1.0, 0.5, 0.25, 1.0, 0.5, 0.25]}
    write_csv(tmp_path / "clusters.csv", pd.DataFrame(columns, index=pd.Index(names, name="cell")))
    (tmp_path / "run.R").write_text(
        "library(SeuratObject)\n"
        f"names <- c({', '.join(repr(name) for name in reversed(names))})\n"
        "counts <- Matrix::Matrix(1:12, 2, 6, sparse = TRUE, dimnames = list(c('g1', 'g2'), names))\n"
        "cells <- CreateSeuratObject(counts)\n"
        f"{line}\n"
        "write.csv(cells[[c('leiden.resolution.2.0', 'pca_kmeans_agreement')]], 'seen.csv')\n"
    )
    done = subprocess.run([rscript, "run.R"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader((tmp_path / "seen.csv").open(newline="")))
    assert rows[0] == ["", "leiden.resolution.2.0", "pca_kmeans_agreement"]  # Seurat makes the names its own
    expected = [[name, str(i % 3), f"{[1.0, 0.5, 0.25][i % 3]:g}"] for i, name in enumerate(names)]
    assert rows[1:] == expected[::-1]
