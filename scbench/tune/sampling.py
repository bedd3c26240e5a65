"""Which values to try next: TPE over the trials so far, the same whether a search was interrupted or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from optuna import create_study
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from scbench.tune.trial_ranks import trial_ranks

__all__ = ["SCORES", "judged", "suggest"]

SCORES = "scores"  # attribute of a trial: its value on each dataset


def judged(trials: Sequence[FrozenTrial], *, maximize: bool) -> dict[int, float]:
    """Return the value of every complete trial by its number.

    On one dataset that is its value. On several it is its mean rank among all of them, of which less is better; it
    changes with every trial, so what the study keeps is only what it was at the time.
    """
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    scores = [trial.user_attrs[SCORES] for trial in complete]
    if scores and len(scores[0]) > 1:
        return dict(zip((trial.number for trial in complete), trial_ranks(scores, maximize=maximize), strict=True))
    return {trial.number: float(next(iter(trial.user_attrs[SCORES].values()))) for trial in complete}


def suggest(
    trials: Sequence[FrozenTrial],
    distributions: Mapping[str, BaseDistribution],
    *,
    maximize: bool,
    direction: Literal["maximize", "minimize"],
    seed: int,
) -> dict[str, Any]:
    """Return values for one more trial.

    The sampler looks at a copy of the study: trials are judged by :func:`judged`, and those that failed or collapsed
    count as the worst, so that it keeps away from them. It is seeded with ``seed`` and the number of the trial: a
    sampler that goes on after an interruption would draw its first points again.

    Args:
        trials: of the study, in any state.
        distributions: what to draw from.
        maximize: whether more of the objective is better.
        direction: of what :func:`judged` gives, ``maximize`` or ``minimize``.
        seed: of the search.
    """
    own_seed = int(np.random.SeedSequence([seed, len(trials)]).generate_state(1)[0])
    study = create_study(direction=direction, sampler=TPESampler(seed=own_seed))
    values = judged(trials, maximize=maximize)
    study.add_trials([_seen(trial, values.get(trial.number)) for trial in trials if trial.params])
    return study.ask(dict(distributions)).params


def _seen(trial: FrozenTrial, value: float | None) -> FrozenTrial:
    """Return a trial as the sampler sees it; one that failed is pruned before its first report, which is the worst."""
    state = TrialState.PRUNED if trial.state == TrialState.FAIL else trial.state
    return create_trial(
        state=state,
        value=value,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values=trial.intermediate_values if state == TrialState.PRUNED else None,
    )
