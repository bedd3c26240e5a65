"""One study from its first trial to its result: search, write what came of it, evaluate it on fresh seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from sqlalchemy.exc import SQLAlchemyError

from scbench.config.schema import AppliedPreset, RunConfig, SlurmEngine
from scbench.errors import StoreError
from scbench.run.command import run_command
from scbench.run.consoles import TableConsole
from scbench.run.opening import open_all
from scbench.run.slurm_submit import device_of
from scbench.run.store import Store
from scbench.tune.comparison import FILE, Cost, Difference, write_comparison
from scbench.tune.driver import make_trials
from scbench.tune.evaluation import differences, fresh_fits, tuned_configs
from scbench.tune.locked import lock_told, sqlite_file
from scbench.tune.options import TuneOptions
from scbench.tune.owners import Owner
from scbench.tune.page import write_page
from scbench.tune.result import Result, read_result, words_of, write_preset, write_trials
from scbench.tune.searches import NamedSearch
from scbench.tune.slurm_job import SearchJob
from scbench.tune.storage import reason_of, storage_url
from scbench.tune.storage_choice import without_password
from scbench.tune.study import Study, open_study
from scbench.tune.summary import STOPPED, print_differences, print_result
from scbench.tune.telling import say

__all__ = ["run_search", "take_part"]


def run_search(
    named: NamedSearch,
    configs: Sequence[RunConfig],
    options: TuneOptions,
    held: frozenset[str],
    provenance: Mapping[str, Any],
) -> int:
    """Make a study and show its result.

    Args:
        named: what is searched, and where.
        configs: of the command.
        options: of the command; with the storage that was chosen.
        held: parameters of the method that the command line sets to a value.
        provenance: shared part of all records.

    Returns:
        0; 1 when no trial has a value or a run of the evaluation failed; STOPPED after Ctrl-C, and when the tasks on a
        cluster have ended too early.

    Raises:
        ScbenchError: when a folder cannot be written or the storage cannot be used.
    """
    engine, search = configs[0].engine, named.search
    with _opened(named, options) as study:
        n_made = sum(trial.state.is_finished() for trial in study.trials())
        there = f"{n_made} of {options.n_trials} trials are there; pruner {search.pruner}"
        say(f"study {named.name}: {there}; storage {without_password(options.storage)}")
        if configs[0].retry_failed:
            say("retry_failed=true is for the evaluation; failed trials stay, and a larger n_trials makes others")
        if n_made < options.n_trials:
            say(f"watch the runs: python -m scbench.status {study.folder / 'runs'}")
        if isinstance(engine, SlurmEngine):
            from scbench.tune.slurm import SlurmSearch

            device = device_of(search.runs[0], engine, str(configs[0].device))
            job = SearchJob(tuple(configs), options, held, named.name, device, tuple(provenance["argv"]))
            if not SlurmSearch(study, job, engine, options.n_workers()).execute():
                return STOPPED
        elif not make_trials(study, configs[0], provenance):
            say("stopped; the same command goes on from here")
            return STOPPED
        n_elsewhere = study.under_way_elsewhere()
    if n_elsewhere:
        say(f"{n_elsewhere} trials are under way in other processes; the one that ends last shows the result")
        return 0
    with _failures_told(study.folder, options):
        result = read_result(study)
        if result is None:
            reasons = sorted({study.reason(trial) for trial in study.trials()} - {""})
            say(f"no trial has a value; {len(reasons)} reasons, such as: {(reasons or ['all were given up'])[0]}")
            return 1
        print_result(TableConsole(), search, result)
        preset = _write(study, result, options)
    return _evaluate(study, result, preset, named.evaluated, options.share(), provenance) if options.evaluate else 0


def take_part(
    named: NamedSearch, config: RunConfig, options: TuneOptions, provenance: Mapping[str, Any], job: str
) -> None:
    """Make trials of a study in a SLURM job; the command that has submitted it shows the result.

    Args:
        named, options, provenance: as for :func:`run_search`.
        config: engine and device are taken from it.
        job: number of the job.

    Raises:
        ScbenchError: when a folder cannot be written or the storage cannot be used.
    """
    with _opened(named, options) as study:
        if not make_trials(study, config, provenance, job):
            say("stopped; another task, or the same command, goes on from here")


@contextmanager
def _opened(named: NamedSearch, options: TuneOptions) -> Iterator[Study]:
    """Open a study, of which this process is an owner for the length of the block.

    Raises:
        ScbenchError: when its folder cannot be used, or its storage fails on the way.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # what it has to say is said here
    folder = named.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with Owner(folder) as owner, _failures_told(folder, options):
            yield open_study(named.search, named.name, folder, options.storage, options.n_trials, owner)
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(
            f"the study's folder {folder} cannot be used ({error}); choose another with out=DIR"
        ) from error


