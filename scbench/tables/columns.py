"""The columns of the table at the end of a command and of its files: each is one line of ``COLUMNS``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from scbench.metrics.registry import HEADLINE, METRICS
from scbench.tables.measures import MEASURES
from scbench.tables.rows import TableRow, has_best

__all__ = ["COLUMNS", "LABEL_FREE_FIELD", "Column", "columns_of"]

LABEL_FREE_FIELD = "label_free"  # of a record that is shown, never of one that is stored

Stored = Mapping[str, object]


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        heading: for people; the two columns of names come before all of these.
        text: what a row shows.
        stored: columns of ``summary.csv`` in stored units, by name.
        is_shown: whether these rows have it at all.
        file_rank: files have columns of low rank first, so that their order stays as it was.
    """

    heading: str
    text: Callable[[TableRow], str]
    stored: Callable[[TableRow], Stored] = field(default=lambda _: {})
    is_shown: Callable[[Sequence[TableRow]], bool] = field(default=lambda _: True)
    file_rank: int = 2


def columns_of(rows: Sequence[TableRow]) -> list[Column]:
    """Return the columns that these rows have."""
    return [column for column in COLUMNS if column.is_shown(rows)]


def _score(name: str) -> Column:
    measure = MEASURES[name]

    def stored(row: TableRow) -> Stored:
        found = row.cell.mean(measure)
        return {f"{name}_mean": found.mean, f"{name}_sd": found.sd}

    def text(row: TableRow) -> str:
        return row.cell.mean(measure).text(measure)

    return Column(METRICS[name].heading, text, stored, lambda rows: not all(map(_is_label_free, rows)), file_rank=0)


def _best(name: str) -> Column:
    measure = MEASURES[name]

    def text(row: TableRow) -> str:
        found = row.cell.best(measure)
        return "-" if found is None else found.text(measure)

    def stored(row: TableRow) -> Stored:
        found = row.cell.best(measure)
        mean, sd = ("", "") if found is None else (found.mean, found.sd)
        return {f"best_{name}_mean": mean, f"best_{name}_sd": sd}

    return Column(f"best {METRICS[name].heading}", text, stored, has_best, file_rank=0)


def _is_label_free(row: TableRow) -> bool:
    return any(LABEL_FREE_FIELD in record for record in row.cell.ok)


def _label_free(heading: str, name: str) -> Column:
    def text(row: TableRow) -> str:
        values = [record[LABEL_FREE_FIELD].get(name) for record in row.cell.ok if LABEL_FREE_FIELD in record]
        known = [value for value in values if value is not None]
        return f"{sum(known) / len(known):.3f}" if known else "-"

    return Column(heading, text, is_shown=lambda rows: any(map(_is_label_free, rows)))


def _seconds(row: TableRow) -> float:
    return row.cell.mean(MEASURES["seconds"]).mean


COLUMNS = (
    *map(_score, HEADLINE),
    *map(_best, HEADLINE),
    _label_free("ARI of seeds", "seed_ari"),
    _label_free(METRICS["silhouette_pca"].title, "silhouette_pca"),
    Column(
        "K given/found",
        lambda row: row.cell.k_shown,
        lambda row: {"k_given": row.cell.k_given, "k_found": " ".join(map(str, row.cell.ks_found))},
    ),
    Column(
        "s/run",
        lambda row: "-" if math.isnan(_seconds(row)) else f"{_seconds(row):.1f}",
        lambda row: {"seconds_mean": _seconds(row)},
    ),
    Column(
        "peak memory",
        lambda row: f"{row.cell.peak_rss_bytes / 2**20:.0f} MiB" if row.cell.peak_rss_bytes else "-",
        lambda row: {"peak_rss_bytes": row.cell.peak_rss_bytes},
    ),
    Column(
        "ok",
        lambda row: f"{len(row.cell.ok)}/{len(row.cell.records)}",
        lambda row: {"n_ok": len(row.cell.ok), "n": len(row.cell.records)},
        file_rank=1,
    ),
)
