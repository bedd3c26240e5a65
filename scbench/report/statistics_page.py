"""The page of statistics across datasets, and its lines for CSV."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd

from scbench.escape import markdown_text
from scbench.report.content import Content, score_table
from scbench.report.markdown import table_markdown
from scbench.stats.bayes import ROPE
from scbench.stats.comparison import ALPHA, ANALYSES, Comparison, compare
from scbench.tables.measures import Measure

__all__ = [
    "Comparisons",
    "comparisons_of",
    "omnibus_sentence",
    "pair_lines",
    "pair_table",
    "rank_lines",
    "rank_table",
    "statistics_markdown",
]

Comparisons = dict[str, list[Comparison]]


def comparisons_of(content: Content) -> tuple[Comparisons, list[str]]:
    """Return the comparisons of each score, and one sentence per thing that could not be compared."""
    found: Comparisons = {}
    said: list[str] = []
    if not any(measure.is_score for measure in content.measures):
        said.append("no statistics: ranks and tests are made of scores, and none is among metrics=")
    for measure in (one for one in content.measures if one.is_score):
        scores, values, left_out = score_table(content, measure)
        if left_out and not said:
            said.append(f"left out, because not every method was run there: {', '.join(left_out)}")
        if scores.shape[1] < 2 or not len(scores):
            said.append(
                f"no statistics of {measure.name}: they need two methods that were run on a common dataset, and there "
                f"are {scores.shape[1]} methods and {len(scores)} common datasets; methods=A,B names fewer"
            )
            continue
        found[measure.name] = compare(scores, values)
    return found, said


def statistics_markdown(comparisons: Comparisons, said: list[str], measures: list[Measure]) -> str:
    """Return the page."""
    parts = [
        "# Statistics across datasets",
        "The unit is a dataset's mean over seeds. Only honest runs enter: no row tuned with labels, no published "
        "number. Ranks: 1 is best; intervals hold 95 % of a bootstrap over datasets, then seeds. Tests are two-sided.",
        *map(markdown_text, said),
    ]
    titles = {measure.name: measure.title for measure in measures}
    for name, of_measure in comparisons.items():
        for result in of_measure:
            parts += _section(result, titles[name])
    return "\n\n".join(parts) + "\n"


def rank_lines(comparisons: Comparisons) -> list[dict[str, object]]:
    """Return one line per measure, analysis and method: mean rank, interval, missing datasets."""
    return [
        {"measure": name, "analysis": result.analysis, "method": method, **_named(row)}
        for name, of_measure in comparisons.items()
        for result in of_measure
        for method, row in result.ranks.to_dict("index").items()
    ]


def pair_lines(comparisons: Comparisons) -> list[dict[str, object]]:
    """Return one line per measure, analysis and pair: wins, Wilcoxon, Holm, Nemenyi and the Bayesian test."""
    lines: list[dict[str, object]] = []
    for name, of_measure in comparisons.items():
        for result in of_measure:
            pairs = _merged(result)
            lines += [{"measure": name, "analysis": result.analysis, **_named(row)} for row in pairs.to_dict("records")]
    return lines


def _merged(result: Comparison) -> pd.DataFrame:
    """Return all that is known of each pair."""
    pairs = result.pairs.merge(result.wins, on=["method", "other"])
    pairs["p_nemenyi"] = [
        result.nemenyi.at[one, other] for one, other in zip(pairs["method"], pairs["other"], strict=True)
    ]
    return pairs.merge(result.bayes.drop(columns="n"), on=["method", "other"], how="left")


def _section(result: Comparison, title: str) -> list[str]:
    """Return the part of one measure and analysis."""
    parts = [f"## {title}, {result.analysis.replace('_', ' ')}", f"{ANALYSES[result.analysis].capitalize()}."]
    parts += [f"Note: {markdown_text(note)}." for note in result.notes]
    parts += [
        omnibus_sentence(result),
        f"Nemenyi's critical difference at {ALPHA:g}: {result.critical_difference:.2f} ranks.",
    ]
    return [*parts, table_markdown(rank_table(result)), f"Pairs (ROPE {ROPE:g}):", table_markdown(pair_table(result))]


def omnibus_sentence(result: Comparison) -> str:
    """Return what the tests over all methods say."""
    tests = result.omnibus
    if tests is None:
        return "Friedman's test is not defined here: it needs 3 methods, 2 datasets and scores that are not all equal."
    n_datasets, n_methods = len(result.datasets), len(result.ranks)
    return (
        f"Friedman χ² = {tests.chi2:.3f} with {n_methods - 1} degrees of freedom, p = {tests.p:.2g}; "
        f"Iman-Davenport F = {tests.f:.3f}, p = {tests.f_p:.2g} ({n_datasets} datasets, {n_methods} methods)."
    )


def rank_table(result: Comparison) -> list[list[str]]:
    """Return the mean ranks as lines of text, the first one the heading."""
    against = result.against_best
    holm = dict(zip(map(str, against["other"]), against["p_holm"], strict=True))
    lines = [["method", "mean rank", "95 % interval", "without a score", f"Holm p against {result.ranks.index[0]}"]]
    for method, row in result.ranks.iterrows():
        p = f"{holm[str(method)]:.4f}" if str(method) in holm else ""
        lines.append(
            [
                str(method),
                f"{row['mean_rank']:.2f}",
                f"{row['low']:.2f} to {row['high']:.2f}",
                f"{row['n_missing']:.0f}",
                p,
            ]
        )
    return lines


def pair_table(result: Comparison) -> list[list[str]]:
    """Return what is known of each pair of methods as lines of text, the first one the heading."""
    numbers = ("median_difference", "p", "p_holm", "p_nemenyi", "p_worse", "p_rope", "p_better")
    heads = [
        "pair",
        "wins/ties/losses",
        "median difference",
        "p",
        "Holm p",
        "Nemenyi p",
        "P(worse)",
        "P(within ROPE)",
        "P(better)",
    ]
    lines = [heads]
    for of_pair in _merged(result).to_dict("records"):
        pair = [
            "{method} against {other}".format(**_named(of_pair)),
            "{wins}/{ties}/{losses}".format(**_named(of_pair)),
        ]
        lines.append([*pair, *(_number(float(of_pair[name])) for name in numbers)])
    return lines


def _number(value: float) -> str:
    """Return a number with four decimals; nothing for NaN."""
    return "" if pd.isna(value) else f"{value:.4f}"


def _named(row: Mapping[Hashable, object]) -> dict[str, object]:
    """Return a line of a data frame with names that are text."""
    return {str(name): value for name, value in row.items()}
