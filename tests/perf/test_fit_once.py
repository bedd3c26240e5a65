"""The fit of a comparison: what is told when its time is over."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from comparison import fit_once
from comparison.fit_once import fit
from scipy.sparse import csr_matrix


@pytest.fixture(autouse=True)
def denormals_come_back() -> Iterator[None]:
    """Undo what a fit sets for its whole process."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    matrix = csr_matrix(np.random.default_rng(0).poisson(2.0, (30, 20)).astype(np.float32))
    parts = {name: getattr(matrix, name) for name in ("data", "indices", "indptr")}
    np.savez(tmp_path / "counts.npz", **parts, shape=np.array(matrix.shape), is_counts=True, n_types=3)
    return tmp_path / "counts.npz"


@pytest.fixture
def ends_at_sigterm() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, fit_once._end)
    yield
    signal.signal(signal.SIGTERM, before)


def job(counts: Path, **given: Any) -> dict[str, Any]:
    return {
        "method": "cicl",
        "params": {"epochs": 3},
        "counts": counts,
        "seed": 0,
        "device": "cpu",
        "labels": None,
        **given,
    }


def test_a_fit_tells_its_seconds_epochs_and_labels(counts: Path, tmp_path: Path) -> None:
    told = fit(job(counts, labels=str(tmp_path / "labels.npy")))
    assert told["finished"]
    assert (told["epochs"], told["n_cells"], told["peak_gpu_bytes"]) == (3, 30, 0)
    assert [stamp["epoch"] for stamp in told["stamps"]] == [0, 1, 2]
    at = [stamp["cpu"] for stamp in told["stamps"]]
    assert 0 < told["prepare_cpu_seconds"] < at[0] < at[1] < at[2] <= told["cpu_seconds"]
    assert np.load(tmp_path / "labels.npy").shape == (30,)


@pytest.mark.usefixtures("ends_at_sigterm")
def test_a_fit_that_is_ended_tells_what_it_has(counts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = fit_once.Clock.stamp

    def stamp_and_end(clock: fit_once.Clock, epoch: int, values: Any) -> None:
        noted(clock, epoch, values)
        if epoch == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(fit_once.Clock, "stamp", stamp_and_end)
    told = fit(job(counts, labels="not written"))
    assert (told["finished"], told["epochs"]) == (False, 2)
