"""How long runs may take, from the records of earlier ones, and the order and time of a queue that follow from it."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scbench.run.plan import PlannedRun
from scbench.store.record import canonical_json
from scbench.store.record_file import json_ready

__all__ = ["Estimate", "Expected", "longest_first", "queue_seconds"]


@dataclass(frozen=True)
class Estimate:
    """Seconds that a run may take.

    Attributes:
        seconds: whole run, as ``seconds.total`` of a record.
        is_rough: whether it comes from other parameters, or from another dataset by its number of cells.
    """

    seconds: float
    is_rough: bool


class Expected:
    """Seconds of runs by method and dataset, separately for CPU and GPU.

    Args:
        records: of earlier runs; those that are not ok say nothing.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self._same: dict[tuple[str, ...], list[float]] = defaultdict(list)
        self._dataset: dict[tuple[str, ...], list[float]] = defaultdict(list)
        self._method: dict[tuple[str, ...], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        for record in records:
            seconds = record["seconds"]["total"] if record["status"] == "ok" else None
            if seconds is None:
                continue
            where = "cpu" if record["device"] == "cpu" else "gpu"
            method, dataset = record["method"], record["dataset"]
            setting = _setting(record["variant"], record["params"])
            self._same[where, method, dataset, setting].append(seconds)
            self._dataset[where, method, dataset].append(seconds)
            self._method[where, method][record["n_cells"]].append(seconds)

    def of(self, run: PlannedRun, on_gpu: bool) -> Estimate | None:
        """Return the estimate for a run, or None when no record tells anything about its method.

        The mean over runs of the same parameters on the same dataset; else over all parameters; else that on the
        dataset of the nearest number of cells, in proportion to that number.
        """
        where, method, dataset = "gpu" if on_gpu else "cpu", run.config.name, run.dataset.name
        same = self._same.get((where, method, dataset, _setting(run.config.variant, run.params())))
        if same:
            return Estimate(_mean(same), is_rough=False)
        on_dataset = self._dataset.get((where, method, dataset))
        if on_dataset:
            return Estimate(_mean(on_dataset), is_rough=True)
        sizes = self._method.get((where, method))
        if not sizes:
            return None
        nearest = min(sizes, key=lambda n_cells: abs(math.log(n_cells / run.dataset.n_cells)))
        return Estimate(_mean(sizes[nearest]) * run.dataset.n_cells / nearest, is_rough=True)


def longest_first(runs: Sequence[PlannedRun], expected: Expected, has_gpu: bool) -> list[PlannedRun]:
    """Return runs so that a queue is done soonest: the longest expected first; those without estimate before all.

    A run that nothing is known about may be the longest, and its time helps with the next plan. Runs of one method on
    one dataset stay together in the order of their seeds, which share their inputs.
    """

    def rank(run: PlannedRun) -> tuple[float, bool, int, str, str]:
        estimate = expected.of(run, has_gpu and run.config.USES_TORCH)
        seconds = math.inf if estimate is None else estimate.seconds
        return (-seconds, not run.config.USES_TORCH, -run.dataset.n_cells, run.dataset.name, run.config.name)

    return sorted(runs, key=rank)


def queue_seconds(seconds: Iterable[float], n_slots: int) -> float:
    """Return when the last run ends if each takes the slot that is free first, in the given order."""
    ends = [0.0] * n_slots
    for duration in seconds:
        heapq.heapreplace(ends, ends[0] + duration)
    return max(ends)


def _setting(variant: str, params: Mapping[str, Any]) -> str:
    return canonical_json({"variant": variant, "params": json_ready(params)})


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
