"""What a command line asks for beyond one configuration: an experiment's methods and datasets, or only to see the plan.

An experiment becomes one job per method and dataset. What it names and this machine has not (a method that is not
installed, a dataset that is not at hand) is left out with its reason before anything is composed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hydra.core.override_parser.types import Glob, Override

from scbench.config.check import check_overrides, choices, parse
from scbench.config.experiment import Experiment, ExperimentMethod, load_experiment
from scbench.config.groups import options
from scbench.config.literal import literal
from scbench.config.schema import parse_seeds
from scbench.errors import ConfigError
from scbench.names import unknown
from scbench.plugins import discover, find

__all__ = ["LeftOut", "Request", "read_request"]

_DRY_RUN = "--dry-run"
_SHOWS_ONE = ("--cfg", "-c", "--info", "-i")


@dataclass(frozen=True)
class LeftOut:
    """A method on a dataset that cannot be run here.

    Attributes:
        what: ``method`` or ``dataset``: which of the two is missing.
        name: of the missing one.
        reason: why.
        n_runs: runs that are not made because of it.
    """

    what: str
    name: str
    reason: str
    n_runs: int


@dataclass(frozen=True)
class Request:
    """A command line taken apart.

    Attributes:
        arguments: what Hydra gets.
        cells: the overrides of each job of an experiment, method and dataset first, to be crossed with those of
            ``arguments``; None without one.
        chosen: the methods and datasets of the jobs, for the check of keys.
        left_out: what the experiment names and this machine has not.
        is_dry_run: whether only the plan is asked for.
    """

    arguments: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...] | None = None
    chosen: Mapping[str, tuple[str, ...]] | None = None
    left_out: tuple[LeftOut, ...] = ()
    is_dry_run: bool = False


def read_request(arguments: Sequence[str]) -> Request:
    """Take ``--dry-run`` and ``experiment=...`` out of a command line.

    Raises:
        ConfigError: when there is no such experiment, it is wrong, or nothing that it names can be run here.
    """
    is_dry_run = _DRY_RUN in arguments
    rest = [argument for argument in arguments if argument != _DRY_RUN]
    names = [argument.partition("=")[2] for argument in rest if _key(argument) == "experiment"]
    if not names:
        return Request(tuple(rest), is_dry_run=is_dry_run)
    if len(names) > 1:
        raise ConfigError(f"experiment is given {len(names)} times ({', '.join(names)}); run one after the other")
    if any(argument.partition("=")[0] in _SHOWS_ONE for argument in rest):
        raise ConfigError("experiment=... names many configurations and --cfg or --info shows one; leave one out")
    experiment = load_experiment(names[0])
    return _expand(experiment, [argument for argument in rest if _key(argument) != "experiment"], is_dry_run)


def _expand(experiment: Experiment, arguments: list[str], is_dry_run: bool) -> Request:
    """Return the jobs of an experiment, or of the part of it that ``method=`` and ``dataset=`` choose."""
    methods = _restricted("method", [method.name for method in experiment.methods], arguments, experiment.name)
    datasets = _restricted("dataset", list(experiment.datasets), arguments, experiment.name)
    rows = [method for method in experiment.methods if method.name in methods]
    missing_methods = _not_installed(methods)
    missing_datasets = _not_at_hand(datasets, experiment)
    seeds = next((argument for argument in reversed(arguments) if _key(argument) == "seeds"), None)
    n_seeds = len(experiment.seeds) if seeds is None else _n_seeds(seeds)
    left_out, cells = [], []
    for dataset in datasets:  # methods of one dataset stand together, as in a table
        for row in rows:
            if row.name in missing_methods:
                left_out.append(LeftOut("method", row.name, missing_methods[row.name], n_seeds))
            elif dataset in missing_datasets:
                left_out.append(LeftOut("dataset", dataset, missing_datasets[dataset], n_seeds))
            else:
                cells.append(_cell(experiment, row, dataset))
    if not cells:
        reasons = sorted({f"{entry.what} {entry.name}: {entry.reason}" for entry in left_out})
        raise ConfigError(f"nothing of experiment {experiment.name} can be run here: {'; '.join(reasons)}")
    for row in {row.name: row for row in rows if row.name not in missing_methods}.values():
        _check_keys(experiment, [other for other in rows if other.name == row.name])
    flags = [] if {"-m", "--multirun"} & set(arguments) else ["--multirun"]
    return Request(
        arguments=(*(argument for argument in arguments if _key(argument) not in ("method", "dataset")), *flags),
        cells=tuple(cells),
        chosen={
            "method": tuple(name for name in methods if name not in missing_methods),
            "dataset": tuple(name for name in datasets if name not in missing_datasets),
        },
        left_out=tuple(left_out),
        is_dry_run=is_dry_run,
    )


def _key(argument: str) -> str:
    return argument.partition("=")[0].lstrip("+")


def _restricted(group: str, named: list[str], arguments: Sequence[str], experiment: str) -> list[str]:
    """Return the experiment's methods or datasets that the command line leaves."""
    overrides = [parse(argument) for argument in arguments if _key(argument) == group]
    if not overrides:
        return list(dict.fromkeys(named))
    chosen = [name for override in overrides for name in _chosen(group, override, named)]
    for name in chosen:
        if name not in named:
            raise ConfigError(unknown(f"{group} of experiment {experiment}", name, named))
    return [name for name in dict.fromkeys(named) if name in chosen]


