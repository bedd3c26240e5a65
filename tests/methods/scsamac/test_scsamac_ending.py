from __future__ import annotations

from typing import Any

import pytest
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.ending import Ending
from scbench_methods.scsamac.method import ScSamac

from scbench.method import Clustering, RunContext
from scbench.nn.plateau import Plateau
from scbench.run.seeding import seed_process
from scbench.testing import toy_counts

COUNTS = toy_counts(60, 60)
SHORT: dict[str, Any] = {"pretrain_epochs": 80, "epochs": 40, "n_init": 1, "tol": 0.0}


def fit(**settings: Any) -> tuple[Clustering, dict[int, dict[str, float]]]:
    """Return the result and the logged terms of each epoch."""
    history: dict[int, dict[str, float]] = {}
    run = RunContext(0, on_log=lambda epoch, values: history.update({epoch: dict(values)}))
    seed_process(0, uses_torch=True)
    found = ScSamac(ScSamacConfig(**{**SHORT, **settings})).fit_predict(COUNTS, 4, run)
    return found, history


def first_end(losses: list[float], most: int) -> tuple[int, str]:
    """Return after how many epochs a fresh rule ends a phase of at most ``most`` epochs with these losses, and why."""
    rule = Plateau()
    for n, loss in enumerate(losses, start=1):
        if rule.update(loss):
            return n, "plateau"
    return most, "epochs"


def test_each_phase_ends_where_the_rule_says_on_its_own_losses() -> None:
    found, history = fit(budget="fast", contrast_weight=0.5, lr=1e-2)
    pre = [t["nb"] + 0.5 * t["contrast"] for t in history.values() if "contrast" in t]
    main = [
        t["nb"] + t["wasserstein"] + 0.001 * t["soft_kmeans"] + 0.01 * t["cluster_level"]
        for t in history.values()
        if "wasserstein" in t
    ]
    assert len(pre) == found.info["pretrain_epochs"]
    assert len(main) == found.info["clustering_epochs"]
    assert (len(pre), found.info["pretrain_stop_reason"]) == first_end(pre, 80)
    assert (len(main), found.info["stop_reason"]) == first_end(main, 40)
    assert found.info["pretrain_stop_reason"] == "plateau"
    assert len(pre) < 80


def test_the_papers_budget_runs_all_epochs() -> None:
    found, history = fit(pretrain_epochs=25, epochs=22, lr=1e-2)
    assert (found.info["pretrain_epochs"], found.info["pretrain_stop_reason"]) == (25, "epochs")
    assert (found.info["clustering_epochs"], found.info["stop_reason"]) == (22, "epochs")
    assert len(history) == 48


def test_numbers_that_nothing_lowers_do_not_count() -> None:
    """In the released program two of the terms have no gradient."""
    found, history = fit(variant="paper_code", budget="fast", n_top_genes="all", gene_selection="hvg")
    main = [t["nb"] + 0.001 * t["soft_kmeans"] for t in history.values() if "wasserstein" in t]
    assert (len(main), found.info["stop_reason"]) == first_end(main, 40)


@pytest.mark.parametrize(("budget", "ends"), [("fast", True), ("paper", False)])
def test_only_the_fast_budget_ends_at_a_flat_loss(budget: str, ends: bool) -> None:
    ending = Ending(budget, {"nb": 1.0})
    reached = [ending.is_reached({"nb": 1.0, "other": float(n)}) for n in range(30)]
    assert any(reached) == ends
    assert ending.reason == ("plateau" if ends else "")


def test_terms_are_weighted() -> None:
    """The likelihood is flat; the contrast falls for ever, and with a weight it keeps the phase going."""
    for weight, ends in ((0.0, True), (1.0, False)):
        ending = Ending("fast", {"nb": 1.0, "contrast": weight})
        reached = [ending.is_reached({"nb": 1.0, "contrast": -float(n)}) for n in range(40)]
        assert any(reached) == ends
