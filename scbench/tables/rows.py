"""From run records to rows of a table: which runs belong together, and what they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scbench.config.preset import leaves
from scbench.renames import stored_params_of
from scbench.store.non_defaults import non_defaults
from scbench.store.record import canonical_json
from scbench.tables.cell import Cell

__all__ = ["BEST_NOTE", "TableRow", "differences", "has_best", "is_tuned", "preset_of", "summarise", "tuned_note"]

_LONGEST_DIFFERENCE = 48
_RULES_OF_K = {"estimate": ["K estimated"], "estimate_stability": ["K by stability"]}
BEST_NOTE = (
    "best: the epoch with the highest ACC by the true labels, as published programs choose it; "
    "it shows a gap and never enters a comparison"
)


@dataclass(frozen=True)
class TableRow:
    """All runs of one method with one setting on one dataset, and what it is called.

    Attributes:
        dataset, method: names; the method's carries its variant and protocol when they are not the default.
        preset: name of the preset that parameters come from; empty for none.
        is_tuned: whether parameters were chosen with the true labels.
        label, short_label: the method's name that tables show, with its preset; only ``label`` says that one was
            tuned with labels.
        setting: short hash of the resolved parameters, the data and the K rule: rows of different settings are
            never averaged.
        parameters: the resolved parameters by dotted name.
        non_defaults: those that are not the method's defaults; None when the method is not installed.
        cell: the runs.
    """

    dataset: str
    method: str
    preset: str
    is_tuned: bool
    label: str
    short_label: str
    setting: str
    parameters: Mapping[str, Any]
    non_defaults: Mapping[str, Any] | None
    cell: Cell

    @property
    def asked_k(self) -> str:
        """Return ``n_clusters`` as the command line has it: a number, ``true``, ``estimate``; ``None`` for old runs."""
        first = self.cell.records[0]
        rule = str(first.get("n_clusters_rule"))
        return str(first["n_clusters_requested"]) if rule == "number" else rule


def has_best(rows: Sequence[TableRow]) -> bool:
    """Return whether any row has scores of a best epoch, which then get columns of their own."""
    return any(record["best_epoch"] for row in rows for record in row.cell.ok)


def tuned_note(rows: Sequence[TableRow]) -> str | None:
    """Return what to say below a table with parameters that were chosen with labels, or None when there are none.

    It names the presets, which short labels do not tell apart from those chosen without labels.
    """
    if not any(row.is_tuned for row in rows):
        return None
    presets = sorted({row.preset for row in rows if row.is_tuned and row.preset})
    which = f" (preset {', '.join(presets)})" if presets else ""
    return (
        f"tuned with labels{which}: the true labels had a part in choosing these parameters; "
        "such rows show a gap and never enter a comparison"
    )


def summarise(records: Sequence[Mapping[str, Any]]) -> list[TableRow]:
    """Return one row per dataset, method, preset and setting, sorted by dataset, methods as they first appear."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for record in records:
        groups.setdefault((record["dataset"], _label(record), _setting(record)), []).append(record)
    return sorted(map(_row, groups.values()), key=lambda row: row.dataset)


def _row(members: Sequence[Mapping[str, Any]]) -> TableRow:
    """Name the runs of one row."""
    first = members[0]
    parameters = dict(leaves(first["params"]))
    return TableRow(
        dataset=first["dataset"],
        method=_with_extras(first),
        preset=preset_of(first),
        is_tuned=is_tuned(first),
        label=_label(first),
        short_label=_short_label(first),
        setting=_setting(first),
        parameters=parameters,
        non_defaults=non_defaults(first["method"], first["variant"], parameters),
        cell=Cell(first["dataset"], tuple(members)),
    )


