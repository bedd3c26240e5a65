from __future__ import annotations

import pickle

import numpy as np
import pytest

from scbench.method import Diverged, MethodConfig, RunContext, check_n_clusters

LABELS = np.array([0, 1, 1, 0])


def test_randomness_follows_from_the_seed() -> None:
    first, again, other = RunContext(3), RunContext(3), RunContext(4)
    draws = [run.rng.integers(2**62) for run in (first, again, other)]
    assert draws[0] == draws[1] != draws[2]
    assert first.generator.initial_seed() == again.generator.initial_seed() == 3
    assert str(first.device) == "cpu"


def test_context_refuses_a_negative_seed() -> None:
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        RunContext(-1)


def test_snapshots_are_kept_only_when_the_protocol_asks() -> None:
    kept: list[int] = []
    for wanted in (False, True):
        RunContext(0, on_snapshot=lambda epoch, labels: kept.append(epoch), snapshots=wanted).snapshot(5, LABELS)
    assert kept == [5]


def test_log_and_report_reach_their_listeners() -> None:
    heard: list[object] = []
    run = RunContext(0, on_log=lambda *a: heard.append(a), on_report=lambda *a: heard.append(a[0]))
    run.log(np.int64(2), loss=np.float32(0.5))
    run.report(7, LABELS)
    assert heard == [(2, {"loss": 0.5}), 7]


def test_diverged_crosses_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(Diverged(4, {"zinb": float("inf")})))
    assert (error.epoch, error.terms) == (4, {"zinb": float("inf")})
    assert "epoch 4: zinb = inf" in str(error)


@pytest.mark.parametrize(
    ("k", "message"), [(0, "at least 1, got 0"), (5, "n_clusters is 5 but there are only 4 cells")]
)
def test_impossible_numbers_of_clusters_are_refused(k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_n_clusters(k, 4)


def test_unknown_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown variant of method m 'papercode'"):
        MethodConfig(name="m", variant="papercode")
