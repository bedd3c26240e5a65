"""Gaps between ways of reporting the same runs, under ``protocol=published``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scbench.report.entries import Entry
from scbench.report.published import Names, PublishedValue
from scbench.tables.measures import Measure

__all__ = ["GAPS", "Gap", "gaps_of"]

GAPS = {
    "epoch": "best epoch by the true labels, minus the last epoch (mean over seeds)",
    "seed": "best seed minus the mean over seeds, at the last epoch",
    "preset": "with the authors' preset minus one set of parameters for all, at the last epoch",
    "port": "the published number minus ours at the last epoch",
}


@dataclass(frozen=True)
class Gap:
    """The gaps of one method on one dataset; scores as fractions, NaN where a part is missing.

    Attributes:
        entry, dataset, metric: whose.
        last, best: mean over seeds at the last epoch, and at the epoch that is best by the true labels.
        epoch, seed, preset, port: see :data:`GAPS`.
        source: paper and table of the published number; empty for none.
    """

    entry: str
    dataset: str
    metric: str
    last: float
    best: float
    epoch: float
    seed: float
    preset: float
    port: float
    source: str


def gaps_of(
    entries: Sequence[Entry], values: Sequence[PublishedValue], names: Names, datasets: Sequence[str], measure: Measure
) -> list[Gap]:
    """Return the gaps of every entry that ran under ``published``; one line per published number, or one without.

    Args:
        entries: all entries of the report.
        values, names: what papers print.
        datasets: the columns of the report.
        measure: a score.
    """
    gaps = []
    for entry in (one for one in entries if one.protocol == "published"):
        for dataset in (name for name in datasets if name in entry.cells):
            cell = entry.cells[dataset]
            scores = cell.values(measure)
            last = float(scores.mean()) if len(scores) else float("nan")
            chosen = [
                (record["best_epoch"][measure.name], measure.of(record))
                for record in cell.ok
                if record["best_epoch"] and record["best_epoch"].get(measure.name) is not None
            ]
            best = float(np.mean([value for value, _ in chosen])) if chosen else float("nan")
            epoch = (
                float(np.mean([value - own for value, own in chosen if own is not None])) if chosen else float("nan")
            )
            printed = [
                value
                for value in values
                if value.metric == measure.name
                and names.dataset(value, datasets) == dataset
                and names.is_method(value, entry.method, entry.params, entry.non_defaults)
            ]
            seed = float(scores.max() - last) if len(scores) > 1 else float("nan")
            preset = _preset_gap(entry, entries, dataset, measure)
            common = (entry.name, dataset, measure.name, last, best, epoch, seed, preset)
            gaps += [Gap(*common, value.value - last, f"{value.paper}, table {value.table}") for value in printed]
            if not printed:
                gaps.append(Gap(*common, float("nan"), ""))
    return gaps


def _preset_gap(entry: Entry, entries: Sequence[Entry], dataset: str, measure: Measure) -> float:
    """Return the gap of an entry with presets to the same method's one set; NaN for other entries."""
    if not entry.preset:
        return float("nan")
    plain = [
        other
        for other in entries
        if (other.method, other.variant, other.protocol) == (entry.method, entry.variant, entry.protocol)
        and not (other.preset or other.is_tuned)
        and dataset in other.cells
    ]
    if len(plain) != 1:
        return float("nan")  # with several sets of parameters there is no telling which one is meant
    return entry.cells[dataset].mean(measure).mean - plain[0].cells[dataset].mean(measure).mean
