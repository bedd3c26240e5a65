"""Methods across datasets: one :class:`Entry` per method and setting, one :class:`Cell` per dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scbench.renames import stored_params_of
from scbench.report.measures import Measure
from scbench.report.selection import CONTROLS
from scbench.report.table import TableRow, differences, preset_of, summarise
from scbench.run.departures import departures
from scbench.run.plan import canonical_json

__all__ = ["Cell", "Entry", "code_of", "entries_of", "is_comparable"]

_OWN_PRESETS = "the authors' presets"


@dataclass(frozen=True)
class Cell:
    """All runs of one method with one setting on one dataset.

    Attributes:
        dataset: its name.
        records: in the order of their seeds.
    """

    dataset: str
    records: tuple[Mapping[str, Any], ...]

    @property
    def ok(self) -> list[Mapping[str, Any]]:
        """Return the runs that ended well."""
        return [record for record in self.records if record["status"] == "ok"]

    @property
    def representative(self) -> Mapping[str, Any] | None:
        """Return the run that stands for the others where one is shown: the first seed that ended well, or None."""
        return min(self.ok, key=lambda record: int(record["seed"]), default=None)

    @property
    def keys(self) -> list[str]:
        """Return the keys of all runs, failed ones included."""
        return [str(record["key"]) for record in self.records]

    @property
    def codes(self) -> list[str]:
        """Return the versions of the code that made these runs: ``0.1.0 9fc4e44 (changed)``."""
        return sorted(set(self.codes_of_runs))

    @property
    def codes_of_runs(self) -> list[str]:
        """Return the version of the code of each run."""
        return [code_of(record) for record in self.records]

    def values(self, measure: Measure) -> np.ndarray:
        """Return the values of the ok runs, (n_ok,) float, without those that were not measured."""
        known = [value for value in map(measure.of, self.ok) if value is not None]
        return np.array(known, dtype=float)

    def mean_sd(self, measure: Measure) -> tuple[float, float]:
        """Return mean and sample sd (ddof 1) over ok runs; NaN where there are too few."""
        values = self.values(measure)
        mean = float(values.mean()) if len(values) else float("nan")
        return mean, float(values.std(ddof=1)) if len(values) > 1 else float("nan")

    @property
    def k_shown(self) -> str:
        """Return clusters given and found: ``13/11-13``."""
        given = "-".join(map(str, sorted({record["n_clusters_requested"] for record in self.records})))
        found = sorted({record["n_clusters_found"] for record in self.ok})
        shown = "-" if not found else str(found[0]) if len(found) == 1 else f"{found[0]}-{found[-1]}"
        return f"{given}/{shown}"


@dataclass(frozen=True)
class Entry:
    """One method with one setting, on all datasets.

    Attributes:
        name: what tables call it; unique in a report.
        method, variant, protocol: of its runs.
        preset: name of its preset, or ``the authors' presets`` where each dataset has its own; empty for none.
        is_tuned: whether labels chose parameters.
        params: dotted parameters; empty where they differ between datasets.
        cells: by dataset; a dataset without a run is not in it.
    """

    name: str
    method: str
    variant: str
    protocol: str
    preset: str
    is_tuned: bool
    params: Mapping[str, Any]
    cells: Mapping[str, Cell]

    @property
    def is_control(self) -> bool:
        """Return whether this is one of the controls."""
        return self.method in CONTROLS

    @property
    def departures(self) -> list[str]:
        """Return the dotted parameters that are not the defaults of the variant; none with an authors' preset."""
        if self.preset == _OWN_PRESETS:
            return []
        return list(departures(self.method, self.variant, self.params) or ())


def is_comparable(entry: Entry) -> bool:
    """Return whether an entry may stand in a comparison: honest, and not tuned with labels."""
    return entry.protocol == "honest" and not entry.is_tuned


def entries_of(records: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """Return one entry per method and setting, controls first, then by name.

    A setting is variant, protocol, rule for K, preprocessing of the data and parameters. Runs with the authors' preset
    for each dataset are one entry although their parameters differ. Entries of equal names are told apart by what
    differs, as rows of the summary are.

    Args:
        records: any; those of one dataset must be of the same data.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for record in sorted(records, key=lambda one: (one["dataset"], one["method"], one["seed"], one["key"])):
        groups.setdefault(canonical_json(_identity(record)), []).append(record)
    rows = [_row(key, members) for key, members in groups.items()]
    entries = [
        _entry(row, difference, members)
        for row, difference, members in zip(rows, differences(rows), groups.values(), strict=True)
    ]
    place = {name: position for position, name in enumerate(CONTROLS)}
    return sorted(entries, key=lambda entry: (place.get(entry.method, len(place)), entry.protocol, entry.name))


def code_of(record: Mapping[str, Any]) -> str:
    """Return which code made a run."""
    provenance = record["provenance"]
    commit = str(provenance.get("git_commit") or "")[:7]
    changed = " (changed)" if provenance.get("git_dirty") else ""
    return " ".join(part for part in (str(provenance.get("scbench", "?")), commit) if part) + changed


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be equal among the runs of an entry, whatever their dataset."""
    rule = record.get("n_clusters_rule")
    own = _has_own_preset(record)
    return {
        "method": [record["method"], record["variant"], record["protocol"]],
        "k": [rule, record["n_clusters_requested"] if rule == "number" else None],
        "preset": _OWN_PRESETS if own else preset_of(record),
        "tuned": bool(record.get("tuned_with_labels")),
        "params": None if own else stored_params_of(record["method"], record["params"]),
    }


def _has_own_preset(record: Mapping[str, Any]) -> bool:
    """Return whether a run has the preset that the method ships for its dataset."""
    return preset_of(record) == str(record["dataset"])


def _row(key: str, members: Sequence[Mapping[str, Any]]) -> TableRow:
    """Return an entry as the summary's row of one dataset, which knows how to be named."""
    row = summarise([members[0]])[0]
    setting = hashlib.sha256(key.encode()).hexdigest()[:6]
    if not _has_own_preset(members[0]):
        return replace(row, dataset="", setting=setting, short_label=row.label)
    named = row.label.replace(f"preset {row.preset}", _OWN_PRESETS)
    return replace(row, dataset="", setting=setting, label=named, short_label=named, parameters={}, departures=None)


def _entry(row: TableRow, difference: str, members: Sequence[Mapping[str, Any]]) -> Entry:
    """Return an entry with its cells."""
    by_dataset: dict[str, list[Mapping[str, Any]]] = {}
    for record in members:
        by_dataset.setdefault(record["dataset"], []).append(record)
    first = members[0]
    return Entry(
        name=f"{row.label} {difference}".rstrip(),
        method=first["method"],
        variant=first["variant"],
        protocol=first["protocol"],
        preset=_OWN_PRESETS if _has_own_preset(first) else preset_of(first),
        is_tuned=row.is_tuned,
        params=row.parameters,
        cells={dataset: Cell(dataset, tuple(runs)) for dataset, runs in by_dataset.items()},
    )
