"""What a search shows on the terminal: what it varies, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from scbench.consoles import PlainTable, print_whole, say
from scbench.metrics.registry import METRICS
from scbench.run.display import short_time
from scbench.tune.comparison import Difference
from scbench.tune.identity import Search
from scbench.tune.options import TuneOptions

if TYPE_CHECKING:
    from scbench.tune.result import Result

__all__ = ["STOPPED", "print_result", "print_search", "short"]

STOPPED = 3  # of a search that Ctrl-C has stopped; the command's own status is 1


def print_search(console: Console, search: Search, name: str, options: TuneOptions, n_tasks: int = 0) -> None:
    """Print what a study would search, without making it; ``n_tasks`` of SLURM make it, 0 without SLURM."""
    seeds = ", ".join(str(seed) for seed in dict.fromkeys(run.seed for run in search.runs))
    by = f" by {min(n_tasks, options.n_trials)} tasks" if n_tasks else ""
    say(console, f"study {name}: {search.config.name} on {', '.join(search.datasets)}, {options.n_trials} trials{by}")
    direction = "large" if search.maximize else "small"
    where = f", each on {100 * options.share():g} % of the cells" if search.objective.on_subsamples else ""
    made_of = f"each trial with seeds {seeds}{where}; pruner {search.pruner}"
    say(console, f"objective {search.value_name}, made {direction}; {made_of}")
    table = PlainTable.of_columns("parameter", "default", "range", "source of the range")
    for parameter in search.space.parameters:
        default = search.space.defaults(search.config)[parameter.path]
        table.add_row(parameter.path, short(default), parameter.shown(), parameter.source)
    print_whole(console, table)


def print_result(console: Console, search: Search, result: Result) -> None:
    """Print the best trial, its parameters against the defaults, and how much each mattered."""
    counts = ", ".join(f"{n} {state}" for state, n in result.counts.items() if n)
    cost = short_time(result.seconds)
    say(console, f"study {result.study}: {counts}; {cost} of runs")
    defaults = "" if result.default_value is None else f" (defaults {result.default_value:.4f})"
    say(console, f"best: trial {result.number}, {search.value_name} {result.value:.4f}{defaults}")
    table = PlainTable.of_columns("parameter", "best", "default", "range", "importance")
    before = search.space.defaults(search.config)
    for parameter in search.space.parameters:
        path = parameter.path
        importance = f"{result.importances[path]:.2f}" if path in result.importances else "-"
        table.add_row(path, short(result.params[path]), short(before[path]), parameter.shown(), importance)
    print_whole(console, table)
    if not result.importances:
        say(console, "importance needs ten trials whose values differ")


def short(value: object) -> str:
    """Return a value in few characters."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def print_differences(console: Console, rows: Sequence[Difference]) -> None:
    """Print default against tuned on fresh seeds: mean difference ± sd over the seeds that both have."""
    table = PlainTable.of_columns("dataset", "score", "default", "tuned", "tuned - default", "seeds")
    for row in rows:
        metric = METRICS.get(row.score)
        name = row.score if metric is None or not metric.needs_labels else metric.heading
        table.add_row(row.dataset, name, *row.shown(), row.seeds_shown)
    print_whole(console, table)
