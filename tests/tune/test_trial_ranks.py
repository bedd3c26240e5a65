from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scbench.tune.trial_ranks import trial_ranks


def test_a_case_by_hand() -> None:
    values = [{"a": 0.9, "b": 1.0}, {"a": 0.5, "b": 3.0}, {"a": 0.5, "b": 2.0}]
    assert trial_ranks(values, maximize=True) == [2.0, 1.75, 2.25]  # ranks on a: 1, 2.5, 2.5; on b: 3, 1, 2
    assert trial_ranks(values, maximize=False) == [2.0, 2.25, 1.75]
    assert trial_ranks([], maximize=True) == []


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1, max_size=12))
def test_ranks_ignore_the_scale_of_a_dataset_and_sum_to_the_same(pairs: list[tuple[int, int]]) -> None:
    plain = trial_ranks([{"a": a, "b": b} for a, b in pairs], maximize=True)
    stretched = trial_ranks([{"a": 1000.0 * a + 7, "b": b} for a, b in pairs], maximize=True)
    assert plain == stretched
    assert np.mean(plain) == pytest.approx((len(pairs) + 1) / 2)


def test_a_slow_count_gives_the_same() -> None:
    column = [0.3, 0.1, 0.3, 0.9]
    slow = [1 + sum(o > v for o in column) + (sum(o == v for o in column) - 1) / 2 for v in column]
    assert trial_ranks([{"a": value} for value in column], maximize=True) == slow


def test_trials_on_other_datasets_cannot_be_ranked() -> None:
    with pytest.raises(ValueError, match="trials must have values on the same datasets to be ranked"):
        trial_ranks([{"a": 1.0}, {"b": 1.0}], maximize=True)
