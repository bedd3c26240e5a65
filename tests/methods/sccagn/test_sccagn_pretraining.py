from __future__ import annotations

import math
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.sccagn import pretraining
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.course import learning_rate, step_size
from scbench_methods.sccagn.pretraining import Pretrained, pretrain

from scbench.method import Diverged, RunContext


def cells(n: int = 60) -> torch.Tensor:
    gen = torch.Generator().manual_seed(0)
    x = torch.rand(3, 25, generator=gen)[torch.arange(n) % 3] + 0.1 * torch.rand(n, 25, generator=gen)
    return x / x.norm(dim=1, keepdim=True)


def run_it(
    x: torch.Tensor | None = None, k: int = 3, seed: int = 0, **settings: Any
) -> tuple[Pretrained, dict[int, float]]:
    log: dict[int, float] = {}
    torch.manual_seed(seed)
    run = RunContext(seed, on_log=lambda epoch, values: log.update({epoch: values["pretraining"]}))
    return pretrain(cells() if x is None else x, k, ScCagnConfig(**{"pretrain_epochs": 4, **settings}), run), log


@pytest.mark.parametrize("draw", [1, 2])
def test_the_step_size_agrees_with_the_oracle(draw: int) -> None:
    with np.load(Path(__file__).parents[2] / "oracles" / "sccagn" / f"lr_schedule_draw{draw}.npz") as oracle:
        found = [learning_rate(1e-3, int(epoch)) for epoch in oracle["epoch"]]
        np.testing.assert_allclose(found, oracle["lr"], rtol=1e-12)


def test_the_restart_of_the_best_silhouette_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([0.1, 0.7, 0.3])
    latents: list[np.ndarray] = []
    monkeypatch.setattr(pretraining, "_silhouette", lambda latent, *_: latents.append(latent) or next(values))
    found, log = run_it()
    assert (found.restart, found.silhouette, found.chosen_by) == (1, 0.7, "silhouette")
    torch.testing.assert_close(found.autoencoder.encode(cells()).detach().numpy(), latents[1], rtol=1e-4, atol=1e-5)
    assert list(log) == [0, 1, 2, 3]
    assert list(log.values()) == found.history
    assert not np.allclose(latents[0], latents[1])


def test_the_silhouette_is_scikit_learns() -> None:
    from sklearn.metrics import silhouette_score

    found, _ = run_it()
    latent = found.autoencoder.encode(cells()).detach().numpy()
    assert found.silhouette == pytest.approx(silhouette_score(latent, found.labels), abs=1e-4)
    assert found.centroids.shape == (3, 8)


def test_with_many_cells_it_is_of_a_seeded_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretraining, "_SILHOUETTE_CELLS", 40)
    latent, labels = cells().numpy(), np.arange(60) % 3
    found = [pretraining._silhouette(latent, labels, seed) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(("k", "settings", "by"), [(1, {}, "reconstruction"), (3, {"restarts": 1}, "only one")])
def test_without_a_silhouette_the_error_decides(k: int, settings: dict[str, Any], by: str) -> None:
    found, _ = run_it(k=k, **settings)
    assert found.chosen_by == by
    assert np.isnan(found.silhouette)


def test_the_lowest_error_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[float]] = []
    judged = pretraining._judged
    monkeypatch.setattr(pretraining, "_judged", lambda *a: seen.append(a[3]) or judged(*a))
    found, _ = run_it(k=1)
    assert found.restart == int(np.argmin([history[-1] for history in seen]))


@pytest.mark.parametrize("order", list(permutations([(0.2, 3.0), (0.4, 9.0), (math.nan, 1.0), (math.nan, 2.0)])))
def test_a_silhouette_beats_none_in_every_order(
    order: tuple[tuple[float, float], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    restarts = iter(order)

    def judged(*given: Any) -> Pretrained:
        silhouette, error = next(restarts)
        _, _, restart, _, autoencoder, *_ = given
        return Pretrained(autoencoder, np.zeros(60), np.zeros((3, 8)), restart, silhouette, "", [error])

    monkeypatch.setattr(pretraining, "_judged", judged)
    found, _ = run_it(restarts=4, pretrain_epochs=0)
    assert found.silhouette == 0.4
    assert found.restart == order.index((0.4, 9.0))


def test_the_error_falls() -> None:
    found, _ = run_it(pretrain_epochs=20)
    assert found.history[-1] < 0.8 * found.history[0]


@pytest.mark.parametrize(
    "settings",
    [{"pretrain_adversarial_weight": 0.01}, {"pretrain_adversarial_weight": 0.01, "discriminator_norm": "batch"}],
)
def test_an_adversarial_term_changes_the_weights(settings: dict[str, Any]) -> None:
    plain, with_it = run_it(restarts=1), run_it(restarts=1, **settings)
    weights = [found.autoencoder.layers[0].weight for found, _ in (plain, with_it)]
    assert not torch.equal(*weights)
    without, _ = run_it(restarts=1, adversarial=False, **settings)
    assert torch.equal(weights[0], without.autoencoder.layers[0].weight)


def test_a_last_batch_of_one_joins_the_one_before_for_a_batch_norm() -> None:
    found, _ = run_it(
        cells(49), batch_size=16, pretrain_adversarial_weight=0.01, discriminator_norm="batch", restarts=1
    )
    assert all(np.isfinite(found.history))


@pytest.mark.parametrize(
    ("n_cells", "settings", "size"),
    [
        (822, {}, 16),
        (800, {}, 16),
        (799, {}, 15),
        (156, {}, 3),
        (20, {}, 1),
        (20, {"pretrain_adversarial_weight": 0.01, "discriminator_norm": "batch"}, 2),
        (156, {"pretrain_epochs": 100}, 6),
        (156, {"batch_size": 2}, 2),
        (156, {"pretrain_least_steps": 0}, 16),
        (156, {"variant": "paper_code"}, 1),
    ],
)
def test_small_sets_get_enough_steps(n_cells: int, settings: dict[str, Any], size: int) -> None:
    assert step_size(n_cells, ScCagnConfig(**settings)) == size


@pytest.mark.parametrize("epochs", [3, 0])
def test_what_is_not_finite_ends_the_run(epochs: int) -> None:
    with pytest.raises(Diverged) as caught:
        run_it(cells() * torch.nan if epochs == 0 else cells(), lr=1e30, pretrain_epochs=epochs)
    assert caught.value.epoch == 0
    assert set(caught.value.terms) == {"latent" if epochs == 0 else "pretraining"}


def test_fewer_starts_of_k_means_in_very_large_sets() -> None:
    assert pretraining.n_starts(ScCagnConfig(), 100_000) == 20
    assert pretraining.n_starts(ScCagnConfig(), 100_001) == 5
    assert pretraining.n_starts(ScCagnConfig(n_init=2), 100_001) == 2
