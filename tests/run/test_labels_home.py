"""Labels of one's own cells come home: a csv beside each record, and the command says where."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from scbench.__main__ import main
from scbench.archive import main as archive
from scbench.testing import toy_counts


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    table = pd.DataFrame(toy_counts(30, 50).matrix.toarray().astype(int), columns=[f"g{i}" for i in range(50)])
    table.insert(0, "cell", [f"cell{i}" for i in range(30)])
    table.insert(1, "cell_type", ["A", "B", None] * 10)
    table.to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


def run(path: Path, store: Path, *more: str) -> None:
    assert main([f"dataset.path={path}", "dataset=file", f"store={store}", "device=cpu", *more]) == 0


def only(store: Path, name: str = "labels.csv") -> Path:
    (found,) = store.rglob(name)
    return found


def test_the_file_has_every_cell_in_the_order_of_the_file(
    cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(cells, tmp_path / "s", "dataset.label=none", "method=pca_kmeans", "n_clusters=3", "seeds=1")
    path = only(tmp_path / "s")
    assert f"labels of the cells: {path}\n" in capsys.readouterr().out
    table = pd.read_csv(path)
    assert table["cell"].tolist() == [f"cell{i}" for i in range(30)]
    np.testing.assert_array_equal(table["cluster"], np.load(path.with_name("labels.npy")))


def test_cells_that_are_left_out_are_absent_and_said(
    cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(cells, tmp_path / "s", "dataset.unlabelled=drop", "method=random", "seeds=1")
    assert "; 10 of the 30 cells of the file were left out and are not in it" in capsys.readouterr().out
    table = pd.read_csv(only(tmp_path / "s"))
    assert table["cell"].tolist() == [f"cell{i}" for i in range(30) if i % 3 < 2]


def test_a_part_of_the_cells_keeps_their_names(cells: Path, tmp_path: Path) -> None:
    more = ("dataset.label=none", "dataset.subsample.share=0.5", "method=random", "n_clusters=3", "seeds=1")
    run(cells, tmp_path / "s", *more)
    names = pd.read_csv(only(tmp_path / "s"))["cell"].tolist()
    assert len(names) == 15
    assert names == sorted(names, key=lambda name: int(name[4:]))


def test_cells_without_names_are_called_by_their_place_in_the_file(tmp_path: Path) -> None:
    counts = toy_counts(12, 20).matrix.toarray() + 1
    counts[4] = 0
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["X"], file["Y"] = counts, np.arange(12) % 2
    run(tmp_path / "x.h5", tmp_path / "s", "dataset.empty_cells=drop", "method=random", "seeds=1")
    assert pd.read_csv(only(tmp_path / "s"))["cell"].tolist() == [i for i in range(12) if i != 4]


def test_a_public_dataset_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["method=random", "dataset=simulated", "seeds=1", f"store={tmp_path / 's'}"]) == 0
    assert "labels of the cells" not in capsys.readouterr().out
    assert not [*(tmp_path / "s").rglob("labels.csv")]


def test_a_run_of_an_earlier_version_gets_one(cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("dataset.label=none", "method=random", "n_clusters=3", "seeds=2")
    run(cells, tmp_path / "s", *more)
    assert "python -m scbench.labels store=" in capsys.readouterr().out
    before = {path: path.read_bytes() for path in (tmp_path / "s").rglob("labels.csv")}
    assert len(before) == 2
    for path in before:
        path.unlink()
    run(cells, tmp_path / "s", *more)
    assert {path: path.read_bytes() for path in (tmp_path / "s").rglob("labels.csv")} == before


def test_an_archive_takes_the_names_along(cells: Path, tmp_path: Path) -> None:
    run(cells, tmp_path / "s", "dataset.label=none", "method=random", "n_clusters=3", "seeds=1")
    file = str(tmp_path / "a.tar.xz")
    assert archive(["pack", file, str(tmp_path / "s")]) == 0
    content = only(tmp_path / "s").read_bytes()
    shutil.rmtree(tmp_path / "s")
    assert archive(["unpack", file, str(tmp_path / "s")]) == 0
    assert only(tmp_path / "s").read_bytes() == content
