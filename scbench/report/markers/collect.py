"""Markers of every method on every dataset of a report, and how many of them are markers of annotated types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from scbench.errors import DataError
from scbench.report.content import Content
from scbench.report.entries import Entry
from scbench.report.figures.matching import match
from scbench.report.figures.true_types import NoTruthError, Truth, as_truth, same_dataset
from scbench.report.markers.expression import Expression, NoMarkersError, expression_of
from scbench.report.markers.overlap import best_shares, shared_markers
from scbench.report.markers.panel import Panel, panel_of
from scbench.report.markers.ranking import Markers, rank_markers, testable
from scbench.store.stored_arrays import stored_array

__all__ = ["ANNOTATED", "FLOOR", "DatasetMarkers", "Grouping", "MarkerReport", "collect_markers"]

ANNOTATED = "annotated types"
FLOOR = "shuffled types"  # the floor of overlaps where the store has no run of the control random


@dataclass(frozen=True)
class Grouping:
    """One way to group the cells of a dataset, with its markers.

    Attributes:
        name: of the entry, or :data:`ANNOTATED`, or :data:`FLOOR`.
        seed, key: of the run; None and empty for a grouping that no run made.
        names, sizes: of all groups, in the order of the types that they are matched to, or largest first.
        markers: of those that could be tested.
        panel: what figures show.
        genes, panel_genes: (n_tested, n_top) and (n_shown,) names of the markers and of the genes of the panel.
        shared: (n_tested, n_types tested) markers shared with each annotated type; None without annotation.
    """

    name: str
    seed: int | None
    key: str
    names: tuple[str, ...]
    sizes: np.ndarray
    markers: Markers
    panel: Panel
    genes: np.ndarray
    panel_genes: np.ndarray
    shared: np.ndarray | None

    @property
    def tested(self) -> list[str]:
        """Return the names of the tested groups."""
        return [self.names[code] for code in self.markers.groups]

    @property
    def untested(self) -> list[str]:
        """Return the groups that are too small (or leave too few cells outside): ``7 (2 cells)``."""
        out = np.flatnonzero(~testable(self.sizes))
        return [f"{self.names[one]} ({self.sizes[one]} cell{'' if self.sizes[one] == 1 else 's'})" for one in out]

    @property
    def best(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the position of the best type of each tested group, and the share of markers; see ``best_shares``.

        Raises:
            ValueError: there is no annotation.
        """
        if self.shared is None:
            raise ValueError(f"{self.name} was compared with no types; its dataset has no labels at hand")
        return best_shares(self.shared, self.markers.genes.shape[1])


@dataclass(frozen=True)
class DatasetMarkers:
    """The markers of one dataset.

    Attributes:
        dataset: its name in the report.
        n_genes: genes that were ranked.
        n_repeated: of these, names that had come before.
        types, type_names: what figures call the annotated types that could be tested, and their names; empty without
            annotation.
        annotated: the types as a grouping; None without annotation.
        groupings: of the methods, in the order of the report, then the floor where no control gives one.
    """

    dataset: str
    n_genes: int
    n_repeated: int
    types: tuple[str, ...]
    type_names: tuple[str, ...]
    annotated: Grouping | None
    groupings: tuple[Grouping, ...]

    @property
    def all(self) -> list[Grouping]:
        """Return the types, where there are any, and the groupings of methods."""
        return [*([self.annotated] if self.annotated else []), *self.groupings]


@dataclass(frozen=True)
class MarkerReport:
    """Everything that is said about markers.

    Attributes:
        datasets: those with gene names.
        left_out: datasets and runs without markers, one sentence each.
    """

    datasets: tuple[DatasetMarkers, ...]
    left_out: tuple[str, ...]


def collect_markers(content: Content, say: Callable[[str], None]) -> MarkerReport:
    """Return the markers of the representative run of every method on every dataset whose counts are at hand.

    Args:
        content: of the report.
        say: told what is being ranked, which takes seconds each.
    """
    datasets: list[DatasetMarkers] = []
    left_out: list[str] = []
    for number, name in enumerate(content.datasets, start=1):
        about = f"{name} ({number}/{len(content.datasets)})"
        record = next((one for one in content.records if one["dataset"] == name), None)
        if record is None:
            left_out.append(f"{name}: no run of it in this report")
            continue
        try:
            dataset = same_dataset(record)
            expression = expression_of(dataset.counts())
            datasets.append(
                _dataset(content, name, expression, dataset.labels(), left_out, partial(_note_on, say, about))
            )
        except (NoTruthError, NoMarkersError, DataError) as error:
            left_out.append(f"{name}: {error}")
    return MarkerReport(tuple(datasets), tuple(left_out))


