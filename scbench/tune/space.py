"""What a search varies: parameters with their ranges, and how values become a method's configuration."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from scbench.errors import ConfigError
from scbench.method import MethodConfig

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["Parameter", "Space", "value_at", "with_values"]

T = TypeVar("T")
_DIGITS = 4  # that a drawn number keeps: a preset should be readable


@dataclass(frozen=True)
class Parameter:
    """One parameter to vary: a range of numbers, or a choice.

    Attributes:
        path: dotted name in the method's configuration (``mask.p_other``).
        source: where the range comes from.
        low, high: ends of a range, both included; whole numbers for a whole parameter. None for a choice.
        log: whether the range is drawn from on a logarithmic scale.
        choices: the values of a choice; empty for a range.
    """

    path: str
    source: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()  # Any: as YAML has them; the method's schema checks them

    def __post_init__(self) -> None:
        """Check that there is something to vary."""
        where = f"search.{self.path}"
        if self.choices:
            if len(self.choices) < 2 or len(set(map(repr, self.choices))) < len(self.choices):
                raise ConfigError(f"{where}: choices must be at least two different values, found {self.choices}")
            return
        if self.low is None or self.high is None:
            raise ConfigError(f"{where} has no range; give low and high, or choices")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ConfigError(f"{where}: low must be below high, found {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ConfigError(f"{where}: a logarithmic scale starts above 0, found low={self.low}; add log: false")

    @property
    def is_whole(self) -> bool:
        """Return whether the range is one of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def contains(self, value: object) -> bool:
        """Return whether a value can be drawn."""
        if self.choices:
            return any(value == choice and type(value) is type(choice) for choice in self.choices)
        if isinstance(value, bool) or not isinstance(value, int | float) or self.low is None or self.high is None:
            return False
        return self.low <= value <= self.high and (not self.is_whole or value == int(value))

    def distribution(self) -> BaseDistribution:
        """Return it as Optuna has it."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.choices:
            return CategoricalDistribution(self.choices)
        if self.is_whole:
            return IntDistribution(int(self.low or 0), int(self.high or 0), log=self.log)
        return FloatDistribution(float(self.low or 0), float(self.high or 0), log=self.log)

    def rounded(self, value: Any) -> Any:
        """Return a drawn value with few digits, within the range."""
        if self.choices or self.is_whole or self.low is None or self.high is None:
            return value
        return min(max(float(f"{value:.{_DIGITS}g}"), float(self.low)), float(self.high))

    def shown(self) -> str:
        """Return the range in a few words."""
        if self.choices:
            return " | ".join(map(str, self.choices))
        return f"{self.low:g} to {self.high:g}{' (log)' if self.log else ''}"

    def identity(self) -> dict[str, Any]:
        """Return what makes two ranges the same one."""
        return {"low": self.low, "high": self.high, "log": self.log, "choices": list(self.choices)}


@dataclass(frozen=True)
class Space:
    """The parameters that a search varies.

    Attributes:
        parameters: in the order of the file.
        loss: columns of a run's history whose sum at the end is its loss; empty when the method names none.
        stored_names: names under which studies keep parameters, by the current one, where these differ.
    """

    parameters: tuple[Parameter, ...]
    loss: tuple[str, ...] = ()
    stored_names: Mapping[str, str] = field(default_factory=dict)

    def distributions(self) -> dict[str, BaseDistribution]:
        """Return the parameters as Optuna has them, by the names that studies keep."""
        return self.stored({parameter.path: parameter.distribution() for parameter in self.parameters})

    def stored(self, values: Mapping[str, T]) -> dict[str, T]:
        """Return values by the names that studies keep, instead of the current ones."""
        return {self.stored_names.get(name, name): value for name, value in values.items()}

    def current(self, values: Mapping[str, T]) -> dict[str, T]:
        """Return values by the current names, instead of those that studies keep."""
        names = {stored: name for name, stored in self.stored_names.items()}
        return {names.get(name, name): value for name, value in values.items()}

    def defaults(self, config: MethodConfig) -> dict[str, Any]:
        """Return the values that a configuration has."""
        return {parameter.path: value_at(config, parameter.path) for parameter in self.parameters}

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether every value can be drawn."""
        return all(parameter.contains(values[parameter.path]) for parameter in self.parameters)

    def rounded(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return drawn values with few digits."""
        return {parameter.path: parameter.rounded(values[parameter.path]) for parameter in self.parameters}


def value_at(config: object, path: str) -> Any:
    """Return the value of a dotted name in nested dataclasses."""
    for name in path.split("."):
        config = getattr(config, name)
    return config


def with_values(config: MethodConfig, values: Mapping[str, Any]) -> MethodConfig:
    """Return a configuration with other values, by dotted name; its own checks are made again.

    Raises:
        ConfigError: when the configuration does not allow the values together.
    """
    changed: MethodConfig = _replaced(config, [(path.split("."), value) for path, value in values.items()])
    return changed


def _replaced(node: Any, values: Sequence[tuple[list[str], Any]]) -> Any:
    """Return a dataclass with new values below it; all of one node at once, so that its checks see them together."""
    direct = {path[0]: value for path, value in values if len(path) == 1}
    for name in dict.fromkeys(path[0] for path, _ in values if len(path) > 1):
        below = [(path[1:], value) for path, value in values if path[0] == name and len(path) > 1]
        direct[name] = _replaced(getattr(node, name), below)
    return dataclasses.replace(node, **direct)
