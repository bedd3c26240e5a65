from pathlib import Path

import numpy as np
import pytest
import torch

from scbench.nn.assignment import kl, soft_assignment, soft_kmeans_loss, squared_distances, target_distribution

ORACLES = Path(__file__).parents[1] / "oracles"

Z = torch.tensor([[0.0, 0], [1, 0], [4, 3]], dtype=torch.float64)
CENTROIDS = torch.tensor([[0.0, 0], [4, 3]], dtype=torch.float64)
Q = torch.tensor([[0.962963, 0.037037], [0.904762, 0.095238], [0.037037, 0.962963]], dtype=torch.float64)
P = torch.tensor([[0.997434, 0.002566], [0.981094, 0.018906], [0.000850, 0.999150]], dtype=torch.float64)


def draws(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    gen = torch.Generator().manual_seed(0)
    return torch.randn(7, 4, generator=gen, dtype=dtype), torch.randn(3, 4, generator=gen, dtype=dtype)


def oracle(path: str) -> dict[str, torch.Tensor]:
    with np.load(ORACLES / path) as file:
        return {name: torch.from_numpy(np.asarray(file[name])) for name in file.files}


def test_values_done_by_hand() -> None:
    q = soft_assignment(Z, CENTROIDS)
    torch.testing.assert_close(q, Q, rtol=0, atol=1e-6)
    p = target_distribution(q)
    torch.testing.assert_close(p, P, rtol=0, atol=1e-6)
    assert float(kl(p, q)) == pytest.approx(0.036926, abs=1e-6)
    assert float(soft_kmeans_loss(Z, CENTROIDS)) == pytest.approx(1 / 3, abs=1e-6)


@pytest.mark.parametrize("dof", [0.5, 1.0, 3.0])
def test_assignment_is_that_of_a_loop(dof: float) -> None:
    z, c = draws()
    expected = np.empty((7, 3))
    for i, k in np.ndindex(7, 3):
        expected[i, k] = (1 + float(((z[i] - c[k]) ** 2).sum()) / dof) ** (-(dof + 1) / 2)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(soft_assignment(z, c, dof), expected, rtol=1e-10)


@pytest.mark.parametrize("tau", [0.1, 0.5, 1.0, 2.0])
def test_target_is_that_of_a_loop(tau: float) -> None:
    q = soft_assignment(*draws()).numpy()
    s = q ** (1 / tau)
    expected = np.array([[s[i, k] ** 2 / s[:, k].sum() for k in range(3)] for i in range(7)])
    found = target_distribution(torch.from_numpy(q), tau)
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), rtol=1e-10)


@pytest.mark.parametrize("inflation", [1.0, 2.0])
def test_soft_kmeans_is_that_of_a_loop(inflation: float) -> None:
    z, c = draws()
    total = 0.0
    for row in z:
        d = ((row - c) ** 2).sum(dim=1).numpy()
        w = np.exp(-d) / np.exp(-d).sum()
        w = w**inflation / (w**inflation).sum()
        total += float((w * d).sum()) / len(z)
    assert float(soft_kmeans_loss(z, c, inflation)) == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_soft_assignment_ignores_common_shift(shift: float) -> None:
    z, c = draws()
    torch.testing.assert_close(soft_assignment(z + shift, c + shift), soft_assignment(z, c), rtol=1e-6, atol=1e-9)


def test_float32_keeps_its_digits_far_from_the_origin() -> None:
    z, c = draws(torch.float32)
    near = squared_distances(z, c)
    torch.testing.assert_close(squared_distances(z + 100, c + 100), near, rtol=1e-3, atol=1e-3)


def test_far_cells_do_not_underflow() -> None:
    q = soft_assignment(torch.full((1, 2), 1e15), torch.tensor([[0.0, 0], [1, 1]]))
    torch.testing.assert_close(q, torch.full((1, 2), 0.5))


def test_rows_sum_to_one_and_order_follows() -> None:
    z, c = draws()
    q = soft_assignment(z, c)
    p = target_distribution(q)
    for each in (q, p):
        torch.testing.assert_close(each.sum(dim=1), torch.ones(7, dtype=torch.float64))
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(soft_assignment(z, c[order]), q[:, order])
    torch.testing.assert_close(target_distribution(q[:, order]), p[:, order])


def test_target_carries_no_gradient_and_survives_an_empty_cluster() -> None:
    q = torch.tensor([[1.0, 0.0], [0.5, 0.0]], requires_grad=True)
    p = target_distribution(q)
    assert not p.requires_grad
    torch.testing.assert_close(p, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))


