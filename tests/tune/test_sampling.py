from __future__ import annotations

import pytest
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from scbench.tune.sampling import SCORES, judged, suggest

X: dict[str, BaseDistribution] = {"x": FloatDistribution(0, 1)}


def trial(number: int, x: float, state: TrialState = TrialState.COMPLETE, **scores: float) -> FrozenTrial:
    value = next(iter(scores.values())) if state == TrialState.COMPLETE else None
    made = create_trial(state=state, params={"x": x}, distributions=X, value=value, user_attrs={SCORES: scores})
    made.number = number
    return made


def next_x(trials: list[FrozenTrial], seed: int = 0) -> float:
    return float(suggest(trials, X, maximize=True, direction="maximize", seed=seed)["x"])


def test_one_dataset_is_judged_by_its_value_and_several_by_their_ranks() -> None:
    one = [trial(0, 0.1, a=5.0), trial(1, 0.2, TrialState.FAIL), trial(2, 0.3, a=7.0)]
    assert judged(one, maximize=True) == {0: 5.0, 2: 7.0}
    several = [trial(0, 0.1, a=5.0, b=1.0), trial(1, 0.2, a=7.0, b=2.0)]
    assert judged(several, maximize=True) == {0: 2.0, 1: 1.0}


def test_the_same_trials_and_seed_give_the_same_values() -> None:
    trials = [trial(i, i / 20, a=-abs(i / 20 - 0.3)) for i in range(20)]
    assert next_x(trials) == next_x(trials)
    assert next_x(trials) != next_x(trials, seed=1)
    assert len({next_x(trials[:n]) for n in range(8)}) == 8  # no start-up point is drawn twice


def test_it_searches_where_trials_were_good_and_not_where_they_failed() -> None:
    good_below = [trial(i, i / 40, a=1.0 - i / 40) for i in range(20)]
    failed_above = [trial(20 + i, 0.5 + i / 40, TrialState.FAIL) for i in range(20)]
    drawn = [next_x(good_below + failed_above, seed) for seed in range(12)]
    assert sum(x < 0.5 for x in drawn) >= 11
    assert pytest.approx(0, abs=0.25) == sorted(drawn)[5]
