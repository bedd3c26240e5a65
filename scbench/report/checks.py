"""Checks of what papers print against their own rows: averages, claimed gains, ranks, bold marks, repeated cells."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from scbench.errors import DataError
from scbench.report.published import PublishedValue

__all__ = ["CLAIM_KINDS", "Check", "check_claims", "repeated_cells"]

CLAIM_KINDS = {
    "average": "mean over the datasets on which the method has a value",
    "gain": "average over that of the other method, minus one",
    "first": "number of datasets on which one of these methods is best",
    "second": "number of datasets on which it is second",
    "beats": "number of datasets on which it is above the other method",
    "bold": "marked as best in its row",
}


@dataclass(frozen=True)
class Check:
    """One printed statement and what its own table says.

    Attributes:
        paper, table, kind, dataset, method, against, metric: of the statement; kinds are those of CLAIM_KINDS, and
            ``repeated`` for cells that come twice.
        printed: the number as printed.
        recomputed: from the rows; NaN where the rows needed are not in the table.
        verdict: ``agrees``, ``differs`` or ``not in the table``.
        note: one sentence.
    """

    paper: str
    table: str
    kind: str
    dataset: str
    method: str
    against: str
    metric: str
    printed: str
    recomputed: float
    verdict: str
    note: str


def check_claims(values: Sequence[PublishedValue], path: Path) -> list[Check]:
    """Return one check per line of ``claims.csv``.

    A claim agrees when it lies within one unit of its last printed digit, since rows are rounded as well; a count
    must be equal.

    Args:
        values: all printed numbers.
        path: CSV with the columns paper, table, kind, dataset, method, against, metric, value and source; ``dataset``
            is ``all``, ``all but X+Y``, a name, or names joined by ``+``, as those of ``method`` are.

    Raises:
        DataError: the file cannot be read, or has an unknown kind.
    """
    try:
        claims = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot read {path} ({error}); mend the file or give another folder with published=DIR"
        ) from error
    return [_check(row, values, path) for row in claims.to_dict("records")]


def repeated_cells(values: Sequence[PublishedValue]) -> list[Check]:
    """Return cells of one method and metric that have the same value and sd on two datasets of one table.

    Two means of several seeds that agree in both, to the last printed digit, look like one copied into the other.
    """
    found = []
    for left, right in combinations([value for value in values if value.sd], 2):
        same_place = (left.paper, left.table, left.method, left.metric) == (
            right.paper,
            right.table,
            right.method,
            right.metric,
        )
        if same_place and (left.value, left.sd) == (right.value, right.sd) and left.dataset != right.dataset:
            note = f"{left.value:.4f} ± {left.sd:.4f} stands on both datasets"
            datasets = f"{left.dataset}+{right.dataset}"
            found.append(
                Check(left.paper, left.table, "repeated", datasets, left.method, "", left.metric, f"{left.value:.4f}",
                      right.value, "differs", note)
            )  # fmt: skip
    return found


def _check(claim: Mapping[Hashable, str], values: Sequence[PublishedValue], path: Path) -> Check:
    """Return the check of one claim."""
    kind, method, against = claim["kind"], claim["method"], claim["against"]
    if kind not in CLAIM_KINDS:
        raise DataError(f"{path} has a claim of unknown kind {kind!r}; kinds are {', '.join(CLAIM_KINDS)}")
    metric = claim["metric"].lower()
    rows = _rows(values, claim["paper"], claim["table"], metric, claim["dataset"])
    number, note = _RECOMPUTED[kind](rows, method.split("+"), against)
    decimals = len(claim["value"].partition(".")[2])
    tolerance = 10.0**-decimals if decimals else 0.0
    if np.isnan(number):
        verdict, note = "not in the table", note or "the rows it rests on are not printed"
    elif kind == "bold":
        verdict = "agrees" if number <= float(claim["value"]) else "differs"
    else:
        verdict = "agrees" if abs(number - float(claim["value"])) <= tolerance * (1 + 1e-9) else "differs"
    named = {name: claim[name] for name in ("paper", "table", "kind", "dataset", "method", "against")}
    return Check(**named, metric=metric, printed=claim["value"], recomputed=number, verdict=verdict, note=note)


def _rows(values: Sequence[PublishedValue], paper: str, table: str, metric: str, datasets: str) -> pd.DataFrame:
    """Return the values of one table, (n_datasets, n_methods) with NaN for blanks."""
    left_out = datasets.removeprefix("all but ").split("+") if datasets.startswith("all but ") else []
    wanted = None if datasets == "all" or left_out else set(datasets.split("+"))
    cells: dict[str, dict[str, float]] = {}
    for value in values:
        is_row = value.dataset not in left_out if wanted is None else value.dataset in wanted
        if is_row and (value.paper, value.table, value.metric) == (paper, table, metric):
            cells.setdefault(value.dataset, {})[value.method] = value.value
    return pd.DataFrame.from_dict(cells, orient="index", dtype=float)


def _mean(rows: pd.DataFrame, method: str) -> float:
    return float(rows[method].mean()) if method in rows else float("nan")


def _average(rows: pd.DataFrame, methods: list[str], against: str) -> tuple[float, str]:
    n = int(rows[methods[0]].count()) if methods[0] in rows else 0
    return _mean(rows, methods[0]), f"mean of {n} rows" if n else ""


def _gain(rows: pd.DataFrame, methods: list[str], against: str) -> tuple[float, str]:
    mine, other = _mean(rows, methods[0]), _mean(rows, against)
    gain = mine / other - 1
    return gain, "" if np.isnan(gain) else f"{mine:.4f} over {other:.4f}, means of the rows"


def _place(place: int) -> Callable[[pd.DataFrame, list[str], str], tuple[float, str]]:
    """Return what counts the datasets on which a method stands at a place."""

    def count(rows: pd.DataFrame, methods: list[str], against: str) -> tuple[float, str]:
        here = [name for name in methods if name in rows]
        if not here:
            return float("nan"), ""
        ranks = rows.rank(axis=1, ascending=False, method="min")
        hits = (ranks[here] == place).any(axis=1)
        others = [str(name) for name in rows.index[~hits]]
        shown = f": not on {', '.join(others)}" if 0 < len(others) <= 5 else ""
        return float(hits.sum()), f"of {len(rows)} datasets{shown}"

    return count


def _beats(rows: pd.DataFrame, methods: list[str], against: str) -> tuple[float, str]:
    if methods[0] not in rows or against not in rows:
        return float("nan"), ""
    above = rows[methods[0]] > rows[against]
    return float(above.sum()), f"of {len(rows)} datasets"


def _bold(rows: pd.DataFrame, methods: list[str], against: str) -> tuple[float, str]:
    if methods[0] not in rows:
        return float("nan"), ""
    best = rows.iloc[0].idxmax()
    return float(rows.iloc[0].max()), f"best of the row: {best}"


_RECOMPUTED: dict[str, Callable[[pd.DataFrame, list[str], str], tuple[float, str]]] = {
    "average": _average,
    "gain": _gain,
    "first": _place(1),
    "second": _place(2),
    "beats": _beats,
    "bold": _bold,
}
