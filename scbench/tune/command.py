"""``python -m scbench.tune``: from the command line to a study, its trials, and what came of them."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence

from scbench.config.check import parse
from scbench.config.compose import run_with_config
from scbench.config.preset import leaves
from scbench.config.request import Request
from scbench.config.schema import RunConfig, SlurmEngine, parse_seeds
from scbench.consoles import TableConsole
from scbench.errors import ConfigError
from scbench.renames import current_name
from scbench.run.provenance import collect_provenance
from scbench.store.store import Store
from scbench.tune.options import TuneOptions, read_options
from scbench.tune.searches import searches_of
from scbench.tune.storage_choice import choose_storage, without_password
from scbench.tune.summary import STOPPED, print_search

__all__ = ["tune"]

_LOG = logging.getLogger(__name__)
_NOT_HERE = {
    "experiment": "a search is of one method on the datasets that dataset= names",
    "preset": "a search starts from the method's own defaults; set values with method.<parameter>=",
}


def tune(arguments: Sequence[str], argv: Sequence[str]) -> int:
    """Search, and show what came of it.

    Args:
        arguments: the command line.
        argv: the same with the command's name, for the records.

    Returns:
        0: the study has all its trials and its result was evaluated; 1: it was stopped, no trial had a value, or a
        run of the evaluation failed.

    Raises:
        ScbenchError: when something is wrong before the first trial.
    """
    options, rest = read_options(arguments)
    shown = [without_password(argument) for argument in argv]  # records, and who watches, see the command line
    statuses: list[int] = []

    def run(configs: list[RunConfig]) -> int:
        statuses.append(_tune(configs, options, _held(rest, type(configs[0].method)), shown))
        return statuses[-1]

    return run_with_config(Request(_for_hydra(rest, options)), run)


def _for_hydra(rest: Sequence[str], options: TuneOptions) -> tuple[str, ...]:
    """Return the arguments of the configuration; several datasets are a sweep."""
    keys = {argument.lstrip("+").partition("=")[0]: argument.partition("=")[2] for argument in rest}
    for key, why in _NOT_HERE.items():
        if keys.get(key, "none") != "none":
            raise ConfigError(f"{key}={keys[key]} cannot be given to a search: {why}")
    more = [] if "preset" in keys else ["preset=none"]
    if options.goal().uses_labels:
        if keys.get("protocol", "published") == "honest":
            raise ConfigError(
                f"objective={options.objective} tunes with labels, which protocol=honest does not allow; "
                "choose a label-free objective, or leave the protocol out"
            )
        more += [] if "protocol" in keys else ["protocol=published"]
        _LOG.warning(
            "objective=%s tunes with the true labels: an upper bound, not a result. Its runs are made under "
            "protocol=published, marked as tuned with labels, and never enter a comparison",
            options.objective,
        )
    is_sweep = "," in keys.get("dataset", "") and not {"-m", "--multirun"} & set(rest)
    return (*rest, *more, *(["--multirun"] if is_sweep else []))


def _held(rest: Sequence[str], schema: type) -> frozenset[str]:
    """Return the parameters that the command line sets to a value, by the names that they have now."""
    held: set[str] = set()
    for argument in rest:
        head, _, path = argument.lstrip("+").partition("=")[0].partition(".")
        if head == "method" and path:
            value = parse(argument).value()
            held |= {name for name, _ in leaves({path: value})} if isinstance(value, Mapping) else {path}
    return frozenset(current_name(schema, name) for name in held)


def _tune(configs: list[RunConfig], options: TuneOptions, held: frozenset[str], argv: Sequence[str]) -> int:
    """Make one study, or one for each dataset that is left out in turn."""
    _check(configs, options)
    searches = searches_of(configs, options, held)
    is_shared = isinstance(configs[0].engine, SlurmEngine)
    storages = [choose_storage(options.storage, named.folder, is_shared=is_shared) for named in searches]
    if options.is_dry_run:
        for named in searches:
            print_search(TableConsole(), named.search, named.name, options, options.n_workers() if is_shared else 0)
        return 0
    Store(configs[0].store).check_writable()
    try:
        from scbench.tune.session import run_search  # Optuna is imported only when a search is made
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"a search needs Optuna, and {error.name} is not installed; pip install 'scbench[tune]'"
        ) from error
    provenance = collect_provenance(argv)
    statuses = []
    for named, storage in zip(searches, storages, strict=True):
        chosen = dataclasses.replace(options, storage=storage, out=str(named.folder.parent))
        statuses.append(run_search(named, configs, chosen, held, provenance))
        if statuses[-1] == STOPPED:
            break
    return min(1, max(statuses))


def _check(configs: list[RunConfig], options: TuneOptions) -> None:
    """Refuse what is not a search of one method."""
    first = configs[0]
    if any(config.method != first.method for config in configs):
        raise ConfigError(
            "a search is of one method with one set of parameters; give one method= and no sweeps over it"
        )
    if isinstance(first.engine, SlurmEngine):
        from scbench.run.slurm.runner import check_slurm

        if not options.is_dry_run:
            check_slurm(first.engine, first.device)
    elif options.workers:
        raise ConfigError(
            f"workers={options.workers} are tasks of engine=slurm, and the engine is local; use engine.cpu_slots or "
            "engine.runs_per_gpu, or start the same command several times"
        )
    if options.leave_one_out and len(configs) < 2:
        raise ConfigError("leave_one_out=true needs at least two datasets; give dataset=a,b,c")
    shared = sorted(set(options.seeds_of_trials()) & set(parse_seeds(first.seeds)))
    if options.evaluate and shared:
        raise ConfigError(
            f"seeds {shared} are in trial_seeds and in seeds, but a result is evaluated on seeds that the search has "
            "not seen; choose others"
        )
