"""What a search says while it goes on: one line for each trial that ends."""

from __future__ import annotations

import time
from contextlib import suppress

from scbench import consoles
from scbench.run.display import short_time
from scbench.tune.sampling import judged
from scbench.tune.study import Study
from scbench.tune.summary import short
from scbench.tune.trials import Outcome

__all__ = ["Teller", "say"]


def say(line: str) -> None:
    """Write one line to stderr as it is."""
    with suppress(OSError):  # a full disk behind stderr; the trials go on
        consoles.say(consoles.ProgressConsole(), line)


class Teller:
    """Write one line for each trial that ends, without any score that is made with labels unless these are asked for.

    Args:
        study: the study.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._started = time.monotonic()
        self._n = 0

    def __call__(self, outcome: Outcome) -> None:
        """Write the line."""
        self._n += 1
        study, search = self._study, self._study.search
        trials = study.trials()
        n_ended = sum(trial.state.is_finished() for trial in trials)
        are_defaults = outcome.params == search.space.defaults(search.config)
        head = f"[{n_ended}/{study.n_trials}] trial {outcome.number}{' (defaults)' if are_defaults else ''}"
        shown = "  ".join(f"{name}={short(value)}" for name, value in outcome.params.items())
        if outcome.scores is None:
            how = "given up" if outcome.is_pruned else "failed"
            say(f"{head}: {how} after {short_time(outcome.seconds)}: {outcome.reason}  {shown}")
            return
        values = judged(trials, maximize=search.objective.maximize)
        best = study.best_of(values)
        ranked = f"{search.value_name} {values[outcome.number]:.4f}"
        best_text = f" (best {values[best]:.4f}, trial {best})"
        left = (time.monotonic() - self._started) / self._n * max(0, study.n_trials - n_ended)
        say(f"{head}: {ranked}{best_text}, {outcome.seconds:.1f} s, {short_time(left)} left  {shown}")
