"""How long each phase lasts."""

from __future__ import annotations

from typing import Any

import pytest
from scbench_methods.scsiameseclu import phases
from scbench_methods.scsiameseclu.config import ScSiameseCluConfig
from scbench_methods.scsiameseclu.method import ScSiameseClu

from scbench.method import Clustering, RunContext
from scbench.nn.plateau import Plateau
from scbench.run.seeding import seed_process
from scbench.testing import toy_counts

LENGTHS = {"ae": 40, "igae": 35, "joint": 50, "main": 30}


def fit(**settings: Any) -> tuple[Clustering, list[dict[str, float]]]:
    logged: list[dict[str, float]] = []
    run = RunContext(0, on_log=lambda _, values: logged.append(values))
    seed_process(0, uses_torch=True)
    names = ("pretrain_epochs", "pretrain_graph_epochs", "pretrain_joint_epochs", "epochs")
    config = ScSiameseCluConfig(**dict(zip(names, LENGTHS.values(), strict=True)), n_init=1, **settings)
    return ScSiameseClu(config).fit_predict(toy_counts(60, 80), 3, run), logged


@pytest.mark.parametrize("window", [1, 3])
def test_fast_ends_each_phase_where_the_plateau_of_its_losses_begins(
    window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phases, "Plateau", lambda: Plateau(window=window, least_share=0.05))
    found, logged = fit(budget="fast")
    done = found.info["epochs_of_phases"]
    assert list(done) == list(found.info["stop_reasons"]) == list(LENGTHS)
    assert sum(done.values()) == len(logged) == found.info["epochs"]
    start = 0
    for name, n_epochs in done.items():
        plateau = Plateau(window=window, least_share=0.05)
        said = [plateau.update(sum(terms.values())) for terms in logged[start : start + n_epochs]]
        assert not any(said[:-1])
        assert found.info["stop_reasons"][name] == ("plateau" if said[-1] else "epochs")
        assert said[-1] or n_epochs == LENGTHS[name]
        start += n_epochs
    assert "plateau" in found.info["stop_reasons"].values()


def test_the_papers_epochs_are_all_run() -> None:
    found, logged = fit()
    assert found.info["budget"] == "paper"
    assert found.info["epochs_of_phases"] == LENGTHS
    assert set(found.info["stop_reasons"].values()) == {"epochs"}
    assert len(logged) == sum(LENGTHS.values())


@pytest.mark.parametrize(("asked", "used"), [("float32", "float32"), ("bfloat16", "bfloat16")])
def test_the_precision_is_said(asked: str, used: str) -> None:
    assert fit(precision=asked)[0].info["precision"] == used


def test_auto_follows_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for pays, used in ((False, "float32"), (True, "bfloat16")):
        monkeypatch.setattr("scbench.nn.precision.bfloat16_pays", lambda _, pays=pays: pays)
        assert fit()[0].info["precision"] == used


def test_bfloat16_follows_the_losses_of_float32() -> None:
    """Until the first k-means, which may put cells elsewhere."""
    before = sum(LENGTHS.values()) - LENGTHS["main"]
    wide, narrow = (fit(precision=kind)[1][:before] for kind in ("float32", "bfloat16"))
    for a, b in zip(wide, narrow, strict=True):
        assert b == pytest.approx(a, rel=0.1, abs=0.01)
    assert wide != narrow
