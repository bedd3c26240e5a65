"""Check a command line before Hydra composes it, so that a typo is one line with the nearest valid name."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException

from scbench.config.groups import (
    DEFAULT_OPTIONS,
    dotted_fields,
    field_names,
    has_field,
    is_in_mapping,
    options,
    schema_of,
)
from scbench.config.old_names import with_current_names
from scbench.config.schema import RunConfig
from scbench.errors import ConfigError
from scbench.names import nearest, unknown

__all__ = ["check_overrides", "choices", "parse"]

_GROUPS = ("method", "dataset", "engine")


def check_overrides(arguments: Iterable[str], named: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Refuse unknown keys and unknown options of groups; spell out ``glob(...)`` over a group, mark keys as new.

    Parameters of methods that are given by an earlier name get the one that they have now, which is said.

    Args:
        arguments: the overrides of a command line (``method=leiden``, ``+engine.threads=2``), without Hydra's flags.
        named: options by group that are chosen in another way, as an experiment does.

    Returns:
        The overrides for Hydra. It would match a glob with its own helper files, too, and add a key to a mapping
        (``engine.sbatch.nice=5``) only with a sign before it.

    Raises:
        ConfigError: one line that names the mistake and the nearest valid name.
    """
    checked = []
    chosen = {group: [option] for group, option in DEFAULT_OPTIONS.items()}
    chosen |= {group: list(of_group) for group, of_group in (named or {}).items()}
    overrides = [(_parse_no_path(argument), argument) for argument in arguments]
    for override, argument in overrides:
        key = override.get_key_element().lstrip("+~")
        if key in _GROUPS and override.is_delete():
            raise ConfigError(f"{argument!r} takes away what every run needs; choose another {key} with {key}=...")
        if key in _GROUPS:
            chosen[key] = list(choices(key, override))
            for option in chosen[key]:
                _check_option(key, option)
            is_glob = isinstance(override.value(), Glob)
            checked.append(f"{key}={','.join(chosen[key])}" if is_glob else argument)
        else:
            checked.append(argument)
    checked = with_current_names(checked, [schema_of("method", name) for name in chosen.get("method", ())])
    for place, argument in enumerate(checked):
        key = argument.partition("=")[0].lstrip("+~")
        if key not in _GROUPS and key.partition(".")[0].partition("/")[0] != "hydra":
            _check_key(key, chosen)
            head, _, rest = key.partition(".")
            is_new = any(is_in_mapping(schema_of(head, option), rest) for option in chosen.get(head, ()))
            if is_new and argument[0] not in "+~":
                checked[place] = f"++{argument}"
    return checked


def parse(argument: str) -> Override:
    """Return one override, parsed.

    Raises:
        ConfigError: when it cannot be read; Hydra's own message spans several lines.
    """
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"cannot read the argument {argument!r} ({reason}). Arguments look like method=leiden or engine.threads=2"
        ) from error


def _parse_no_path(argument: str) -> Override:
    """Return one override, parsed; a path given to the group ``dataset`` is told what to write."""
    key, _, text = argument.partition("=")
    if key.lstrip("+") == "dataset" and not text.startswith(("glob(", "choice(")):
        known = options("dataset")
        parts = [part.strip(" '\"") for part in text.split(",")]
        for name in [text] if os.path.exists(text) else parts:  # a comma may be part of a file's name
            is_path = "/" in name or "." in name or name.startswith("~") or (name != "" and os.path.exists(name))
            if is_path and name not in known:
                raise ConfigError(
                    f"dataset= takes the name of a dataset, and {name!r} looks like a path; write "
                    f"dataset=file {shlex.quote(f'dataset.path={name}')}"
                )
    return parse(argument)


def choices(group: str, override: Override) -> Iterator[str]:
    """Yield the option names of ``group=option``, ``group=a,b`` or ``group=glob(a*)``.

    Raises:
        ConfigError: when a pattern matches nothing.
    """
    value = override.value()
    if isinstance(value, Glob):
        found = value.filter([option for option in options(group) if option != "file"])
        if not found:
            raise ConfigError(f"{override.input_line!r} matches no {group}; python -m scbench --help lists them")
        yield from found
    elif override.is_choice_sweep():
        yield from (str(option) for option in override.sweep_string_iterator())
    elif not override.is_sweep_override():
        yield str(value)


def _check_option(group: str, option: str) -> None:
    """Refuse an option that the group does not have."""
    if option == "None" or not option:
        raise ConfigError(f"{group}= names no {group}; choose one, for example {group}={options(group)[0]}")
    if option not in options(group):
        raise ConfigError(unknown(group, option, options(group)))
    schema_of(group, option)  # a method that cannot be imported says so here


def _check_key(key: str, chosen: dict[str, list[str]]) -> None:
    """Refuse a dotted key that no chosen schema has."""
    head, _, rest = key.partition(".")
    if head not in field_names():
        raise ConfigError(_unknown_key(key, chosen))
    if not rest:
        return
    if rest == "name" and (head != "dataset" or not {"file", "simulated"} & set(chosen["dataset"])):
        raise ConfigError(f"{key!r} follows from {head}=...; choose another {head} instead of renaming this one")
    if head not in _GROUPS:
        raise ConfigError(f"{head!r} has no parts, so {key!r} cannot be set. Did you mean {head!r}?")
    for option in chosen.get(head, ()):
        schema = schema_of(head, option)
        if not has_field(schema, rest):
            known = set(dotted_fields(schema))
            close = nearest(rest, known)
            hint = f" Did you mean {f'{head}.{close}'!r}?" if close else ""
            raise ConfigError(f"unknown key {key!r} for {head}={option}.{hint} Known: {', '.join(sorted(known))}.")


def _unknown_key(key: str, chosen: dict[str, list[str]]) -> str:
    """Return the message for a key whose first part is unknown; a forgotten ``engine.`` is found, too."""
    below = {
        f"{group}.{name}": name
        for group, names in chosen.items()
        for option in names
        for name in dotted_fields(schema_of(group, option))
    }
    for full, name in below.items():
        if key == name:
            return f"unknown key {key!r}. Did you mean {full!r}?"
    return unknown("key", key, [*field_names(RunConfig), *(below if "." in key else ())])
