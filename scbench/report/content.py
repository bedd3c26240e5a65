"""What a report holds: records turned into entries, with the published numbers beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scbench.errors import StoreError
from scbench.report.checks import Check, check_claims, repeated_cells
from scbench.report.entries import Entry, entries_of, is_comparable
from scbench.report.published import Names, PublishedValue, read_names, read_published
from scbench.report.selection import CONTROLS, Selection, ordered_datasets, refuse_mixed_data, told_apart
from scbench.stats.ranks import EXACT_DIGITS
from scbench.store.store import Store
from scbench.tables.measures import Measure

__all__ = ["Content", "read_content", "score_table"]

_UNREAD_SHOWN = 5


@dataclass(frozen=True)
class Content:
    """Everything that pages and figures are made from.

    Attributes:
        store: folder of the run store.
        records: as selected, each with ``stored_dataset`` (the name of its folder).
        entries: comparable ones and others, see :func:`scbench.report.entries.entries_of`; controls are always there,
            without cells when the store has none of their runs.
        datasets: the columns.
        absent: datasets that were asked for, without any run and without a column.
        measures: what to show.
        published, names, checks: the numbers of papers, and what does not add up in them.
        notes: what a reader has to know about this store, one sentence each.
    """

    store: Path
    records: tuple[dict[str, object], ...]
    entries: tuple[Entry, ...]
    datasets: tuple[str, ...]
    absent: tuple[str, ...]
    measures: tuple[Measure, ...]
    published: tuple[PublishedValue, ...]
    names: Names
    checks: tuple[Check, ...]
    notes: tuple[str, ...]

    @property
    def compared(self) -> list[Entry]:
        """Return the entries that may stand in a comparison."""
        return [entry for entry in self.entries if is_comparable(entry)]

    @cached_property
    def folders(self) -> dict[str, str]:
        """Return each run's folder relative to the store, by dataset, method and key."""
        return {
            str(one["key"]): f"{one['stored_dataset']}/{one['method']}/{str(one['key'])[:16]}" for one in self.records
        }


def read_content(store: Path, selection: Selection, measures: Sequence[Measure], published: Path) -> Content:
    """Read the records of a store and the published numbers.

    Args:
        store: folder of the run store.
        selection: which records.
        measures: what to show.
        published: folder with the papers' CSVs; the numbers are left out, with a note, when it does not exist.

    Raises:
        StoreError: the store does not exist, holds no (selected) record, or mixes data under one dataset name.
        ConfigError: none of the named methods or datasets is in the store.
        DataError: a CSV of published numbers cannot be read.
    """
    everything = list(Store(store).records())
    if not everything:
        raise StoreError(f"store {store} holds no records; run something first, or give another folder with store=DIR")
    selection.check(everything)
    selected = [record for record in everything if selection.keeps(record)]
    kept = [record for record in selected if record["status"] != "interrupted"]  # neither failed nor succeeded
    if not kept:
        unfinished = f" ({len(selected)} interrupted: the command that made them goes on)" if selected else ""
        raise StoreError(
            f"none of the {len(everything)} records of store {store} is selected{unfinished}; name less in the command"
        )
    refuse_mixed_data(kept)
    records = told_apart(kept)
    entries = [*_missing_controls(records), *entries_of(records)]
    has_papers = published.is_dir()
    values = read_published(published) if has_papers else []
    claims = published / "claims.csv"
    tried = {record["method"] for record in records} | set(CONTROLS)  # controls have notes of their own
    untried = [name for name in selection.methods or () if selection.names_absent and name not in tried]
    datasets, absent = ordered_datasets(selection, {str(record["dataset"]) for record in records})
    checks = [*(check_claims(values, claims) if claims.is_file() else []), *repeated_cells(values)]
    return Content(
        store=store,
        records=tuple(records),
        entries=tuple(entries),
        datasets=tuple(datasets),
        absent=tuple(absent),
        measures=tuple(measures),
        published=tuple(values),
        names=read_names(published),
        checks=tuple(checks),
        notes=(
            *_of_missing(measures, kept),
            *_notes(records, entries, untried, absent, None if has_papers else published),
            *_of_interrupted(len(selected) - len(kept)),
            *_of_unread(Store(store), everything),
        ),
    )


