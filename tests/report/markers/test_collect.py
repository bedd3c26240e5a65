"""Markers of a report: which runs and datasets have them, what they are compared with, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_records import put, record
from scipy.sparse import csr_matrix

from scbench.method import Counts
from scbench.report.content import read_content
from scbench.report.markers.collect import ANNOTATED, FLOOR, MarkerReport, collect_markers
from scbench.report.markers.ranking import Markers, rank_markers
from scbench.report.selection import Selection
from scbench.tables.measures import measures_of

N_CELLS = 60  # of the stored labels, which are 0, 1, 2, 0, ...


class Data:
    """Stands for a dataset on this machine: the types are the stored clusters under other names."""

    def __init__(self, labels: np.ndarray | None, genes: list[str] | None = None) -> None:
        rng = np.random.default_rng(0)
        rates = np.where(np.arange(120) % 3 == np.arange(N_CELLS)[:, None] % 3, 4.0, 0.5)
        self._counts = csr_matrix(rng.poisson(rates).astype(np.float32))
        self._genes = [f"g{number}" for number in range(120)] if genes is None else genes
        self._labels = labels

    def counts(self) -> Counts:
        return Counts(self._counts, np.array(self._genes, dtype=object), True)

    def labels(self) -> np.ndarray | None:
        return self._labels


TYPES = np.array(["a", "b", "c"])[np.arange(N_CELLS) % 3]


def collect(
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    data: Data | None,
    *records: dict[str, Any],
    labels: np.ndarray | None = None,
) -> tuple[MarkerReport, list[str]]:
    """Return the markers of a store, and what was said on the way; ``labels`` replace those of the method m."""
    put(store, *records)
    for path in store.glob("d/m/*/labels.npy"):
        if labels is not None:
            np.save(path, labels)
    if data is not None:
        monkeypatch.setattr("scbench.report.markers.collect.same_dataset", lambda _: data)
    said: list[str] = []
    content = read_content(store, Selection(), measures_of("acc"), store / "no papers")
    return collect_markers(content, said.append), said


def test_clusters_that_are_types_share_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, said = collect(
        tmp_path, monkeypatch, Data(TYPES), record(seed=3), record(seed=1), record(seed=0, score=None)
    )
    (dataset,) = report.datasets
    assert [one.name for one in dataset.all] == [ANNOTATED, "m", FLOOR]
    assert dataset.type_names == ("a", "b", "c")
    assert dataset.annotated is not None
    mine, floor = dataset.groupings
    assert mine.seed == 1  # the first that ended well stands for the others
    assert mine.best[0].tolist() == [0, 1, 2]
    assert (mine.best[1] == 1).all()
    assert (dataset.annotated.best[1] == 1).all()
    assert floor.seed is None
    assert floor.best[1].mean() < 0.8
    assert report.left_out == ()
    assert said == [f"d (1/1): {name}" for name in (ANNOTATED, "m", FLOOR)]
    assert {name[0] for name in mine.genes.ravel()} == {"g"}


def test_equal_groupings_are_ranked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked = []

    def noted(values: csr_matrix, codes: np.ndarray) -> Markers:
        ranked.append(codes)
        return rank_markers(values, codes)

    monkeypatch.setattr("scbench.report.markers.collect.rank_markers", noted)
    report, _ = collect(tmp_path, monkeypatch, Data(TYPES), record(), record(method="other"))
    assert len(ranked) == 2  # the types, which both methods found, and the floor
    assert [one.name for one in report.datasets[0].all] == [ANNOTATED, "m", "other", FLOOR]


def test_a_random_control_is_the_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, _ = collect(tmp_path, monkeypatch, Data(TYPES), record(), record(method="random"))
    assert [one.name for one in report.datasets[0].groupings] == ["random", "m"]


def test_a_cluster_of_one_cell_is_named_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(N_CELLS) % 3
    labels[0] = 7
    report, _ = collect(tmp_path, monkeypatch, Data(TYPES), record(), labels=labels)
    mine = report.datasets[0].groupings[0]
    assert mine.untested == ["7 (1 cell)"]
    assert sorted(mine.tested) == ["0", "1", "2"]


def test_without_types_there_is_no_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, _ = collect(tmp_path, monkeypatch, Data(None), record())
    (dataset,) = report.datasets
    assert (dataset.types, dataset.annotated) == ((), None)
    assert [one.name for one in dataset.groupings] == ["m"]
    assert dataset.groupings[0].shared is None
    with pytest.raises(ValueError, match="m was compared with no types"):
        _ = dataset.groupings[0].best


def test_what_has_no_markers_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = record(method="one")
    put(tmp_path, one, record(method="failed", score=None), record(method="cut"))
    np.save(next(tmp_path.glob("d/one/*/labels.npy")), np.zeros(N_CELLS, dtype=int))
    next(tmp_path.glob("d/cut/*/labels.npy")).write_bytes(b"no array")
    report, _ = collect(tmp_path, monkeypatch, Data(TYPES), record())
    assert report.left_out == (
        "d, cut: labels.npy of seed 0 is missing or damaged",
        "d, failed: no run ended well",
        "d, one: no group can be tested: sizes are 60, and at least 3 cells inside and outside are needed",
    )
    assert [one.name for one in report.datasets[0].groupings] == ["m", FLOOR]


def test_types_that_are_too_small_leave_markers_without_overlap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = np.array([f"t{number}" for number in range(N_CELLS)])
    report, _ = collect(tmp_path, monkeypatch, Data(alone), record())
    assert report.left_out[0].startswith("d, annotated types: no group can be tested: sizes are 1, 1,")
    assert [one.name for one in report.datasets[0].all] == ["m"]


def test_datasets_that_cannot_be_ranked_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, said = collect(tmp_path / "a", monkeypatch, None, record("nowhere"))
    assert (report.datasets, said) == ((), [])
    assert report.left_out[0].startswith("nowhere: nowhere is no registered dataset")
    numbers = Data(TYPES, [str(number) for number in range(120)])
    report, _ = collect(tmp_path / "b", monkeypatch, numbers, record())
    assert report.left_out == ("d: its gene names are only numbers (the first is '0'), so markers would say nothing",)
    content = read_content(tmp_path / "b", Selection(datasets=("d", "e")), measures_of("acc"), tmp_path)
    assert "e: no run of it in this report" in collect_markers(content, lambda _: None).left_out


def test_labels_of_another_length_are_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, _ = collect(tmp_path, monkeypatch, Data(TYPES), record(), labels=np.arange(5))
    assert report.left_out == ("d, m: labels.npy of seed 0 is missing or damaged",)
