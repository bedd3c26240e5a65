"""Numbers in the table of runs on cells without annotated types."""

from __future__ import annotations

import re
from pathlib import Path

import anndata
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.__main__ import main
from scbench.metrics.external import Agreement, ari
from scbench.run import label_free
from scbench.testing import toy_counts


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    anndata.AnnData(csr_matrix(toy_counts(120, 100).matrix)).write_h5ad(tmp_path / "mine.h5ad")
    of_file = ["dataset=file", f"dataset.path={tmp_path / 'mine.h5ad'}", "dataset.label=none"]
    return ["method=pca_kmeans", *of_file, "n_clusters=4", "seeds=3", f"store={tmp_path / 'store'}"]


def test_seeds_and_silhouette_stand_where_scores_would(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "ARI of seeds" in shown
    assert "ACC" not in shown
    labels = [np.load(path) for path in sorted((tmp_path / "store").rglob("labels.npy"))]
    pairs = [ari(Agreement(a, b)) for i, a in enumerate(labels) for b in labels[:i]]
    found = re.search(r"^mine +pca_kmeans +(-?[\d.]+) +(-?[\d.]+) ", shown, re.MULTILINE)
    assert found is not None
    assert float(found[1]) == pytest.approx(np.mean(pairs), abs=5e-4)
    assert -1 < float(found[2]) < 1


def test_of_many_cells_only_the_seeds_are_compared(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_free, "_MOST_CELLS", 100)
    assert main(command) == 0
    assert re.search(r"^mine +pca_kmeans +[\d.]+ +- ", capsys.readouterr().out, re.MULTILINE)
