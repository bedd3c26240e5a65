"""Advice as text for a terminal and as a page."""

from __future__ import annotations

import math

from scbench.escape import html_text
from scbench.own_cells.advice.advice import Advice
from scbench.own_cells.advice.cost import Cost
from scbench.own_cells.static_page import html_table, static_page
from scbench.run.display import short_time

__all__ = ["advice_page", "advice_text"]

_COST = (
    "Time and memory: a power law through stored runs of each method on other sets, one CPU thread, K given. Behind "
    "\N{MULTIPLICATION SIGN}: the factor by which such estimates missed when each set was left out in turn (root mean "
    "square). Another machine may differ by as much again."
)
_RANKS = (
    "Mean rank by ARI, 1 is best, with a 95 % interval over sets and seeds; sets of the nearest numbers of cells: {}."
)
_NO_RANKS = "Too few stored sets have runs of all methods that can run here, so they are not ranked."


def advice_text(advice: Advice) -> str:
    """Return lines for a terminal."""
    heads, rows = _methods(advice)
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = [str(advice.cells), ""]
    for row in [heads, *rows]:
        shown = [
            row[0].ljust(widths[0]),
            *(text.rjust(width) for text, width in zip(row[1:-1], widths[1:-1], strict=True)),
        ]
        lines.append("  ".join([*shown, row[-1]]).rstrip())
    return "\n".join([*lines, "", *_sentences(advice)])


def advice_page(advice: Advice) -> str:
    """Return the page."""
    heads, rows = _methods(advice)
    parts = [f"<p>{html_text(advice.cells)}</p>"]
    said = _sentences(advice)
    if advice.ranking is not None:
        parts += [f"<p><strong>{html_text(line)}</strong></p>" for line in advice.ranking.said]
        said = [line for line in said if line.rstrip(".") not in advice.ranking.said]
    parts += [html_table(heads, rows), *(f'<p class="quiet">{html_text(line)}</p>' for line in said)]
    return static_page(f"Which method for {advice.cells.name}?", parts)


def _methods(advice: Advice) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of the table."""
    ranks = {} if advice.ranking is None else advice.ranking.table.to_dict("index")
    rows = []
    for one in advice.methods:
        rank = ranks.get(one.method)
        shown = ["-", "-"] if rank is None else [
            f"{rank['mean_rank']:.1f} [{rank['low']:.1f}, {rank['high']:.1f}]", f"{100 * rank['ari']:.1f}"
        ]  # fmt: skip
        remark = f"cannot run: {one.why_not}" if one.why_not else one.remark
        rows.append([one.method, *_cost(one.cost), *shown, remark])
    return ["method", "time", "memory", "mean rank", "ARI %", ""], rows


def _cost(cost: Cost | None) -> list[str]:
    """Return time and memory in words, each with the factor by which it may miss."""
    if cost is None:
        return ["no stored run", "-"]
    time = short_time(cost.seconds) if cost.seconds >= 10 else f"{cost.seconds:.1f} s"
    return [time + _factor(cost.seconds_factor), f"{cost.memory_mib:.0f} MiB" + _factor(cost.memory_factor)]


def _factor(value: float) -> str:
    return "" if math.isnan(value) else f" \N{MULTIPLICATION SIGN}{value:.1f}"


def _sentences(advice: Advice) -> list[str]:
    """Return what stands below the table."""
    if advice.ranking is None:
        return [_NO_RANKS, _COST]
    sets = ", ".join(f"{name} ({n_cells})" for name, n_cells in advice.ranking.sets)
    return [*(f"{line}." for line in advice.ranking.said), _RANKS.format(sets), _COST]
