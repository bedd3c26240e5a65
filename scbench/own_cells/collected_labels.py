"""The labels that the runs of a store give the cells of one dataset, as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scbench.errors import ConfigError, DataError, StoreError
from scbench.metrics.consensus import consensus
from scbench.names import unknown
from scbench.store.cell_labels import CELL_LABELS, cell_names
from scbench.store.record import canonical_json
from scbench.store.store import Store
from scbench.store.stored_arrays import stored_array
from scbench.tables.rows import TableRow, summarise

__all__ = ["collected_labels"]


def collected_labels(root: Path, dataset: str, methods: Sequence[str] = ()) -> tuple[pd.DataFrame, list[str]]:
    """Return a table of the clusters of each cell, and a line each on what is not in it.

    Args:
        root: of the store.
        dataset: its name in the store.
        methods: names; empty for all.

    Returns:
        Indexed by the cells' names (``cell``), in the order of the file. For each method, variant, set of parameters
        and K: the clusters of its lowest seed, int64, and for several seeds ``<name>_consensus`` (int64) and
        ``<name>_agreement`` (float64, in [0, 1]), see :func:`scbench.metrics.consensus.consensus`.

    Raises:
        StoreError: there is no such store, or it holds no run.
        ConfigError: it has no runs of this dataset or method.
        DataError: none of these runs is a result with the names of its cells.
    """
    store = Store(root)
    records = list(store.records())
    if not records:
        raise StoreError(f"store {store.root} holds no run; run something first, or give its folder with store=DIR")
    records = _chosen(records, "dataset", [dataset])
    records = _chosen(records, "method", methods) if methods else records
    found = {}
    names_of: dict[str, np.ndarray] = {}  # runs of the same content, read in the same way, have the same cells
    folders = [store.folder(record["dataset"], record["method"], record["key"]) for record in records]
    for record, folder in zip(records, folders, strict=True):
        if _content(record) not in names_of and (names := cell_names(folder, record["n_cells"])) is not None:
            names_of[_content(record)] = names
    for record, folder in zip(records, folders, strict=True):
        names, labels = names_of.get(_content(record)), stored_array(folder / "labels.npy")
        if record["status"] == "ok" and names is not None and labels is not None and labels.shape == names.shape:
            found[record["key"]] = (record, names, labels.astype(np.int64))
    if not found:
        raise DataError(
            f"none of the {len(records)} runs on {dataset} has a {CELL_LABELS}: only results on a file of your own "
            "(dataset=file) have one, and those of earlier versions get theirs when the same command is given again"
        )
    kept, lines = _of_the_same_cells(found)
    if len(found) < len(records):
        lines.append(f"{len(records) - len(found)} of {len(records)} runs have no labels (failed, or without names)")
    rows = summarise([record for record, _, _ in kept.values()])
    columns: dict[str, np.ndarray] = {}
    for name, row in zip(_names(rows), rows, strict=True):
        members = sorted(row.cell.records, key=lambda record: int(record["seed"]))
        partitions = [kept[record["key"]][2] for record in members]
        columns[name] = partitions[0]
        if len(partitions) > 1:
            together = consensus(partitions)
            columns |= {f"{name}_consensus": together.labels, f"{name}_agreement": together.agreement}
    cells = next(iter(kept.values()))[1]
    return pd.DataFrame(columns, index=pd.Index(cells, name="cell")), lines


def _content(record: Mapping[str, Any]) -> str:
    """Return what stands for the cells of a run: bytes and how they were read."""
    return canonical_json({name: record["data"].get(name) for name in ("sha256", "preprocessing")})


def _chosen(records: Sequence[dict[str, Any]], what: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the records of these datasets or methods."""
    known = sorted({record[what] for record in records})
    for name in names:
        if name not in known:
            raise ConfigError(unknown(f"{what} in this store", name, known))
    return [record for record in records if record[what] in names]


def _of_the_same_cells(
    found: Mapping[str, tuple[dict[str, Any], np.ndarray, np.ndarray]],
) -> tuple[dict[str, tuple[dict[str, Any], np.ndarray, np.ndarray]], list[str]]:
    """Return the runs that have the cells of the latest one, and what is said of the others."""
    latest = max(found.values(), key=lambda one: str(one[0]["provenance"].get("started_at")))[1]
    kept = {key: one for key, one in found.items() if np.array_equal(one[1], latest)}
    n_others = len(found) - len(kept)
    if not n_others:
        return kept, []
    return kept, [f"{n_others} runs on other cells than the latest run's {len(latest)} are not in the table"]


def _names(rows: Sequence[TableRow]) -> list[str]:
    """Return a different name for each row: the method, and in words what tells it from the others."""
    names = [" ".join([row.label, *_parameters(row, rows)]) for row in rows]
    n_alike = Counter(names)
    names = [f"{name} ({_k(row)})" if n_alike[name] > 1 else name for name, row in zip(names, rows, strict=True)]
    n_alike = Counter(names)
    names = [f"{name}, file {_sha(row)}" if n_alike[name] > 1 else name for name, row in zip(names, rows, strict=True)]
    n_so_far: Counter[str] = Counter()
    different = []
    for name in names:
        n_so_far[name] += 1
        different.append(name if n_so_far[name] == 1 else f"{name}, {n_so_far[name]}")
    return different


def _parameters(row: TableRow, rows: Sequence[TableRow]) -> list[str]:
    """Return the parameters that the name does not tell: not the defaults; of a method not here, those that vary."""
    shown = {} if row.preset else row.non_defaults
    if shown is None:
        alike = [other for other in rows if other.label == row.label]
        shown = {
            name: value
            for name, value in row.parameters.items()
            if len({str(other.parameters.get(name)) for other in alike}) > 1
        }
    return [f"{name}={value}" for name, value in shown.items()]


def _k(row: TableRow) -> str:
    """Return the number of clusters that was asked for, and why."""
    record = row.cell.records[0]
    rule = {"true": " of the labels", "estimate": " estimated"}.get(str(record.get("n_clusters_rule")), "")
    return f"K={record['n_clusters_requested']}{rule}"


def _sha(row: TableRow) -> str:
    return str(row.cell.records[0]["data"]["sha256"])[:8]
