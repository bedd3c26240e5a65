from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.sccagn.adversary import Discriminator, Game
from scbench_methods.sccagn.config import ScCagnConfig

ORACLES = Path(__file__).parents[2] / "oracles" / "sccagn"


def game(**settings: Any) -> Game:
    torch.manual_seed(0)
    return Game(ScCagnConfig(**settings), 8, "cpu", torch.Generator().manual_seed(0))


def oracle_game(draw: int, state: str, **settings: Any) -> tuple[Game, dict[str, torch.Tensor]]:
    with np.load(ORACLES / f"discriminator_draw{draw}.npz") as file:
        o = {key: torch.as_tensor(file[key]) for key in file.files}
    prefix = f"{state}:model."
    found = game(discriminator_norm="batch", **settings)
    found.discriminator = Discriminator(8, "batch", width=len(o[f"{prefix}0.bias"])).double()
    weights = {f"layers.{key.removeprefix(prefix)}": value for key, value in o.items() if key.startswith(prefix)}
    found.discriminator.load_state_dict(weights)
    return found, o


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("draw", [1, 2])
def test_the_programs_losses_agree_with_the_oracle(draw: int) -> None:
    played, o = oracle_game(draw, "w", variant="paper_code")
    z, noise = o["z_encoder"], o["z_noise"]
    close(played.discriminator_loss(z, noise), o["train_code_D_bce"])
    played, _ = oracle_game(draw, "w", variant="paper_code")
    close(played.discriminator(z).sigmoid()[:, None], o["train_prob_encoder"])
    close(played.discriminator(noise).sigmoid()[:, None], o["train_prob_noise"])
    played, _ = oracle_game(draw, "w", variant="paper_code")
    z.requires_grad_()
    loss = played.encoder_loss(z)
    close(loss, o["train_code_G_bce"])
    close(torch.autograd.grad(loss, z)[0], o["train_code_G_bce_grad_z"])


@pytest.mark.parametrize("draw", [1, 2])
@pytest.mark.parametrize(
    ("settings", "teacher", "asked"),
    [
        ({"adv_loss": "mse", "prior_is_real": True}, "eval_D_mse_prior_is_real", "eval_G_mse"),
        ({"adv_loss": "bce", "prior_is_real": True}, "eval_D_bce_prior_is_real", "eval_G_bce"),
        ({"adv_loss": "bce", "prior_is_real": False}, "eval_D_bce_encoder_is_real", "eval_G_bce"),
    ],
)
def test_each_loss_and_orientation_agrees_with_the_oracle(
    draw: int, settings: dict[str, Any], teacher: str, asked: str
) -> None:
    played, o = oracle_game(draw, "v", **settings)
    played.discriminator.eval()
    z = o["z_encoder"].requires_grad_()
    close(played.discriminator(z).sigmoid()[:, None], o["eval_prob_encoder"])
    found = played.discriminator_loss(z, o["z_noise"])
    torch.testing.assert_close(found, o[teacher], rtol=1e-8, atol=1e-8)
    loss = played.encoder_loss(z)
    close(loss, o[asked])
    close(torch.autograd.grad(loss, z)[0], o[f"{asked}_grad_z"])


def taught(played: Game, latent: torch.Tensor, n_steps: int = 400) -> list[float]:
    played._optimiser.groups[0].lr = 5e-3
    return [float(played.teach(latent)) for _ in range(n_steps)]


@pytest.mark.parametrize("variant", ["default", "paper_code"])
def test_a_batch_norm_bounds_the_discriminators_loss_from_below(variant: str) -> None:
    """Both batches have the same mean logit then, so by Jensen the cross entropy is at least log 2."""
    latent = torch.randn(64, 8, generator=torch.Generator().manual_seed(1)) * 0.05 + 3
    bounded = taught(game(variant=variant, adv_loss="bce", discriminator_norm="batch"), latent)
    free = taught(game(variant=variant, adv_loss="bce", discriminator_norm="none"), latent)
    assert min(bounded) >= math.log(2) - 1e-6
    assert free[-1] < 0.05


def test_the_bound_holds_while_the_encoder_moves() -> None:
    played = game(variant="paper_code")
    latent = torch.nn.Parameter(torch.randn(40, 8, generator=torch.Generator().manual_seed(2)) + 2)
    optimiser = torch.optim.Adam([latent], lr=0.05)
    for _ in range(30):
        assert float(played.teach(latent)) >= math.log(2) - 1e-6
        optimiser.zero_grad()
        played.encoder_loss(latent).backward()
        optimiser.step()


def test_the_encoder_is_pulled_towards_the_prior() -> None:
    played = game()
    latent = torch.nn.Parameter(torch.randn(64, 8, generator=torch.Generator().manual_seed(1)) * 0.05 + 3)
    taught(played, latent)
    optimiser = torch.optim.Adam([latent], lr=0.05)
    before = float(latent.detach().mean())
    for _ in range(60):
        optimiser.zero_grad()
        played.encoder_loss(latent).backward()
        optimiser.step()
    assert abs(float(latent.detach().mean())) < 0.8 * before


def test_asking_moves_no_weight_of_the_discriminator() -> None:
    played = game()
    latent = torch.randn(10, 8, requires_grad=True)
    played.encoder_loss(latent).backward()
    assert latent.grad is not None
    assert latent.grad.abs().max() > 0
    assert all(p.grad is None and p.requires_grad for p in played.discriminator.parameters())


def test_teaching_moves_no_latent() -> None:
    latent = torch.randn(10, 8, requires_grad=True)
    game().teach(latent)
    assert latent.grad is None


def test_each_step_draws_a_new_prior_from_its_own_generator() -> None:
    first, second = game(), game()
    latent = torch.zeros(10, 8)
    one, two = ([float(played.teach(latent)) for _ in range(3)] for played in (first, second))
    assert one == two
    assert len(set(one)) == 3