def test_kl_is_zero_for_equal_and_finite_for_zero_memberships() -> None:
    q = soft_assignment(*draws())
    assert float(kl(q, q)) == pytest.approx(0, abs=1e-12)
    hard = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert float(kl(hard, hard)) == 0
    assert float(kl(hard, hard.flip(1))) == pytest.approx(-np.log(1e-10), rel=1e-6)


def test_gradients_are_those_of_finite_differences() -> None:
    z, c = (v.requires_grad_() for v in draws())
    p = target_distribution(soft_assignment(z, c))
    assert torch.autograd.gradcheck(lambda a, b: kl(p, soft_assignment(a, b)), (z, c))
    assert torch.autograd.gradcheck(soft_kmeans_loss, (z, c))


def test_gradient_is_finite_at_a_centroid() -> None:
    z, c = Z.clone().requires_grad_(), CENTROIDS.clone().requires_grad_()
    (kl(P, soft_assignment(z, c)) + soft_kmeans_loss(z, c)).backward()
    assert torch.isfinite(z.grad).all()  # type: ignore[arg-type]
    assert torch.isfinite(c.grad).all()  # type: ignore[arg-type]


def test_oracle_of_scsiameseclu() -> None:
    o = oracle("scsiameseclu/student_t.npz")
    torch.testing.assert_close(soft_assignment(o["Z"], o["centers"]), o["q"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("alpha", [1, 2])
def test_oracle_of_cicl(alpha: int) -> None:
    o = oracle(f"cicl/student_t_alpha{alpha}.npz")
    q = soft_assignment(o["H"], o["centers"], float(o["alpha"]))
    torch.testing.assert_close(q, o["q"], rtol=0, atol=1e-6)
    torch.testing.assert_close(q.argmax(dim=1), o["labels"])


@pytest.mark.parametrize("draw", [0, 1])
def test_oracle_of_scsamac(draw: int) -> None:
    o = oracle(f"scsamac/soft_kmeans_{draw}.npz")
    z, c = o["z"].requires_grad_(), o["centers"].requires_grad_()
    loss = soft_kmeans_loss(z, c)
    torch.testing.assert_close(loss, o["loss"], rtol=1e-6, atol=0)
    loss.backward()
    torch.testing.assert_close(z.grad, o["grad_z"], rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(c.grad, o["grad_centers"], rtol=1e-6, atol=1e-12)
    q = soft_assignment(z, c)
    torch.testing.assert_close(q, o["student_q"], rtol=1e-6, atol=0)
    torch.testing.assert_close(target_distribution(q), o["target_p"], rtol=1e-6, atol=0)


def test_oracle_of_sccagn() -> None:
    o = oracle("sccagn/full_model_draw1.npz")
    for tau in (0.1, 0.3, 0.5, 1.0, 2.0):
        torch.testing.assert_close(target_distribution(o["q"], tau), o[f"p_tau{tau}"], rtol=1e-8, atol=1e-12)
    torch.testing.assert_close(kl(o["p_tau0.5"], o["q"]), o["q_kl"], rtol=1e-8, atol=1e-12)
    torch.testing.assert_close(kl(o["p_tau0.5"], o["gcn_softmax"]), o["gcn_kl"], rtol=1e-8, atol=1e-12)


def test_wrong_arguments_are_refused() -> None:
    z, c = draws()
    with pytest.raises(ValueError, match="latent has 4 columns but centroids have 2"):
        soft_assignment(z, c[:, :2])
    with pytest.raises(ValueError, match="dof must be > 0, got 0"):
        soft_assignment(z, c, 0)
    with pytest.raises(ValueError, match="tau must be > 0, got 0"):
        target_distribution(Q, 0)
    with pytest.raises(ValueError, match="inflation must be > 0, got -1"):
        soft_kmeans_loss(z, c, -1)


def test_a_sharp_target_does_not_underflow() -> None:
    soft = torch.full((4, 50), 0.02)
    soft[:, 0] += 1e-3
    soft /= soft.sum(dim=1, keepdim=True)
    found = target_distribution(soft, tau=0.05)
    exact = target_distribution(soft.double(), tau=0.05)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(4))
    torch.testing.assert_close(found.double(), exact, rtol=1e-3, atol=1e-6)


def test_an_empty_cluster_keeps_weight_zero() -> None:
    soft = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    torch.testing.assert_close(target_distribution(soft), soft)
