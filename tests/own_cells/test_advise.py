"""Which method for my cells."""

from __future__ import annotations

import math
import tarfile
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.own_cells.advice.advice import Cells, advise
from scbench.own_cells.advice.command import main
from scbench.own_cells.advice.cost import cost_of
from scbench.own_cells.advice.measured import MeasuredRun, measured_csv, measured_runs, shipped_runs
from scbench.own_cells.advice.ranking import ranking_of
from scbench.own_cells.advice.shown import advice_page, advice_text
from scbench.store.record_file import read_record
from scbench.testing import toy_counts

ROOT = Path(__file__).parents[2]


def runs_of(method: str, sizes: dict[str, int], ari: float = 0.5, seconds_per_cell: float = 0.01) -> list[MeasuredRun]:
    return [
        MeasuredRun(method, name, n, 2000, seed, seconds_per_cell * n, 100 + n / 10, ari + 0.001 * seed)
        for name, n in sizes.items()
        for seed in range(3)
    ]


SIZES = {f"set{i}": 100 * 2**i for i in range(9)}
CELLS = Cells("mine", 1000, 2000, 0.9, True, None, False, 16_000.0)


def test_a_power_law_is_found_and_what_is_left_out_is_told() -> None:
    cost = cost_of(runs_of("leiden", SIZES), 1000)
    assert cost is not None
    assert cost.seconds == pytest.approx(10.0)
    assert cost.seconds_factor == pytest.approx(1.0)
    assert cost.memory_factor > 1.05  # no power law: a constant and a slope
    assert not cost.is_beyond
    beyond = cost_of(runs_of("leiden", SIZES), 60_000)
    assert beyond is not None
    assert beyond.is_beyond


def test_leaving_out_is_done_by_hand_the_same() -> None:
    runs = [
        MeasuredRun("m", str(n), n, 10, 0, seconds, 100.0, 0.5)
        for n, seconds in ((100, 1.0), (200, 3.0), (400, 4.0), (800, 9.0))
    ]
    x, y = np.log([run.n_cells for run in runs]), np.log([run.seconds for run in runs])
    missed = []
    for left in range(4):
        slope, start = np.polyfit(np.delete(x, left), np.delete(y, left), 1)
        missed.append(y[left] - (start + slope * x[left]))
    cost = cost_of(runs, 300)
    assert cost is not None
    assert cost.seconds_factor == pytest.approx(math.exp(math.sqrt(np.mean(np.square(missed)))))


def test_a_method_without_runs_has_no_cost_and_one_set_has_no_error() -> None:
    assert cost_of([], 10) is None
    one = cost_of(runs_of("m", {"only": 100}), 200)
    assert one is not None
    assert one.seconds == pytest.approx(2.0)
    assert math.isnan(one.seconds_factor)


def test_sets_of_the_nearest_size_count_and_a_clear_winner_is_named() -> None:
    runs = [
        run
        for name, ari in (("pca_kmeans", 0.5), ("leiden", 0.4), ("scsamac", 0.9))
        for run in runs_of(name, SIZES, ari)
    ]
    found = ranking_of(runs, 1000, ["pca_kmeans", "leiden", "scsamac"])
    assert found is not None
    assert [name for name, _ in found.sets][:2] == ["set3", "set4"]
    assert len(found.sets) == 8
    assert found.table.index.tolist() == ["scsamac", "pca_kmeans", "leiden"]
    assert found.said[0].startswith("Better than PCA + k-means: scsamac (on 8 sets")
    assert found.said[0].endswith("worse: leiden")
    assert found.said[1].startswith("Better than Leiden: ")


def test_it_is_said_plainly_when_nothing_beats_a_baseline() -> None:
    rng = np.random.default_rng(0)
    runs = [
        MeasuredRun(name, dataset, n, 10, 0, 1.0, 1.0, float(rng.uniform()))
        for name in ("pca_kmeans", "leiden", "cicl")
        for dataset, n in SIZES.items()
    ]
    found = ranking_of(runs, 1000, ["pca_kmeans", "leiden", "cicl"])
    assert found is not None
    assert found.said[0].startswith("Nothing here beats PCA + k-means (on 8 sets")
    few = ranking_of([run for run in runs if run.n_cells < 1000], 1000, ["pca_kmeans", "leiden", "cicl"])
    assert few is not None
    assert few.said[0].startswith("Nothing here is shown to beat PCA + k-means: 4 sets are too few")
    assert ranking_of(runs, 1000, ["pca_kmeans"]) is None


