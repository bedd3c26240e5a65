"""Which records of a store a report is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scbench.config.preset import leaves
from scbench.config.schema import PROTOCOLS
from scbench.errors import ConfigError, StoreError
from scbench.names import check_choice, unknown
from scbench.store.non_defaults import parameters_with
from scbench.store.record import canonical_json
from scbench.tables.rows import preset_of

__all__ = ["CONTROLS", "Selection", "ordered_datasets", "refuse_mixed_data", "selection_of", "told_apart"]

CONTROLS = ("random", "pca_kmeans", "leiden", "louvain")  # what every table shows beside its methods


@dataclass(frozen=True)
class Selection:
    """A filter of records: these methods on these datasets, with this protocol and these seeds.

    Attributes:
        methods: names; None for all. Controls come with them, whatever is named.
        datasets: names, in the order of tables; None for all. Those without a record are shown as missing.
        protocol: ``honest`` or ``published``; None for both, each in tables of its own. Controls need no protocol of
            their own: honest ones are kept.
        seeds: None for all.
        params: by method, the settings of which its runs must have one: (dotted) parameters, or ``variant``, with
            their values. What is not named is free.
        is_exact: what ``params`` does not name must have its default (or come from the authors' preset for the
            dataset), so that a variation of a method, such as what a search has found, is not taken for it.
        k: rule for the number of clusters, and the number where that is the rule; None for all.
        names_absent: methods and datasets without any run are named in notes; otherwise a dataset without has a
            column that says so.
    """

    methods: tuple[str, ...] | None = None
    datasets: tuple[str, ...] | None = None
    protocol: str | None = None
    seeds: tuple[int, ...] | None = None
    params: Mapping[str, Sequence[Mapping[str, Any]]] | None = None
    is_exact: bool = False
    k: tuple[str, int | None] | None = None
    names_absent: bool = False

    def keeps(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record belongs to the report."""
        is_control = record["method"] in CONTROLS
        return (
            (self.methods is None or is_control or record["method"] in self.methods)
            and (self.datasets is None or record["dataset"] in self.datasets)
            and (self.protocol is None or record["protocol"] == self.protocol or is_control)
            and (self.seeds is None or record["seed"] in self.seeds)
            and (self.k is None or self.k == _k_of(record))
            and self._has_params(record)
        )

    def check(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Check that what is named is in the store at all, so that a typo makes no table of missing cells.

        A dataset or method without any record is an error only when the nearest stored name looks like a typo of it.

        Raises:
            ConfigError: none of the named methods or datasets is in the store.
        """
        for kind, names, stored in (
            ("method", self.methods, {record["method"] for record in records}),
            ("dataset", self.datasets, {record["dataset"] for record in records}),
        ):
            if names is not None and not stored & set(names):
                raise ConfigError(f"no record of this: {unknown(kind, names[0], stored)}")

    def _has_params(self, record: Mapping[str, Any]) -> bool:
        """Return whether the record has one of the settings asked for."""
        settings = (self.params or {}).get(record["method"])
        return not settings or any(self._has_setting(record, one) for one in settings)

    def _has_setting(self, record: Mapping[str, Any], setting: Mapping[str, Any]) -> bool:
        """Return whether the record has these parameters, and with ``is_exact`` no other departure from defaults."""
        known = {**record["params"], "variant": record["variant"]}
        if not all(_at(known, path) == value for path, value in setting.items()):
            return False
        if not self.is_exact or preset_of(record) == record["dataset"]:  # the authors' for this dataset
            return True
        given = {name: value for name, value in setting.items() if name != "variant"}
        asked = parameters_with(record["method"], record["variant"], given)
        found = dict(leaves(record["params"]))
        return asked is None or all(found[name] == asked[name] for name in asked if name in found)


def selection_of(options: Mapping[str, str]) -> Selection:
    """Return the filter of ``methods=a,b datasets=c protocol=honest seeds=0,1``; absent keys filter nothing.

    Raises:
        ConfigError: an unknown protocol, or a seed that is no number.
    """
    lists = {key: _names(options[key]) for key in ("methods", "datasets", "seeds") if options.get(key)}
    protocol = options.get("protocol") or None
    if protocol is not None:
        check_choice("protocol", protocol, PROTOCOLS)
    try:
        seeds = tuple(int(seed) for seed in lists["seeds"]) if "seeds" in lists else None
    except ValueError:
        raise ConfigError(f"seeds must be whole numbers, got {options['seeds']!r}; write seeds=0,1,2") from None
    return Selection(lists.get("methods"), lists.get("datasets"), protocol, seeds)


def refuse_mixed_data(records: Sequence[Mapping[str, Any]]) -> None:
    """Check that all runs on a dataset were made on the same bytes.

    Raises:
        StoreError: a dataset's name stands for two checksums; both are named, with one run of each.
    """
    seen: dict[str, Mapping[str, Any]] = {}
    for record in records:
        first = seen.setdefault(record["dataset"], record)
        if first["data"]["sha256"] != record["data"]["sha256"]:
            places = " and ".join(
                f"sha256 {one['data']['sha256']} ({one['data'].get('source')}; run {one['dataset']}/{one['method']}/"
                f"{one['key'][:16]})"
                for one in (first, record)
            )
            raise StoreError(
                f"dataset {record['dataset']} stands for two different data: {places}; a table cannot mix them, so "
                "move the runs of one to another store, run them under another dataset.name, or name other datasets "
                "with datasets=A,B"
            )


def _k_of(record: Mapping[str, Any]) -> tuple[str, int | None]:
    """Return the rule for the number of clusters of a run, with the number where that is the rule."""
    rule = str(record.get("n_clusters_rule", "true"))
    return rule, record["n_clusters_requested"] if rule == "number" else None


def _names(text: str) -> tuple[str, ...]:
    """Return ``a,b`` as names."""
    return tuple(dict.fromkeys(name.strip() for name in text.strip("[]").split(",") if name.strip()))


def _at(params: Mapping[str, Any], path: str) -> Any:
    """Return a nested parameter by its dotted name; None where there is none."""
    value: Any = params
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def ordered_datasets(selection: Selection, found: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the columns of a table, and the datasets that were asked for and have none.

    Columns are the datasets asked for in their order, or all that were found, by name.
    """
    asked = sorted(found) if selection.datasets is None else list(selection.datasets)
    if not selection.names_absent:
        return asked, []
    return [name for name in asked if name in found], [name for name in asked if name not in found]


def told_apart(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the records with ``dataset`` renamed where the same data were read in different ways.

    Such a name gets a short hash of the reading (``mydata#3f2a``); ``stored_dataset`` keeps the name of the folder.
    """
    ways: dict[str, set[str]] = {}
    for record in records:
        ways.setdefault(record["dataset"], set()).add(_reading(record))
    return [
        {
            **record,
            "stored_dataset": record["dataset"],
            "dataset": record["dataset"] + (f"#{_reading(record)}" if len(ways[record["dataset"]]) > 1 else ""),
        }
        for record in records
    ]


def _reading(record: Mapping[str, Any]) -> str:
    """Return a short hash of how data became counts and labels."""
    how = {name: value for name, value in record["data"].items() if name not in ("source", "sha256")}
    return hashlib.sha256(canonical_json(how).encode()).hexdigest()[:4]