def differences(rows: Sequence[TableRow]) -> list[str]:
    """Return for each row what its name does not say; empty for the defaults.

    The parameters that are not the defaults (``without=zinb``). Where these are not known, or not what tells rows of
    one name on one dataset apart, the parameters that differ among those rows; and the short hash of the setting
    (``#8c87ec``) where they are too many or something else differs. What a preset says is in the row's name.
    """
    groups: dict[tuple[str, str], list[TableRow]] = {}
    for row in rows:
        groups.setdefault((row.dataset, row.short_label), []).append(row)
    return [_difference(row, groups[row.dataset, row.short_label]) for row in rows]


def _difference(row: TableRow, alike: Sequence[TableRow]) -> str:
    """Return what the name of a row does not say, among those that are called like it."""
    if len({other.asked_k for other in alike}) > 1:
        same = [other for other in alike if other.asked_k == row.asked_k]
        return " ".join(part for part in (f"n_clusters={row.asked_k}", _difference(row, same)) if part)
    known = None if row.preset else row.non_defaults
    if known is not None and sum(other.non_defaults == known for other in alike) == 1:
        shown: Mapping[str, Any] = known
    elif len(alike) == 1:
        return ""
    else:
        varied = [name for name in row.parameters if len({str(other.parameters.get(name)) for other in alike}) > 1]
        shown = {name: row.parameters[name] for name in varied}
        if not shown or sum(all(other.parameters.get(n) == v for n, v in shown.items()) for other in alike) > 1:
            return _data_difference(row, alike)
    text = " ".join(f"{name}={value}" for name, value in shown.items())
    return text if len(text) <= _LONGEST_DIFFERENCE else f"#{row.setting}"


def _data_difference(row: TableRow, alike: Sequence[TableRow]) -> str:
    """Return what was done to the cells of a row and not to those of the others; a hash where that does not tell."""
    steps = {id(other): dict(leaves(other.cell.records[0]["data"].get("preprocessing") or {})) for other in alike}
    mine = steps[id(row)]
    varied = [name for name in mine if len({str(step.get(name)) for step in steps.values()}) > 1]
    text = " ".join(f"{name}={mine[name]}" for name in varied)
    is_alone = sum(all(step.get(name) == mine[name] for name in varied) for step in steps.values()) == 1
    return text if varied and is_alone and len(text) <= _LONGEST_DIFFERENCE else f"#{row.setting}"


def _with_extras(record: Mapping[str, Any], *more: str) -> str:
    """Return the method's name with what is not the default about it, and with ``more``."""
    extras = [record["variant"]] if record["variant"] != "default" else []
    extras += [record["protocol"]] if record["protocol"] != "honest" else []
    extras += _RULES_OF_K.get(str(record.get("n_clusters_rule")), [])
    extras += more
    return str(record["method"]) + (f" ({', '.join(extras)})" if extras else "")


def _label(record: Mapping[str, Any]) -> str:
    """Return what a table calls the method of a run: ``m (published, preset young: tuned with labels)``."""
    preset, tuned = preset_of(record), "tuned with labels" if is_tuned(record) else ""
    about = ": ".join(part for part in (f"preset {preset}" if preset else "", tuned) if part)
    return _with_extras(record, *([about] if about else []))


def _short_label(record: Mapping[str, Any]) -> str:
    """Return the same for a narrow table: ``m (published, preset young)``."""
    preset = preset_of(record)
    return _with_extras(record, f"preset {preset}") if preset else _label(record)


def preset_of(record: Mapping[str, Any]) -> str:
    """Return the name of a run's preset; empty for none, and for a record from before there were any."""
    return str((record.get("preset") or {}).get("name", ""))


def is_tuned(record: Mapping[str, Any]) -> bool:
    """Return whether parameters of a run were chosen with the true labels."""
    return bool(record.get("tuned_with_labels"))


def _setting(record: Mapping[str, Any]) -> str:
    """Return a short hash of what must be equal among the runs of a row besides their names."""
    identity = {
        "params": stored_params_of(record["method"], record["params"], record.get("n_cells")),  # as its key has them
        "data": {name: value for name, value in record["data"].items() if name != "source"},
        "k": [record.get("n_clusters_rule"), record["n_clusters_requested"]],
    }
    return hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:6]
