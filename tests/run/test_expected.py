from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scbench.config.schema import LocalEngine, RunConfig
from scbench.data.load import Dataset
from scbench.plugins import find
from scbench.run.expected import Estimate, Expected, longest_first, queue_seconds
from scbench.run.plan import PlannedRun, plan_runs


def dataset(name: str = "d", n_cells: int = 100) -> Dataset:
    return Dataset(name, "0" * 64, "", {}, Path(), None, n_cells, 10, 3, True, ())


def runs(method: str, of: Dataset | None = None, seeds: int = 1, **params: Any) -> list[PlannedRun]:
    config = find(method).config_class()(name=method, **params)
    return plan_runs(RunConfig(method=config, dataset=None, engine=LocalEngine(), seeds=seeds), of or dataset())


def record(seconds: float | None, run: PlannedRun, **more: Any) -> dict[str, Any]:
    return {
        "status": "ok",
        "method": run.config.name,
        "variant": run.config.variant,
        "dataset": run.dataset.name,
        "n_cells": run.dataset.n_cells,
        "params": run.params(),
        "device": "cpu",
        "seconds": {"total": seconds},
        **more,
    }


def test_the_mean_of_the_same_parameters_comes_first() -> None:
    (run,), (other,) = runs("leiden"), runs("leiden", resolution=2.0)
    expected = Expected([record(1.0, run), record(3.0, run), record(50.0, other)])
    assert expected.of(run, on_gpu=False) == Estimate(2.0, is_rough=False)
    (third,) = runs("leiden", resolution=7.0)
    assert expected.of(third, on_gpu=False) == Estimate(18.0, is_rough=True)


def test_another_dataset_counts_by_its_number_of_cells_the_nearest_first() -> None:
    (small,), (large,) = runs("leiden", dataset("small", 100)), runs("leiden", dataset("large", 10_000))
    expected = Expected([record(1.0, small), record(200.0, large)])
    (run,) = runs("leiden", dataset("asked", 3_000))
    assert expected.of(run, on_gpu=False) == Estimate(pytest.approx(60.0), is_rough=True)  # type: ignore[arg-type]
    (run,) = runs("leiden", dataset("asked", 300))
    assert expected.of(run, on_gpu=False) == Estimate(pytest.approx(3.0), is_rough=True)  # type: ignore[arg-type]


def test_failures_other_devices_and_other_methods_say_nothing() -> None:
    (run,) = runs("leiden")
    assert Expected([]).of(run, on_gpu=False) is None
    for silent in (
        record(1.0, run, status="error"),
        record(None, run),
        record(1.0, run, device="cuda:1"),
        record(1.0, run, method="louvain"),
    ):
        assert Expected([silent]).of(run, on_gpu=False) is None
    assert Expected([record(4.0, run, device="cuda:1")]).of(run, on_gpu=True) == Estimate(4.0, is_rough=False)


def test_the_longest_are_first_and_the_unknown_before_them() -> None:
    quick, slow = runs("leiden", seeds=2), runs("louvain", seeds=2)
    unknown_small, unknown_large = runs("pca_kmeans", dataset("a", 10)), runs("pca_kmeans", dataset("b", 1000))
    deep = runs("cicl", dataset("c", 10))
    expected = Expected([record(1.0, quick[0]), record(9.0, slow[0])])
    mixed = [*quick, *unknown_small, *slow, *unknown_large, *deep]
    ordered = [(run.config.name, run.dataset.name, run.seed) for run in longest_first(mixed, expected, has_gpu=False)]
    assert ordered == [
        ("cicl", "c", 0),
        ("pca_kmeans", "b", 0),
        ("pca_kmeans", "a", 0),
        ("louvain", "d", 0),
        ("louvain", "d", 1),
        ("leiden", "d", 0),
        ("leiden", "d", 1),
    ]
    assert sorted(map(repr, longest_first(mixed, expected, has_gpu=False))) == sorted(map(repr, mixed))


def test_gpu_times_rank_runs_that_will_be_on_a_gpu() -> None:
    (a,), (b,) = runs("cicl", dataset("a")), runs("cicl", dataset("b"))
    times = [record(9.0, a), record(1.0, b), record(1.0, a, device="cuda:0"), record(9.0, b, device="cuda:0")]
    names = [[run.dataset.name for run in longest_first([a, b], Expected(times), has_gpu=gpu)] for gpu in (False, True)]
    assert names == [["a", "b"], ["b", "a"]]


def test_a_queue_ends_when_its_last_run_does() -> None:
    assert queue_seconds([], 3) == 0
    assert queue_seconds([5, 3, 2], 1) == 10
    assert queue_seconds([5, 3, 2], 2) == 5
    assert queue_seconds([2, 3, 5], 2) == 7
    assert queue_seconds([5, 3, 2], 9) == 5


def test_queue_seconds_is_that_of_a_slow_simulation_and_longest_first_keeps_its_bound() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        seconds, n_slots = rng.integers(1, 30, size=12).tolist(), int(rng.integers(1, 5))
        free = [0] * n_slots
        for duration in seconds:
            free[free.index(min(free))] += duration
        assert queue_seconds(seconds, n_slots) == max(free)
        best = max(sum(seconds) / n_slots, max(seconds))
        assert best <= queue_seconds(sorted(seconds, reverse=True), n_slots) <= (4 / 3) * best + max(seconds)
