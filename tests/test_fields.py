"""Declared fields: types, ranges and what follows from a variant are checked where a configuration is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from scbench.errors import ConfigError
from scbench.fields import FromVariant, at_least, below_one, choice, not_negative, positive, share, switch
from scbench.method import MethodConfig


@dataclass(frozen=True)
class Config(MethodConfig):
    VARIANTS: ClassVar[tuple[str, ...]] = ("default", "short")

    name: str = "m"
    n: int = at_least(2)(3, "a number")
    rate: float = positive(1e-3, "a rate")
    weight: float = not_negative(0.0, "a weight")
    part: float | None = share(None, "a part")
    dropout: float = below_one(0.1, "a share")
    kind: str = choice("one", "other")("one", "a kind")
    is_on: bool = switch(True, "a switch")
    epochs: FromVariant[int] = at_least(0)(100, "epochs", short=3)  # noqa: RUF009
    free: Any = None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 1}, "method.n must be at least 2, got 1"),
        ({"n": True}, "method.n must be a whole number, got True"),
        ({"n": 2.5}, "method.n must be a whole number, got 2.5"),
        ({"n": None}, "method.n must be a whole number, got None"),
        ({"rate": 0.0}, "method.rate must be a positive number, got 0.0"),
        ({"rate": float("nan")}, "method.rate must be a positive number, got nan"),
        ({"rate": float("inf")}, "method.rate must be a positive number, got inf"),
        ({"rate": "1"}, "method.rate must be a number, got '1'"),
        ({"rate": True}, "method.rate must be a number, got True"),
        ({"weight": -1.0}, "method.weight must be a number of at least 0, got -1.0"),
        ({"weight": float("nan")}, "method.weight must be a number of at least 0, got nan"),
        ({"part": 1.5}, "method.part must be between 0 and 1, got 1.5"),
        ({"part": "x"}, "method.part must be a number or null, got 'x'"),
        ({"dropout": 1.0}, "method.dropout must be in [0, 1), got 1.0"),
        ({"kind": "othr"}, "unknown value of method.kind 'othr'. Did you mean 'other'? Known: one, other."),
        ({"is_on": 1}, "method.is_on must be true or false, got 1"),
        ({"epochs": -1}, "method.epochs must be at least 0, got -1"),
        ({"variant": "long"}, "unknown variant of method m 'long'."),
    ],
)
def test_what_is_not_allowed_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config(**given)
    assert str(caught.value).startswith(message)


def test_what_is_allowed_is_taken() -> None:
    config = Config(n=np.int64(2), rate=1, weight=np.float32(0.5), part=1.0, free=object())
    assert (config.n, config.rate, config.weight, config.part) == (2, 1, 0.5, 1.0)
    assert Config(part=0.0).part == 0.0


def test_a_value_follows_from_the_variant_unless_it_is_given() -> None:
    assert (Config().epochs, Config(variant="short").epochs) == (100, 3)
    assert Config(variant="short", epochs=100).epochs == 100
    assert Config(variant="short", epochs=0).epochs == 0
