"""Default against tuned: the file that a study keeps of it, and one table of many studies."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scbench.errors import StoreError
from scbench.escape import csv_row, markdown_text, text_of_csv
from scbench.metrics.registry import METRICS
from scbench.run.display import short_time

__all__ = ["FILE", "Cost", "Difference", "read_comparisons", "table_of", "write_comparison"]

FILE = "comparison.csv"
_COLUMNS = (
    "study", "method", "dataset", "objective", "score", "default_mean", "default_sd", "tuned_mean", "tuned_sd",
    "difference_mean", "difference_sd", "n_seeds", "n_asked", "searched_on", "n_trials", "n_given_up", "n_failed",
    "best_trial", "search_seconds",
)  # fmt: skip
_SCORE = "ari"  # of the short table


@dataclass(frozen=True)
class Difference:
    """One score of one dataset with the defaults and with what a search found; scores are fractions.

    Attributes:
        dataset, score: names.
        default, tuned: (n,) values by seed, of the same seeds; stability has one value for all seeds together.
        n_seeds: seeds behind them: those that ended well under both.
        n_asked: seeds that were run.
    """

    dataset: str
    score: str
    default: np.ndarray
    tuned: np.ndarray
    n_seeds: int
    n_asked: int

    @property
    def seeds_shown(self) -> str:
        """Return the number of seeds, as n/n where some are missing."""
        return str(self.n_seeds) if self.n_seeds == self.n_asked else f"{self.n_seeds}/{self.n_asked}"

    def shown(self) -> tuple[str, str, str]:
        """Return mean ± sd (ddof 1) of default, of tuned and of their difference; percent for the external scores."""
        metric = METRICS.get(self.score)
        form, scale = (f"{{:.{metric.decimals}f}}", metric.scale) if metric else ("{:.4f}", 1.0)
        return (
            _mean_sd(scale * self.default, form),
            _mean_sd(scale * self.tuned, form),
            _mean_sd(scale * (self.tuned - self.default), "{:+" + form[2:]),
        )


@dataclass(frozen=True)
class Cost:
    """What a search took: its datasets, trials by how they ended, and the seconds of all its runs together."""

    searched_on: tuple[str, ...]
    n_trials: int
    n_given_up: int
    n_failed: int
    best_trial: int
    seconds: float


def _mean_sd(values: np.ndarray, form: str) -> str:
    """Return mean ± sd; one value has no sd."""
    mean = form.format(values.mean())
    return mean if len(values) < 2 else f"{mean} ± {form.replace('+', '').format(values.std(ddof=1))}"


def write_comparison(
    path: Path, study: str, method: str, objective: str, cost: Cost, differences: Iterable[Difference]
) -> None:
    """Write one line for each dataset and score.

    Raises:
        OSError: when the file cannot be written.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for one in differences:
            numbers: list[float | str] = []
            for values in (one.default, one.tuned, one.tuned - one.default):
                numbers += [float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else ""]
            trials = [
                "+".join(cost.searched_on),
                cost.n_trials,
                cost.n_given_up,
                cost.n_failed,
                cost.best_trial,
                round(cost.seconds, 1),
            ]
            about = [study, method, one.dataset, objective, one.score]
            writer.writerow(csv_row([*about, *numbers, one.n_seeds, one.n_asked, *trials]))


def read_comparisons(folder: Path) -> list[dict[str, str]]:
    """Return the lines of all studies in a folder, by method and dataset.

    Raises:
        StoreError: when there is no study with a comparison, or a file is not one.
    """
    rows: list[dict[str, str]] = []
    paths = sorted(folder.glob(f"*/{FILE}"))
    if not paths:
        raise StoreError(
            f"{folder} has no study that was evaluated (no */{FILE}); give the folder of the studies with out=DIR"
        )
    for path in paths:
        try:
            with path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                found = list(reader)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise StoreError(f"{path} cannot be read ({error}); the command of its study writes it again") from error
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise StoreError(f"{path} is of another version; the command of its study writes it again")
        rows += [
            {name: text_of_csv(text) if isinstance(text, str) else text for name, text in row.items()} for row in found
        ]
    return sorted(rows, key=lambda row: (row["method"], row["dataset"], row["study"]))


def table_of(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a Markdown table with one line for each study and dataset: objective, ARI, and what the search took.

    Raises:
        StoreError: a number is none.
    """
    header = ["method", "dataset", "objective", "default", "tuned", "ARI %, default", "ARI %, tuned", "difference",
              "seeds", "trials (given up, failed)", "search"]  # fmt: skip
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    for study, dataset in dict.fromkeys((row["study"], row["dataset"]) for row in rows):
        scores = {row["score"]: row for row in rows if (row["study"], row["dataset"]) == (study, dataset)}
        try:
            lines.append(f"| {' | '.join(map(markdown_text, _cells(scores)))} |")
        except (ValueError, TypeError) as error:
            raise StoreError(
                f"the comparison of {study} cannot be read ({error}); the command of its study writes it again"
            ) from error
    return "\n".join(lines)


def _cells(scores: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the line of one study and dataset; what it has not is a dash."""
    some = next(iter(scores.values()))
    judged, ari = scores.get(some["objective"]), scores.get(_SCORE)
    elsewhere = "" if some["searched_on"] == some["dataset"] else f" (searched on {some['searched_on']})"
    n_seeds, n_asked = (ari or some)["n_seeds"], some["n_asked"]
    return [
        some["method"],
        f"{some['dataset']}{elsewhere}",
        some["objective"],
        *(_shown(judged, name, 1, 3) for name in ("default", "tuned")),
        *(_shown(ari, name, 100, 1) for name in ("default", "tuned", "difference")),
        n_seeds if n_seeds == n_asked else f"{n_seeds}/{n_asked}",
        f"{some['n_trials']} ({some['n_given_up']}, {some['n_failed']})",
        short_time(float(some["search_seconds"])),
    ]


def _shown(row: Mapping[str, str] | None, name: str, scale: float, decimals: int) -> str:
    """Return mean ± sd of one of the three; a difference has its sign."""
    if row is None:
        return "-"
    sign = "+" if name == "difference" else ""
    mean = f"{scale * float(row[f'{name}_mean']):{sign}.{decimals}f}"
    return mean if row[f"{name}_sd"] == "" else f"{mean} ± {scale * float(row[f'{name}_sd']):.{decimals}f}"
