from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scbench.stats.comparison import compare


def scores(n_datasets: int, n_methods: int = 3) -> pd.DataFrame:
    values = np.random.default_rng(0).random((n_datasets, n_methods)) + np.arange(n_methods)[::-1]
    return pd.DataFrame(values, index=[f"d{i}" for i in range(n_datasets)], columns=list("abcd")[:n_methods])


def test_both_analyses_and_their_datasets() -> None:
    table = scores(6)
    table.loc["d2", "b"] = np.nan
    last, complete = compare(table, n_draws=50)
    assert (last.analysis, complete.analysis) == ("failures_last", "complete_blocks")
    assert (len(last.datasets), complete.datasets) == (6, ("d0", "d1", "d3", "d4", "d5"))
    assert last.ranks["n_missing"].to_dict() == {"a": 0, "b": 1, "c": 0}
    assert list(last.nemenyi) == list(last.ranks.index)
    assert set(last.against_best["method"]) == {last.ranks.index[0]}


def test_an_analysis_without_datasets_is_left_out() -> None:
    table = scores(2)
    table.iloc[:, 1] = np.nan
    assert [result.analysis for result in compare(table, n_draws=20)] == ["failures_last"]


@pytest.mark.parametrize(
    ("n_datasets", "said"), [(4, "no pair can differ at 0.05"), (9, "have little power"), (20, None)]
)
def test_few_datasets_are_said(n_datasets: int, said: str | None) -> None:
    table = scores(n_datasets)
    (result, _) = compare(table, table.to_numpy()[:, :, None], n_draws=20)
    assert [said in note for note in result.notes] == [True] if said else result.notes == ()


def test_seeds_must_fit_the_scores() -> None:
    with pytest.raises(ValueError, match="seeds are of"):
        compare(scores(3), np.zeros((2, 3, 1)))
