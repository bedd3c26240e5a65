"""``python -m scbench method=... dataset=...``: plan, run what is missing, and show the table."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from scbench.config.request import LeftOut
from scbench.config.schema import RunConfig, SlurmEngine
from scbench.consoles import ProgressConsole, TableConsole, say
from scbench.errors import ConfigError
from scbench.run.display import Tally, make_display
from scbench.run.expected import Expected, longest_first
from scbench.run.label_free import with_label_free
from scbench.run.labels_home import labels_home
from scbench.run.listener import Listeners
from scbench.run.local.devices import Slots, resolve_devices
from scbench.run.new_record import failed_record, preset_fields
from scbench.run.open_datasets import Opened, open_all
from scbench.run.plan import PlannedRun
from scbench.run.plan_view import left_out_lines, print_plan
from scbench.run.provenance import collect_provenance
from scbench.run.sweep_file import SweepFile
from scbench.run.to_make import done_and_missing
from scbench.store.store import Store
from scbench.tables.terminal import print_summary

__all__ = ["run_command"]

_SHARED = ("store", "engine", "device", "retry_failed", "fail_fast")


def run_command(
    configs: Sequence[RunConfig],
    argv: Sequence[str],
    left_out: Sequence[LeftOut] | None = None,
    *,
    is_dry_run: bool = False,
    has_table: bool = True,
    has_display: bool = True,
) -> int:
    """Run all configurations (one, or the jobs of a sweep) through one queue and print one table.

    Args:
        configs: composed configurations; store, engine, device, retry_failed and fail_fast must agree among them.
        argv: the command line, for the records.
        left_out: what an experiment names and this machine has not; None for a command that is none, for which a
            dataset that cannot be opened is an error.
        is_dry_run: show the plan, and neither run nor write anything.
        has_table: print the table; otherwise only what goes on, for runs that the caller shows in a way of its own.
        has_display: show what goes on.

    Returns:
        0 when all runs are ok (or nothing was to run), 1 when at least one is not.

    Raises:
        ScbenchError: when something is wrong before the first run.
    """
    first = configs[0]
    for name in _SHARED:
        if any(getattr(config, name) != getattr(first, name) for config in configs):
            raise ConfigError(
                f"{name} differs between the jobs of this sweep; sweep over methods, datasets and parameters only"
            )
    store = Store(first.store)
    if not is_dry_run:
        store.check_writable()
    is_experiment = left_out is not None
    opened = open_all(configs, leave_out=is_experiment or is_dry_run, download=not (is_experiment or is_dry_run))
    missing_here = [*(left_out or ()), *opened.left_out]
    slots = _slots(first, opened.runs)
    if not is_dry_run:
        store.remove_leftovers()
    done, missing = done_and_missing(opened.runs, store, retry_failed=first.retry_failed)
    # The times of earlier runs are worth reading for more than one run only: for the order, or for the plan.
    expected = Expected(store.records() if store.root.is_dir() and (is_dry_run or len(missing) > 1) else ())
    n_slots = _n_slots(first, slots)
    missing = longest_first(missing, expected, has_gpu=n_slots[0] > 0)
    if is_dry_run:
        print_plan(TableConsole(), opened.runs, done, missing, missing_here, expected, n_slots)
        return 0
    for line in left_out_lines(missing_here):
        say(ProgressConsole(), line)
    if not opened.runs:
        raise ConfigError("nothing is left to run; fetch a dataset, or install a method, of those left out")
    provenance = collect_provenance(argv) if missing else {}  # for records that are made now
    records = done | _execute(missing, len(done), opened, store, slots, provenance, has_display=has_display)
    # A run with the same parameters may be there from another preset: the table shows what this command asked for.
    shown: list[Mapping[str, Any]] = [
        (records.get(run.run_id) or _never_started(run, first, provenance)) | preset_fields(run) for run in opened.runs
    ]
    if has_table:
        datasets = {run.dataset.name: run.dataset for run in opened.runs}
        shown = [*with_label_free(shown, datasets, store)]
        print_summary(shown, store.root, TableConsole(), n_cached=len(done))
        for line in labels_home(opened.runs, shown, store):
            say(TableConsole(), line)
    return 0 if all(record["status"] == "ok" for record in shown) else 1


def _slots(config: RunConfig, runs: Sequence[PlannedRun]) -> Slots | None:
    """Return the slots of this machine; None when runs are made elsewhere."""
    if isinstance(config.engine, SlurmEngine):
        from scbench.run.slurm.runner import check_slurm

        check_slurm(config.engine, config.device)
        return None
    return resolve_devices(config.device, config.engine, any(run.config.USES_TORCH for run in runs))


def _n_slots(config: RunConfig, slots: Slots | None) -> tuple[int, int]:
    """Return how many runs are made at a time on GPUs and on CPUs."""
    engine = config.engine
    if slots is not None:
        return sum(gpu.capacity for gpu in slots.gpus), slots.cpu.capacity
    n_gpus = 0 if config.device == "cpu" else engine.gpus_per_job
    return engine.array_parallelism * n_gpus * engine.runs_per_gpu, engine.array_parallelism * engine.slots_per_job


def _execute(
    runs: Sequence[PlannedRun],
    n_cached: int,
    opened: Opened,
    store: Store,
    slots: Slots | None,
    provenance: Mapping[str, Any],
    *,
    has_display: bool,
) -> dict[str, dict[str, Any]]:
    """Run what is missing, with a display if there is to be one."""
    if not runs:
        return {}
    config = opened.configs[runs[0].run_id]
    sys.stdout.flush()
    with (
        make_display(Tally(len(runs), n_cached)) if has_display else nullcontext() as display,
        SweepFile(store.root, provenance["argv"], len(runs), n_cached) as file,
    ):
        listeners = Listeners([file] if display is None else [display, file])
        if slots is not None:
            from scbench.run.local.engine import LocalRunner  # with what scores; stored results need neither

            runner = LocalRunner(store, config.engine, slots, listeners, provenance, fail_fast=config.fail_fast)
            return runner.execute(runs)
        from scbench.run.slurm.runner import SlurmRunner

        return SlurmRunner(store, config, opened.configs, listeners, provenance).execute(runs)


def _never_started(run: PlannedRun, config: RunConfig, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the table shows for a run that was kept from starting; it is not stored."""
    message = "not started before the command was stopped"
    return failed_record(run, "cpu", config.engine.threads, provenance, status="interrupted", message=message)
