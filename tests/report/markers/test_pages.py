"""Pages and CSV files of markers: what stands in them, and that bytes do not change."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from marker_reports import report_of

from scbench.report.markers.collect import ANNOTATED, MarkerReport
from scbench.report.markers.marker_text import SENTENCES, cluster_table, mean_table, untested_sentence
from scbench.report.markers.pages import markers_section, write_markers


@pytest.fixture(scope="module")
def report() -> MarkerReport:
    return report_of(5)


def test_files_hold_twenty_markers_and_every_overlap(report: MarkerReport, tmp_path: Path) -> None:
    (dataset,) = report.datasets
    paths = write_markers(report, tmp_path)
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_markers(report, tmp_path)] == first
    markers, overlap, means = (pd.read_csv(path, keep_default_na=False) for path in paths[1:])
    assert markers.groupby(["method", "cluster"]).size().unique().tolist() == [20]
    assert set(markers["method"]) == {ANNOTATED, "random", "alpha"}
    random, alpha = dataset.groupings
    mine = markers[(markers["method"] == "alpha") & (markers["cluster"].astype(str) == alpha.tested[0])]
    assert mine["gene"].tolist() == alpha.genes[0, :20].tolist()
    assert mine["rank"].tolist() == list(range(1, 21))
    assert mine["score"].tolist() == pytest.approx(alpha.markers.score[0, :20], rel=1e-5)
    assert mine["n_cells"].unique().tolist() == [alpha.sizes[0]]
    of_alpha = overlap[overlap["method"] == "alpha"]
    assert len(of_alpha) == 5 * 5
    assert of_alpha["n_shared"].to_numpy().reshape(5, 5).tolist() == alpha.shared.tolist()
    assert (
        of_alpha.groupby("cluster")["is_best"].apply(lambda one: (one.astype(str) == "True").sum()).tolist() == [1] * 5
    )
    assert means["mean_best_share"].tolist() == pytest.approx([random.best[1].mean(), alpha.best[1].mean()], rel=1e-5)
    assert means["untested"].tolist() == ["", "5 (1 cell)"]
    assert means[["n_clusters", "n_tested", "n_types", "n_top"]].values.tolist() == [[5, 5, 5, 50], [6, 5, 5, 50]]
    assert means["share_by_chance"].tolist() == pytest.approx([50 / 300] * 2, rel=1e-5)
    assert means["key"].tolist() == ["key-of-random", "key-of-alpha"]


def test_the_page_says_what_the_numbers_are_and_are_not(report: MarkerReport, tmp_path: Path) -> None:
    text = write_markers(report, tmp_path)[0].read_text()
    for sentence in SENTENCES:
        assert sentence in text
    assert "double dipping" in text
    assert "- e: it has no gene names" in text
    assert "### alpha on d, seed 0" in text
    assert "Not tested: 5 (1 cell)." in text
    assert f"### {ANNOTATED} on d\n" in text
    alpha = report.datasets[0].groupings[1]
    assert ", ".join(alpha.genes[0, :20]) in text


def test_means_say_how_many_clusters_they_are_of(report: MarkerReport) -> None:
    random, alpha = report.datasets[0].groupings
    assert mean_table(report) == [
        ["method", "d"],
        ["random", f"{100 * random.best[1].mean():.1f}"],
        ["alpha", f"{100 * alpha.best[1].mean():.1f} (5/6)"],
        ["by chance", "16.7"],
    ]
    section = markers_section(report)
    assert "[markers.md](markers.md)" in section
    assert "| by chance | 16.7 |" in section


def test_types_are_not_compared_with_themselves(report: MarkerReport) -> None:
    (dataset,) = report.datasets
    assert dataset.annotated is not None
    assert cluster_table(dataset, dataset.annotated)[0] == ["cluster", "cells", "best markers"]
    lines = cluster_table(dataset, dataset.groupings[1])
    assert lines[0] == ["cluster", "cells", "best type", "shared (%)", "best markers"]
    assert lines[1][2] in dataset.types
    assert untested_sentence(dataset.annotated) == ""


def test_a_cluster_that_shares_nothing_has_no_best_type() -> None:
    report = report_of(2)
    (dataset,) = report.datasets
    assert dataset.groupings[0].shared is not None
    dataset.groupings[0].shared[:] = 0
    assert cluster_table(dataset, dataset.groupings[0])[1][2:4] == ["none", "0.0"]


def test_nothing_to_rank_is_a_page_with_reasons_and_empty_tables(tmp_path: Path) -> None:
    nothing = MarkerReport((), ("e: it has no gene names",))
    paths = write_markers(nothing, tmp_path)
    assert "- e: it has no gene names" in paths[0].read_text()
    assert pd.read_csv(paths[1]).columns.tolist()[:3] == ["dataset", "method", "seed"]
    assert len(pd.read_csv(paths[3])) == 0
    assert "|" not in markers_section(nothing)
