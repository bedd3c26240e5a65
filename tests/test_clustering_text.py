from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scbench.method import Clustering


def test_a_clustering_prints_in_three_lines() -> None:
    labels = np.repeat([0, 1, 2], [31, 812, 100])
    info = {"match_k": True, "resolution": 0.8458967, "steps": 12, "stop_reason": None}
    clustering = Clustering(labels, np.zeros((943, 20), np.float32), np.full((943, 3), 1 / 3), info)
    assert repr(clustering).splitlines() == [
        "Clustering: 943 cells in 3 clusters (sizes 31 to 812)",
        "embedding: (943, 20) float32; soft: (943, 3) float64",
        "info: match_k=True, resolution=0.845897, steps=12, stop_reason=None",
    ]
    assert str(clustering) == repr(clustering)


@pytest.mark.parametrize(
    ("labels", "first"),
    [
        (np.zeros(0, dtype=np.int64), "0 cells in 0 clusters"),
        (np.zeros(5, dtype=np.int64), "5 cells in 1 cluster"),
        (np.array([7, -1, 7]), "3 cells in 2 clusters (sizes 1 to 2)"),
        (np.arange(10**6) % 3000, "1000000 cells in 3000 clusters (sizes 333 to 334)"),
        (None, "labels are none where (n_cells,) integers belong"),
        ([0, 1], "labels are no array but list where (n_cells,) integers belong"),
        (np.array(["a", "b"]), "labels are (2,) <U1 where (n_cells,) integers belong"),
        (np.zeros((2, 2)), "labels are (2, 2) float64 where (n_cells,) integers belong"),
        (np.array([None, 1]), "labels are (2,) object where (n_cells,) integers belong"),
    ],
)
def test_labels_of_any_size_and_kind_are_described(labels: Any, first: str) -> None:
    lines = repr(Clustering(labels)).splitlines()
    assert lines == [f"Clustering: {first}", "embedding: none; soft: none", "info: none"]


class _Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


def test_what_a_method_decided_is_cut_to_one_line() -> None:
    info = {
        "why": "a reason\nthat is longer than any line has room for",
        "curve": np.arange(10**5),
        "losses": [0.5] * 1000,
        "model": _Unprintable(),
    } | {f"value_{i}": np.float32(i) for i in range(100)}
    line = repr(Clustering(np.zeros(3, dtype=np.int64), info=info)).splitlines()[2]
    assert line == (
        "info: why=a reason that is longer tha..., curve=(100000,) int64, losses=list of 1000, model=_Unprintable, "
        "and 100 more"
    )


@pytest.mark.parametrize("wrong", [3, [0.5], "text", _Unprintable()])
def test_wrong_content_is_printed_all_the_same(wrong: Any) -> None:
    name = type(wrong).__name__
    assert repr(Clustering(wrong, wrong, wrong, wrong)).splitlines()[1:] == [
        f"embedding: no array but {name}; soft: no array but {name}",
        f"info: no mapping but {name}",
    ]
