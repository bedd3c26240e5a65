import pytest
import torch

import scbench.nn.attention as module
from scbench.nn.attention import landmark_attention, self_attention


def latent(n: int = 60, width: int = 5, scale: float = 0.8) -> torch.Tensor:
    gen = torch.Generator().manual_seed(0)
    return (scale * torch.randn(n, width, generator=gen, dtype=torch.float64)).requires_grad_()


def dense(z: torch.Tensor) -> torch.Tensor:
    return (z @ z.T).softmax(dim=1) @ z


def test_is_the_softmax_of_inner_products() -> None:
    z, same = latent(), latent()
    weights = torch.randn(60, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (self_attention(z) * weights).sum().backward()
    (dense(same) * weights).sum().backward()
    torch.testing.assert_close(self_attention(z), dense(z))
    torch.testing.assert_close(z.grad, same.grad)


def test_one_cell_attends_to_itself() -> None:
    z = latent(1)
    torch.testing.assert_close(self_attention(z), z)
    torch.testing.assert_close(landmark_attention(z, 5, torch.Generator()), z)


def test_equal_cells_give_their_mean() -> None:
    z = torch.ones(4, 3)
    torch.testing.assert_close(self_attention(z), z)


def test_all_cells_as_landmarks_give_the_exact_attention() -> None:
    z, same = latent(), latent()
    found = landmark_attention(z, 60, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found, dense(same))
    found.square().sum().backward()
    dense(same).square().sum().backward()
    torch.testing.assert_close(z.grad, same.grad)


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    z = latent()
    whole = landmark_attention(z, 20, torch.Generator().manual_seed(0))
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 7)
    torch.testing.assert_close(landmark_attention(z, 20, torch.Generator().manual_seed(0)), whole)


def test_more_landmarks_come_closer() -> None:
    z = latent(400).detach()

    def error(n: int) -> float:
        draws = [landmark_attention(z, n, torch.Generator().manual_seed(seed)) - dense(z) for seed in range(5)]
        return float(torch.stack(draws).square().mean())

    assert error(300) < error(100) / 2 < error(20) / 4


def test_no_landmarks_are_refused() -> None:
    with pytest.raises(ValueError, match="n_landmarks must be at least 1, got 0"):
        landmark_attention(latent(), 0, torch.Generator())
