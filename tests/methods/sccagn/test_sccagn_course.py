from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.sccagn import pretraining
from scbench_methods.sccagn.config import ScCagnConfig
from scbench_methods.sccagn.course import Course
from scbench_methods.sccagn.model import Autoencoder
from scbench_methods.sccagn.pretraining import Pretrained, pretrain

from scbench.method import RunContext
from scbench.nn.plateau import Plateau


def cells(n: int = 60) -> torch.Tensor:
    gen = torch.Generator().manual_seed(0)
    x = torch.rand(3, 25, generator=gen)[torch.arange(n) % 3] + 0.1 * torch.rand(n, 25, generator=gen)
    return x / x.norm(dim=1, keepdim=True)


def run_it(**settings: Any) -> Pretrained:
    torch.manual_seed(0)
    return pretrain(
        cells(), 3, ScCagnConfig(**{"pretrain_epochs": 6, "pretrain_least_steps": 0, **settings}), RunContext(0)
    )


def weights(found: Pretrained) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(found.autoencoder.parameters()).detach()


@pytest.mark.parametrize("further", [{}, {"pretrain_adversarial_weight": 0.01}])
def test_the_chosen_restart_ends_where_full_training_would_have_taken_it(
    further: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are trained to the end and the second is best; after a trial the second is best, too."""
    found = []
    for trial in (0, 2):
        values = iter([0.1, 0.7, 0.3, 0.7])
        monkeypatch.setattr(pretraining, "_silhouette", lambda *_, v=values: next(v))
        found.append(run_it(trial_epochs=trial, **further))
    for one in found:
        assert (one.restart, len(one.history), one.stop_reason) == (1, 6, "epochs")
    assert found[0].history == found[1].history
    assert torch.equal(weights(found[0]), weights(found[1]))
    np.testing.assert_array_equal(found[0].labels, found[1].labels)


def test_after_the_trial_the_best_alone_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    until: list[tuple[int, int]] = []
    train = Course.train
    monkeypatch.setattr(Course, "train", lambda self, epochs: until.append((id(self), epochs)) or train(self, epochs))
    run_it(trial_epochs=2)
    assert [epochs for _, epochs in until] == [2, 2, 2, 6]
    assert len({course for course, _ in until[:3]}) == 3
    assert until[3][0] in {course for course, _ in until[:3]}
    until.clear()
    run_it(trial_epochs=9)
    assert [epochs for _, epochs in until] == [6, 6, 6]
    until.clear()
    run_it(trial_epochs=2, restarts=1)
    assert [epochs for _, epochs in until] == [6]


def test_side_by_side_one_that_is_kept_goes_on_as_alone() -> None:
    config = ScCagnConfig(pretrain_epochs=6, pretrain_adversarial_weight=0.01, batch_size=7)
    courses = []
    for _ in range(2):
        torch.manual_seed(0)
        members = [Autoencoder(25) for _ in range(3)]
        courses.append(Course(members, cells(), config, RunContext(0)))
    whole, kept = courses
    whole.train(6)
    kept.train(3)
    kept.keep(2)
    kept.train(6)
    np.testing.assert_allclose(kept.history(0), whole.history(2), rtol=1e-4)


def end_by_the_rule(losses: list[float]) -> int | None:
    plateau = Plateau()
    return next((i + 1 for i, loss in enumerate(losses) if plateau.update(loss)), None)


def test_fast_ends_each_restart_where_the_rule_says() -> None:
    settings = {"pretrain_epochs": 45, "batch_size": 4, "trial_epochs": 0}
    whole = run_it(**settings, restarts=1)
    end = end_by_the_rule(whole.history)
    assert end is not None
    assert 20 <= end < 45
    fast = run_it(**settings, restarts=1, budget="fast")
    assert (fast.history, fast.stop_reason) == (whole.history[:end], "plateau")
    assert whole.stop_reason == "epochs"
    # After a trial, too; and the loss before it counts.
    tried = run_it(**settings | {"trial_epochs": 5}, restarts=2, budget="fast")
    assert tried.stop_reason == "plateau"
    assert end_by_the_rule(tried.history) == len(tried.history)


def test_a_plateau_in_the_trial_ends_the_restart() -> None:
    found = run_it(pretrain_epochs=45, batch_size=4, restarts=2, trial_epochs=40, budget="fast")
    assert found.stop_reason == "plateau"
    assert end_by_the_rule(found.history) == len(found.history) <= 40
