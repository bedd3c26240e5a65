"""``python -m scbench.labels``: what runs say of one's own cells, in one table."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from scbench.__main__ import main as scbench_main
from scbench.labels import main
from scbench.metrics.consensus import consensus
from scbench.testing import toy_counts

CELLS = [f"AAAC{i}-1" for i in range(60)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ``mine.h5ad`` and a store of runs on it, and on another dataset."""
    folder = tmp_path_factory.mktemp("home")
    adata = anndata.AnnData(toy_counts(60, 80).matrix)
    adata.obs_names = CELLS
    adata.write_h5ad(folder / "mine.h5ad")
    of_mine = [f"dataset.path={folder / 'mine.h5ad'}", "dataset=file", "dataset.label=none", f"store={folder / 'runs'}"]
    for more in (
        ["method=pca_kmeans", "n_clusters=3", "seeds=3"],
        ["method=pca_kmeans", "n_clusters=4", "seeds=1"],
        ["method=leiden", "n_clusters=3", "seeds=1", "method.resolution=2"],
        ["method=random", "n_clusters=estimate", "seeds=1"],
    ):
        assert scbench_main([*of_mine, *more]) == 0
    assert scbench_main(["method=random", "dataset=simulated", "seeds=1", f"store={folder / 'runs'}"]) == 0
    return folder


def collect(home: Path, out: Path, *more: str) -> int:
    return main([f"store={home / 'runs'}", "dataset=mine", f"out={out}", *more])


def stored(home: Path, method: str, k: int) -> list[np.ndarray]:
    from scbench.store.store import Store

    store = Store(home / "runs")
    found = [r for r in store.records() if (r["method"], r["n_clusters_requested"]) == (method, k)]
    found.sort(key=lambda record: int(record["seed"]))
    return [np.load(store.folder(r["dataset"], r["method"], r["key"]) / "labels.npy") for r in found]


