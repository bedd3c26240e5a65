from __future__ import annotations

import math

import pytest
import torch
from scbench_methods.sccagn import losses
from scbench_methods.sccagn.losses import divergence, log_memberships, reconstruction_error

from scbench.nn.assignment import kl, soft_assignment, target_distribution


def test_memberships_are_those_of_the_t_distribution() -> None:
    gen = torch.Generator().manual_seed(0)
    latent, centroids = (torch.randn(n, 8, generator=gen, dtype=torch.float64) for n in (20, 5))
    torch.testing.assert_close(log_memberships(latent, centroids).exp(), soft_assignment(latent, centroids))
    by_hand = 1 / (1 + ((latent[:, None] - centroids[None]) ** 2).sum(dim=2))
    torch.testing.assert_close(log_memberships(latent, centroids).exp(), by_hand / by_hand.sum(dim=1, keepdim=True))


def test_the_divergence_by_hand_and_from_itself() -> None:
    p = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    q = torch.tensor([[0.25, 0.5, 0.25], [0.5, 0.25, 0.25]], dtype=torch.float64)
    # (0.5 ln 2 + 0.5 ln 1 + ln 2) / 2
    assert float(divergence(p, q.log())) == pytest.approx(0.75 * math.log(2))
    torch.testing.assert_close(divergence(p, q.log()), kl(p, q))
    assert float(divergence(q, q.log())) == pytest.approx(0, abs=1e-12)


def test_the_logarithm_is_cut() -> None:
    found = divergence(torch.tensor([[1.0, 0.0]]), torch.tensor([[-1e9, 0.0]]))
    assert float(found) == pytest.approx(27.631, abs=1e-3)


@pytest.mark.parametrize("tau", [0.1, 0.5, 2.0])
def test_a_target_of_sharp_memberships_is_finite(tau: float) -> None:
    """At tau = 0.1 the target goes with the 20th power of the memberships."""
    log_q = log_memberships(torch.randn(50, 8) * 100, torch.randn(4, 8) * 100)
    target = target_distribution(log_q.exp(), tau)
    torch.testing.assert_close(target.sum(dim=1), torch.ones(50))
    assert torch.isfinite(divergence(target, log_q))


@pytest.mark.parametrize("at_once", [3, 100])
def test_the_error_by_pieces_has_the_value_and_gradients_of_the_whole(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "_ROWS_AT_ONCE", at_once)
    gen = torch.Generator().manual_seed(0)
    layer = torch.nn.Linear(6, 9).double()
    hidden = torch.randn(10, 6, generator=gen, dtype=torch.float64, requires_grad=True)
    x = torch.randn(10, 9, generator=gen, dtype=torch.float64)
    inputs = [hidden, *layer.parameters()]
    found, expected = reconstruction_error(hidden, layer, x), (layer(hidden) - x).square().mean()
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(0.5 * loss, inputs) for loss in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_an_output_that_is_not_linear_is_refused() -> None:
    with pytest.raises(TypeError, match="the output layer must be linear, got ReLU"):
        reconstruction_error(torch.zeros(2, 2), torch.nn.ReLU(), torch.zeros(2, 2))
