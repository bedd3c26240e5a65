"""The protocol in four sentences, with the seeds of the report."""

from __future__ import annotations

from scbench.report.content import Content

__all__ = ["protocol_sentences"]


def protocol_sentences(content: Content) -> list[str]:
    """Return how the numbers of a report came about, in four sentences."""
    seeds = sorted({int(str(record["seed"])) for record in content.records})
    is_range = len(seeds) > 1 and seeds[-1] - seeds[0] + 1 == len(seeds)
    named = f"{seeds[0]} to {seeds[-1]}" if is_range else ", ".join(map(str, seeds))
    return [
        "A method is given counts, a number of clusters and a seed; labels are read only after it has ended, to score "
        "what it found.",
        f"The seeds ({named}, or as many of them as stand behind a cell) are the same for all methods and set "
        "everything random in a run and the order of its cells.",
        "One set of parameters serves all datasets and the last epoch counts, or a stop that uses no labels; runs "
        "under the papers' protocol, and runs with parameters that labels chose, stand in a table of their own and "
        "enter no rank and no test.",
        "A cell is the mean ± sample standard deviation over the seeds that ended well; a failed run stays in the "
        "count behind it and is listed below with its reason.",
    ]
