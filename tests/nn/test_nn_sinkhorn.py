from pathlib import Path

import numpy as np
import pytest
import torch

from scbench.nn.assignment import kl
from scbench.nn.sinkhorn import sinkhorn

ORACLES = Path(__file__).parents[1] / "oracles"
SCORE = torch.tensor([[0.7, 0.3], [0.6, 0.4], [0.9, 0.1], [0.55, 0.45]], dtype=torch.float64)


def draws(n: int = 30, k: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    gen = torch.Generator().manual_seed(0)
    score = torch.rand(n, k, generator=gen, dtype=torch.float64) + 0.05
    rows = torch.rand(n, generator=gen, dtype=torch.float64) + 0.1
    cols = torch.rand(k, generator=gen, dtype=torch.float64) + 0.1
    return score, rows, cols * rows.sum() / cols.sum()


def test_values_done_by_hand() -> None:
    found = sinkhorn(SCORE, torch.ones(4), torch.tensor([2.0, 2.0]), 5.0)
    expected = [[0.705698, 0.294302], [0.208402, 0.791598], [0.999512, 0.000488], [0.086388, 0.913612]]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-5)


def test_plan_is_that_of_plain_scaling() -> None:
    score, rows, cols = (v.numpy() for v in draws())
    plan = score**3
    for _ in range(5):
        plan *= (rows / plan.sum(axis=1))[:, None]
        plan *= cols / plan.sum(axis=0)
    plan *= (rows / plan.sum(axis=1))[:, None]
    np.testing.assert_allclose(sinkhorn(*draws(), 3.0, n_iter=5), plan, rtol=1e-10)


@pytest.mark.parametrize("lam", [0.5, 5.0, 50.0])
def test_marginals_are_met(lam: float) -> None:
    score, rows, cols = draws()
    found = sinkhorn(score, rows, cols, lam, n_iter=5000, tol=1e-9)
    torch.testing.assert_close(found.sum(dim=1), rows, rtol=1e-12, atol=0)
    torch.testing.assert_close(found.sum(dim=0), cols, rtol=1e-5, atol=0)


def test_rows_are_exact_before_columns_have_converged() -> None:
    score, rows, cols = draws()
    torch.testing.assert_close(sinkhorn(score, rows, cols, 20.0, n_iter=1).sum(dim=1), rows, rtol=1e-12, atol=0)


def test_powers_beyond_float32_do_not_underflow() -> None:
    score = torch.tensor([[1e-9, 1.0], [1e-9, 1.0]])
    found = sinkhorn(score, torch.ones(2), torch.ones(2), 40.0)
    torch.testing.assert_close(found, torch.full((2, 2), 0.5), rtol=0, atol=1e-4)


def test_empty_marginals_stay_empty() -> None:
    score, rows, cols = draws()
    rows[3], cols[1] = 0, 0
    found = sinkhorn(score, rows, cols * rows.sum() / cols.sum(), 2.0)
    assert torch.isfinite(found).all()
    assert (found[3] == 0).all()
    assert (found[:, 1] == 0).all()


def test_scale_of_a_row_and_order_do_not_matter() -> None:
    score, rows, cols = draws()
    found = sinkhorn(score, rows, cols, 3.0, n_iter=500, tol=1e-12)
    scaled = sinkhorn(score * torch.linspace(0.5, 2, 30)[:, None], rows, cols, 3.0, n_iter=500, tol=1e-12)
    torch.testing.assert_close(scaled, found, rtol=1e-6, atol=1e-9)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(sinkhorn(score[order], rows[order], cols, 3.0, n_iter=500, tol=1e-12), found[order])


def test_gradients_are_those_of_finite_differences() -> None:
    score, rows, cols = draws(5, 3)
    assert torch.autograd.gradcheck(lambda s: sinkhorn(s, rows, cols, 2.0, n_iter=9), score.requires_grad_())


def test_oracle_of_scsiameseclu() -> None:
    with np.load(ORACLES / "scsiameseclu/sinkhorn.npz") as file:
        o = {name: torch.from_numpy(np.asarray(file[name])).double() for name in file.files}
    for cols, name in (("col_counts", "target"), ("col_balanced", "target_balanced")):
        found = sinkhorn(o["q"], o["row"], o[cols], float(o["lam"]), n_iter=1000, tol=0)
        torch.testing.assert_close(found, o[name], rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(found.sum(dim=1), o["row"], rtol=1e-12, atol=0)
    torch.testing.assert_close(kl(o["target"], o["q"]), o["kl_true_log_input"], rtol=1e-4, atol=0)


def test_wrong_arguments_are_refused() -> None:
    score, rows, cols = draws()
    with pytest.raises(ValueError, match=r"score of shape \(30, 4\) needs .* got \(30,\) and \(3,\)"):
        sinkhorn(score, rows, cols[:3], 1.0)
    with pytest.raises(ValueError, match="lam must be > 0 and n_iter at least 1, got 0 and 100"):
        sinkhorn(score, rows, cols, 0)
    with pytest.raises(ValueError, match="score must be positive everywhere"):
        sinkhorn(score - 1, rows, cols, 1.0)
    with pytest.raises(ValueError, match="the totals must agree"):
        sinkhorn(score, rows, cols * 2, 1.0)