@contextmanager
def _failures_told(folder: Path, options: TuneOptions) -> Iterator[None]:
    """Turn what a study's storage raises into one line.

    Raises:
        StudyLockedError: when another program has locked its file.
        StoreError: when it has failed in another way.
    """
    try:
        with lock_told(sqlite_file(storage_url(options.storage, folder))):
            yield
    except (OptunaError, SQLAlchemyError) as error:
        reason = reason_of(error, options.storage)
        raise StoreError(f"the study's storage has failed ({reason}); mend it, and the same command goes on") from error


def _write(study: Study, result: Result, options: TuneOptions) -> Path:
    """Write preset, trials and page, and say where they are."""
    folder, search = study.folder, study.search
    preset = folder / f"{search.config.name}-{'+'.join(search.datasets)}-{search.objective.name}.yaml"
    try:
        write_preset(preset, study, result)
        write_trials(folder / "trials.csv", study)
        page = write_page(folder / "report.html", study, result)
    except OSError as error:
        raise StoreError(f"cannot write the result to {folder} ({error.strerror or error}); free some space") from error
    protocol = " protocol=published" if search.objective.uses_labels else ""
    say(f"use it: python -m scbench {words_of(study)} preset={preset}{protocol}")
    say(f"plots: {page or 'need matplotlib (pip install scbench[tune])'}; trials: {folder / 'trials.csv'}")
    say(f"dashboard: optuna-dashboard {without_password(storage_url(options.storage, folder))}")
    return preset


def _evaluate(
    study: Study,
    result: Result,
    preset: Path,
    configs: Sequence[RunConfig],
    share: float,
    provenance: Mapping[str, Any],
) -> int:
    """Run defaults and result on fresh seeds, and compare them."""
    search = study.search
    source = f"search {study.name}"
    applied = AppliedPreset(preset.name, source, search.objective.uses_labels)
    is_default = result.params == search.space.defaults(search.config)
    if is_default:
        say("no trial was better than the defaults: these are evaluated alone")
    tuned = [] if is_default else tuned_configs(configs, result.params, applied)

    def refits(settings: Sequence[RunConfig]) -> Sequence[RunConfig]:
        if not search.objective.on_subsamples:
            return settings
        return fresh_fits(settings, search.objective, share, study.folder / "fresh")

    status = run_command([*configs, *tuned], provenance["argv"])
    planned = [*configs, *tuned]
    if search.objective.on_subsamples and _have_ended(planned):  # the runs above are on all cells
        say(f"the same on random subsamples of {100 * share:g} % of the cells, for {search.objective.name}")
        again = refits(planned)
        status = max(status, run_command(again, provenance["argv"], has_table=False))
        planned += again
    if not _have_ended(planned):
        say("the evaluation was stopped before its end; the same command goes on from here")
        return STOPPED
    rows = differences(configs, tuned or configs, search.objective, search.space.loss, refits)
    if rows and tuned:
        print_differences(TableConsole(), rows)
    _keep(study, result, rows)
    return status


def _have_ended(configs: Sequence[RunConfig]) -> bool:
    """Return whether every run has a result or has failed; a comparison of those that are there so far is none."""
    for config in configs:
        store = Store(config.store)
        for run in open_all([config]).runs:
            record = store.find(run.dataset.name, run.config.name, run.key)
            if record is None or record["status"] == "interrupted":
                return False
    return True


def _keep(study: Study, result: Result, rows: Sequence[Difference]) -> None:
    """Write the comparison into the study's folder, for tables of many studies."""
    if not rows:  # no seed ended well under both: what was kept of an earlier command is better than nothing
        return
    counts, search = result.counts, study.search
    cost = Cost(
        tuple(search.datasets),
        sum(counts.values()),
        counts["given up"],
        counts["failed"],
        result.number,
        result.seconds,
    )
    try:
        write_comparison(study.folder / FILE, study.name, search.config.name, search.objective.name, cost, rows)
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"cannot write the comparison to {study.folder} ({reason}); free some space") from error
