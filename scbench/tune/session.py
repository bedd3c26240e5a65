"""One study from its first trial to its result: search, write what came of it, evaluate it on fresh seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scbench.config.schema import AppliedPreset, RunConfig, SlurmEngine
from scbench.consoles import TableConsole
from scbench.errors import StoreError
from scbench.run.command import run_command
from scbench.run.open_datasets import open_all
from scbench.run.slurm.submit import device_of
from scbench.run.to_make import done_and_missing
from scbench.store.store import Store
from scbench.tune.comparison import FILE, Cost, Difference, write_comparison
from scbench.tune.driver import make_trials
from scbench.tune.evaluation import differences, fresh_fits, tuned_configs
from scbench.tune.options import TuneOptions
from scbench.tune.page import write_page
from scbench.tune.participant import failures_told, opened_study
from scbench.tune.progress import say
from scbench.tune.result import Result, read_result, words_of, write_preset, write_trials
from scbench.tune.searches import NamedSearch
from scbench.tune.slurm_job import SearchJob
from scbench.tune.storage import storage_url
from scbench.tune.storage_choice import without_password
from scbench.tune.study import Study
from scbench.tune.summary import STOPPED, print_differences, print_result

__all__ = ["run_search"]


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
    with opened_study(named, options) as study:
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
    with failures_told(study.folder, options):
        result = read_result(study)
        if result is None:
            reasons = sorted({study.reason(trial) for trial in study.trials()} - {""})
            say(f"no trial has a value; {len(reasons)} reasons, such as: {(reasons or ['all were given up'])[0]}")
            return 1
        print_result(TableConsole(), search, result)
        preset = _write(study, result, options)
    return _evaluate(study, result, preset, named.evaluated, options.share(), provenance) if options.evaluate else 0


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
    return all(not done_and_missing(open_all([config]).runs, Store(config.store))[1] for config in configs)


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
