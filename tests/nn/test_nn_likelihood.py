from math import lgamma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import nbinom

from scbench.nn.likelihood import CountHeads, nb_nll, zinb_nll

ORACLES = Path(__file__).parents[1] / "oracles"

# counts, mean, disp, pi, NB, ZINB
CASES = [
    (0, 1, 1, 0, 0.693147, 0.693147),
    (0, 2, 1.5, 0.1, 1.270947, 1.042678),
    (3, 2, 1.5, 0.1, 2.167035, 2.272395),
    (10, 0.5, 0.2, 0.3, 6.989485, 7.346160),
    (1, 1e-5, 1e-4, 0.5, 11.608245, 12.301392),
    (250, 100, 5, 0.01, 8.472601, 8.482652),
]


def tensors(path: str, dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
    with np.load(ORACLES / path) as file:
        return {name: torch.from_numpy(file[name]).to(dtype) for name in file.files}


def draws(seed: int = 0, shape: tuple[int, int] = (7, 5)) -> tuple[torch.Tensor, ...]:
    gen = torch.Generator().manual_seed(seed)
    mean = torch.rand(shape, generator=gen, dtype=torch.float64) * 5 + 0.1
    disp = torch.rand(shape, generator=gen, dtype=torch.float64) * 3 + 0.1
    pi = torch.rand(shape, generator=gen, dtype=torch.float64) * 0.8 + 0.1
    counts = torch.poisson(mean.float(), generator=gen).double()
    return counts, mean, disp, pi


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", CASES)
def test_values_done_by_hand(case: tuple[float, ...], dtype: torch.dtype) -> None:
    x, mean, disp, pi, nb, zinb = (torch.tensor([[v]], dtype=dtype) for v in case)
    rtol = 1e-4 if dtype == torch.float32 else 1e-6
    torch.testing.assert_close(nb_nll(x, mean, disp), nb.squeeze(), rtol=rtol, atol=1e-6)
    torch.testing.assert_close(zinb_nll(x, mean, disp, pi), zinb.squeeze(), rtol=rtol, atol=1e-6)


def test_nb_is_that_of_scipy() -> None:
    counts, mean, disp, _ = draws()
    expected = -nbinom.logpmf(counts.numpy(), disp.numpy(), (disp / (disp + mean)).numpy())
    np.testing.assert_allclose(nb_nll(counts, mean, disp, reduction="none"), expected, rtol=1e-7)


def test_zinb_is_that_of_a_loop() -> None:
    counts, mean, disp, pi = draws()
    found = zinb_nll(counts, mean, disp, pi, reduction="none")
    for index in np.ndindex(*counts.shape):
        x, m, t, p = (float(v[index]) for v in (counts, mean, disp, pi))
        log_nb = lgamma(x + t) - lgamma(t) - lgamma(x + 1) + t * np.log(t / (t + m)) + x * np.log(m / (t + m))
        chance = (1 - p) * np.exp(log_nb) + (p if x == 0 else 0)
        assert float(found[index]) == pytest.approx(-np.log(chance), rel=1e-7)


def test_probabilities_sum_to_one() -> None:
    x = torch.arange(2000, dtype=torch.float64)[None]
    mean, disp, pi = (torch.full_like(x, v) for v in (4.0, 0.7, 0.3))
    assert float((-nb_nll(x, mean, disp, reduction="none")).exp().sum()) == pytest.approx(1, abs=1e-6)
    assert float((-zinb_nll(x, mean, disp, pi, reduction="none")).exp().sum()) == pytest.approx(1, abs=1e-6)


def test_reductions_and_ridge() -> None:
    counts, mean, disp, pi = draws()
    each = zinb_nll(counts, mean, disp, pi, reduction="none")
    torch.testing.assert_close(zinb_nll(counts, mean, disp, pi, reduction="sum"), each.sum())
    torch.testing.assert_close(zinb_nll(counts, mean, disp, pi), each.mean())
    torch.testing.assert_close(zinb_nll(counts, mean, disp, pi, ridge=0.5), each.mean() + 0.5 * pi.square().mean())
    gene_disp = disp[0]
    torch.testing.assert_close(nb_nll(counts, mean, gene_disp), nb_nll(counts, mean, gene_disp.expand(7, -1)))


def test_gradients_are_those_of_finite_differences() -> None:
    counts, *rest = draws()
    mean, disp, pi = (v.requires_grad_() for v in rest)
    assert torch.autograd.gradcheck(lambda m, d: nb_nll(counts, m, d), (mean, disp))
    assert torch.autograd.gradcheck(lambda m, d, p: zinb_nll(counts, m, d, p, ridge=0.3), (mean, disp, pi))


@pytest.mark.parametrize("mean", [1e-5, 1e6])
@pytest.mark.parametrize("disp", [1e-4, 1e4])
@pytest.mark.parametrize("pi", [0.0, 1e-7, 1.0])
def test_extremes_stay_finite(mean: float, disp: float, pi: float) -> None:
    counts = torch.tensor([[0.0, -3.0, -1.0, 1.0, 1e5]])
    parts = [torch.full_like(counts, v).requires_grad_() for v in (mean, disp, pi)]
    loss = zinb_nll(counts, *parts)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(part.grad).all() for part in parts if part.grad is not None)


