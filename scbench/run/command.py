"""``python -m scbench method=... dataset=...``: plan, run what is missing, and show the table."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from scbench.config.schema import RunConfig
from scbench.data.config import DatasetConfig
from scbench.data.load import Dataset, open_dataset
from scbench.errors import ConfigError
from scbench.report.summary import print_summary
from scbench.run.consoles import TableConsole
from scbench.run.devices import Slots, resolve_devices
from scbench.run.display import Tally, make_display
from scbench.run.engine import LocalRunner
from scbench.run.plan import PlannedRun, plan_runs
from scbench.run.provenance import collect_provenance
from scbench.run.record import failed_record, preset_fields
from scbench.run.store import Store

__all__ = ["run_command"]

_LOG = logging.getLogger(__name__)


def run_command(configs: Sequence[RunConfig], argv: Sequence[str]) -> int:
    """Run all configurations (one, or the jobs of a sweep) through one queue and print one table.

    Args:
        configs: composed configurations; store, engine, device and retry_failed must agree among them.
        argv: the command line, for the records.

    Returns:
        0 when all runs are ok, 1 when at least one is not.

    Raises:
        ScbenchError: when something is wrong before the first run.
    """
    first = configs[0]
    for name in ("store", "engine", "device", "retry_failed"):
        if any(getattr(config, name) != getattr(first, name) for config in configs):
            raise ConfigError(
                f"{name} differs between the jobs of this sweep; sweep over methods, datasets and parameters only"
            )
    store = Store(first.store)
    store.check_writable()
    planned = _plan(configs)
    slots = resolve_devices(first.device, first.engine, any(run.config.USES_TORCH for run in planned))
    store.remove_leftovers()
    done, missing = _split(planned, store, first.retry_failed)
    provenance = collect_provenance(argv)
    records = done | _execute(missing, len(done), first, store, slots, provenance)
    # A run with the same parameters may be there from another preset: the table shows what this command asked for.
    shown = [(records.get(run.place) or _never_started(run, first, provenance)) | preset_fields(run) for run in planned]
    print_summary(shown, store.root, TableConsole(), n_cached=len(done))
    return 0 if all(record["status"] == "ok" for record in shown) else 1


def _plan(configs: Sequence[RunConfig]) -> list[PlannedRun]:
    """Return all runs, each once, having opened every dataset; nothing has run when one of them is missing."""
    opened: list[tuple[DatasetConfig, Dataset]] = []
    planned: dict[str, PlannedRun] = {}
    for config in configs:
        dataset = next((dataset for known, dataset in opened if known == config.dataset), None)
        if dataset is None:
            dataset = open_dataset(config.dataset)
            opened.append((config.dataset, dataset))
            for warning in dataset.warnings:
                _LOG.warning("%s", warning)
        planned |= {run.place: run for run in plan_runs(config, dataset)}
    return list(planned.values())


def _split(
    planned: Sequence[PlannedRun], store: Store, retry_failed: bool
) -> tuple[dict[str, dict[str, Any]], list[PlannedRun]]:
    """Return the records that count as done, and the runs that have to be made."""
    done: dict[str, dict[str, Any]] = {}
    missing = []
    for run in planned:
        record = store.find(run.dataset.name, run.config.name, run.key)
        if record is None or record["status"] == "interrupted" or (record["status"] != "ok" and retry_failed):
            missing.append(run)
        else:
            done[run.place] = record
    return done, missing


def _execute(
    runs: Sequence[PlannedRun],
    n_cached: int,
    config: RunConfig,
    store: Store,
    slots: Slots,
    provenance: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """Run what is missing, with a display."""
    if not runs:
        return {}
    sys.stdout.flush()
    with make_display(Tally(len(runs), n_cached)) as display:
        return LocalRunner(store, config.engine, slots, display, provenance).execute(runs)


def _never_started(run: PlannedRun, config: RunConfig, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the table shows for a run that Ctrl-C kept from starting; it is not stored."""
    message = "not started before the command was stopped"
    return failed_record(run, "cpu", config.engine.threads, provenance, status="interrupted", message=message)
