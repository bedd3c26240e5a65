"""Make the trials of a study on the slots of this machine, and tell what happens."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from scbench.config.schema import RunConfig
from scbench.metrics.fixed_space import FixedSpace
from scbench.run.listener import Listeners
from scbench.run.local.devices import resolve_devices
from scbench.run.local.engine import LocalRunner
from scbench.run.plan import PlannedRun
from scbench.run.sweep_file import SweepFile
from scbench.store.store import Store
from scbench.tune.progress import Teller
from scbench.tune.study import Study
from scbench.tune.trials import TrialFeed

__all__ = ["make_trials"]


def make_trials(study: Study, config: RunConfig, provenance: Mapping[str, Any], job: str = "") -> bool:
    """Make trials until the study has all of them, or they are under way in other processes.

    Args:
        study: the study.
        config: engine and device are taken from it.
        provenance: shared part of all records.
        job: number of the SLURM job that this process is; empty for none.

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
    feed = TrialFeed(study, store, spaces, Teller(study))
    sys.stdout.flush()
    n_runs = len(search.runs)
    with SweepFile(store.root, provenance["argv"], n_left * n_runs, told * n_runs, job=job) as file:
        listeners = Listeners([file, feed])
        runner = LocalRunner(store, config.engine, slots, listeners, provenance, source=feed)
        runner.execute([])
    return not runner.was_interrupted


def _spaces(runs: Sequence[PlannedRun]) -> dict[str, FixedSpace]:
    """Return the fixed space of each dataset, in file order."""
    spaces = {}
    for run in runs:
        if run.dataset.name not in spaces:
            counts = run.dataset.counts()
            spaces[run.dataset.name] = FixedSpace(counts, run.dataset.cache(counts.matrix))
    return spaces
