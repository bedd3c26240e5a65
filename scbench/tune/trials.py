"""From trials to runs and back: hands the engine the runs of each trial, and judges the trial when they have ended."""

from __future__ import annotations

import dataclasses
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.exceptions import OptunaError
from sqlalchemy.exc import SQLAlchemyError

from scbench.config.schema import AppliedPreset
from scbench.errors import ConfigError
from scbench.metrics.fixed_space import FixedSpace, SpaceScore
from scbench.run.plan import PlannedRun, run_key
from scbench.run.to_make import done_and_missing
from scbench.store.record import first_line
from scbench.store.store import Store
from scbench.tune.objectives import NoValue, TrialRun
from scbench.tune.space import with_values
from scbench.tune.study import Claim, Study

__all__ = ["Outcome", "TrialFeed"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        number, params: of the trial.
        scores: its value on each dataset; None when it has none.
        reason: why it has none.
        is_pruned: whether it was given up on the way.
        seconds: of all its runs that were made by now.
    """

    number: int
    params: Mapping[str, Any]
    scores: Mapping[str, float] | None
    reason: str
    is_pruned: bool
    seconds: float


@dataclass
class _Trial:
    """A trial under way."""

    claim: Claim
    runs: Sequence[PlannedRun]
    waiting: deque[PlannedRun] = field(default_factory=deque)  # until the first run has gone through
    records: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # by id


class TrialFeed:
    """The supply of an engine, and one of its listeners.

    Args:
        study: where trials are claimed and told.
        store: where their runs go.
        spaces: the fixed space of each dataset, by name.
        on_outcome: is told of every trial that has ended.
    """

    def __init__(
        self, study: Study, store: Store, spaces: Mapping[str, FixedSpace], on_outcome: Callable[[Outcome], None]
    ) -> None:
        self._study = study
        self._search = study.search
        self._store = store
        self._spaces = spaces
        self._on_outcome = on_outcome
        self._trials: dict[str, _Trial] = {}  # by the place of each of its runs
        self._twins: dict[str, list[Claim]] = {}  # trials of equal values, by the place of the first's first run
        self._ready: deque[PlannedRun] = deque()

    def more(self) -> Sequence[PlannedRun]:
        """Return the rest of a trial whose first run has gone through, or the runs of one more trial."""
        while not self._ready:
            claim = self._study.claim()
            if claim is None:
                return []
            self._begin(claim)
        runs = list(self._ready)
        self._ready.clear()
        return runs

    def _begin(self, claim: Claim) -> None:
        """Make the runs of a trial ready; what is in the store already is not made again."""
        try:
            runs = self._runs_of(claim)
        except (ConfigError, ValueError, TypeError) as error:  # values that do not go together
            self._fail(claim, f"invalid: {first_line(str(error))}", 0.0)
            return
        if runs[0].run_id in self._trials:  # its runs are under way, as another trial's
            self._twins.setdefault(runs[0].run_id, []).append(claim)
            return
        trial = _Trial(claim, runs)
        done, to_make = done_and_missing(runs, self._store)
        trial.records.update(done)
        missing = deque(to_make)
        self._trials |= {run.run_id: trial for run in runs}
        if self._is_over(trial):
            return
        if self._search.pruner != "none" and missing[0] is runs[0]:
            trial.waiting = deque(list(missing)[1:])
            missing = deque([missing[0]])
        self._ready.extend(missing)

    def _runs_of(self, claim: Claim) -> list[PlannedRun]:
        """Return the runs of a trial."""
        search = self._search
        config = with_values(search.config, claim.params)
        goal = search.objective
        preset = AppliedPreset(
            f"trial of {self._study.name}", f"a search by {goal.name}, trial {claim.number}", goal.uses_labels
        )
        return [
            dataclasses.replace(
                run,
                config=config,
                preset=preset,
                key=run_key(config, run.dataset, run.protocol, run.k_rule, run.n_clusters, run.seed),
            )
            for run in search.runs
        ]

    def watches(self, run: PlannedRun) -> SpaceScore | None:
        """Return how the first run of a trial is watched, when poor trials are to be given up."""
        trial = self._trials[run.run_id]
        is_first = run.run_id == trial.runs[0].run_id
        return self._search.objective.space_score if is_first and self._search.pruner != "none" else None

    def gives_up(self, run: PlannedRun, number: int, value: float) -> bool:
        """Return whether the pruner gives a trial up."""
        try:
            return self._study.gives_up(self._trials[run.run_id].claim.number, number, value)
        except (OptunaError, SQLAlchemyError, OSError, KeyError) as error:
            _LOG.warning("%s goes on: the study cannot say whether to give it up (%s)", run.label, error)
            return False

    def started(self, run: PlannedRun, device: str) -> None:
        """Nothing follows from it."""

    def progress(self, run: PlannedRun, epoch: int, values: Mapping[str, float]) -> None:
        """Nothing follows from it."""

    def stopping(self) -> None:
        """What is under way stays the study's; the next process takes it over."""

    def tick(self) -> None:
        """Nothing follows from it."""

    def ended(self, run: PlannedRun, record: Mapping[str, Any], *, will_retry: bool = False) -> None:
        """Judge the trial when its last run has ended; let its other runs start when its first has."""
        trial = self._trials.get(run.run_id)
        if trial is None or will_retry:
            return
        if record["status"] == "interrupted" and record["error"]["type"] != "Pruned":
            return
        trial.records[run.run_id] = record
        if self._is_over(trial):
            for twin in self._twins.pop(trial.runs[0].run_id, []):
                self._begin(twin)
        elif trial.waiting:
            self._ready.extend(trial.waiting)
            trial.waiting.clear()

    def _is_over(self, trial: _Trial) -> bool:
        """Tell the study of a trial that is decided; return whether it is."""
        seconds = sum(record["seconds"]["total"] or 0.0 for record in trial.records.values())
        for record in trial.records.values():
            if record["status"] == "interrupted":
                self._close(trial)
                reason = first_line(record["error"]["message"])
                self._study.prune(trial.claim.number, reason)
                self._tell(trial.claim, None, reason, seconds, is_pruned=True)
                return True
            if record["status"] != "ok":
                self._close(trial)
                about = f"{record['dataset']}, seed {record['seed']}"
                self._fail(
                    trial.claim, f"{record['status']} ({about}): {first_line(record['error']['message'])}", seconds
                )
                return True
        if len(trial.records) < len(trial.runs):
            return False
        self._close(trial)
        try:
            scores = self._scores(trial)
        except NoValue as reason:
            self._fail(trial.claim, str(reason), seconds)
            return True
        self._study.complete(trial.claim.number, scores)
        self._tell(trial.claim, scores, "", seconds)
        return True

    def _scores(self, trial: _Trial) -> dict[str, float]:
        """Return the value of a trial on each dataset."""
        found = {}
        for name in self._search.datasets:
            planned = [run for run in trial.runs if self._search.dataset_of(run) == name]
            runs = [
                TrialRun(trial.records[run.run_id], self._store.folder(run.dataset.name, run.config.name, run.key))
                for run in planned
            ]
            space = self._spaces[planned[0].dataset.name]
            found[name] = self._search.objective.value(runs, space, self._search.space.loss)
        return found

    def _close(self, trial: _Trial) -> None:
        """Forget a trial; runs of it that are still under way end for themselves."""
        for run in trial.runs:
            self._trials.pop(run.run_id, None)
        left = [run for run in self._ready if all(run is not other for other in trial.runs)]
        self._ready = deque(left)

    def _fail(self, claim: Claim, reason: str, seconds: float) -> None:
        self._study.fail(claim.number, reason)
        self._tell(claim, None, reason, seconds)

    def _tell(
        self,
        claim: Claim,
        scores: Mapping[str, float] | None,
        reason: str,
        seconds: float,
        *,
        is_pruned: bool = False,
    ) -> None:
        self._on_outcome(Outcome(claim.number, claim.params, scores, reason, is_pruned, seconds))
