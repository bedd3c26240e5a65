"""A search on SLURM: one array of tasks that share the study, and a command that watches it.

As in the SLURM engine, the command only submits, looks and tells. Killed and given again, it finds the tasks that are
under way and submits no more than are missing.
"""

from __future__ import annotations

import logging

from optuna.trial import FrozenTrial, TrialState

from scbench.config.schema import SlurmEngine
from scbench.errors import ConfigError
from scbench.run.interrupts import Interrupts
from scbench.run.slurm.ledger import Submission, close, new_submission, open_submissions, submission_lock
from scbench.run.slurm.queue import JobState, cancel, states
from scbench.run.slurm.runner import LOOKS_UNTIL_OVER, how_it_ended, is_live
from scbench.run.slurm.submit import submit_jobs
from scbench.tune.progress import Teller, say
from scbench.tune.sampling import SCORES
from scbench.tune.slurm_job import SearchJob
from scbench.tune.study import Study
from scbench.tune.trials import Outcome

__all__ = ["SlurmSearch"]

_LOG = logging.getLogger(__name__)
_Tasks = dict[tuple[str, int], JobState]


class SlurmSearch:
    """Have the trials of a study made by SLURM.

    Args:
        study: the study; its folder has to be seen from all nodes.
        job: what each task does.
        engine: what a task asks for.
        n_workers: tasks at a time; never more than trials are left.
    """

    def __init__(self, study: Study, job: SearchJob, engine: SlurmEngine, n_workers: int) -> None:
        self._study = study
        self._job = job
        self._engine = engine
        self._n_workers = n_workers
        self._teller = Teller(study)
        self._told = {trial.number for trial in study.trials() if trial.state.is_finished()}
        self._ends_told: set[tuple[str, int]] = set()

    def execute(self) -> bool:
        """Submit the tasks that are missing and wait until the study has all its trials.

        Returns:
            Whether it has; False when Ctrl-C or SIGTERM ended the waiting, or all tasks have ended before.

        Raises:
            ConfigError: when SLURM does not answer, or refuses the tasks.
        """
        with Interrupts() as interrupts:
            while self._n_left() > 0:
                arrays, n_new = self._submit()
                has_ended = self._wait(arrays, interrupts)
                if interrupts.count:
                    self._stop(arrays)
                    return False
                if has_ended and n_new:  # only tasks of an earlier command may have ended because all was claimed
                    self._tell_lost()
                    return False
        return True

    def _n_left(self) -> int:
        """Return how many trials have not ended."""
        return self._study.n_trials - sum(trial.state.is_finished() for trial in self._study.trials())

    def _submit(self) -> tuple[list[Submission], int]:
        """Submit what is missing; return the arrays under way, and how many tasks are new."""
        folder = self._study.folder
        with submission_lock(folder):
            arrays = list(open_submissions(folder))
            queue = states([array.name for array in arrays])
            if queue is None:
                raise ConfigError("SLURM does not answer (squeue failed); try again when it does, or use engine=local")
            for array in arrays:
                if not self._live([array], queue):
                    close(array)
            arrays = [array for array in arrays if self._live([array], queue)]
            n_live = self._live(arrays, queue)
            n_new = max(0, min(self._n_workers, self._n_left()) - n_live)
            if n_new:
                array = new_submission(folder, [["trials"]] * n_new)
                submit_jobs(array, self._engine, self._job.device, [self._job] * n_new)
                arrays.append(array)
        before = f"; {n_live} submitted before are under way" if n_live else ""
        say(f"submitted {n_new} tasks{before}; logs in {folder / '.slurm'}")
        return arrays, n_new

    def _wait(self, arrays: list[Submission], interrupts: Interrupts) -> bool:
        """Tell what happens until the study has its trials, the tasks have ended or a signal comes.

        Returns:
            Whether all tasks have ended.
        """
        looks_over, is_silent = 0, False
        while True:
            self._tell_trials()
            queue = states([array.name for array in arrays])
            if queue is None:
                if not is_silent:
                    _LOG.warning("SLURM does not answer; still waiting for %d trials", self._n_left())
            else:
                # A task may be requeued, and a shared disk may show the study late.
                looks_over = 0 if self._live(arrays, queue) else looks_over + 1
                self._tell_ends(arrays, queue)
            is_silent = queue is None
            if self._n_left() <= 0 or looks_over >= LOOKS_UNTIL_OVER or interrupts.count:
                return looks_over >= LOOKS_UNTIL_OVER
            interrupts.wait([], self._engine.poll_seconds)

    @staticmethod
    def _live(arrays: list[Submission], queue: _Tasks) -> int:
        """Return how many tasks are in the queue and have not ended."""
        return sum(is_live(queue.get((array.name, index))) for array in arrays for index in range(len(array.chunks)))

    def _tell_trials(self) -> None:
        """Tell of the trials that have ended since the last look."""
        for trial in self._study.trials():
            if trial.state.is_finished() and trial.number not in self._told:
                self._told.add(trial.number)
                self._teller(self._outcome(trial))

    def _outcome(self, trial: FrozenTrial) -> Outcome:
        """Return how a trial ended that another process has made; its time is that from its start to its end."""
        duration = trial.duration
        return Outcome(
            trial.number,
            self._study.search.space.current(trial.params),
            trial.user_attrs[SCORES] if trial.state == TrialState.COMPLETE else None,
            self._study.reason(trial),
            trial.state == TrialState.PRUNED,
            0.0 if duration is None else duration.total_seconds(),
        )

    def _tell_ends(self, arrays: list[Submission], queue: _Tasks) -> None:
        """Tell of the tasks that have not ended well."""
        for array in arrays:
            for index in range(len(array.chunks)):
                task = queue.get((array.name, index))
                if task is None or not task.is_over or task.state == "COMPLETED":
                    continue
                if (array.name, index) not in self._ends_told:
                    self._ends_told.add((array.name, index))
                    which, log = how_it_ended(array, task)
                    say(f"{which}; see {log}; its trials are left to the others")

    def _tell_lost(self) -> None:
        """Tell that trials are missing and no task is there to make them."""
        say(f"all tasks have ended and {self._n_left()} trials are not made; the same command goes on")

    def _stop(self, arrays: list[Submission]) -> None:
        """Stop waiting, and cancel the tasks when that is asked for."""
        names = ",".join(array.name for array in arrays)
        if not self._engine.cancel_on_interrupt:
            say(
                f"the tasks go on, and the same command finds them; scancel --name={names} cancels them, and so does "
                "engine.cancel_on_interrupt=true"
            )
        elif cancel([array.name for array in arrays]):
            say("the tasks are cancelled; the same command goes on from here")
        else:
            _LOG.warning("SLURM did not take the order; cancel the tasks with scancel --name=%s", names)
