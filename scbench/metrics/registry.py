"""Every metric once: its name, title, range, direction, and the function that computes it.

To add one: write its function in a file of this folder, and its line below. Records, tables, experiments, searches,
transfers, reports and figures read what is here. Imports no array library: what shows stored numbers needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["HEADLINE", "LABEL_FREE", "METRICS", "SCORES", "Metric"]


@dataclass(frozen=True)
class Metric:
    """One number that says how good a partition is.

    Attributes:
        name: in records, commands and CSV columns.
        title: in headings.
        meaning: in a few words, for help.
        function: ``module:function`` below ``scbench.metrics``, imported at first use. One that needs labels takes
            an :class:`scbench.metrics.external.Agreement`; one that needs none takes the labels, (n_cells,) integers,
            and a :class:`scbench.metrics.fixed_space.FixedSpace`. Both return a float.
        needs_labels: whether it compares with annotated types. Only such metrics are stored in records.
        lowest, highest: its range.
        higher_is_better: whether the largest value is the best.
        scale: what a stored value is multiplied with for people: 100 for percent.
        decimals: shown to people.
    """

    name: str
    title: str
    meaning: str
    function: str
    needs_labels: bool = True
    lowest: float = 0.0
    highest: float = 1.0
    higher_is_better: bool = True
    scale: float = 100.0
    decimals: int = 1

    @property
    def heading(self) -> str:
        """The title with its unit."""
        return f"{self.title} %" if self.scale == 100 else self.title

    @property
    def interval(self) -> str:
        """The range as people write it."""
        return ("(-inf" if self.lowest == -float("inf") else f"[{self.lowest:g}") + f", {self.highest:g}]"

    def of(self, *given: Any) -> float:  # Any: see ``function``
        """Return the value of a partition; what is given is what ``function`` takes."""
        module, _, name = self.function.partition(":")
        function: Callable[..., float] = getattr(import_module(f"scbench.metrics.{module}"), name)
        return float(function(*given))


METRICS = {
    metric.name: metric
    for metric in (
        Metric("acc", "ACC", "accuracy of the best one-to-one matching", "external:acc"),
        Metric("nmi", "NMI", "normalised mutual information", "external:nmi"),
        Metric("ari", "ARI", "adjusted Rand index", "external:ari", lowest=-1.0),
        Metric("ami", "AMI", "adjusted mutual information", "external:ami", lowest=-float("inf")),
        Metric("homogeneity", "homogeneity", "clusters hold one type each", "external:homogeneity"),
        Metric("completeness", "completeness", "types lie in one cluster each", "external:completeness"),
        Metric("f1_macro", "f1 macro", "mean F1 of the types after matching", "external:f1_macro"),
        Metric("nmi_max", "nmi max", "mutual information over the larger entropy", "external:nmi_max"),
        Metric(
            "modularity",
            "modularity",
            "of the labels on the neighbour graph of the field's standard components",
            "fixed_space:modularity_of",
            needs_labels=False,
            lowest=-0.5,
            scale=1.0,
            decimals=4,
        ),
        Metric(
            "silhouette_pca",
            "silhouette",
            "silhouette on the field's standard components, 5000 cells",
            "fixed_space:silhouette_of",
            needs_labels=False,
            lowest=-1.0,
            scale=1.0,
            decimals=4,
        ),
    )
}
SCORES = tuple(name for name, metric in METRICS.items() if metric.needs_labels)  # those of a record
LABEL_FREE = tuple(name for name, metric in METRICS.items() if not metric.needs_labels)
HEADLINE = ("acc", "nmi", "ari")  # what every paper prints, so the columns of every table
