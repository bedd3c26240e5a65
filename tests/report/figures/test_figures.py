"""Figures: what they show, that labels do not cover one another, and that bytes do not change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figure_texts import assert_readable, texts
from report_records import put, record

from scbench.errors import ConfigError
from scbench.report.entries import entries_of
from scbench.report.figures.confusion import confusion
from scbench.report.figures.cost import cost
from scbench.report.figures.critical_difference import cliques, critical_difference_diagram
from scbench.report.figures.curves import learning_curves, read_history, score_snapshots
from scbench.report.figures.embedding import embedding_figure, lay_out, sample_cells
from scbench.report.figures.files import new_figure, save, style
from scbench.report.figures.heat_map import heat_map
from scbench.report.figures.matching import Matched, match
from scbench.report.figures.palette import NOBODY, palette
from scbench.report.figures.river import river
from scbench.report.figures.similarity import cosine, similarity
from scbench.report.figures.spread import spread_over_seeds
from scbench.report.figures.true_types import NoTruthError, Truth, as_truth, true_labels
from scbench.stats.comparison import compare
from scbench.tables.measures import MEASURES

ACC = MEASURES["acc"]


@pytest.fixture(autouse=True)
def drawn_in_style() -> Iterator[None]:
    with style():
        yield


def cells(n_types: int, n: int = 1500) -> tuple[Truth, Matched, np.ndarray]:
    """Return types of very different sizes, clusters that mix some of them, and a latent."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, n_types + 1)
    types = np.concatenate([np.arange(n_types), rng.choice(n_types, n - n_types, p=share / share.sum())])
    truth = as_truth(np.array([f"cell type number {number}" for number in types]))
    labels = np.where(rng.random(n) < 0.2, rng.integers(n_types, size=n), types)
    latent = rng.normal(size=(n, 6)) + 3 * rng.normal(size=(n_types, 6))[types]
    return truth, match(truth, labels), latent


@pytest.mark.parametrize("n_types", [2, 19, 39])
def test_figures_of_a_run_are_readable(n_types: int) -> None:
    truth, found, latent = cells(n_types)
    shown = sample_cells(truth.codes, 400)
    assert_readable(embedding_figure(latent[shown, :2], truth, found, shown, "m on d, seed 0"))
    assert_readable(river(truth, found, "m on d, seed 0"))
    assert_readable(confusion(truth, found, "m on d, seed 0"))
    assert_readable(similarity(latent, truth, "m on d, seed 0"))


