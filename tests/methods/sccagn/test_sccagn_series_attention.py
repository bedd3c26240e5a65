from __future__ import annotations

import math

import pytest
import torch
from scbench_methods.sccagn import series_attention
from scbench_methods.sccagn.cross_attention import CrossAttention, Reach, attend
from scbench_methods.sccagn.gnn import CellGraph
from scbench_methods.sccagn.series_attention import attend_by_series, degree_for


def parts(width: int, size: float, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    gen = torch.Generator().manual_seed(width)
    shapes = [(3, n, width) for n in (40, 60, 60)]
    query, key, value = (torch.randn(shape, generator=gen, dtype=dtype) for shape in shapes)
    return [part.requires_grad_() for part in (query * size, key + 5, value)]


def explicit(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return (query @ key.mT / query.shape[-1] ** 0.5).softmax(dim=-1) @ value


@pytest.mark.parametrize("size", [0.0, 0.01, 0.3, 0.6])
@pytest.mark.parametrize("width", [1, 2])
def test_the_series_is_the_softmax_with_its_gradients(width: int, size: float) -> None:
    given = parts(width, size)
    found, expected = attend_by_series(*given), explicit(*given)
    assert found is not None
    torch.testing.assert_close(found, expected, rtol=0, atol=3e-7 * float(given[2].detach().abs().max()))
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(1), dtype=found.dtype)
    slopes = [torch.autograd.grad((result * weights).sum(), given) for result in (found, expected)]
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_in_float32_it_is_as_near_as_the_kernel() -> None:
    given = parts(2, 0.3, torch.float32)
    exact = explicit(*(part.double() for part in given))
    found = attend_by_series(*given)
    assert found is not None
    assert found.dtype == torch.float32
    assert (found - exact).abs().max() <= 2 * (attend(*given) - exact).abs().max() + 1e-7


def test_one_key_gives_its_value() -> None:
    query, key, value = parts(2, 0.5)
    found = attend_by_series(query, key[:, :1], value[:, :1])
    torch.testing.assert_close(found, value[:, :1].expand(-1, 40, -1), rtol=1e-12, atol=0)


def test_wide_heads_and_large_scores_are_refused() -> None:
    assert attend_by_series(*parts(4, 0.01)) is None
    assert attend_by_series(*parts(2, 30.0)) is None
    broken = parts(2, 0.1)
    assert attend_by_series(broken[0] * torch.nan, *broken[1:]) is None


@pytest.mark.parametrize("sizes", [[0.0], [1e-3, 0.2], [0.5, 0.5], [2.0, 1.0], [4.0], [0.0, 3.0]])
def test_the_degree_is_the_least_that_keeps_the_promise(sizes: list[float]) -> None:
    degree = degree_for([sizes])
    assert degree is not None

    def missed(degree: int) -> float:
        """The largest error over products of arguments in [-R, R], which is at the largest ones."""
        series = [sum(size**p / math.factorial(p) for p in range(degree + 1)) for size in sizes]
        return math.exp(sum(sizes)) - math.prod(series)

    assert missed(degree) <= 1.01e-7
    # The bound is not far above the error itself, so one degree less would break the promise tenfold or nearly so.
    assert degree == 1 or missed(degree - 1) > 3e-8
    assert degree_for([sizes, [0.0] * len(sizes)]) == degree


@pytest.mark.parametrize("largest", [[[50.0]], [[math.nan]], [[math.inf, 0.1]], [[0.1], [50.0]]])
def test_there_is_no_degree_for_large_scores(largest: list[list[float]]) -> None:
    assert degree_for(largest) is None


def test_no_score_is_made() -> None:
    gen = torch.Generator().manual_seed(0)
    query, key, value = (torch.rand(1, 20_000, 2, generator=gen) for _ in range(3))
    found = attend_by_series(query, key, value)  # 1.6 GB of scores
    assert found is not None
    assert torch.isfinite(found).all()


def cross(size: float, reach: Reach) -> torch.Tensor:
    torch.manual_seed(0)
    attention = CrossAttention(8, 4)
    gen = torch.Generator().manual_seed(0)
    queries, values = (size * torch.randn(50, 8, generator=gen) for _ in range(2))
    return attention(queries, values, reach, CellGraph.of_strangers(50, "sym"))


def test_a_pass_with_large_scores_falls_back_to_landmarks_and_says_so() -> None:
    chosen = torch.arange(0, 50, 3)
    reach = Reach(chosen, by_series=True)
    torch.testing.assert_close(cross(0.5, reach), cross(0.5, Reach()), rtol=1e-5, atol=1e-6)
    assert reach.name == "exact, by series"
    torch.testing.assert_close(cross(50.0, reach), cross(50.0, Reach(chosen)))
    assert reach.name == "exact, by series; 17 random cells in 1 of 2 passes"
    only = Reach(chosen, by_series=True)
    cross(50.0, only)
    assert only.name == Reach(chosen).name == "17 random cells"


def test_only_inputs_are_kept_for_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    one_head = series_attention._one_head
    monkeypatch.setattr(series_attention, "_one_head", lambda *given: calls.append(given[0]) or one_head(*given))
    given = parts(2, 0.1)
    found = attend_by_series(*given)
    assert found is not None
    found.sum().backward()
    assert len(calls) == 6  # of three heads, there and back
