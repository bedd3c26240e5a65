from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scbench.stats.bayes import bayesian_signed_rank, bayesian_table


def slow_test(differences: list[float], rope: float, n_draws: int) -> np.ndarray:
    rng = np.random.default_rng(9)
    points = [0.0, *differences]
    wins = np.zeros(3)
    for _ in range(n_draws):
        w = rng.dirichlet([0.5] + [1.0] * len(differences))
        mass = np.zeros(3)
        for i, a in enumerate(points):
            for j, b in enumerate(points):
                middle = (a + b) / 2
                mass[0 if middle < -rope else 2 if middle > rope else 1] += w[i] * w[j]
        wins[mass.argmax()] += 1
    return wins / n_draws


def test_against_a_slow_version() -> None:
    differences = [0.03, -0.02, 0.05, 0.004, 0.015, -0.001]
    np.testing.assert_allclose(
        bayesian_signed_rank(np.array(differences), 0.01), slow_test(differences, 0.01, 2000), atol=0.04
    )


def test_clear_cases() -> None:
    assert bayesian_signed_rank(np.full(12, 0.2))[2] > 0.99
    assert bayesian_signed_rank(np.full(12, 0.005))[1] == 1
    assert bayesian_signed_rank(np.full(12, 0.80 - 0.79))[1] == 1  # 0.010000000000000009


def test_swapping_methods_swaps_the_probabilities() -> None:
    differences = np.random.default_rng(0).normal(0.01, 0.03, size=10)
    worse, equal, better = bayesian_signed_rank(differences)
    assert worse + equal + better == pytest.approx(1)
    assert bayesian_signed_rank(-differences) == pytest.approx((better, equal, worse))


def test_without_a_rope_the_sign_decides() -> None:
    worse, _, better = bayesian_signed_rank(np.array([-1.0, 1.0] * 10), rope=0.0)
    assert worse == pytest.approx(better, abs=0.02)


def test_the_table_has_pairs_with_common_datasets_only() -> None:
    scores = pd.DataFrame({"a": [0.9, 0.9, np.nan], "b": [0.5, np.nan, np.nan], "c": [np.nan, np.nan, 0.1]})
    table = bayesian_table(scores)
    assert table[["method", "other", "n"]].values.tolist() == [["a", "b", 1]]


@pytest.mark.parametrize(
    ("differences", "options", "message"),
    [([], {}, "at least one"), ([np.nan], {}, "leave out missing datasets"), ([0.1], {"rope": -1.0}, "got -1.0, 0.5")],
)
def test_mistakes_are_said(differences: list[float], options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bayesian_signed_rank(np.array(differences), **options)  # type: ignore[arg-type]
