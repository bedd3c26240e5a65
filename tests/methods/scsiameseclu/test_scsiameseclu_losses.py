from pathlib import Path

import numpy as np
import pytest
import torch
from scbench_methods.scsiameseclu.losses import (
    cross_view_correlation,
    group_means,
    program_clustering,
    program_latent_level,
    program_propagation,
    program_propagation_slopes,
    propagation,
    propagation_slopes,
)
from torch.nn.functional import cosine_similarity

from scbench.nn.assignment import kl

ORACLES = Path(__file__).parents[2] / "oracles/scsiameseclu"


def oracle(name: str) -> dict[str, torch.Tensor]:
    with np.load(ORACLES / f"{name}.npz") as file:
        return {key: torch.tensor(value) for key, value in file.items()}


def views(n: int = 500, width: int = 20, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    gen = torch.Generator().manual_seed(0)
    return [torch.randn(n, width, generator=gen, dtype=dtype).requires_grad_() for _ in range(2)]


def dense_correlation(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    c = cosine_similarity(first[:, None], second[None], dim=2)
    off = ~torch.eye(len(c), dtype=torch.bool)
    return (c.diagonal() - 1).square().mean() + c[off].square().mean()


def test_cell_level_gives_the_recorded_value() -> None:
    o = oracle("cross_correlation")
    torch.testing.assert_close(cross_view_correlation(o["Z1"], o["Z2"]), o["cell_loss"], rtol=1e-4, atol=0)


def test_grams_give_the_dense_value_and_gradient() -> None:
    mine, theirs = views(), views()
    value, expected = cross_view_correlation(*mine), dense_correlation(*theirs)
    torch.testing.assert_close(value, expected, rtol=1e-5, atol=0)
    value.backward()
    expected.backward()
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-5, atol=1e-10)


def test_equal_orthogonal_rows_cost_nothing() -> None:
    eye = torch.eye(6)
    assert cross_view_correlation(eye, 3 * eye).item() == pytest.approx(0, abs=1e-12)
    assert cross_view_correlation(eye, -eye).item() == pytest.approx(4)


def test_a_single_row_has_no_other_pairs() -> None:
    assert cross_view_correlation(torch.tensor([[1.0, 0]]), torch.tensor([[0.0, 1]])).item() == pytest.approx(1)


def test_cell_level_does_not_depend_on_the_order_of_cells() -> None:
    first, second = views(50)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(
        cross_view_correlation(first[order], second[order]), cross_view_correlation(first, second)
    )


@pytest.mark.parametrize("k", [7, 11])
def test_latent_level_gives_the_recorded_values(k: int) -> None:
    o = oracle("cross_correlation")
    size = 60 // k
    n_groups = int(o[f"n_groups_K{k}"])
    membership = (torch.arange(60) // size).clamp(max=n_groups - 1)
    means = [group_means(o[name], membership) for name in ("Z1", "Z2")]
    for mean, name in zip(means, ("readout1", "readout2"), strict=True):
        torch.testing.assert_close(mean.reshape(1, -1), o[f"{name}_K{k}"], rtol=1e-4, atol=1e-5)
    corrected = cross_view_correlation(means[0].T, means[1].T)
    torch.testing.assert_close(corrected, o[f"latent_loss_corrected_K{k}"], rtol=1e-4, atol=0)
    official = program_latent_level(o["Z1"], o["Z2"], k)
    torch.testing.assert_close(official, o[f"latent_loss_official_K{k}"], rtol=1e-4, atol=0)


def test_latent_level_trains_by_default_and_not_in_the_program() -> None:
    first, second = views(60)
    membership = torch.arange(60) % 7
    cross_view_correlation(*(group_means(z, membership).T for z in (first, second))).backward()
    assert first.grad is not None
    assert first.grad.abs().max() > 1e-4
    assert not program_latent_level(first, second, 7).requires_grad


def test_groups_without_cells_are_skipped() -> None:
    codes = torch.tensor([[1.0], [3.0], [5.0]])
    torch.testing.assert_close(group_means(codes, torch.tensor([2, 2, 0])), torch.tensor([[5.0], [2.0]]))


def test_propagation_gives_the_recorded_values() -> None:
    o = oracle("propagation_regulariser")
    pairs = [(o[f"AZ_{i}_{j}"], o[f"Z_{i}_{j}"]) for i in (0, 1) for j in (0, 1, 2)]
    true = torch.stack([propagation(*pair) for pair in pairs]).sum()
    official = torch.stack([program_propagation(*pair) for pair in pairs]).sum()
    torch.testing.assert_close(true, o["loss_true_jsd"], rtol=1e-4, atol=0)
    torch.testing.assert_close(official, o["loss_official"], rtol=1e-4, atol=0)


def test_propagation_is_the_divergence_with_its_gradient() -> None:
    mine, theirs = views(30, 8), views(30, 8)
    value = propagation(*mine)
    p, q = (view.softmax(dim=1) for view in theirs)
    m = (p + q) / 2
    expected = ((p * (p / m).log()).sum(dim=1) + (q * (q / m).log()).sum(dim=1)).mean() / 2
    (5 * value).backward()
    (5 * expected).backward()
    torch.testing.assert_close(value, expected)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_propagation_is_symmetric_bounded_and_zero_for_equals() -> None:
    first, second = (view.detach() for view in views(30, 8))
    torch.testing.assert_close(propagation(first, second), propagation(second, first))
    assert propagation(first, first).item() == pytest.approx(0, abs=1e-12)
    far = torch.tensor([[200.0, 0.0]])
    assert propagation(far, far.flip(1)).item() == pytest.approx(np.log(2), rel=1e-6)


def test_clustering_losses_give_the_recorded_values() -> None:
    o = oracle("sinkhorn")
    target, soft = o["target"].float(), o["q"]
    torch.testing.assert_close(kl(target, soft), o["kl_true_log_input"], rtol=1e-4, atol=0)
    torch.testing.assert_close(program_clustering(target, soft), o["kl_official_prob_input"], rtol=1e-4, atol=0)


@pytest.mark.parametrize("entries", [1, 20, 2**15])
def test_slopes_of_the_regularisers_are_those_of_their_values(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value written out, differentiated; rows one by one, a few, and all at once."""
    monkeypatch.setattr("scbench_methods.scsiameseclu.losses._ENTRIES_AT_ONCE", entries)
    generator = torch.Generator().manual_seed(0)
    pair = [torch.randn(11, 7, dtype=torch.float64, generator=generator).requires_grad_() for _ in range(2)]
    p, q = (part.softmax(dim=1) for part in pair)
    middle = (p + q) / 2
    of_p, of_q = ((r * (r / middle).log()).sum(dim=1).mean() for r in (p, q))
    for found, expected in (
        (propagation_slopes(*(part.detach() for part in pair)), (of_p + of_q) / 2),
        (program_propagation_slopes(*(part.detach() for part in pair)), of_p),
    ):
        torch.testing.assert_close(found[0], expected)
        slopes = torch.autograd.grad(expected, pair, retain_graph=True)
        for a, b in zip(found[1], slopes, strict=True):
            torch.testing.assert_close(a, b)
