from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scbench_methods.scsamac.losses import cluster_level_loss, sorted_wasserstein
from scipy.stats import wasserstein_distance

from scbench.nn.assignment import soft_assignment, target_distribution

ORACLES = Path(__file__).parents[2] / "oracles/scsamac"


def rows(n: int = 20, k: int = 4, seed: int = 0) -> torch.Tensor:
    gen = torch.Generator().manual_seed(seed)
    return torch.randn(n, k, generator=gen, dtype=torch.float64).softmax(dim=1)


@pytest.mark.parametrize("draw", [0, 1])
def test_wasserstein_is_that_of_the_oracle(draw: int) -> None:
    oracle = np.load(ORACLES / f"wasserstein_{draw}.npz")
    for i in (1, 2):
        found = sorted_wasserstein(torch.tensor(oracle[f"p{i}"]), torch.tensor(oracle[f"q{i}"]))
        np.testing.assert_allclose(found, oracle[f"w{i}"], rtol=1e-6, atol=1e-12)
    assert sorted_wasserstein(torch.tensor(oracle["p1"]), torch.tensor(oracle["p1"])) == oracle["w_self"] == 0


def test_wasserstein_is_scipys() -> None:
    p, q = rows(seed=1), rows(seed=2)
    expected = wasserstein_distance(p.flatten().numpy(), q.flatten().numpy())
    np.testing.assert_allclose(sorted_wasserstein(p, q), expected, rtol=1e-10)


def test_wasserstein_of_two_bags_by_hand() -> None:
    """0.1, 0.9 against 0.4, 0.6: both are 0.3 away, whatever the places."""
    p, q = torch.tensor([[0.9, 0.1]]), torch.tensor([[0.4, 0.6]])
    torch.testing.assert_close(sorted_wasserstein(p, q), torch.tensor(0.3))


def test_wasserstein_does_not_see_cells_or_clusters() -> None:
    p, q = rows(seed=1), rows(seed=2)
    moved = q[torch.randperm(20)][:, torch.tensor([2, 0, 3, 1])]
    torch.testing.assert_close(sorted_wasserstein(p, moved), sorted_wasserstein(p, q))
    torch.testing.assert_close(sorted_wasserstein(q, p), sorted_wasserstein(p, q))


def test_wasserstein_has_a_gradient_to_cells_and_centroids() -> None:
    gen = torch.Generator().manual_seed(0)
    z, centroids = (torch.randn(n, 5, generator=gen, dtype=torch.float64, requires_grad=True) for n in (20, 4))
    target = target_distribution(soft_assignment(z, centroids))
    sorted_wasserstein(target, soft_assignment(z, centroids)).backward()
    assert z.grad is not None
    assert centroids.grad is not None
    assert z.grad.abs().max() > 1e-6
    assert centroids.grad.abs().max() > 1e-6
    assert torch.autograd.gradcheck(
        lambda x: sorted_wasserstein(target, soft_assignment(x, centroids.detach())), z.detach().requires_grad_()
    )


@pytest.mark.parametrize("draw", [0, 1])
def test_cluster_level_loss_is_that_of_the_oracle(draw: int) -> None:
    oracle = np.load(ORACLES / f"cluster_level_{draw}.npz")
    seen = 0
    for key in oracle:
        if "_loss_margin" in key:
            name, margin = key[0], float(key.partition("margin")[2])
            found = cluster_level_loss(
                torch.tensor(oracle[f"{name}_y"]), torch.tensor(oracle[f"{name}_y_masked"]), margin
            )
            np.testing.assert_allclose(found, oracle[key], rtol=1e-6, atol=1e-12)
            seen += 1
    assert seen == 10


def test_cluster_level_loss_written_out() -> None:
    view, masked = rows(seed=1), rows(seed=2)
    total = 0.0
    for i in range(4):
        for j in range(4):
            distance = sum((float(view[r, i]) - float(masked[r, j])) ** 2 for r in range(20)) ** 0.5
            total += distance**2 if i == j else max(0.0, 1.2 - distance) ** 2
    torch.testing.assert_close(cluster_level_loss(view, masked, 1.2), torch.tensor(total / 16, dtype=torch.float64))


def test_cluster_level_loss_by_hand() -> None:
    """Columns (1, 0) and (0, 1) of one cell each: same 0 apart, different sqrt 2 apart, so 2 (2 - sqrt 2)^2 / 4."""
    eye = torch.eye(2, dtype=torch.float64)
    torch.testing.assert_close(
        cluster_level_loss(eye, eye, 2.0), torch.tensor((2 - 2**0.5) ** 2 / 2, dtype=torch.float64)
    )
    assert cluster_level_loss(eye, eye, 1.0) == 0


def test_cluster_level_loss_does_not_depend_on_the_order_of_cells_or_clusters() -> None:
    view, masked = rows(seed=1), rows(seed=2)
    cells, clusters = torch.randperm(20), torch.randperm(4)
    moved = cluster_level_loss(view[cells][:, clusters], masked[cells][:, clusters])
    torch.testing.assert_close(moved, cluster_level_loss(view, masked))


def test_cluster_level_loss_of_equal_views_has_a_finite_gradient() -> None:
    view = rows().requires_grad_()
    cluster_level_loss(view, view.detach(), 5.0).backward()
    assert view.grad is not None
    assert torch.isfinite(view.grad).all()
    assert view.grad.abs().max() > 0
    assert torch.autograd.gradcheck(lambda x: cluster_level_loss(x, rows(seed=2)), rows(seed=1).requires_grad_())


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one shape, got \(20, 4\) and \(19, 4\)"):
        sorted_wasserstein(rows(), rows(19))
    with pytest.raises(ValueError, match=r"one shape, got \(20, 4\) and \(20, 3\)"):
        cluster_level_loss(rows(), rows(k=3))
