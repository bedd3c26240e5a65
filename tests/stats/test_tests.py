"""Friedman, Iman-Davenport, Wilcoxon with Holm, Nemenyi."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
from scipy.stats import rankdata
from statsmodels.stats.multitest import multipletests

from scbench.stats.nemenyi import critical_difference, nemenyi_p
from scbench.stats.omnibus import omnibus
from scbench.stats.pairwise import holm, smallest_p, wilcoxon_holm


def table(n_datasets: int = 9, n_methods: int = 4, seed: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).random((n_datasets, n_methods)).round(1)
    return pd.DataFrame(values + 0.05 * np.arange(n_methods), columns=list("abcd")[:n_methods])


def test_friedman_and_iman_davenport_from_their_formulas() -> None:
    scores = pd.DataFrame(np.random.default_rng(1).random((7, 4)), columns=list("abcd"))  # no ties
    result = omnibus(scores)
    assert result is not None
    n, k = scores.shape
    means = rankdata(-scores.to_numpy(), axis=1).mean(axis=0)
    chi2 = 12 * n / (k * (k + 1)) * ((means**2).sum() - k * (k + 1) ** 2 / 4)
    assert result.chi2 == pytest.approx(chi2)
    assert result.f == pytest.approx((n - 1) * chi2 / (n * (k - 1) - chi2))
    assert 0 < result.f_p < 1


def test_one_method_first_everywhere_gives_an_infinite_f() -> None:
    result = omnibus(pd.DataFrame([[3.0, 2.0, 1.0]] * 5, columns=list("abc")))
    assert result is not None
    assert (result.f, result.f_p) == (np.inf, 0)


def test_a_failure_counts_as_last_for_friedman_even_in_the_first_column() -> None:
    scores = table()
    failed, worst = scores.copy(), scores.copy()
    failed.iloc[2, 0], worst.iloc[2, 0] = np.nan, -1
    assert omnibus(failed) == omnibus(worst)


@pytest.mark.parametrize("scores", [table(9, 2), table(1, 4), table() * 0])
def test_friedman_is_left_out_where_it_is_not_defined(scores: pd.DataFrame) -> None:
    assert omnibus(scores) is None


def slow_wilcoxon(difference: np.ndarray) -> float:
    """Return the exact two-sided p by going through all signs."""
    ranks = rankdata(np.abs(difference))
    sums = np.array([np.dot(signs, ranks) for signs in itertools.product([0, 1], repeat=len(ranks))])
    seen = ranks[difference > 0].sum()
    return float(min(1.0, 2 * min((sums <= seen).mean(), (sums >= seen).mean())))


def slow_holm(p: list[float]) -> list[float]:
    order = sorted(range(len(p)), key=p.__getitem__)
    out, largest = [0.0] * len(p), 0.0
    for step, position in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - step) * p[position]))
        out[position] = largest
    return out


def test_wilcoxon_and_holm_against_slow_versions() -> None:
    scores = pd.DataFrame(np.random.default_rng(3).normal([0, 1, 0, 0.3], size=(8, 4)), columns=list("abcd"))
    result = wilcoxon_holm(scores)
    expected = [slow_wilcoxon((scores[a] - scores[b]).to_numpy()) for a, b in itertools.combinations("abcd", 2)]
    assert result["p"].tolist() == pytest.approx(expected)
    assert result["p_holm"].tolist() == pytest.approx(slow_holm(expected))
    assert result["median_difference"][0] == pytest.approx((scores["a"] - scores["b"]).median())


@pytest.mark.parametrize("n_tests", [0, 1, 2, 30])
def test_holm_equals_statsmodels(n_tests: int) -> None:
    p = np.random.default_rng(n_tests).uniform(0, 0.2, n_tests).round(2)  # some are equal
    expected = multipletests(p, method="holm")[1] if n_tests else p
    np.testing.assert_allclose(holm(p), expected)


def test_equal_methods_have_p_1() -> None:
    scores = table()[["a"]].assign(b=lambda t: t["a"])
    assert wilcoxon_holm(scores)[["n", "p", "p_holm"]].values.tolist() == [[0, 1, 1]]


def test_pairs_without_a_common_score_have_no_median() -> None:
    scores = pd.DataFrame({"a": [1.0, np.nan], "b": [np.nan, 1.0]})
    assert np.isnan(wilcoxon_holm(scores)["median_difference"][0])


def test_the_smallest_p_is_the_one_that_the_test_gives() -> None:
    scores = pd.DataFrame({"a": np.arange(6.0) + 1, "b": np.zeros(6)})
    assert wilcoxon_holm(scores)["p"][0] == pytest.approx(smallest_p(6, 1))
    assert smallest_p(6, 6) == pytest.approx(6 / 32)
    assert smallest_p(2, 6) == 1


def test_nemenyi_equals_the_package_on_complete_tables_and_the_critical_difference_is_its_edge() -> None:
    scores = table()
    expected = scikit_posthocs.posthoc_nemenyi_friedman(scores)
    pd.testing.assert_frame_equal(nemenyi_p(scores), expected, check_names=False, rtol=1e-6)
    # Two methods whose mean ranks lie one critical difference apart have p = alpha.
    edge = critical_difference(4, 9, 0.05)
    assert critical_difference(4, 9, 0.01) > edge > critical_difference(4, 90, 0.05)
    # Demsar 2006, table 5: q at 0.05 for 2 and 10 methods.
    assert critical_difference(2, 1) == pytest.approx(1.960, abs=1e-3)
    assert critical_difference(10, 1) / np.sqrt(110 / 6) == pytest.approx(3.164, abs=1e-3)


def test_mistakes_are_said() -> None:
    with pytest.raises(ValueError, match="no method 'z' to test against; methods are a, b, c, d"):
        wilcoxon_holm(table(), against="z")
    with pytest.raises(ValueError, match="must be at least 1, got 0 and 1"):
        smallest_p(0, 1)
    with pytest.raises(ValueError, match="got 1, 5 and 0.05"):
        critical_difference(1, 5)
