"""The whole chain on a published table of 36 datasets and 14 methods."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from scbench.stats.comparison import Comparison, compare

TABLE = Path(__file__).parents[2] / "results" / "published" / "scclubench_table2_acc.csv"


@pytest.fixture(scope="module")
def both() -> dict[str, Comparison]:
    scores = pd.read_csv(TABLE, index_col="dataset") / 100
    assert scores.shape == (36, 14)
    return {result.analysis: result for result in compare(scores, n_draws=500)}


def test_friedman_on_the_32_complete_blocks(both: dict[str, Comparison]) -> None:
    result = both["complete_blocks"]
    assert len(result.datasets) == 32
    assert result.omnibus is not None
    assert result.omnibus.chi2 == pytest.approx(127.046, abs=5e-4)
    assert result.omnibus.p == pytest.approx(8.1e-21, rel=5e-3)
    assert result.ranks["n_missing"].sum() == 0


def test_mean_ranks_with_failures_last(both: dict[str, Comparison]) -> None:
    ranks = both["failures_last"].ranks["mean_rank"]
    assert ranks.round(2).head(5).to_dict() == {
        "scCDCG": 3.56, "scMAE": 3.83, "scNAME": 5.44, "AttentionAE-sc": 6.06, "SC3": 6.53,
    }  # fmt: skip
    assert len(both["failures_last"].datasets) == 36


def test_holm_against_the_best(both: dict[str, Comparison]) -> None:
    table = both["failures_last"].against_best.set_index("other")
    assert set(table["method"]) == {"scCDCG"}
    assert len(table) == 13
    assert table.loc["scMAE", "p_holm"] == pytest.approx(0.1266, abs=5e-5)
    assert table.loc["scNAME", "p_holm"] == pytest.approx(0.0140, abs=5e-5)


def test_intervals_hold_the_mean_ranks_and_say_that_seeds_are_unknown(both: dict[str, Comparison]) -> None:
    for result in both.values():
        assert (result.ranks["low"] < result.ranks["mean_rank"]).all()
        assert (result.ranks["mean_rank"] < result.ranks["high"]).all()
        assert any("single runs are not known" in note for note in result.notes)
        assert not any("too few" in note or "little power" in note for note in result.notes)
