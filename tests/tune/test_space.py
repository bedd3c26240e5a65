from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from scbench.errors import ConfigError
from scbench.method import MethodConfig
from scbench.tune.space import Parameter, Space, value_at, with_values


@dataclass(frozen=True)
class Pair:
    low: float = 0.1
    high: float = 0.3

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ConfigError("low is above high")


@dataclass(frozen=True)
class Config(MethodConfig):
    name: str = "m"
    n: int = 3
    pair: Pair = field(default_factory=Pair)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "search.a has no range; give low and high, or choices"),
        ({"low": 1.0}, "search.a has no range"),
        ({"low": 2, "high": 2}, "low must be below high, found 2 and 2"),
        ({"low": 0.0, "high": float("inf")}, "low must be below high, found 0.0 and inf"),
        ({"low": 0.0, "high": 1.0, "log": True}, "a logarithmic scale starts above 0, found low=0.0"),
        ({"choices": ("x",)}, "choices must be at least two different values"),
        ({"choices": ("x", "x")}, "choices must be at least two different values"),
    ],
)
def test_a_range_that_cannot_be_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Parameter("a", "test", **values)


def test_ranges_are_those_of_optuna() -> None:
    assert Parameter("a", "", low=1, high=9, log=True).distribution() == IntDistribution(1, 9, log=True)
    assert Parameter("a", "", low=-1.0, high=9).distribution() == FloatDistribution(-1, 9)
    assert Parameter("a", "", choices=(True, None)).distribution() == CategoricalDistribution((True, None))


@pytest.mark.parametrize(
    ("parameter", "inside", "outside"),
    [
        (Parameter("a", "", low=1, high=9), [1, 9, 4], [0, 10, 2.5, None, "x", True]),
        (Parameter("a", "", low=0.0, high=1.0), [0, 1, 0.5], [-1e-9, 1.1, float("nan"), False]),
        (Parameter("a", "", choices=("x", 1)), ["x", 1], ["y", 2, True, 1.0]),
    ],
)
def test_what_lies_within(parameter: Parameter, inside: list[object], outside: list[object]) -> None:
    assert all(parameter.contains(value) for value in inside)
    assert not any(parameter.contains(value) for value in outside)


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(0, 1))
def test_rounding_stays_within_the_range_and_near(one: float, other: float, share: float) -> None:
    low, high = sorted((one, other))
    if low == high:
        return
    parameter = Parameter("a", "", low=low, high=high)
    drawn = min(max(low + share * (high - low), low), high)
    kept = parameter.rounded(drawn)
    assert low <= kept <= high
    assert kept == pytest.approx(drawn, rel=5e-4)


def test_whole_numbers_and_choices_are_not_rounded() -> None:
    assert Parameter("a", "", low=1, high=100_000).rounded(12_345) == 12_345
    assert Parameter("a", "", choices=("x", 0.123456)).rounded(0.123456) == 0.123456


def test_values_at_any_depth_are_replaced_together() -> None:
    changed = with_values(
        Config(), {"n": 5, "pair.low": 0.5, "pair.high": 0.9}
    )  # one by one, the first would be refused
    assert changed == Config(n=5, pair=Pair(0.5, 0.9))
    assert value_at(changed, "pair.high") == 0.9


def test_the_configuration_checks_its_values() -> None:
    with pytest.raises(ConfigError, match="low is above high"):
        with_values(Config(), {"pair.low": 0.4})


def test_a_space_tells_defaults_from_others() -> None:
    space = Space((Parameter("n", "", low=1, high=4), Parameter("pair.low", "", low=0.0, high=0.2)))
    assert space.defaults(Config()) == {"n": 3, "pair.low": 0.1}
    assert space.holds(space.defaults(Config()))
    assert not space.holds({"n": 5, "pair.low": 0.1})
    assert space.rounded({"pair.low": 0.123456, "n": 2}) == {"n": 2, "pair.low": 0.1235}
    assert [p.shown() for p in space.parameters] == ["1 to 4", "0 to 0.2"]
    assert Parameter("a", "", choices=("x", 1)).shown() == "x | 1"
    assert Parameter("a", "", low=1, high=9, log=True).shown() == "1 to 9 (log)"
