"""Noisy views: oracles, how many genes are touched, and the law of the noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from scbench.nn.augment import noise_on_some_genes, unit_interval_noise

ORACLE = Path(__file__).parents[1] / "oracles" / "cicl" / "augmentation.npz"


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_noise_on_some_genes_has_the_pattern_of_the_oracle() -> None:
    """Draws differ, so the oracle fixes what is done with them: as many genes of each cell, the others untouched."""
    with np.load(ORACLE) as o:
        x, expected, order = (torch.from_numpy(o[name]) for name in ("x", "official_out", "official_order"))
    found = noise_on_some_genes(x, 0.5, 0.8, generator())
    touched_there = torch.zeros(x.shape, dtype=torch.bool).scatter_(1, order, True)
    torch.testing.assert_close(expected[~touched_there], x[~touched_there], rtol=0, atol=0)
    assert ((found != x).sum(dim=1) == order.shape[1]).all()
    assert ((expected != x).sum(dim=1) == order.shape[1]).all()


@pytest.mark.parametrize(
    ("n_genes", "fraction", "n_touched"), [(500, 0.8, 400), (7, 0.5, 3), (10, 0.29, 2), (5, 0.0, 0), (5, 1.0, 5)]
)
def test_exactly_the_floor_of_the_share_of_genes_is_touched(n_genes: int, fraction: float, n_touched: int) -> None:
    x = torch.zeros(200, n_genes)
    found = noise_on_some_genes(x, 1.0, fraction, generator())
    assert ((found != 0).sum(dim=1) == n_touched).all()
    assert (x == 0).all()
    if 0 < n_touched < n_genes:
        share_by_gene = (found != 0).double().mean(dim=0)
        assert share_by_gene == pytest.approx(torch.full((n_genes,), n_touched / n_genes, dtype=torch.float64), abs=0.2)


def test_noise_has_the_given_standard_deviation_around_the_values() -> None:
    x = torch.full((500, 200), 3.0)
    added = (noise_on_some_genes(x, 0.5, 1.0, generator()) - x).double()
    assert float(added.mean()) == pytest.approx(0, abs=0.01)
    assert float(added.std()) == pytest.approx(0.5, rel=0.01)


def test_no_noise_gives_a_copy() -> None:
    x = torch.randn(4, 6, generator=generator())
    found = noise_on_some_genes(x, 0.0, 0.8, generator())
    assert torch.equal(found, x)
    assert found.data_ptr() != x.data_ptr()


def test_unit_interval_noise_is_that_of_the_oracle() -> None:
    with np.load(ORACLE) as o:
        x, raw, mapped, expected = (
            torch.from_numpy(o[name]) for name in ("x", "minmax_noise_raw", "minmax_noise_mapped", "minmax_out")
        )
    draws = torch.randn(x.shape, generator=generator(), dtype=x.dtype)
    found = unit_interval_noise(x, generator())
    low, high = draws.min(), draws.max()
    torch.testing.assert_close(found, x + (draws - low) / (high - low), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close((raw - raw.min()) / (raw.max() - raw.min()), mapped, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(x + mapped, expected, rtol=1e-12, atol=1e-12)


def test_unit_interval_noise_fills_the_interval_and_nothing_else() -> None:
    x = torch.full((30, 20), -2.0, dtype=torch.float64)
    added = unit_interval_noise(x, generator()) - x
    assert float(added.min()) == 0
    assert float(added.max()) == pytest.approx(1)
    assert (x == -2).all()


def test_one_value_gets_noise_of_zero() -> None:
    assert unit_interval_noise(torch.ones(1, 1), generator()).tolist() == [[1.0]]


@pytest.mark.parametrize("draw", [lambda x, g: noise_on_some_genes(x, 1.0, 0.5, g), unit_interval_noise])
def test_the_generator_decides(draw) -> None:
    x = torch.zeros(5, 8)
    assert torch.equal(draw(x, generator(1)), draw(x, generator(1)))
    assert not torch.equal(draw(x, generator(1)), draw(x, generator(2)))


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="std must be at least 0, got -1"):
        noise_on_some_genes(torch.zeros(2, 2), -1, 0.5, generator())
    with pytest.raises(ValueError, match=r"fraction must be in \[0, 1\], got 1.5"):
        noise_on_some_genes(torch.zeros(2, 2), 1, 1.5, generator())
