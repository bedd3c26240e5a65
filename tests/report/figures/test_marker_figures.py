"""Figures of markers: labels do not cover one another, nothing raised is no figure, and bytes do not change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from figure_texts import assert_readable, texts
from marker_reports import report_of
from matplotlib.patches import Rectangle

from scbench.report.figures.files import style
from scbench.report.figures.marker_dots import group_labels, marker_dots
from scbench.report.figures.marker_heat import marker_heat
from scbench.report.figures.marker_overlap import marker_overlap
from scbench.report.figures.marker_set import draw_markers
from scbench.report.figures.marker_violins import marker_violins, outline
from scbench.report.markers.collect import FLOOR, DatasetMarkers, Grouping


@pytest.fixture(autouse=True)
def drawn_in_style() -> Iterator[None]:
    with style():
        yield


def parts(n_types: int) -> tuple[DatasetMarkers, Grouping]:
    """Return the markers of a dataset with long gene names, and those of a method."""
    (dataset,) = report_of(n_types, gene="ENSG00000{:06d}").datasets
    return dataset, dataset.groupings[1]


@pytest.mark.parametrize("n_types", [2, pytest.param(28, marks=pytest.mark.slow)])
def test_figures_are_readable(n_types: int) -> None:
    dataset, found = parts(n_types)
    assert dataset.annotated is not None
    for shown in (found, dataset.annotated):  # names of types are long
        for draw in (marker_dots, marker_heat, marker_violins):
            figure = draw(shown, "m on d, seed 0")
            assert figure is not None
            assert_readable(figure)
    overlap = marker_overlap(dataset, found, "m on d, seed 0")
    assert overlap is not None
    assert_readable(overlap)


def test_the_overlap_shows_percent_and_frames_the_best_type() -> None:
    dataset, found = parts(3)
    assert found.shared is not None
    found.shared[:] = [[50, 0, 1], [10, 25, 25], [0, 0, 0]]
    figure = marker_overlap(dataset, found, "t")
    assert figure is not None
    shown = [one.get_text() for one in texts(figure)]
    assert {"100", "20", "50", "2"} <= set(shown)
    assert "t: mean of best 50.0 %" in shown
    frames = [one for one in figure.axes[0].patches if isinstance(one, Rectangle)]
    assert [(round(one.get_x() + 0.46), round(one.get_y() + 0.44)) for one in frames] == [(0, 0), (1, 1)]


def test_what_has_no_types_or_no_raised_gene_has_no_figure() -> None:
    dataset, found = parts(2)
    assert marker_overlap(dataset, replace(found, shared=None), "t") is None
    empty = replace(
        found.panel, genes=found.panel.genes[:0], groups=found.panel.groups[:0], mean=found.panel.mean[:, :0]
    )
    bare = replace(found, panel=empty, panel_genes=found.panel_genes[:0])
    assert [draw(bare, "t") for draw in (marker_dots, marker_heat, marker_violins)] == [None, None, None]


def test_long_names_are_cut_and_sizes_stand_behind() -> None:
    _, found = parts(2)
    named = replace(found, names=("x" * 40, "1", "2"))
    assert group_labels(named)[0] == f"{'x' * 29}… ({found.sizes[0]})"


def test_an_outline_is_a_density_and_a_line_where_all_values_are_equal() -> None:
    values = np.random.default_rng(0).normal(size=200)
    across, up = outline(values)
    assert across.min() == -1
    assert across.max() == 1
    assert (up.min(), up.max()) == (values.min(), values.max())
    np.testing.assert_allclose(across[:30], -across[:29:-1])
    across, up = outline(np.full(9, 0.25))
    assert (across.min(), across.max()) == (-1, 1)
    assert (up == 0.25).all()


def test_all_figures_are_the_same_bytes_every_time_and_the_floor_has_none(tmp_path: Path) -> None:
    report = report_of(2, n_cells=60)
    (dataset,) = report.datasets
    shuffled = replace(dataset.groupings[0], name=FLOOR)
    report = replace(report, datasets=(replace(dataset, groupings=(dataset.groupings[1], shuffled), annotated=None),))
    first = {path.name: path.read_bytes() for path in draw_markers(report, tmp_path / "a")}
    assert first == {path.name: path.read_bytes() for path in draw_markers(report, tmp_path / "b")}
    kinds = ("dots", "heat", "violins", "overlap")
    assert list(first) == [f"alpha-on-d_0_marker_{kind}.{end}" for kind in kinds for end in ("svg", "png")]


def test_types_have_no_overlap_with_themselves(tmp_path: Path) -> None:
    report = report_of(2, n_cells=60)
    (dataset,) = report.datasets
    names = [path.name for path in draw_markers(replace(report, datasets=(replace(dataset, groupings=()),)), tmp_path)]
    assert names[::2] == [f"annotated-types-on-d_0_marker_{kind}.svg" for kind in ("dots", "heat", "violins")]
