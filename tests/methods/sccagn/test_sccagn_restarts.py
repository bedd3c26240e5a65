from __future__ import annotations

import copy

import pytest
import torch
from scbench_methods.sccagn.model import Autoencoder
from scbench_methods.sccagn.restarts import Restarts

WIDTHS = (20, (7, 9, 9), 4)


def members(n: int) -> list[Autoencoder]:
    torch.manual_seed(0)
    return [Autoencoder(*WIDTHS).double() for _ in range(n)]


def batches(n_restarts: int, n_steps: int, n_cells: int) -> torch.Tensor:
    gen = torch.Generator().manual_seed(1)
    return torch.rand(n_steps, n_restarts, n_cells, WIDTHS[0], generator=gen, dtype=torch.float64)


@pytest.mark.parametrize("n_cells", [1, 5])
@pytest.mark.parametrize("n_restarts", [1, 3])
def test_gradients_by_hand_are_those_of_autograd(n_restarts: int, n_cells: int) -> None:
    autoencoders = members(n_restarts)
    restarts = Restarts(autoencoders)
    (x,) = batches(n_restarts, 1, n_cells)
    errors = restarts.gradients(x)
    for r, model in enumerate(autoencoders):
        loss = (model.decode(model.encode(x[r])) - x[r]).square().mean()
        torch.testing.assert_close(errors[r], loss.detach())
        expected = torch.nn.utils.parameters_to_vector(torch.autograd.grad(loss, list(model.parameters())))
        torch.testing.assert_close(restarts._slopes[r], expected)


def test_steps_are_those_of_torchs_adamax_each_restart_for_itself() -> None:
    autoencoders = members(2)
    restarts = Restarts(autoencoders)
    start = copy.deepcopy(autoencoders[1].state_dict())
    for r, model in enumerate(autoencoders):
        optimiser = torch.optim.Adamax(model.parameters(), lr=1e-2)
        for x in batches(2, 6, 5):
            optimiser.zero_grad()
            (model.decode(model.encode(x[r])) - x[r]).square().mean().backward()
            optimiser.step()
    for x in batches(2, 6, 5):
        restarts.step(x, 1e-2)
    found = Autoencoder(*WIDTHS).double()
    for r, model in enumerate(autoencoders):
        restarts.copy_to(found, r)
        for name, value in model.state_dict().items():
            torch.testing.assert_close(found.state_dict()[name], value, msg=name)
    assert not torch.allclose(found.state_dict()["layers.0.weight"], start["layers.0.weight"])


def test_training_alone_or_side_by_side_is_the_same() -> None:
    together, alone = Restarts(members(3)), Restarts(members(3)[1:2])
    for x in batches(3, 4, 5):
        together.step(x, 1e-2)
        alone.step(x[1:2], 1e-2)
    torch.testing.assert_close(together._values[1], alone._values[0])


def test_latents_are_the_autoencoders() -> None:
    autoencoders = members(2)
    x = batches(1, 1, 8)[0, 0]
    found = Restarts(autoencoders).encode(x)
    for latent, model in zip(found, autoencoders, strict=True):
        torch.testing.assert_close(latent, model.encode(x).detach())


def test_a_further_loss_reaches_the_encoder_only() -> None:
    autoencoders = members(1)
    (x,) = batches(1, 1, 5)
    slopes = []
    for further in (None, lambda latents: 3 * latents):
        restarts = Restarts(autoencoders)
        restarts.gradients(x, further)
        slopes.append(restarts._slopes[0].clone())
    model = autoencoders[0]
    latent = model.encode(x[0])
    encoder = list(model.layers[:4].parameters())
    expected = torch.nn.utils.parameters_to_vector(torch.autograd.grad(1.5 * latent.square().sum(), encoder))
    difference = slopes[1] - slopes[0]
    torch.testing.assert_close(difference[: len(expected)], expected)
    assert not difference[len(expected) :].any()


def test_one_that_is_kept_goes_on_as_if_the_others_were_there() -> None:
    together, kept = Restarts(members(3)), Restarts(members(3))
    steps = batches(3, 6, 5)
    for x in steps[:3]:
        together.step(x, 1e-2)
        kept.step(x, 1e-2)
    kept.keep(1)
    assert kept.n_restarts == 1
    for x in steps[3:]:
        together.step(x, 1e-2)
        kept.step(x[1:2], 1e-2)
    torch.testing.assert_close(kept._values[0], together._values[1])