def _chosen(group: str, override: Override, named: list[str]) -> list[str]:
    """Return what one override chooses; a pattern chooses among what the experiment names."""
    value = override.value()
    if not isinstance(value, Glob):
        return list(choices(group, override))
    found: list[str] = value.filter(named)
    if not found:
        raise ConfigError(f"{override.input_line!r} matches no {group} of the experiment; it has {', '.join(named)}")
    return found


def _not_installed(methods: Sequence[str]) -> dict[str, str]:
    """Return why, by name, for each method that cannot be used here."""
    installed = discover()
    reasons = {name: "not installed" for name in methods if name not in installed}
    for name in methods:
        if name in installed:
            try:
                find(name).config_class()
            except ConfigError as error:
                reasons[name] = str(error)
    return reasons


def _not_at_hand(datasets: Sequence[str], experiment: Experiment) -> dict[str, str]:
    """Return why, by name, for each dataset that cannot be used here."""
    from scbench.data.at_hand import not_at_hand

    known = [name for name in options("dataset") if name != "file"]
    for name in datasets:
        if name not in known:
            raise ConfigError(f"experiment file {experiment.file}: datasets: {unknown('dataset', name, known)}")
    return not_at_hand(datasets)


def _n_seeds(argument: str) -> int:
    """Return how many seeds ``seeds=...`` asks for; a sweep over numbers of seeds counts as one of them."""
    override = parse(argument)
    return 1 if override.is_sweep_override() else len(parse_seeds(override.value()))


def _cell(experiment: Experiment, method: ExperimentMethod, dataset: str) -> tuple[str, ...]:
    """Return the overrides of one job; the command line comes after them and wins."""
    values = {
        "protocol": experiment.protocol,
        "seeds": list(experiment.seeds),
        "n_clusters": experiment.n_clusters,
        **experiment.overrides,
        **{f"method.{path}": value for path, value in method.params.items()},
    }
    settings = (f"{key}={literal(value)}" for key, value in values.items())
    return (f"method={method.name}", f"dataset={dataset}", *settings)


def _check_keys(experiment: Experiment, rows: Sequence[ExperimentMethod]) -> None:
    """Refuse a key that a method or the configuration has not, naming the file that says it."""
    for row in rows:
        keys = [f"method.{path}" for path in row.params] + list(experiment.overrides)
        try:
            check_overrides([f"method={row.name}", *(f"{key}=0" for key in keys)])
        except ConfigError as error:
            raise ConfigError(f"experiment file {experiment.file}: {error}") from error
