"""Methods across datasets: one :class:`Entry` per method and setting, one cell per dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scbench.renames import stored_params_of
from scbench.report.selection import CONTROLS
from scbench.store.non_defaults import non_defaults
from scbench.store.record import canonical_json
from scbench.tables.cell import Cell
from scbench.tables.rows import TableRow, differences, preset_of, summarise

__all__ = ["Entry", "entries_of", "is_comparable"]

_OWN_PRESETS = "the authors' presets"


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
    def non_defaults(self) -> list[str]:
        """Return the dotted parameters that are not the defaults of the variant; none with an authors' preset."""
        if self.preset == _OWN_PRESETS:
            return []
        return list(non_defaults(self.method, self.variant, self.params) or ())


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
    return replace(row, dataset="", setting=setting, label=named, short_label=named, parameters={}, non_defaults=None)


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
