"""Numbers that papers print, from ``results/published/*.csv``: never typed into a table of ours, shown beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from scbench.errors import DataError
from scbench.metrics.registry import METRICS, SCORES

__all__ = ["Names", "PublishedValue", "read_names", "read_published"]

_LONG = {"paper", "table", "dataset", "method", "metric", "value"}
_OTHER = ("claims.csv", "names.csv")
_WIDE_NAME = re.compile(r"(?P<paper>[a-z0-9]+)_table(?P<table>[0-9a-z]+)_(?P<metric>[a-z]+)")
_PERCENT = tuple(name for name in SCORES if METRICS[name].scale == 100)  # what papers print so, or as fractions
_PAPERS = {"scsiameseclu": "scSiameseClu", "scclubench": "scClubench"}  # as the papers write themselves


@dataclass(frozen=True)
class PublishedValue:
    """One printed number.

    Attributes:
        paper, table: where it is printed.
        dataset, method: as printed.
        metric: lower case: ``acc``, ``nmi``, ``ari``, ``seconds``, or what a text calls it.
        value: scores as fractions.
        sd: as printed, as a fraction; None where the paper has none.
        file: name of the CSV.
    """

    paper: str
    table: str
    dataset: str
    method: str
    metric: str
    value: float
    sd: float | None
    file: str


@dataclass(frozen=True)
class Names:
    """Which printed name is which dataset and method here.

    Attributes:
        datasets: (paper, printed) -> name; others match a name that differs only in case and punctuation.
        methods: (paper, printed) -> name and the parameters that belong to it; others match as datasets do.
    """

    datasets: Mapping[tuple[str, str], str]
    methods: Mapping[tuple[str, str], tuple[str, Mapping[str, str]]]

    def dataset(self, value: PublishedValue, known: Iterable[str]) -> str | None:
        """Return which of the ``known`` datasets a number is of, or None."""
        listed = self.datasets.get((value.paper, value.dataset))
        if listed is not None:
            return listed if listed in set(known) else None
        return next((name for name in known if _plain(name) == _plain(value.dataset)), None)

    def is_method(
        self, value: PublishedValue, method: str, params: Mapping[str, object], non_defaults: Iterable[str] = ()
    ) -> bool:
        """Return whether a number is of this method with these (dotted) parameters.

        Args:
            value: the number.
            method, params: of an entry.
            non_defaults: the parameters that are not defaults; only those that belong to the printed name are allowed,
                so that the number of a whole method does not stand beside one of its ablations.
        """
        name, needed = self.methods.get((value.paper, value.method), (None, {}))
        if not set(non_defaults) <= set(needed):
            return False
        if name is None:
            return _plain(method) == _plain(value.method)
        return name == method and all(str(params.get(key)) == wanted for key, wanted in needed.items())


def read_published(folder: Path) -> list[PublishedValue]:
    """Return every printed number of a folder, sorted by file and place in it.

    A table is long (columns paper, table, dataset, method, metric, value and perhaps std) or wide (one row per
    dataset, one column per method, named ``<paper>_table<number>_<metric>.csv``). Other CSVs hold no numbers of
    methods and are left out. Scores printed as percent become fractions.

    Raises:
        DataError: a table cannot be read or holds text for a number.
    """
    values: list[PublishedValue] = []
    for path in sorted(folder.glob("*.csv")):
        table = _read(path)
        wide = _WIDE_NAME.fullmatch(path.stem)
        if path.name in _OTHER:
            continue
        if set(table.columns) >= _LONG:
            values += _long(table, path.name)
        elif wide and table.columns[0] == "dataset":
            melted = table.melt("dataset", var_name="method", value_name="value")
            values += _long(melted.assign(**wide.groupdict()), path.name)
    return values


def read_names(folder: Path) -> Names:
    """Return ``names.csv`` of a folder; without that file only names that look alike match.

    Raises:
        DataError: the file cannot be read.
    """
    path = folder / "names.csv"
    if not path.is_file():
        return Names({}, {})
    table = _read(path)
    datasets: dict[tuple[str, str], str] = {}
    methods: dict[tuple[str, str], tuple[str, Mapping[str, str]]] = {}
    for row in table.to_dict("records"):
        printed = (str(row["paper"]), str(row["printed"]))
        if row["kind"] == "dataset":
            datasets[printed] = str(row["name"])
        else:
            needed = (part.partition("=") for part in str(row["params"]).split())
            methods[printed] = (str(row["name"]), {key: value for key, _, value in needed})
    return Names(datasets, methods)


def _read(path: Path) -> pd.DataFrame:
    """Return a table of text."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot read {path} ({error}); mend the file or give another folder with published=DIR"
        ) from error


def _long(table: pd.DataFrame, file: str) -> list[PublishedValue]:
    """Return the numbers of a long table; blank values are missing in the paper."""
    has_sd = "std" in table.columns
    kept = table[(table["value"] != "")]
    try:
        numbers = kept["value"].astype(float)
        sds = kept["std"].replace("", "nan").astype(float) if has_sd else pd.Series(float("nan"), kept.index)
    except ValueError as error:
        raise DataError(f"{file} holds a value that is no number ({error}); leave a missing value empty") from error
    metrics = kept["metric"].str.lower()
    is_percent = bool(metrics.isin(_PERCENT).any()) and float(numbers[metrics.isin(_PERCENT)].max()) > 1.5
    values = []
    for row, metric, number, sd in zip(kept.itertuples(index=False), metrics, numbers, sds, strict=True):
        scale = 100.0 if is_percent and metric in _PERCENT else 1.0
        values.append(
            PublishedValue(
                paper=_paper(str(row.paper)),
                table=str(row.table),
                dataset=str(row.dataset),
                method=str(row.method),
                metric=metric,
                value=number / scale,
                sd=None if pd.isna(sd) else sd / scale,
                file=file,
            )
        )
    return values


def _paper(printed: str) -> str:
    """Return a paper's name without where it appeared."""
    name = printed.partition(" (")[0]
    return _PAPERS.get(name, name)


def _plain(name: str) -> str:
    """Return a name without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
