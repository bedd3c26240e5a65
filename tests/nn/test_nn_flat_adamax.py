from __future__ import annotations

import pytest
import torch

from scbench.nn.flat_adamax import FlatAdamax


def trained_by_torch(start: torch.Tensor, slopes: list[torch.Tensor], lrs: list[float]) -> torch.Tensor:
    parameter = torch.nn.Parameter(start.clone())
    optimiser = torch.optim.Adamax([parameter], lr=1.0)
    for slope, lr in zip(slopes, lrs, strict=True):
        optimiser.param_groups[0]["lr"] = lr
        parameter.grad = slope.clone()
        optimiser.step()
    return parameter.detach()


def trained(start: torch.Tensor, slopes: list[torch.Tensor], lrs: list[float], *, by_torch: bool) -> torch.Tensor:
    values, filled = start.clone(), torch.zeros_like(start)
    optimiser = FlatAdamax(values, filled)
    if by_torch:
        optimiser._step = optimiser._by_torch
    for slope, lr in zip(slopes, lrs, strict=True):
        filled.copy_(slope)
        optimiser.step(lr)
    return values


def case(dtype: torch.dtype) -> tuple[torch.Tensor, list[torch.Tensor], list[float]]:
    gen = torch.Generator().manual_seed(0)
    sizes = 10.0 ** torch.randint(-9, 3, (501,), generator=gen)  # from below eps to large
    slopes = [torch.randn(501, generator=gen, dtype=dtype) * sizes for _ in range(12)]
    slopes[3].zero_()
    return torch.randn(501, generator=gen, dtype=dtype), [s.to(dtype) for s in slopes], [1e-2] * 6 + [1e-3] * 6


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-6)])
def test_one_pass_does_what_torch_does(dtype: torch.dtype, tolerance: float) -> None:
    start, slopes, lrs = case(dtype)
    expected = trained_by_torch(start, slopes, lrs)
    assert (expected - start).abs().min() > 1e-6
    found = trained(start, slopes, lrs, by_torch=False)
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_other_devices_path_gives_the_same_digits_as_torch(dtype: torch.dtype) -> None:
    start, slopes, lrs = case(dtype)
    assert torch.equal(trained(start, slopes, lrs, by_torch=True), trained_by_torch(start, slopes, lrs))


def test_the_first_step_is_one_learning_rate_whatever_the_slope() -> None:
    values, slopes = torch.zeros(3), torch.tensor([1e-3, -5.0, 0.0])
    FlatAdamax(values, slopes).step(0.1)
    torch.testing.assert_close(values, torch.tensor([-0.1, 0.1, 0.0]), rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("values", "slopes"),
    [(torch.zeros(4), torch.zeros(5)), (torch.zeros(2, 2), torch.zeros(2, 2)), (torch.zeros(8)[::2], torch.zeros(4))],
)
def test_other_shapes_are_refused(values: torch.Tensor, slopes: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="must be contiguous vectors of one length, got shapes"):
        FlatAdamax(values, slopes)


@pytest.mark.parametrize("by_torch", [True, False])
def test_part_of_the_parameters_goes_on_as_before(by_torch: bool) -> None:
    start, slopes, lrs = case(torch.float64)
    whole = trained(start, slopes, lrs, by_torch=by_torch)
    places = slice(100, 300)
    values, filled = start.clone(), torch.zeros_like(start)
    optimiser = FlatAdamax(values, filled)
    for slope, lr in zip(slopes[:6], lrs[:6], strict=True):
        filled.copy_(slope)
        optimiser.step(lr)
    some, its = values[places].clone(), torch.zeros(200, dtype=torch.float64)
    part = optimiser.goes_on_with(some, its, places)
    if by_torch:
        part._step = part._by_torch
    for slope, lr in zip(slopes[6:], lrs[6:], strict=True):
        its.copy_(slope[places])
        part.step(lr)
    torch.testing.assert_close(some, whole[places], rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match="values must be as long as places, got 200 and 5"):
        optimiser.goes_on_with(some, its, slice(0, 5))
