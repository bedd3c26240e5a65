"""What a table can show: the scores of a record, its seconds and its memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scbench.metrics.registry import HEADLINE, METRICS, SCORES, Metric
from scbench.names import check_choice

__all__ = ["DEFAULT_MEASURES", "MEASURES", "Measure", "measures_of"]


@dataclass(frozen=True)
class Measure:
    """One number of a run.

    Attributes:
        name: as in commands and CSV columns.
        title: with its unit, for headings.
        higher_is_better: whether the largest value is marked as best.
        scale: what the stored value is multiplied with for people; CSV files hold stored values.
        decimals: shown to people.
        is_score: whether it is a score made with labels, which ranks and statistics are made of.
        of: the stored value of a record; None when there is none.
    """

    name: str
    title: str
    higher_is_better: bool
    scale: float
    decimals: int
    is_score: bool
    of: Callable[[Mapping[str, Any]], float | None]

    def shown(self, value: float) -> str:
        """Return a stored value as people read it."""
        rounded = round(value * self.scale, self.decimals) + 0.0  # a value just below zero would read -0.0
        return f"{rounded:.{self.decimals}f}"


def _score(metric: Metric) -> Measure:
    unit = " (%)" if metric.scale == 100 else ""
    return Measure(
        metric.name,
        f"{metric.title}{unit}",
        metric.higher_is_better,
        metric.scale,
        metric.decimals,
        True,
        lambda record: record["metrics"].get(metric.name),
    )


MEASURES = {name: _score(METRICS[name]) for name in SCORES} | {
    "seconds": Measure("seconds", "seconds per run", False, 1.0, 1, False, lambda record: record["seconds"]["total"]),
    "memory": Measure(
        "memory", "peak memory (MiB)", False, 2.0**-20, 0, False, lambda record: record["peak_rss_bytes"]
    ),
}
DEFAULT_MEASURES = HEADLINE


def measures_of(text: str) -> list[Measure]:
    """Return the measures named in ``acc,ami,seconds``; ``all`` means every one.

    Raises:
        ConfigError: a name is unknown; the nearest is suggested.
    """
    names = list(MEASURES) if text == "all" else [name.strip() for name in text.split(",") if name.strip()]
    return [MEASURES[check_choice("metric", name, MEASURES)] for name in dict.fromkeys(names)]