def test_a_column_for_each_setting_in_words_and_the_consensus_of_its_seeds(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert collect(home, tmp_path / "clusters.csv") == 0
    table = pd.read_csv(tmp_path / "clusters.csv", index_col=0)
    assert table.index.tolist() == CELLS
    assert sorted(table.columns) == [
        "leiden resolution=2.0",
        "pca_kmeans (K=3)",
        "pca_kmeans (K=3)_agreement",
        "pca_kmeans (K=3)_consensus",
        "pca_kmeans (K=4)",
        "random (K estimated)",
    ]
    partitions = stored(home, "pca_kmeans", 3)
    np.testing.assert_array_equal(table["pca_kmeans (K=3)"], partitions[0])
    expected = consensus(partitions)
    np.testing.assert_array_equal(table["pca_kmeans (K=3)_consensus"], expected.labels)
    np.testing.assert_allclose(table["pca_kmeans (K=3)_agreement"], expected.agreement, atol=1e-4)
    assert f": {tmp_path / 'clusters.csv'}" in capsys.readouterr().out


def test_methods_can_be_chosen(home: Path, tmp_path: Path) -> None:
    assert collect(home, tmp_path / "c.csv", "method=random,leiden") == 0
    assert sorted(pd.read_csv(tmp_path / "c.csv", index_col=0)) == ["leiden resolution=2.0", "random (K estimated)"]


def test_an_anndata_of_the_labels_alone_and_a_labelled_copy(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert collect(home, tmp_path / "alone.h5ad", "method=pca_kmeans") == 0
    alone = anndata.read_h5ad(tmp_path / "alone.h5ad")
    assert alone.obs_names.tolist() == CELLS
    assert alone.obs["pca_kmeans (K=3)_consensus"].cat.categories.tolist() == ["0", "1", "2"]
    other = anndata.read_h5ad(home / "mine.h5ad")[::-1].copy()
    other.obs_names = ["stranger", *other.obs_names[1:]]
    other.write_h5ad(tmp_path / "other.h5ad")
    capsys.readouterr()
    more = ("method=pca_kmeans", f"path={tmp_path / 'other.h5ad'}")
    assert collect(home, tmp_path / "labelled.h5ad", *more) == 0
    assert "1 of 60 cells of" in capsys.readouterr().out
    labelled = anndata.read_h5ad(tmp_path / "labelled.h5ad")
    assert labelled.shape == (60, 80)
    assert labelled.obs["pca_kmeans (K=4)"].isna().tolist() == [True] + [False] * 59
    expected = alone.obs["pca_kmeans (K=4)"].astype(str)[::-1].tolist()[1:]
    assert labelled.obs["pca_kmeans (K=4)"].astype(str).tolist()[1:] == expected


def test_a_file_that_is_there_is_replaced_only_when_that_is_asked_for(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.csv").write_text("mine")
    assert collect(home, tmp_path / "c.csv") == 2
    assert "exists; choose another name, or add overwrite=true" in capsys.readouterr().err
    assert (tmp_path / "c.csv").read_text() == "mine"
    assert collect(home, tmp_path / "c.csv", "overwrite=true") == 0
    assert (tmp_path / "c.csv").read_text().startswith("cell,")


def test_runs_on_other_cells_are_left_out_and_counted(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = anndata.read_h5ad(home / "mine.h5ad")
    for n_cells, name in ((60, "a"), (50, "b")):
        counts[:n_cells].copy().write_h5ad(tmp_path / f"{name}.h5ad")
        more = ["dataset=file", "dataset.name=same", "dataset.label=none", "method=random", "n_clusters=2", "seeds=1"]
        assert scbench_main([*more, f"dataset.path={tmp_path / name}.h5ad", f"store={tmp_path / 's'}"]) == 0
    capsys.readouterr()
    assert main([f"store={tmp_path / 's'}", "dataset=same", f"out={tmp_path / 'c.csv'}"]) == 0
    assert "1 runs on other cells than the latest run's 50 are not in the table" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "c.csv")) == 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dataset=mien", "out=c.csv"], "unknown dataset in this store 'mien'. Did you mean 'mine'?"),
        (["dataset=mine", "method=randm", "out=c.csv"], "unknown method in this store 'randm'. Did you mean 'random'?"),
        (["dataset=simulated", "out=c.csv"], "none of the 1 runs on simulated has a labels.csv"),
        (["dataset=mine", "out=c.txt"], "out=c.txt must end in .csv or .h5ad"),
        (["dataset=mine"], "out is missing; give it, as in out=clusters.csv"),
        (["out=c.csv"], "dataset is missing; give it, as in dataset=my_cells"),
        (["dataset=mine", "dataset=mine", "out=c.csv"], "dataset=mine: give dataset=VALUE, once"),
        (["dataset=", "out=c.csv"], "dataset=: give dataset=VALUE, once"),
        (["datset=mine", "out=c.csv"], "unknown key 'datset'. Did you mean 'dataset'?"),
        (["dataset=mine", "out=c.csv", "overwrite=yes"], "unknown overwrite 'yes'"),
        (["dataset=mine", "out=c.csv", "path=x.h5ad"], "a csv needs none"),
        (["dataset=mine", "out=c.h5ad", "path=no.h5ad"], "path=no.h5ad does not exist"),
        (["dataset=mine", "out=nowhere/c.csv"], "out=nowhere/c.csv cannot be written (No such file or directory)"),
    ],
)
def test_mistakes_are_one_line(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([f"store={home / 'runs'}", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not [*tmp_path.iterdir()]


def test_an_empty_store_and_one_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s").mkdir()
    for store, message in (("s", "holds no run"), ("t", "does not exist")):
        assert main([f"store={tmp_path / store}", "dataset=a", f"out={tmp_path / 'c.csv'}"]) == 2
        assert message in capsys.readouterr().err


def test_a_file_of_other_cells_is_refused(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, cells in (("others", [f"x{i}" for i in range(60)]), ("twice", [CELLS[0], *CELLS[:59]])):
        adata = anndata.AnnData(np.ones((60, 2)))
        adata.obs_names = cells
        adata.write_h5ad(tmp_path / f"{name}.h5ad")
    (tmp_path / "text.h5ad").write_text("no HDF5")
    for name, message in (
        ("others", "no cell of"),
        ("twice", "cells of the same name"),
        ("text", "cannot be read as an AnnData file"),
    ):
        assert collect(home, tmp_path / "c.h5ad", f"path={tmp_path / name}.h5ad") == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "c.h5ad").exists()