def score_table(content: Content, measure: Measure) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Return the scores that ranks and tests are made of.

    Only comparable entries enter, and datasets on which each of them was run: a method that failed ranks last, one
    that was never tried must not.

    Returns:
        Means (n_datasets, n_entries), NaN where all runs failed; the values of single runs
        (n_datasets, n_entries, n_seeds), NaN where one failed; and the datasets that were left out.
    """
    entries = [entry for entry in content.compared if entry.cells]
    # Cells without annotated types have no scores whatever a method finds, so they are no part of a comparison.
    scored = {str(record["dataset"]) for record in content.records if record["n_types"] is not None}
    usable = [name for name in content.datasets if name in scored or not measure.is_score]
    whole = [name for name in usable if all(name in entry.cells for entry in entries)]
    left_out = [dataset for dataset in content.datasets if dataset not in whole]
    most = max((len(entry.cells[name].records) for entry in entries for name in whole), default=1)
    values = np.full((len(whole), len(entries), most), np.nan)
    for row, dataset in enumerate(whole):
        for column, entry in enumerate(entries):
            known = entry.cells[dataset].values(measure)
            values[row, column, : len(known)] = known
    finished = ~np.isnan(values)
    counts = finished.sum(axis=2)
    means = np.where(counts > 0, np.where(finished, values, 0.0).sum(axis=2) / np.maximum(counts, 1), np.nan)
    means = np.round(means, EXACT_DIGITS)  # equal scores of different numbers of seeds must tie
    return pd.DataFrame(means, index=whole, columns=[entry.name for entry in entries]), values, left_out


def _missing_controls(records: Sequence[dict[str, object]]) -> list[Entry]:
    """Return empty entries for controls without a run, so that tables show that they are missing."""
    there = {record["method"] for record in records}
    return [Entry(name, name, "default", "honest", "", False, {}, {}) for name in CONTROLS if name not in there]


def _notes(
    records: Sequence[dict[str, object]],
    entries: Sequence[Entry],
    untried: Sequence[str],
    absent: Sequence[str],
    no_papers: Path | None,
) -> list[str]:
    """Return what a reader has to know about these records."""
    notes = []
    if untried:
        notes.append(f"no run at all of {', '.join(untried)}, which the experiment compares as well")
    if absent:
        number = "1 dataset has" if len(absent) == 1 else f"{len(absent)} datasets have"
        notes.append(f"{number} no run at all in this store ({', '.join(absent)})")
    missing = [entry.name for entry in entries if not entry.cells]
    if missing:
        notes.append(f"no run of {', '.join(missing)} in this store: a comparison without controls says little")
    codes: dict[str, int] = {}
    for entry in entries:
        for cell in entry.cells.values():
            for code in cell.codes_of_runs:
                codes[code] = codes.get(code, 0) + 1
    if len(codes) > 1:
        listed = ", ".join(f"{code}: {number}" for code, number in sorted(codes.items()))
        mixed = sum(len(cell.codes) > 1 for entry in entries for cell in entry.cells.values())
        notes.append(
            f"runs were made by {len(codes)} versions of the code ({listed}); "
            f"{mixed} cells average over more than one and are marked †"
        )
    failed = sum(record["status"] != "ok" for record in records)
    if failed:
        notes.append(f"{failed} of {len(records)} runs failed; they count in n and in nothing else")
    if no_papers is not None:
        notes.append(f"no folder {no_papers} with published numbers, so none are shown; give it with published=DIR")
    return notes


def _of_missing(measures: Sequence[Measure], records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence about metrics that some or all runs lack, as those of an earlier version.

    Runs on cells without labels are none of them: they can have no scores.
    """
    ok = [record for record in records if record["status"] == "ok" and record["n_types"]]
    n_missing = {one.name: sum(one.of(record) is None for record in ok) for one in measures if one.is_score}
    if not any(n_missing.values()):
        return []
    listed = ", ".join(f"{name}: {n}" for name, n in n_missing.items() if n)
    return [
        f"of {len(ok)} runs with labels some have no value ({listed}), and cells that miss any say how many they "
        "average over; python -m scbench.rescore computes what is missing from stored labels"
    ]


def _of_unread(store: Store, records: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence about run folders without a record that this version reads, when there are any."""
    read = {store.folder(one["dataset"], one["method"], one["key"]) for one in records}
    unread = sorted(set(store.run_folders()) - read)
    if not unread:
        return []
    shown = ", ".join(str(folder.relative_to(store.root)) for folder in unread[:_UNREAD_SHOWN])
    more = f" and {len(unread) - _UNREAD_SHOWN} more" if len(unread) > _UNREAD_SHOWN else ""
    return [
        f"{len(unread)} folders of runs hold no record that this version can read (damaged, or of another schema), so "
        f"that they are in no cell and no count: {shown}{more}"
    ]


def _of_interrupted(number: int) -> list[str]:
    """Return a sentence about runs that somebody stopped, when there are any."""
    if number == 0:
        return []
    runs = "1 run was" if number == 1 else f"{number} runs were"
    return [f"{runs} interrupted before the end, so that nothing is known of them; they stand in no cell and no count"]