def test_a_method_that_cannot_run_is_last_with_its_reason() -> None:
    found = advise(Cells("mine", 1000, 50, 0.9, False, 4, True, 200.0), shipped_runs())
    why = {one.method: one.why_not for one in found.methods}
    assert why["scsamac"] == "needs counts"
    assert why["cicl"].startswith("needs about ")
    assert not why["pca_kmeans"]
    n_able = sum(not one.why_not for one in found.methods)
    assert not any(one.why_not for one in found.methods[:n_able])
    text = advice_text(found)
    assert "cannot run: needs counts" in text
    assert "no counts, but log-normalised values; K = 4; a GPU" in text


def test_the_page_says_the_same_and_runs_nothing() -> None:
    found = advise(Cells("<b>&mine", 1000, 50, 0.9, True, None, False, 9000.0), shipped_runs())
    page = advice_page(found)
    assert "<b>" not in page
    assert "<script" not in page
    assert found.ranking is not None
    assert len(found.ranking.said) == 2
    for line in found.ranking.said:
        assert line.split(":")[0] in page


def record(**more: Any) -> dict[str, Any]:
    return {
        "method": "pca_kmeans", "variant": "default", "dataset": "d", "protocol": "honest", "seed": 1, "status": "ok",
        "n_cells": 10, "n_genes": 20, "n_clusters_rule": "true", "device": "cpu", "metrics": {"ari": 0.123456},
        "peak_rss_bytes": 2**20, "seconds": {"total": 1.234}, "params": {}, "data": {"preprocessing": {}},
    } | more  # fmt: skip


def test_only_runs_with_nothing_changed_are_counted() -> None:
    assert measured_runs([record()]) == [MeasuredRun("pca_kmeans", "d", 10, 20, 1, 1.23, 1.0, 0.12346)]
    for more in (
        {"status": "error"},
        {"protocol": "published"},
        {"variant": "paper_code"},
        {"n_clusters_rule": "estimate"},
        {"device": "cuda:0"},
        {"metrics": {"ari": None}},
        {"params": {"n_components": 3}},
        {"tuned_with_labels": True},
        {"preset": {"name": "young"}},
        {"data": {"preprocessing": {"subsample": {"share": 0.5}}}},
    ):
        assert measured_runs([record(**more)]) == []


def test_the_shipped_table_is_that_of_the_reference_records(tmp_path: Path) -> None:
    records = []
    with tarfile.open(ROOT / "results" / "reference" / "records.tar.xz") as packed:
        for member in packed:
            if member.name.endswith("record.json"):
                packed.extract(member, tmp_path, filter="data")
                one = read_record((tmp_path / member.name).parent)
                assert one is not None
                records.append(one)
    assert measured_csv(measured_runs(records)) == measured_csv(shipped_runs())


def test_the_command_reads_a_file_and_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adata = anndata.AnnData(csr_matrix(toy_counts(50, 40).matrix))
    adata.write_h5ad(tmp_path / "mine.h5ad")
    page = tmp_path / "advice.html"
    assert main([f"path={tmp_path / 'mine.h5ad'}", f"out={page}", "n_clusters=4", "gpu=false"]) == 0
    shown = capsys.readouterr().out
    assert "mine: 50 cells \N{MULTIPLICATION SIGN} 40 genes" in shown
    assert "K = 4; no GPU" in shown
    assert "Which method for mine?" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["path=x", "pat=y"], "unknown key"),
        ([], "no path given; add path=my.h5ad"),
        (["path=x", "n_clusters=0"], "n_clusters must be a whole number of at least 1, got '0'"),
        (["path=x", "gpu=yes"], "value of gpu"),
        (["path=x", "path=y"], "path is given twice"),
        (["path=/nowhere/x.h5ad"], "/nowhere/x.h5ad"),
        (["path=x", "store=/nowhere"], "there is no store /nowhere"),
    ],
)
def test_a_wrong_command_is_one_line(given: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(given) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.strip().splitlines()) == 1
