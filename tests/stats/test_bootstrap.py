from __future__ import annotations

import numpy as np
import pytest

from scbench.stats.bootstrap import rank_intervals
from scbench.stats.ranks import rank_rows


def slow_interval(values: np.ndarray, n_draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(n_draws):
        rows = []
        for dataset in rng.integers(len(values), size=len(values)):
            row = []
            for cell in values[dataset]:
                finished = cell[~np.isnan(cell)]
                row.append(rng.choice(finished, len(finished)).mean() if len(finished) else np.nan)
            rows.append(row)
        means.append(rank_rows(np.array(rows)).mean(axis=0))
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return low, high


def test_intervals_agree_with_a_slow_bootstrap() -> None:
    values = np.random.default_rng(0).normal(size=(6, 4, 5)) + np.arange(4)[:, None] * 0.4
    values[1, 2, 3:] = np.nan
    values[4, 0] = np.nan
    for fast, slow in zip(rank_intervals(values, n_draws=4000), slow_interval(values, 4000, 1), strict=True):
        np.testing.assert_allclose(fast, slow, atol=0.2)


def test_seeds_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    means = np.tile([0.5, 0.52, 0.3], (8, 1))
    spread = means[:, :, None] + rng.normal(scale=0.05, size=(8, 3, 5))
    fixed = rank_intervals(means[:, :, None])
    drawn = rank_intervals(spread)
    assert np.array_equal(fixed[0], fixed[1])
    assert (drawn[1] - drawn[0])[:2].min() > 0


def test_the_same_seed_gives_the_same_interval_and_chunks_change_no_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).random((3, 3, 4))
    first, again = rank_intervals(values), rank_intervals(values)
    assert np.array_equal(first, again)
    monkeypatch.setattr("scbench.stats.bootstrap._CHUNK_VALUES", 1)
    np.testing.assert_allclose(rank_intervals(values), first, atol=0.2)


def test_a_method_that_always_fails_is_always_last() -> None:
    values = np.random.default_rng(0).random((4, 3, 2))
    values[:, 1] = np.nan
    low, high = rank_intervals(values)
    assert (low[1], high[1]) == (3, 3)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.zeros((2, 2)), {}, "got shape (2, 2)"),
        (np.zeros((2, 0, 1)), {}, "none of them 0"),
        (np.zeros((2, 2, 1)), {"n_draws": 0}, "got 0 and 0.95"),
        (np.zeros((2, 2, 1)), {"level": 1.0}, "got 2000 and 1.0"),
    ],
)
def test_mistakes_are_said(values: np.ndarray, options: dict[str, float], message: str) -> None:
    import re

    with pytest.raises(ValueError, match=re.escape(message)):
        rank_intervals(values, **options)  # type: ignore[arg-type]
