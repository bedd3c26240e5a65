"""A search of the toy whose best is x = 0.3 and inner.y = -0.5, on sixty simulated cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from scbench.config.schema import RunConfig
from scbench.data.config import SimulatedDataset
from scbench.data.load import open_dataset
from scbench.plugins import find
from scbench.run.plan import plan_runs
from scbench.tune.identity import Search
from scbench.tune.objectives import find_objective
from scbench.tune.search_overrides import space_of

MakeSearch = Callable[..., Search]


@pytest.fixture
def make_search(toy_installed: None) -> MakeSearch:
    """Return a function that makes a search of the toy."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def make(objective: str = "loss", n_datasets: int = 1, pruner: str = "none", **params: object) -> Search:
        plugin = find("parabola")
        config = plugin.config_class()(**params)  # type: ignore[arg-type]
        runs = []
        for seed in range(n_datasets):
            dataset = open_dataset(
                SimulatedDataset(name=f"simulated{seed}", n_cells=60, n_genes=40, n_types=3, seed=seed)
            )
            runs += plan_runs(RunConfig(method=config, seeds=[1000]), dataset)
        return Search(config, space_of(plugin, config, {}), find_objective(objective), tuple(runs), 0, pruner)

    return make


@pytest.fixture
def tune(toy_installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the command on the toy, in this process and in an empty folder."""
    from scbench.__main__ import main

    monkeypatch.chdir(tmp_path)
    sizes = ["dataset.n_cells=60", "dataset.n_genes=40", "dataset.n_types=3"]
    usual = ["method=parabola", "dataset=simulated", *sizes, "device=cpu", "engine.cpu_slots=1", "evaluate=false"]

    def run(*arguments: str) -> int:
        keys = {argument.partition("=")[0] for argument in arguments}
        return main(["tune", *(word for word in usual if word.partition("=")[0] not in keys), *arguments])

    return run
