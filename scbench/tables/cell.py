"""One cell of every table: the runs of one method with one setting on one dataset, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scbench.tables.measures import Measure

__all__ = ["Cell", "Mean", "code_of", "mean_of"]


@dataclass(frozen=True)
class Mean:
    """Mean and sample sd (ddof 1) of what was measured, in stored units.

    Attributes:
        mean: NaN without a value.
        sd: NaN with fewer than two.
        n: values behind both.
        n_ok: runs that ended well; some of them may have no value, such as of a metric that came later.
    """

    mean: float
    sd: float
    n: int
    n_ok: int

    def text(self, measure: Measure, missing: str = "-") -> str:
        """Return it as people read it: ``70.6 ± 2.4``, with ``(8 of 10)`` where runs have no value."""
        if not self.n:
            return missing
        sd = "" if np.isnan(self.sd) else f" ± {measure.shown(self.sd)}"
        return f"{measure.shown(self.mean)}{sd}" + ("" if self.n == self.n_ok else f" ({self.n} of {self.n_ok})")


def mean_of(values: Sequence[float | None]) -> Mean:
    """Return the mean of the values of runs that ended well; None is a run without one."""
    known = np.array([value for value in values if value is not None], dtype=float)
    mean = float(known.mean()) if len(known) else float("nan")
    return Mean(mean, float(known.std(ddof=1)) if len(known) > 1 else float("nan"), len(known), len(values))


@dataclass(frozen=True)
class Cell:
    """All runs of one method with one setting on one dataset.

    Attributes:
        dataset: its name.
        records: of the runs.
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
        return np.array([value for value in map(measure.of, self.ok) if value is not None], dtype=float)

    def mean(self, measure: Measure) -> Mean:
        """Return the mean over the ok runs."""
        return mean_of([measure.of(record) for record in self.ok])

    def why_without(self, measure: Measure) -> str:
        """Return why there is no value: ``failed``, ``no labels`` (of a score on cells without types), or a dash."""
        if not self.ok:
            return "failed"
        return "no labels" if measure.is_score and all(record["n_types"] is None for record in self.ok) else "-"

    def best(self, measure: Measure) -> Mean | None:
        """Return the mean over the epochs that were chosen with the true labels; None when no run kept snapshots."""
        chosen = [record["best_epoch"] for record in self.ok if record["best_epoch"]]
        return mean_of([measure.of({"metrics": epoch}) for epoch in chosen]) if chosen else None

    @property
    def k_given(self) -> str:
        """Return the number of clusters asked for: ``13``."""
        return _span([record["n_clusters_requested"] for record in self.records])

    @property
    def ks_found(self) -> list[int]:
        """Return the numbers of clusters found, each once."""
        return sorted({record["n_clusters_found"] for record in self.ok})

    @property
    def k_found(self) -> str:
        """Return the least and the largest number of clusters found: ``11-13``."""
        return _span(self.ks_found)

    @property
    def k_shown(self) -> str:
        """Return clusters given and found: ``13/11-13``."""
        return f"{self.k_given}/{self.k_found}"

    @property
    def peak_rss_bytes(self) -> int:
        """Return the largest resident memory of any run, failed ones included; 0 where none is known."""
        return max((record["peak_rss_bytes"] or 0 for record in self.records), default=0)

    @property
    def failures(self) -> list[tuple[int, str, str]]:
        """Return seed, status and message of each run that is not ok."""
        return [
            (record["seed"], record["status"], record["error"]["message"])
            for record in self.records
            if record["status"] != "ok"
        ]


def code_of(record: Mapping[str, Any]) -> str:
    """Return which code made a run."""
    provenance = record["provenance"]
    commit = str(provenance.get("git_commit") or "")[:7]
    changed = " (changed)" if provenance.get("git_dirty") else ""
    return " ".join(part for part in (str(provenance.get("scbench", "?")), commit) if part) + changed


def _span(numbers: Sequence[int]) -> str:
    """Return the smallest and the largest number; a dash for none."""
    return "-".join(map(str, dict.fromkeys((min(numbers), max(numbers))))) if numbers else "-"
