"""The help page of one method: each parameter with its type, range, default and meaning, as its field declares them."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

from scbench.fields import Range, kinds_of, words_of_kinds
from scbench.method import MethodConfig
from scbench.plugins import find

__all__ = ["ParameterHelp", "method_help", "parameters_of", "plain_value"]

_WIDTH = 110


class ParameterHelp(NamedTuple):
    """What is known of one parameter."""

    path: str
    default: object
    allowed: str  # type and range in words
    meaning: str  # empty where it is not declared
    variants: dict[str, Any]  # other defaults, by variant
    former: str  # earlier name, or empty


def method_help(name: str) -> str:
    """Return the help page of a method.

    Raises:
        ConfigError: when there is none of this name; the nearest is named.
    """
    schema = find(name).config_class()
    lines = [f"method={name}\n"]
    lines.append(_entry("method.variant=default", f"one of {', '.join(schema.VARIANTS)}"))
    for parameter in parameters_of(schema):
        notes = [f"{plain_value(value)} in {variant}" for variant, value in parameter.variants.items()]
        notes += [f"was method.{parameter.former}"] if parameter.former else []
        text = f"{parameter.meaning} [{'; '.join([parameter.allowed, *notes])}]".lstrip()
        lines.append(_entry(f"method.{parameter.path}={plain_value(parameter.default)}", text))
    return "".join(lines)


def parameters_of(schema: type, prefix: str = "") -> Iterator[ParameterHelp]:
    """Yield the parameters of a configuration, those of its groups by dotted name; name and variant are none."""
    kinds = kinds_of(schema)
    for field in dataclasses.fields(schema):
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        if dataclasses.is_dataclass(default):
            yield from parameters_of(type(default), f"{prefix}{field.name}.")
        elif field.name not in _OF_ALL:
            variants = dict(field.metadata.get("variants", {}))
            usual = variants.pop("default", default)
            allowed = _allowed(field.metadata.get("range"), kinds[field.name], is_null=usual is None)
            meaning, former = field.metadata.get("meaning", ""), field.metadata.get("stored_as", "")
            yield ParameterHelp(f"{prefix}{field.name}", usual, allowed, meaning, variants, former)


def plain_value(value: object) -> str:
    """Return a default as one would type it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in ("???", dataclasses.MISSING) else str(value)


_OF_ALL = tuple(field.name for field in dataclasses.fields(MethodConfig))


def _allowed(declared: Range | None, kinds: tuple[type, ...], *, is_null: bool) -> str:
    """Return type and range in words."""
    words = words_of_kinds(tuple(kind for kind in kinds if is_null or kind is not type(None)))
    if declared is None:
        return words
    if declared.words.startswith(("a ", "one of", "true")):  # it says the type as well
        return declared.words + (", or null" if is_null else "")
    return f"{words}, {declared.words}"


def _entry(head: str, text: str) -> str:
    """Return one parameter: what one would type, and what it is below."""
    return (
        f"  {head}\n"
        + textwrap.fill(text, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6, break_on_hyphens=False)
        + "\n"
    )