@pytest.mark.parametrize("draw", [0, 1])
def test_oracle_of_scsamac(draw: int) -> None:
    nb, zinb = tensors(f"scsamac/nb_{draw}.npz"), tensors(f"scsamac/zinb_{draw}.npz")
    for oracle in (nb, zinb):
        parts = [oracle[name].clone().requires_grad_() for name in ("mean", "disp", "pi") if name in oracle]
        loss_of = zinb_nll if "pi" in oracle else nb_nll
        loss = loss_of(oracle["counts"], parts[0] * oracle["size_factors"][:, None], *parts[1:])
        torch.testing.assert_close(loss, oracle["loss"], rtol=1e-6, atol=0)
        loss.backward()
        for name, part in zip(("mean", "disp", "pi"), parts, strict=False):
            torch.testing.assert_close(part.grad, oracle[f"grad_{name}"], rtol=1e-4, atol=1e-9)
    mean = zinb["mean"] * zinb["size_factors"][:, None]
    ridged = zinb_nll(zinb["counts"], mean, zinb["disp"], zinb["pi"], ridge=0.7)
    torch.testing.assert_close(ridged, zinb["loss_ridge_0.7"], rtol=1e-6, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_oracle_of_scsiameseclu(dtype: torch.dtype) -> None:
    o = tensors("scsiameseclu/zinb.npz", dtype)
    rest = (o["mean"] * o["size_factors"][:, None], o["disp"], o["pi"])
    for name, found in {
        "loss_counts": zinb_nll(o["X_counts"], *rest),
        "loss_real_official": zinb_nll(o["X_real"], *rest),
        "loss_counts_ridge0p5": zinb_nll(o["X_counts"], *rest, ridge=0.5),
    }.items():
        torch.testing.assert_close(found, o[name], rtol=1e-4, atol=0)


def test_heads_give_the_parameters_of_the_scsamac_oracle() -> None:
    oracle = tensors("scsamac/autoencoder_0.npz")
    heads = CountHeads(24, 30, kind="nb").double()
    heads.load_state_dict(
        {f"{name}.{part}": oracle[f"{name}_{part[0]}"] for name in ("mean", "disp") for part in ("weight", "bias")}
    )
    found = heads(oracle["decoded"])
    torch.testing.assert_close(found.mean, oracle["mean"], rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(found.disp, oracle["disp"], rtol=1e-6, atol=1e-9)
    assert found.pi is None


@pytest.mark.parametrize(
    ("kind", "disp_shape", "has_pi"), [("zinb", (4, 6), True), ("nb", (4, 6), False), ("nb_const", (6,), False)]
)
def test_heads_give_shapes_and_ranges(kind: Any, disp_shape: tuple[int, ...], has_pi: bool) -> None:
    torch.manual_seed(0)
    heads = CountHeads(3, 6, kind)
    hidden = torch.randn(4, 3) * 1e4
    plain, scaled = heads(hidden), heads(hidden, torch.tensor([1.0, 2.0, 0.5, 3.0]))
    torch.testing.assert_close(scaled.mean, plain.mean * torch.tensor([[1.0], [2.0], [0.5], [3.0]]))
    assert plain.mean.min() >= 0.99e-5
    assert plain.mean.max() <= 1.01e6
    assert plain.disp.shape == disp_shape
    assert plain.disp.min() >= 1e-4
    assert plain.disp.max() <= 1e4
    assert (plain.pi is not None) is has_pi
    plain.mean.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in heads.parameters() if p.grad is not None)


def test_wrong_choices_are_refused() -> None:
    one = torch.ones(1, 1)
    with pytest.raises(ValueError, match="reduction must be 'mean', 'sum' or 'none', got 'max'"):
        nb_nll(one, one, one, reduction="max")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kind must be 'zinb', 'nb' or 'nb_const', got 'poisson'"):
        CountHeads(2, 2, kind="poisson")  # type: ignore[arg-type]
