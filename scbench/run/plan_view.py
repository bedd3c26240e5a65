"""What ``--dry-run`` shows: runs to do, done and not possible, and how long it may take."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console

from scbench.config.preset import leaves
from scbench.config.request import LeftOut
from scbench.consoles import PlainTable, print_whole, say
from scbench.run.display import short_time
from scbench.run.expected import Expected, queue_seconds
from scbench.run.plan import PlannedRun
from scbench.store.record import is_failure

__all__ = ["left_out_lines", "print_plan"]


def print_plan(
    console: Console,
    planned: Sequence[PlannedRun],
    done: Mapping[str, Mapping[str, Any]],
    to_do: Sequence[PlannedRun],
    left_out: Sequence[LeftOut],
    expected: Expected,
    slots: tuple[int, int],
) -> None:
    """Print one line per method and dataset, and the sums.

    Args:
        console: where to.
        planned: all runs, in the order of the table.
        done: records that count as done, by id.
        to_do: the runs that would be made, in the order of the queue.
        left_out: what cannot be run here.
        expected: times of earlier runs.
        slots: runs at a time on GPUs and on CPUs.
    """
    waiting = {run.run_id for run in to_do}
    table = PlainTable.of_columns("dataset", "method", "to do", "done", "failed", "s/run", "together", left=2)
    for runs in _groups(planned):
        n_to_do = sum(run.run_id in waiting for run in runs)
        n_failed = sum(run.run_id in done and is_failure(done[run.run_id]) for run in runs)
        cells = _time(runs[0], n_to_do, expected, slots)
        n_done = len(runs) - n_to_do - n_failed
        table.add_row(runs[0].dataset.name, _label(runs[0]), str(n_to_do), str(n_done), str(n_failed), *cells)
    if planned:
        print_whole(console, table)
    for line in left_out_lines(left_out):
        say(console, line)
    n_failed = sum(is_failure(record) for record in done.values())
    tried = f" and {n_failed} failed before (retry_failed=true tries them again)" if n_failed else ""
    n_left_out = sum(entry.n_runs for entry in left_out)
    say(
        console,
        f"{len(to_do)} runs to do, {len(done) - n_failed} done{tried}, {n_left_out} not possible; nothing was started",
    )
    if to_do:
        say(console, _whole(to_do, expected, slots))


def left_out_lines(left_out: Iterable[LeftOut]) -> list[str]:
    """Return one line per reason, with all that it holds for."""
    runs: dict[tuple[str, str], dict[str, int]] = {}
    for entry in left_out:
        names = runs.setdefault((entry.what, entry.reason), {})
        names[entry.name] = names.get(entry.name, 0) + entry.n_runs
    return [
        f"left out, {sum(names.values())} runs: {what}{'s' if len(names) > 1 else ''} {', '.join(names)}: {reason}"
        for (what, reason), names in runs.items()
    ]


def _groups(planned: Sequence[PlannedRun]) -> list[list[PlannedRun]]:
    """Return the runs that differ in their seed only, in the order of a table."""
    groups: dict[tuple[object, ...], list[PlannedRun]] = {}
    for run in planned:
        identity = (run.dataset.name, run.config, run.protocol, run.k_rule, run.n_clusters, run.preset)
        groups.setdefault(tuple(map(repr, identity)), []).append(run)
    return list(groups.values())


def _label(run: PlannedRun) -> str:
    """Return the method's name and what of it, and of the run, is not the default."""
    defaults = dict(leaves(dataclasses.asdict(type(run.config)(name=run.config.name, variant=run.config.variant))))
    values = dict(leaves(dataclasses.asdict(run.config)))
    changed = [f"{key}={value}" for key, value in values.items() if key not in defaults or defaults[key] != value]
    parts = [run.config.name, *([run.config.variant] if run.config.variant != "default" else [])]
    parts += [run.protocol] if run.protocol != "honest" else []
    parts += [] if run.k_rule == "true" else [f"K {run.k_rule} {run.n_clusters}"]
    parts += [f"preset {run.preset.name}"] if run.preset is not None else changed
    return " ".join(parts)


def _time(run: PlannedRun, n_to_do: int, expected: Expected, slots: tuple[int, int]) -> tuple[str, str]:
    """Return the time of one run and of all that are to do; ``~`` marks a rough estimate."""
    estimate = expected.of(run, _on_gpu(run, slots))
    if not n_to_do or estimate is None:
        return "?" if n_to_do else "", "?" if n_to_do else ""
    rough = "~" if estimate.is_rough else ""
    return f"{rough}{estimate.seconds:.1f}", f"{rough}{short_time(estimate.seconds * n_to_do)}"


def _whole(to_do: Sequence[PlannedRun], expected: Expected, slots: tuple[int, int]) -> str:
    """Return the line about the time of the whole command."""
    estimates = [(expected.of(run, _on_gpu(run, slots)), _on_gpu(run, slots)) for run in to_do]
    unknown = sum(estimate is None for estimate, _ in estimates)
    if unknown == len(to_do):
        return "time: unknown, the store holds no records of these methods"
    ends = [
        queue_seconds((estimate.seconds for estimate, gpu in estimates if estimate and gpu == on_gpu), n_slots)
        for on_gpu, n_slots in zip((True, False), slots, strict=True)
        if n_slots
    ]
    rough = ", roughly" if any(estimate and estimate.is_rough for estimate, _ in estimates) else ""
    more = f", and {unknown} runs of unknown time" if unknown else ""
    where = " and ".join(f"{n} {name}" for n, name in zip(slots, ("GPU slots", "CPU slots"), strict=True) if n)
    return f"time{rough}: {short_time(max(ends))} on {where}, by the records of this store{more}"


def _on_gpu(run: PlannedRun, slots: tuple[int, int]) -> bool:
    return slots[0] > 0 and run.config.USES_TORCH
