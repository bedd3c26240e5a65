"""A study on disk: its trials are claimed one by one, by any number of processes, and never more than asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.trial import FrozenTrial, Trial, TrialState

from scbench.errors import ConfigError
from scbench.tune.identity import Search, differences, identity_of
from scbench.tune.locked import WAIT_SECONDS, StudyLockedError, check_unlocked, lock_told, sqlite_file
from scbench.tune.ownership import Owner, is_gone
from scbench.tune.sampling import SCORES, judged, suggest
from scbench.tune.storage import open_storage, storage_url
from scbench.tune.study_folder import claim_folder
from scbench.tune.trial_ranks import trial_ranks

__all__ = ["Claim", "Study", "open_study"]

_OWNER, _REASON, _IDENTITY = "owner", "reason", "scbench"
_LABELS = "tuned_with_labels"
_DIFFERENCES_SHOWN = 4
_PRUNERS: Mapping[str, Callable[[], BasePruner]] = {
    "none": NopPruner,
    "median": partial(MedianPruner, n_startup_trials=5, n_warmup_steps=10),
    "hyperband": partial(HyperbandPruner, min_resource=10, reduction_factor=3),
}


@dataclass(frozen=True)
class Claim:
    """A trial that this process has to make.

    Attributes:
        number: from 0.
        params: the values to try, by parameter.
    """

    number: int
    params: Mapping[str, Any]


class Study:
    """One study, for this process.

    Args:
        study: Optuna's.
        folder: of the study.
        search: what is searched.
        n_trials: trials in all.
        owner: this process.
        file: of SQLite that it is kept in; None when it is kept elsewhere.
    """

    def __init__(
        self, study: optuna.Study, folder: Path, search: Search, n_trials: int, owner: Owner, file: Path | None
    ) -> None:
        self.name = study.study_name
        self.folder = folder
        self.search = search
        self.n_trials = n_trials
        self._study = study
        self._owner = owner
        self._file = file
        self._locked: StudyLockedError | None = None
        self._distributions = search.space.distributions()
        self._mine: dict[int, Trial] = {}

    def claim(self) -> Claim | None:
        """Return the next trial to make, or None when all are made or under way.

        A trial that a dead process has left is taken over as it is; the first trial of a study has the defaults.
        """
        self._check_lock()
        with _lock(self.folder):
            check_unlocked(self._file, WAIT_SECONDS)  # to add a trial Optuna tries five times, each as long as this
            trials = self._study.get_trials(deepcopy=False)
            found = self._left_behind(trials)
            if found is not None:
                trial = Trial(self._study, found._trial_id)
                trial.set_user_attr(_OWNER, self._owner.name)
            elif len(trials) < self.n_trials:
                trial = self._add(self.search.space.stored(self._next(trials)))
            else:
                return None
        self._mine[trial.number] = trial
        return Claim(trial.number, self.search.space.current(trial.params))

    def _left_behind(self, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
        """Return a trial whose process is gone."""
        for trial in trials:
            is_mine = trial.number in self._mine
            if trial.state == TrialState.RUNNING and not is_mine and is_gone(self.folder, _owner_of(trial)):
                return trial
        return None

    def _add(self, params: Mapping[str, Any]) -> Trial:
        """Start a trial, whole in one transaction; ``study.ask`` would take one for each parameter."""
        self._study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.RUNNING,
                params=dict(params),
                distributions=dict(self._distributions),
                user_attrs={_OWNER: self._owner.name},
            )
        )
        running = self._of_state(TrialState.RUNNING)
        return Trial(self._study, max(running, key=lambda trial: trial.number)._trial_id)

    def _next(self, trials: Sequence[FrozenTrial]) -> dict[str, Any]:
        """Return the values of one more trial."""
        space = self.search.space
        defaults = space.defaults(self.search.config)
        if not trials and space.holds(defaults):
            return defaults
        drawn = suggest(
            trials,
            self._distributions,
            maximize=self.search.objective.maximize,
            direction="maximize" if self.search.maximize else "minimize",
            seed=self.search.sampler_seed,
        )
        return space.rounded(space.current(drawn))

    def complete(self, number: int, scores: Mapping[str, float]) -> None:
        """Note the values of a trial, by dataset."""
        self._check_lock()
        with _lock(self.folder):
            self._mine[number].set_user_attr(SCORES, dict(scores))
            value = next(iter(scores.values()))
            if len(scores) > 1:
                others = [trial.user_attrs[SCORES] for trial in self._of_state(TrialState.COMPLETE)]
                value = trial_ranks([*others, scores], maximize=self.search.objective.maximize)[-1]
            self._study.tell(self._mine.pop(number), value)

    def fail(self, number: int, reason: str) -> None:
        """Note that a trial has no value, and why."""
        self._check_lock()
        self._mine[number].set_user_attr(_REASON, reason)
        self._study.tell(self._mine.pop(number), state=TrialState.FAIL)

    def prune(self, number: int, reason: str) -> None:
        """Note that a trial was given up, and where."""
        self._check_lock()
        self._mine[number].set_user_attr(_REASON, reason)
        self._study.tell(self._mine.pop(number), state=TrialState.PRUNED)

    def gives_up(self, number: int, step: int, value: float) -> bool:
        """Note a value on the way and return whether to give the trial up.

        When another program has locked the study, the run is given up, too, as one that the same command makes again:
        what follows from that, or from another run, raises the error, and this is no place that the engine stops at.
        """
        if self._locked is not None:
            return True
        try:
            with lock_told(self._file):
                self._mine[number].report(value, step)
                return self._mine[number].should_prune()
        except StudyLockedError as error:
            self._locked = error
            return True

    def _check_lock(self) -> None:
        if self._locked is not None:
            raise self._locked

    def trials(self) -> list[FrozenTrial]:
        """Return all trials, by number."""
        return self._study.get_trials(deepcopy=False)

    def reason(self, trial: FrozenTrial) -> str:
        """Return why a trial has no value."""
        return str(trial.user_attrs.get(_REASON, ""))

    def under_way_elsewhere(self) -> int:
        """Return how many trials are made by other processes that live."""
        running = self._of_state(TrialState.RUNNING)
        return sum(not is_gone(self.folder, _owner_of(t)) for t in running if t.number not in self._mine)

    def values(self) -> dict[int, float]:
        """Return what each complete trial is judged by, by number."""
        return judged(self.trials(), maximize=self.search.objective.maximize)

    def best(self) -> FrozenTrial | None:
        """Return the best trial, of equal ones the first; None when none is complete."""
        values = self.values()
        return self.trials()[self.best_of(values)] if values else None

    def best_of(self, values: Mapping[int, float]) -> int:
        """Return the number of the best of some trials, of equal ones the first."""
        sign = -1 if self.search.maximize else 1
        return min(values, key=lambda number: (sign * values[number], number))

    def judged_copy(self) -> optuna.Study:
        """Return the study in memory with the values that trials are judged by now, for plots and importances."""
        values = self.values()
        copy = optuna.create_study(
            study_name=self.name, direction="maximize" if self.search.maximize else "minimize", pruner=NopPruner()
        )
        for trial in self.trials():
            if trial.state.is_finished():
                frozen = optuna.trial.create_trial(
                    state=trial.state,
                    value=values.get(trial.number),
                    params=trial.params,
                    distributions=trial.distributions,
                    intermediate_values=trial.intermediate_values,
                )
                copy.add_trial(frozen)
        return copy

    def _of_state(self, state: TrialState) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=(state,))


def open_study(search: Search, name: str, folder: Path, storage: str, n_trials: int, owner: Owner) -> Study:
    """Return a study, made when it is not there.

    Args:
        search: what is searched.
        name: of the study.
        folder: of the study; it is made.
        storage: ``sqlite``, ``journal`` or a URL.
        n_trials: trials in all.
        owner: this process.

    Raises:
        ScbenchError: when the storage cannot be used, is locked, or holds another search under this name, or that
            search in another folder.
    """
    identity = identity_of(search)
    file = sqlite_file(storage_url(storage, folder))
    check_unlocked(file)
    with _lock(folder):  # two processes that make the tables of a database at once would both fail
        study = optuna.create_study(
            study_name=name,
            storage=open_storage(storage, folder),
            direction="maximize" if search.maximize else "minimize",
            pruner=_PRUNERS[search.pruner](),
            load_if_exists=True,
        )
        claim_folder(study, folder)
        stored = study.user_attrs.get(_IDENTITY)
        if stored is None and not study.get_trials(deepcopy=False):
            study.set_user_attr(_IDENTITY, identity)
            study.set_user_attr(_LABELS, search.objective.uses_labels)
        elif stored != identity:
            what = "; ".join(differences(stored or {}, identity)[:_DIFFERENCES_SHOWN])
            raise ConfigError(
                f"study {name} in {folder} is another search ({what}); choose another name with study=..."
            )
    return Study(study, folder, search, n_trials, owner, file)


def _lock(folder: Path) -> FileLock:
    """Return the lock under which trials are claimed."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "study.lock")


def _owner_of(trial: FrozenTrial) -> str:
    return str(trial.user_attrs.get(_OWNER, ""))
