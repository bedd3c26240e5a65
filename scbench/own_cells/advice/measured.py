"""What stored runs cost and scored: the table that advice is made of, shipped with the package as ``measured.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from scbench.config.preset import leaves
from scbench.renames import installed_schema
from scbench.store.non_defaults import non_defaults
from scbench.tables.rows import is_tuned, preset_of

__all__ = ["MEASURED", "MeasuredRun", "measured_csv", "measured_runs", "shipped_runs", "write_measured"]

MEASURED = "measured.csv"
_PACKAGE = "scbench.own_cells.advice"


@dataclass(frozen=True)
class MeasuredRun:
    """One run of a method with its defaults, with the annotated number of types, on the CPU.

    Attributes:
        method, dataset: names.
        n_cells, n_genes: sizes.
        seed: of the run.
        seconds: from loading to the last label.
        memory_mib: largest resident memory of its process.
        ari: with the annotated types, in [-1, 1].
    """

    method: str
    dataset: str
    n_cells: int
    n_genes: int
    seed: int
    seconds: float
    memory_mib: float
    ari: float


def measured_runs(records: Iterable[Mapping[str, Any]]) -> list[MeasuredRun]:
    """Return the runs of stored records that say what a method does when nothing about it is changed.

    Runs that failed, that are of another variant or protocol, with other parameters, of a part of a dataset or of
    damaged counts, or without annotated types are left out. Defaults may be those of an earlier version; of a method
    on a dataset only the runs with today's count where there are any.
    """
    found = []
    for record in records:
        preprocessing = record["data"].get("preprocessing") or {}
        is_plain = (
            record["status"] == "ok"
            and record["protocol"] == "honest"
            and record["variant"] == "default"
            and record.get("n_clusters_rule") in (None, "true")
            and record["device"] == "cpu"
            and record["metrics"].get("ari") is not None
            and record["peak_rss_bytes"]
            and not (is_tuned(record) or preset_of(record))
            and not {"subsample", "corrupt", "dropout"} & set(preprocessing)
            and _is_unchanged(record)
        )
        if is_plain:
            run = MeasuredRun(
                record["method"],
                record["dataset"],
                record["n_cells"],
                record["n_genes"],
                record["seed"],
                round(record["seconds"]["total"], 2),
                round(record["peak_rss_bytes"] / 2**20, 1),
                round(record["metrics"]["ari"], 5),
            )
            found.append((run, not _changed(record)))
    today = {(run.method, run.dataset) for run, is_today in found if is_today}
    kept = [run for run, is_today in found if is_today or (run.method, run.dataset) not in today]
    return sorted(kept, key=lambda run: (run.method, run.n_cells, run.dataset, run.seed))


def _changed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a run that are not today's defaults of its method; none of a method that is not here."""
    return non_defaults(record["method"], "default", dict(leaves(record["params"]))) or {}


def _is_unchanged(record: Mapping[str, Any]) -> bool:
    """Return whether each parameter of a run is a default of its method, of today or of an earlier version."""
    schema = installed_schema(record["method"])
    if schema is None:
        return True
    former = {field.name: field.metadata.get("default_before") for field in fields(schema)}
    return all(former.get(name) == value for name, value in _changed(record).items())


def measured_csv(runs: Iterable[MeasuredRun]) -> str:
    """Return runs as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(MeasuredRun)])
    writer.writerows(astuple(run) for run in runs)
    return text.getvalue()


def shipped_runs() -> list[MeasuredRun]:
    """Return the runs that the package ships: those of ``results/reference/records.tar.xz``."""
    return _parsed((files(_PACKAGE) / MEASURED).read_text(encoding="utf-8"))


def _parsed(text: str) -> list[MeasuredRun]:
    """Return the runs of a CSV."""
    kinds = {"method": str, "dataset": str, "n_cells": int, "n_genes": int, "seed": int}
    return [
        MeasuredRun(**{name: kinds.get(name, float)(value) for name, value in row.items()})
        for row in csv.DictReader(io.StringIO(text))
    ]


def write_measured(records: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write ``measured.csv`` anew and return how many runs are in it."""
    runs = measured_runs(records)
    path.write_text(measured_csv(runs), encoding="utf-8")
    return len(runs)
