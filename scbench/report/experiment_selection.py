"""What a named experiment asks of a report: its rows with their settings, its datasets, seeds and protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scbench.config.experiment import Experiment
from scbench.config.schema import parse_n_clusters
from scbench.errors import ConfigError
from scbench.report.selection import Selection

__all__ = ["refuse_second_choice", "selection_of_experiment"]

_NAMED_BY_EXPERIMENT = ("methods", "datasets", "seeds", "protocol")


def selection_of_experiment(experiment: Experiment) -> Selection:
    """Return the filter for the runs of an experiment.

    A row of the experiment is its method at the parameters that it names and at the defaults otherwise, so runs of
    other commands in the same store are kept out. Under ``protocol: published`` runs with a preset are its, too.
    """
    settings: dict[str, list[Mapping[str, Any]]] = {}
    for row in experiment.methods:
        settings.setdefault(row.name, []).append({"variant": "default", **row.params})
    return Selection(
        methods=tuple(settings),
        datasets=tuple(experiment.datasets),
        protocol=experiment.protocol,
        seeds=experiment.seeds,
        params=settings,
        is_exact=True,
        k=parse_n_clusters(experiment.n_clusters, str(experiment.overrides.get("estimate", "resolution_1"))),
        names_absent=True,  # an experiment names more datasets than one machine has
    )


def refuse_second_choice(options: Mapping[str, str]) -> None:
    """Refuse keys that an experiment has already decided.

    Raises:
        ConfigError: naming the keys.
    """
    twice = [key for key in _NAMED_BY_EXPERIMENT if options[key]]
    if twice:
        raise ConfigError(
            f"experiment={options['experiment']} already names its {' and '.join(twice)}; "
            f"leave out {', '.join(twice)}, or the experiment"
        )
