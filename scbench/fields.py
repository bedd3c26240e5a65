"""Declarations of a method's parameters: range, default and meaning in one place, beside the name and the type.

A field of a method's configuration is declared by its range, called with the default and the meaning::

    margin: float = positive(1.0, "distance that two clusters are pushed apart to")
    saliency: FromVariant[str] = choice("log_norm", "counts")("log_norm", "what it is summed from", paper_code="counts")

``MethodConfig`` checks every declared field and ``--help`` shows it. A field that is not declared is left alone. Names
that several methods have are in ``scbench.vocabulary``. This module is read at start-up: it imports no array library.
"""

from __future__ import annotations

import dataclasses
import numbers
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Optional, TypeVar

from scbench.errors import ConfigError
from scbench.names import check_choice

__all__ = [
    "FromVariant",
    "Range",
    "at_least",
    "below_one",
    "check_fields",
    "choice",
    "fill_from_variant",
    "kinds_of",
    "not_negative",
    "positive",
    "share",
    "switch",
    "words_of_kinds",
]

_T = TypeVar("_T")
if TYPE_CHECKING:
    FromVariant = Annotated[_T, "filled in when a configuration is made, so code that reads it never sees None"]
else:
    FromVariant = Optional  # the command line may leave it out

_KINDS: Mapping[type, tuple[str, Callable[[object], bool]]] = {
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("a whole number", lambda value: isinstance(value, numbers.Integral) and not isinstance(value, bool)),
    float: ("a number", lambda value: isinstance(value, numbers.Real) and not isinstance(value, bool)),
    str: ("a text", lambda value: isinstance(value, str)),
    type(None): ("null", lambda value: value is None),
}


@dataclass(frozen=True)
class Range:
    """The values that a parameter may have; called, it declares a field.

    Attributes:
        words: what comes after "must be" in a message.
        holds: tells of a value of the right type (and not None) whether it is allowed.
        choices: the values of a choice; empty for others.
    """

    words: str
    holds: Callable[[Any], bool]  # Any: of the field's type
    choices: tuple[str, ...] = ()

    def __call__(
        self,
        default: Any,
        meaning: str,
        *,
        stored_as: str | None = None,
        implies: Mapping[str, Any] | None = None,
        is_later: bool = False,
        earlier: Any = None,
        up_to: str | int | None = None,
        **variants: Any,
    ) -> Any:
        """Return a field of a dataclass.

        Args:
            default: the value where none is given.
            meaning: for ``--help``.
            stored_as: the (dotted) name under which run keys have it and which records, files and commands of earlier
                versions use; None when the name never changed.
            implies: what else holds once it is given; see ``scbench.store.non_defaults``.
            is_later: runs were stored before there was this parameter. At its default it changes nothing, so keys of
                runs leave it out there, and records without it have the default.
            earlier: without ``up_to``: what runs had that were stored before there was this parameter, where that is
                not the default. With ``up_to``: the default of earlier versions.
            up_to: up to how many cells this one makes no difference, or the name of the field that says it. Keys of
                runs on such sets have ``earlier`` in place of the default, so runs of earlier versions count.
            variants: other defaults, by the name of the variant that has them; the type is then ``FromVariant[...]``.
        """
        given = {"range": self, "meaning": meaning, "stored_as": stored_as, "implies": implies}
        metadata = {name: value for name, value in given.items() if value is not None}
        if up_to is not None:
            metadata |= {"default_before": earlier, "up_to": up_to}
        elif is_later or earlier is not None:
            metadata["earlier"] = default if earlier is None else earlier
        if variants:
            metadata["variants"] = {"default": default, **variants}
        return dataclasses.field(default=None if variants else default, metadata=metadata)


def at_least(least: int) -> Range:
    """Return the range of numbers from ``least`` on."""
    return Range(f"at least {least}", lambda value: least <= value < float("inf"))


def choice(*choices: str) -> Range:
    """Return the range of a choice."""
    return Range(f"one of {', '.join(choices)}", lambda value: value in choices, choices)


positive = Range("a positive number", lambda value: 0 < value < float("inf"))
not_negative = Range("a number of at least 0", lambda value: 0 <= value < float("inf"))
share = Range("between 0 and 1", lambda value: 0 <= value <= 1)
below_one = Range("in [0, 1)", lambda value: 0 <= value < 1)
switch = Range("true or false", lambda value: True)


def fill_from_variant(config: Any) -> None:
    """Give the fields of a configuration that follow from ``config.variant`` their values, where none was given."""
    for field in dataclasses.fields(config):
        variants = field.metadata.get("variants")
        if variants is not None and getattr(config, field.name) is None:
            object.__setattr__(config, field.name, variants.get(config.variant, variants["default"]))


def check_fields(config: Any, where: str = "method") -> None:
    """Check type and range of every declared field of a dataclass.

    Args:
        config: an instance.
        where: what stands before a field's name in messages.

    Raises:
        ConfigError: for a value of another type (true is no number), one out of range, NaN and infinity.
    """
    kinds = kinds_of(config.__class__)
    for field in dataclasses.fields(config):
        value, allowed = getattr(config, field.name), field.metadata.get("range")
        if allowed is None or (value is None and type(None) in kinds[field.name]):
            continue
        if not any(_KINDS[kind][1](value) for kind in kinds[field.name]):
            raise ConfigError(f"{where}.{field.name} must be {words_of_kinds(kinds[field.name])}, got {value!r}")
        if allowed.choices:
            check_choice(f"value of {where}.{field.name}", value, allowed.choices)
        if not allowed.holds(value):
            raise ConfigError(f"{where}.{field.name} must be {allowed.words}, got {value}")


def words_of_kinds(kinds: tuple[type, ...]) -> str:
    """Return plain types in words."""
    return " or ".join(_KINDS[kind][0] if kind in _KINDS else str(kind) for kind in kinds)


@cache
def kinds_of(schema: type) -> dict[str, tuple[type, ...]]:
    """Return the plain types that each field of a dataclass may have, ``NoneType`` among them where it may be null."""
    hints = typing.get_type_hints(schema)
    return {
        field.name: typing.get_args(hints[field.name]) or (hints[field.name],) for field in dataclasses.fields(schema)
    }
