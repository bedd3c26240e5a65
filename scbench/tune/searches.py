"""Which studies a command line asks for: one, or one for each dataset that is left out in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scbench.config.schema import RunConfig
from scbench.errors import ConfigError
from scbench.plugins import find
from scbench.run.open_datasets import open_all
from scbench.run.plan import PlannedRun
from scbench.tune.fits import check_overlap, dataset_of, fits
from scbench.tune.folds import folds
from scbench.tune.identity import Search, usual_name
from scbench.tune.objectives import Objective
from scbench.tune.options import TuneOptions, choose_pruner
from scbench.tune.search_overrides import space_of
from scbench.tune.space import Space

__all__ = ["NamedSearch", "searches_of"]


@dataclass(frozen=True)
class NamedSearch:
    """A search and the study that it is.

    Attributes:
        name: of the study.
        folder: of the study, absolute.
        search: what is searched.
        evaluated: the configurations that the result is evaluated with, besides the parameters found.
    """

    name: str
    folder: Path
    search: Search
    evaluated: Sequence[RunConfig]


def searches_of(configs: Sequence[RunConfig], options: TuneOptions, held: frozenset[str]) -> list[NamedSearch]:
    """Return the searches of a command; every dataset is opened.

    Args:
        configs: one for each dataset, of one method.
        options: of the command.
        held: parameters of the method that the command line sets to a value.

    Raises:
        ScbenchError: when a dataset cannot be opened, or there is nothing to search.
    """
    config, goal = configs[0], options.goal()
    space = space_of(find(config.method.name), config.method, options.search, held)
    runs = [open_all(fits(each, goal, options.share(), options.seeds_of_trials())).runs for each in configs]
    for of_dataset in runs:
        check_overlap(of_dataset)
    names = [dataset_of(of_dataset[0], goal) for of_dataset in runs]
    if len(set(names)) < len(names):
        raise ConfigError(f"a dataset is given twice: {', '.join(names)}; name each once")
    _check_goal(goal, space, runs)
    out = Path(options.out).expanduser().absolute()
    searches = []
    for chosen, evaluated in folds(len(configs), leave_one_out=options.leave_one_out):
        pruner = choose_pruner(options.pruner, goal, len(chosen))
        made = tuple(run for index in chosen for run in runs[index])
        search = Search(config.method, space, goal, made, options.sampler_seed, pruner)
        name = options.study or usual_name(search)
        if options.leave_one_out:  # never the study of a search on the others for their own sake
            name += f"-without-{names[evaluated[0]]}"
        searches.append(NamedSearch(name, out / name, search, [configs[index] for index in evaluated]))
    return searches


def _check_goal(goal: Objective, space: Space, runs: Sequence[Sequence[PlannedRun]]) -> None:
    """Refuse an objective that no trial can have a value of."""
    if goal.name == "loss" and not space.loss:
        raise ConfigError(
            "objective=loss needs the columns of the method's loss, and its search.yaml names none; choose another "
            "objective, such as modularity"
        )
    without = [of_dataset[0].dataset.name for of_dataset in runs if of_dataset[0].dataset.n_types is None]
    if goal.uses_labels and without:
        raise ConfigError(
            f"objective={goal.name} scores with annotated types, and {', '.join(without)} has none; choose a "
            "label-free objective, or give dataset.label"
        )