def many(n_methods: int, n_datasets: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(0)
    return [
        record(f"dataset_number_{d}", f"method_{m}", seed, float(np.clip(0.3 + 0.02 * m + 0.1 * rng.normal(), 0, 1)))
        for m in range(n_methods)
        for d in range(n_datasets)
        for seed in range(3)
    ]


@pytest.mark.parametrize(("n_methods", "n_datasets"), [(3, 2), pytest.param(20, 12, marks=pytest.mark.slow)])
def test_figures_of_a_measure_are_readable(n_methods: int, n_datasets: int) -> None:
    entries = entries_of(many(n_methods, n_datasets))
    datasets = [f"dataset_number_{d}" for d in range(n_datasets)]
    assert_readable(heat_map(entries, datasets, ACC))
    assert_readable(spread_over_seeds(entries, datasets, ACC))
    scatter = cost(entries, datasets, ACC)
    assert scatter is not None
    assert_readable(scatter)
    means = pd.DataFrame({e.name: [e.cells[d].mean(ACC).mean for d in datasets] for e in entries}, index=datasets)
    assert_readable(critical_difference_diagram(compare(means, n_draws=20)[0], ACC))


def test_the_heat_map_says_what_is_missing() -> None:
    runs = [record("d", "a", 0, 0.4), record("d", "b", 0, 0.9), record("e", "b", 0, None)]
    figure = heat_map(entries_of(runs), ["d", "e"], ACC)
    shown = [one.get_text() for one in texts(figure)]
    assert {"40.0", "90.0", "hatched: not run; crossed: every run failed"} <= set(shown)
    assert sorted(str(patch.get_hatch()) for patch in figure.axes[0].patches) == ["////", "xxxx"]
    assert shown.index("b") < shown.index("a")  # best first
    assert {"not run", "failed"} <= {
        one.get_text() for one in texts(spread_over_seeds(entries_of(runs), ["d", "e"], ACC))
    }


def test_a_method_that_was_run_on_easy_datasets_only_is_not_on_top() -> None:
    runs = [record("hard", "a", 0, 0.4), record("hard", "b", 0, 0.3), record("hard", "c", 0, 0.2)]
    runs += [record("easy", "a", 0, 0.9), record("easy", "b", 0, 0.8), record("easy", "d", 0, 0.7)]
    figure = heat_map(entries_of(runs), ["hard", "easy"], ACC)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b", "c", "d"]


def test_cost_without_results_is_no_figure() -> None:
    assert cost(entries_of([record(score=None)]), ["d"], ACC) is None


def test_cliques_are_the_longest_runs_within_the_difference() -> None:
    assert cliques(np.array([1.0, 2.0, 3.0, 6.0]), 1.0) == [(0, 1), (1, 2)]
    assert cliques(np.array([1.0, 1.5, 2.0, 6.0]), 1.0) == [(0, 2)]
    assert cliques(np.array([1.0, 3.0]), 1.0) == []


def test_matched_colours_and_unmatched_clusters() -> None:
    truth = as_truth(np.array(list("aaaabbbc")))
    assert (truth.names, truth.sizes.tolist()) == (("a", "b", "c"), [4, 3, 1])
    found = match(truth, np.array([7, 7, 7, 9, 5, 5, 5, 5]))
    assert found.names == ("7", "5", "9")
    assert found.types.tolist() == [0, 1, -1]
    assert found.table.tolist() == [[3, 0, 1], [0, 3, 0], [0, 1, 0]]
    assert found.colours(3) == (*palette(3)[:2], NOBODY)
    assert found.codes.tolist() == [0, 0, 0, 2, 1, 1, 1, 1]
    with pytest.raises(ValueError, match="2 clustered cells but 8 annotated"):
        match(truth, np.zeros(2, dtype=int))


def test_types_are_numbered_and_bare_numbers_are_said_to_be_types() -> None:
    truth = as_truth(np.array(["0", "0", "alpha", "x" * 60]))
    assert truth.shown == ["1. type 0 (2)", "2. alpha (1)", f"3. {'x' * 39}… (1)"]


def test_sampling_keeps_small_types_and_does_not_change() -> None:
    codes = np.repeat([0, 1, 2], [5000, 4, 20])
    chosen = sample_cells(codes, 100)
    assert len(chosen) == len(set(chosen)) == 100
    assert np.bincount(codes[chosen])[1:].tolist() >= [4, 5]
    assert np.array_equal(chosen, sample_cells(codes, 100))
    assert sample_cells(codes[:50], 100).tolist() == list(range(50))


@pytest.mark.parametrize("layout", [pytest.param("umap", marks=pytest.mark.slow), "tsne"])
def test_layouts_do_not_change_and_keep_groups(layout: str) -> None:
    latent = np.random.default_rng(0).normal(size=(60, 5)) + 12 * (np.arange(60) % 2)[:, None]
    points = lay_out(latent, layout)
    assert np.array_equal(points, lay_out(latent, layout))
    side = np.arange(60) % 2 == 0
    gap = np.linalg.norm(points[side].mean(axis=0) - points[~side].mean(axis=0))
    assert gap > points[side].std()


def test_what_has_no_layout() -> None:
    with pytest.raises(ConfigError, match="unknown embedding 'umpa'. Did you mean 'umap'"):
        lay_out(np.zeros((9, 3)), "umpa")
    with pytest.raises(ConfigError, match=r"shape \(3, 5\) has no two-dimensional layout"):
        lay_out(np.zeros((3, 5)), "umap")
    two = np.random.default_rng(0).random((9, 2))
    assert np.array_equal(lay_out(two, "umap"), two)


def test_cosine_against_a_slow_version() -> None:
    latent = np.random.default_rng(0).normal(size=(6, 3))
    centred = latent - latent.mean(axis=0)
    slow = [[a @ b / np.sqrt((a @ a) * (b @ b)) for b in centred] for a in centred]
    np.testing.assert_allclose(cosine(latent), slow, atol=1e-12)
    assert not cosine(np.ones((3, 2))).any()


def test_curves_have_a_panel_per_value_and_scores_of_snapshots(tmp_path: Path) -> None:
    truth = as_truth(np.arange(60) % 3)
    put(tmp_path, record())
    (folder,) = (tmp_path / "d" / "m").iterdir()
    history = read_history(folder)
    assert history is not None
    assert list(history) == ["loss", "other"]
    labels = np.stack([np.zeros(60, dtype=int), np.arange(60) % 3])
    np.savez(folder / "snapshots.npz", epochs=np.array([0, 5]), labels=labels)
    scores = score_snapshots(folder, truth)
    assert scores is not None
    assert scores["ari"].tolist() == [0, 1]
    figure = learning_curves({0: history}, {0: scores}, "m on d")
    assert figure is not None
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert titles == ["loss", "other", "ARI of snapshots (by true labels)", "NMI of snapshots (by true labels)"]
    assert_readable(figure)


def test_damaged_histories_and_snapshots_are_left_out(tmp_path: Path) -> None:
    truth = as_truth(np.arange(4))
    assert (read_history(tmp_path), score_snapshots(tmp_path, truth)) == (None, None)
    (tmp_path / "history.csv").write_text("step,loss\n1,2\n")
    (tmp_path / "snapshots.npz").write_bytes(b"no archive")
    assert (read_history(tmp_path), score_snapshots(tmp_path, truth)) == (None, None)
    np.savez(tmp_path / "snapshots.npz", epochs=np.array([0]), labels=np.zeros((1, 9), dtype=int))
    assert score_snapshots(tmp_path, truth) is None
    assert learning_curves({}, {}, "t") is None


def test_files_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    def write(folder: Path) -> list[bytes]:
        figure = new_figure(3, 2)
        figure.add_subplot().plot([1, 2], [3, 4], label="x")
        return [path.read_bytes() for path in save(figure, folder, "f")]

    first = write(tmp_path / "a")
    assert first == write(tmp_path / "b")
    assert b"Date" not in first[0]
    assert first[1].startswith(b"\x89PNG")


def test_why_labels_are_not_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoTruthError, match="nowhere is no registered dataset"):
        true_labels(record("nowhere"))
    monkeypatch.delenv("SCBENCH_DATA_PATH", raising=False)
    with pytest.raises(NoTruthError, match="shekhar is not on this machine; python -m scbench.datasets fetch shekhar"):
        true_labels(record("shekhar"))
    with pytest.raises(NoTruthError, match="another file than the one that runs were made on"):
        true_labels(record("pbmc68k_reduced"))
