from pathlib import Path

import numpy as np
import pytest
import torch

from scbench.nn.contrast import nt_xent

ORACLES = Path(__file__).parents[1] / "oracles"


def draws(n: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    gen = torch.Generator().manual_seed(0)
    a = torch.randn(n, 5, generator=gen, dtype=torch.float64)
    return a, a + 0.3 * torch.randn(n, 5, generator=gen, dtype=torch.float64)


def test_value_done_by_hand() -> None:
    found = nt_xent(torch.eye(2), torch.tensor([[0.8, 0.6], [-0.6, 0.8]]), 0.5)
    assert float(found) == pytest.approx(0.430190, abs=1e-6)


@pytest.mark.parametrize("normalize", [True, False])
def test_loss_is_that_of_a_loop(normalize: bool) -> None:
    both = torch.cat(draws()).numpy()
    if normalize:
        both = both / np.linalg.norm(both, axis=1, keepdims=True)
    terms = []
    for i in range(12):
        chances = [np.exp(both[i] @ both[j] / 0.7) for j in range(12)]
        terms.append(-np.log(chances[(i + 6) % 12] / (sum(chances) - chances[i])))
    assert float(nt_xent(*draws(), 0.7, normalize=normalize)) == pytest.approx(np.mean(terms), rel=1e-10)


def test_views_can_be_swapped_and_cells_reordered() -> None:
    a, b = draws()
    order = torch.tensor([3, 1, 0, 5, 2, 4])
    torch.testing.assert_close(nt_xent(b, a, 0.5), nt_xent(a, b, 0.5))
    torch.testing.assert_close(nt_xent(a[order], b[order], 0.5), nt_xent(a, b, 0.5))


def test_lengths_do_not_matter_when_normalised() -> None:
    a, b = draws()
    torch.testing.assert_close(nt_xent(a * 7, b * 0.1, 0.5), nt_xent(a, b, 0.5))


def test_single_cell_has_no_loss() -> None:
    assert float(nt_xent(*draws(1), 0.5)) == 0


def test_gradients_are_those_of_finite_differences() -> None:
    a, b = (v.requires_grad_() for v in draws())
    assert torch.autograd.gradcheck(lambda x, y: nt_xent(x, y, 0.5), (a, b))


def test_half_precision_is_summed_in_float32() -> None:
    a, b = (v.to(torch.bfloat16) for v in draws())
    assert nt_xent(a, b, 0.5).dtype == torch.float32


@pytest.mark.parametrize("draw", [0, 1])
@pytest.mark.parametrize("size", ["small", "large"])
def test_oracle_of_scsamac(draw: int, size: str) -> None:
    with np.load(ORACLES / f"scsamac/contrastive_{draw}.npz") as file:
        o = {
            name.removeprefix(f"{size}_"): torch.from_numpy(np.asarray(file[name]))
            for name in file.files
            if size in name
        }
    views = o["view1"].requires_grad_(), o["view2"].requires_grad_()
    loss = nt_xent(*views, 0.07, normalize=False)
    torch.testing.assert_close(loss, o["loss"], rtol=1e-6, atol=0)
    loss.backward()
    torch.testing.assert_close(views[0].grad, o["grad1"], rtol=1e-5, atol=1e-9)
    torch.testing.assert_close(views[1].grad, o["grad2"], rtol=1e-5, atol=1e-9)


def test_wrong_arguments_are_refused() -> None:
    a, b = draws()
    with pytest.raises(ValueError, match=r"one shape, got \(6, 5\) and \(5, 5\)"):
        nt_xent(a, b[:5], 0.5)
    with pytest.raises(ValueError, match="tau must be > 0, got 0"):
        nt_xent(a, b, 0)
