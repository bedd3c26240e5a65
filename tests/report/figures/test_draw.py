"""The figures of a whole report, on the dataset that is always at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_records import put, record

from scbench.data.load import open_dataset
from scbench.data.registry import load_dataset
from scbench.errors import DataError
from scbench.report.__main__ import main
from scbench.report.figures.true_types import NoTruthError, true_labels

NAME = "pbmc68k_reduced"


def run_on(data: Any, **more: Any) -> dict[str, Any]:
    content = {"sha256": data.sha256, "source": "x", "preprocessing": data.preprocessing}
    return record(NAME, n_cells=data.n_cells, n_types=data.n_types, data=content, **more)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    data = open_dataset(load_dataset(NAME), progress=False)
    store = tmp_path / "store"
    runs = [
        run_on(data, method=method, seed=seed, score=0.5 + 0.1 * seed) for method in ("m", "leiden") for seed in (0, 1)
    ]
    put(store, *runs, record("elsewhere", "m"), record("elsewhere", "leiden"))
    for one in runs:
        folder = store / NAME / one["method"] / one["key"][:16]
        rng = np.random.default_rng(one["seed"])
        np.save(folder / "embedding.npy", rng.normal(size=(data.n_cells, 2)).astype(np.float32))
    return store


def figures(store: Path, out: Path, *more: str) -> dict[str, bytes]:
    assert main([f"store={store}", f"out={out}", "metrics=acc", *more]) == 0
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted((out / "figures").rglob("*"))
        if path.is_file()
    }


def test_every_kind_is_drawn_and_a_dataset_that_is_not_at_hand_leaves_a_line(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = figures(store, tmp_path / "a", f"details=elsewhere,{NAME},absent")
    said = capsys.readouterr().err
    for part in ("heat_map_acc", "spread_acc_1", "cost_acc", "critical_difference_acc_failures_last"):
        assert {f"figures/{part}.svg", f"figures/{part}.png"} <= set(made)
    for kind in ("curves", "confusion", "river", "umap", "similarity"):
        drawn = [name for name in made if "on-pbmc68k-reduced" in name and f"_{kind}." in name]
        assert len(drawn) == 4, kind  # two methods, SVG and PNG
    index = made["figures/README.md"].decode()
    assert index.count("![") == sum(name.endswith(".png") for name in made)
    assert "elsewhere: elsewhere is no registered dataset, so its counts and labels are not at hand" in said
    assert "absent: no run of it in this report" in said
    assert "Left out: absent" in made["figures/README.md"].decode()
    of_elsewhere = [name for name in made if "on-elsewhere" in name]
    assert of_elsewhere
    assert all("_curves." in name for name in of_elsewhere)


def test_damaged_arrays_leave_lines_and_no_report_is_lost(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = sorted((store / NAME / "m").iterdir()), sorted((store / NAME / "leiden").iterdir())
    for folder in first:
        (folder / "labels.npy").write_bytes(b"half")
    for folder in second:
        (folder / "embedding.npy").unlink()
    made = figures(store, tmp_path / "a")
    said = capsys.readouterr().err
    assert "m on pbmc68k_reduced, seed 0: its labels.npy is missing or damaged" in said
    assert "leiden on pbmc68k_reduced, seed 0: no usable embedding is stored" in said
    assert not [name for name in made if "_umap." in name]


def test_figures_and_details_can_be_left_out(store: Path, tmp_path: Path) -> None:
    assert figures(store, tmp_path / "a", "figures=false") == {}
    assert not [name for name in figures(store, tmp_path / "b", "details=none") if "runs/" in name]
    assert main([f"store={store}", "figures=no"]) == 2
    assert main([f"store={store}", "embedding=pca"]) == 2


def test_labels_read_in_another_way_or_of_other_cells_are_not_used() -> None:
    data = open_dataset(load_dataset(NAME), progress=False)
    one = run_on(data)
    assert len(true_labels(one).codes) == data.n_cells
    assert true_labels(one).sizes.tolist() == sorted(true_labels(one).sizes.tolist(), reverse=True)
    another = {**one, "data": {**one["data"], "preprocessing": {"label": "other"}}}
    with pytest.raises(NoTruthError, match="was read in another way by these runs"):
        true_labels(another)
    with pytest.raises(NoTruthError, match="has no labels for the cells of these runs"):
        true_labels({**one, "n_cells": 5})


def test_a_dataset_that_cannot_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(config: object, progress: bool) -> None:
        raise DataError("the file is damaged")

    monkeypatch.setattr("scbench.report.figures.true_types.open_dataset", broken)
    with pytest.raises(NoTruthError, match="cannot be opened: the file is damaged"):
        true_labels(record(NAME))
