"""Make the trials of a study on the slots of this machine, and tell what happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from scbench.config.schema import RunConfig
from scbench.metrics.fixed_space import FixedSpace
from scbench.run.consoles import ProgressConsole
from scbench.run.devices import resolve_devices
from scbench.run.display import short_time
from scbench.run.engine import LocalRunner
from scbench.run.listener import Listeners
from scbench.run.plan import PlannedRun
from scbench.run.store import Store
from scbench.run.sweep_file import SweepFile
from scbench.tune.feed import Outcome, TrialFeed
from scbench.tune.sampling import judged
from scbench.tune.study import Study
from scbench.tune.summary import short

__all__ = ["make_trials", "say"]


def make_trials(study: Study, config: RunConfig, provenance: Mapping[str, Any]) -> bool:
    """Make trials until the study has all of them, or they are under way in other processes.

    Args:
        study: the study.
        config: engine and device are taken from it.
        provenance: shared part of all records.

    Returns:
        Whether it came to its end; False when Ctrl-C or SIGTERM stopped it.

    Raises:
        ScbenchError: when the store cannot be written, or the device is not there.
    """
    search = study.search
    store = Store(study.folder / "runs")
    store.check_writable()
    store.remove_leftovers()
    slots = resolve_devices(config.device, config.engine, search.config.USES_TORCH)
    spaces = _spaces(search.runs)
    if search.objective.space_score is not None:
        for space in spaces.values():
            space.prepare(search.objective.space_score)
    told = len([trial for trial in study.trials() if trial.state.is_finished()])
    n_left = max(0, study.n_trials - told)
    feed = TrialFeed(study, store, spaces, _Teller(study))
    sys.stdout.flush()
    with SweepFile(store.root, provenance["argv"], n_left * len(search.runs), told * len(search.runs)) as file:
        listeners = Listeners([file, feed])
        runner = LocalRunner(store, config.engine, slots, listeners, provenance, supply=feed)
        runner.execute([])
    return not runner.was_interrupted


def say(line: str) -> None:
    """Write one line to stderr as it is."""
    with suppress(OSError):  # a full disk behind stderr; the trials go on
        ProgressConsole().print(line, markup=False, highlight=False, soft_wrap=True)


def _spaces(runs: Sequence[PlannedRun]) -> dict[str, FixedSpace]:
    """Return the fixed space of each dataset, in file order."""
    spaces = {}
    for run in runs:
        if run.dataset.name not in spaces:
            counts = run.dataset.counts()
            spaces[run.dataset.name] = FixedSpace(counts, run.dataset.cache(counts.matrix))
    return spaces


class _Teller:
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
        head = f"[{n_ended}/{study.n_trials}] trial {outcome.number}"
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