def _note_on(say: Callable[[str], None], about: str, what: str) -> None:
    """Say what is being ranked on which dataset."""
    say(f"{about}: {what}")


def _dataset(
    content: Content,
    name: str,
    expression: Expression,
    labels: np.ndarray | None,
    left_out: list[str],
    say: Callable[[str], None],
) -> DatasetMarkers:
    """Return the markers of one dataset; adds to ``left_out`` what has none."""
    truth = None if labels is None else as_truth(labels)
    ranker = _Ranker(expression)
    annotated: Grouping | None = None
    if truth is not None:
        say(ANNOTATED)
        try:
            annotated = _grouping(ANNOTATED, None, truth.codes, truth.names, ranker)
            annotated = _compared(annotated, annotated)
        except NoMarkersError as error:
            left_out.append(f"{name}, {ANNOTATED}: {error}")
    found: list[Grouping] = []
    has_floor = False
    for entry in (one for one in content.entries if name in one.cells):
        say(entry.name)
        try:
            found.append(_compared(_of_run(content, entry, name, truth, ranker), annotated))
            has_floor |= entry.method == "random"
        except NoMarkersError as error:
            left_out.append(f"{name}, {entry.name}: {error}")
    if truth is not None and annotated is not None and not has_floor:
        say(FLOOR)
        shuffled = np.random.default_rng(0).permutation(truth.codes)
        found.append(_compared(_grouping(FLOOR, None, shuffled, truth.names, ranker), annotated))
    types: tuple[str, ...] = ()
    if truth is not None and annotated is not None:
        types = tuple(truth.shown[code] for code in annotated.markers.groups)
    return DatasetMarkers(
        dataset=name,
        n_genes=len(expression.genes),
        n_repeated=expression.n_repeated,
        types=types,
        type_names=() if annotated is None else tuple(annotated.tested),
        annotated=annotated,
        groupings=tuple(found),
    )


class _Ranker:
    """Ranks groupings of the same cells; equal ones once, as methods agree on datasets that are easy."""

    def __init__(self, expression: Expression) -> None:
        self.genes, self.values = expression.genes, expression.values
        self._known: dict[bytes, tuple[Markers, Panel]] = {}

    def of(self, codes: np.ndarray) -> tuple[Markers, Panel]:
        """Return the markers of groups, and what figures show of them."""
        key = codes.astype(np.int64).tobytes()
        if key not in self._known:
            markers = rank_markers(self.values, codes)
            self._known[key] = markers, panel_of(self.values, codes, markers)
        return self._known[key]


def _of_run(content: Content, entry: Entry, dataset: str, truth: Truth | None, ranker: _Ranker) -> Grouping:
    """Return the markers of an entry's representative run."""
    record = entry.cells[dataset].representative
    if record is None:
        raise NoMarkersError("no run ended well")
    labels = stored_array(content.store / content.folders[str(record["key"])] / "labels.npy")
    if labels is None or labels.shape != (ranker.values.shape[0],):
        raise NoMarkersError(f"labels.npy of seed {record['seed']} is missing or damaged")
    groups = as_truth(labels) if truth is None else match(truth, labels)
    return _grouping(entry.name, record, groups.codes, groups.names, ranker)


def _grouping(
    name: str, record: Mapping[str, Any] | None, codes: np.ndarray, names: tuple[str, ...], ranker: _Ranker
) -> Grouping:
    """Return the markers of one way to group the cells, compared with no types so far."""
    markers, panel = ranker.of(codes)
    seed, key = (None, "") if record is None else (int(record["seed"]), str(record["key"]))
    genes = ranker.genes
    return Grouping(
        name, seed, key, names, np.bincount(codes), markers, panel, genes[markers.genes], genes[panel.genes], None
    )


def _compared(grouping: Grouping, annotated: Grouping | None) -> Grouping:
    """Return the grouping with the markers it shares with annotated types."""
    if annotated is None:
        return grouping
    return replace(grouping, shared=shared_markers(grouping.markers.genes, annotated.markers.genes))
