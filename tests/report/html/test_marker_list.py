from __future__ import annotations

import json
from typing import Any

import pytest
from marker_reports import report_of

from scbench.report.html import marker_list as module
from scbench.report.html.marker_list import marker_list
from scbench.report.markers.collect import ANNOTATED, MarkerReport


def test_clusters_point_at_names_that_stand_once() -> None:
    report = report_of(4)
    (dataset,) = report.datasets
    found = marker_list(report)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    (shown,) = found["datasets"]
    assert len(shown["genes"]) == len(set(shown["genes"]))
    assert [one["name"] for one in shown["groupings"]] == [ANNOTATED, "random", "alpha"]
    for one, grouping in zip(shown["groupings"], dataset.all, strict=True):
        named = [[shown["genes"][gene] for gene in genes] for _, _, genes in one["clusters"]]
        assert named == grouping.genes[:, :20].tolist()
    types, _, alpha = shown["groupings"]
    assert (types["best"], types["shared"]) == (None, None)
    assert alpha["shared"] == dataset.groupings[1].shared.tolist()
    assert alpha["best_shared"] == dataset.groupings[1].shared.max(axis=1).tolist()
    assert alpha["untested"] == "Not tested: 4 (1 cell)."
    assert found["means"]["rows"][-1] == ["by chance", "16.7"]
    assert found["left_out"] == list(report.left_out)
    assert found["cut"] == ""


def size(found: dict[str, Any]) -> int:
    return len(json.dumps({"datasets": found["datasets"]}, separators=(",", ":")))


def test_what_has_no_room_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    report = report_of(15)
    whole = marker_list(report)
    monkeypatch.setattr(module, "_LETTERS", size(whole) - 1)
    bare = marker_list(report)
    assert bare["cut"] == "Overlaps with every type are in marker_overlap.csv; there is no room for them here."
    assert [one["shared"] for one in bare["datasets"][0]["groupings"]] == [None] * 3
    assert bare["datasets"][0]["groupings"][2]["best_shared"] == whole["datasets"][0]["groupings"][2]["best_shared"]
    monkeypatch.setattr(module, "_LETTERS", size(bare) - 1)
    short = marker_list(report)
    assert short["cut"].startswith("Only 10 markers of each cluster have room here; markers.csv has 20.")
    assert {len(genes) for _, _, genes in short["datasets"][0]["groupings"][2]["clusters"]} == {10}
    assert size(short) < size(bare)
    monkeypatch.setattr(module, "_LETTERS", 10)
    none = marker_list(report)
    assert none["datasets"] == []
    assert none["cut"].startswith("There is no room for markers of clusters here")
    assert none["means"] == whole["means"]


def test_nothing_to_show() -> None:
    found = marker_list(MarkerReport((), ("e: why",)))
    assert (found["datasets"], found["means"]["rows"], found["left_out"]) == ([], [], ["e: why"])
