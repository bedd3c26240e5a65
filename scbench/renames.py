"""Parameters whose name has changed: ``stored_as`` of a field (see ``scbench.fields``) is the earlier name.

Run keys keep the earlier names, so that a run that is stored stays the run that a command asks for. Everything that a
user sees has the current ones: records of earlier versions are translated when they are read (:func:`current_params`),
what a user gives under an earlier name when it is given (:func:`current_values`).
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from scbench.errors import ConfigError
from scbench.plugins import find

__all__ = [
    "current_name",
    "current_params",
    "current_record",
    "current_values",
    "former_names",
    "installed_schema",
    "renamed_values",
    "stored_params",
    "stored_params_of",
]

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


@cache
def former_names(schema: type) -> dict[str, str]:
    """Return the current names of the fields of a configuration whose name has changed, by the earlier (dotted) one."""
    fields = dataclasses.fields(schema)
    return {field.metadata["stored_as"]: field.name for field in fields if "stored_as" in field.metadata}


def current_name(schema: type, name: str) -> str:
    """Return the current name of a parameter that is called by its current or by an earlier name."""
    return former_names(schema).get(name, name)


def current_values(
    schema: type,
    values: Mapping[str, _T],
    *,
    where: str = "",
    prefix: str = "method.",
    tell: Callable[[str], None] = _LOG.info,
) -> dict[str, _T]:
    """Return values that a user gives, by the current names of the parameters of a configuration.

    Args:
        schema: the method's configuration.
        values, where, prefix, tell: as for :func:`renamed_values`.

    Raises:
        ConfigError: when a parameter is given by both names.
    """
    return renamed_values(former_names(schema), values, where=where, prefix=prefix, tell=tell)


def renamed_values(
    names: Mapping[str, str],
    values: Mapping[str, _T],
    *,
    where: str = "",
    prefix: str = "method.",
    tell: Callable[[str], None] = _LOG.info,
) -> dict[str, _T]:
    """Return values by their current names.

    Args:
        names: current ones by earlier ones.
        values: by current or earlier (dotted) name; unknown names are left to whoever checks them.
        where: what a message starts with: the file that they are in.
        prefix: what stands before a name in messages.
        tell: is given a line for each earlier name.

    Raises:
        ConfigError: when a parameter is given by both names.
    """
    for former, current in names.items():
        if former in values and current in values:
            raise ConfigError(
                f"{where}{prefix}{former} is now {prefix}{current}, and both are given; leave the first out"
            )
        if former in values:
            tell(f"{where}{prefix}{former} is now {prefix}{current}")
    return {names.get(name, name): value for name, value in values.items()}


def stored_params(schema: type, params: Mapping[str, Any], n_cells: int | None = None) -> dict[str, Any]:
    """Return all parameters of a run as its key has them: what makes no difference is as in earlier versions.

    Parameters that came later and are as they were before there were any are left out; a default that has changed for
    larger sets only is the earlier one. See ``scbench.fields``.

    Args:
        schema: the method's configuration.
        params: nested, by current or earlier names.
        n_cells: of the dataset; None where there is no single one.
    """
    later = _values_before(schema)
    moved = _moved(params, former_names(schema))
    known = {name: value for name, value in moved.items() if name not in later or value != later[name]}
    known |= _without_difference(schema, moved, n_cells, to_today=False)
    return _moved(known, {current: former for former, current in former_names(schema).items()})


def stored_params_of(method: str, params: Mapping[str, Any], n_cells: int | None = None) -> Mapping[str, Any]:
    """Return :func:`stored_params` of a method by its name; as they are where the method is not installed."""
    schema = installed_schema(method)
    return params if schema is None else stored_params(schema, params, n_cells)


def _without_difference(
    schema: type, params: Mapping[str, Any], n_cells: int | None, *, to_today: bool
) -> dict[str, Any]:
    """Return the parameters that have one of two defaults, of which it makes no difference which, with the other.

    Args:
        schema: the method's configuration.
        params: by current names.
        n_cells: of the set; None for none in particular, to which everything makes a difference.
        to_today: turn the earlier default into that of today, or the other way round.
    """
    changed = {field.name: field for field in dataclasses.fields(schema) if "default_before" in field.metadata}
    found = {}
    for name, field in changed.items():
        today, before, limit = field.default, field.metadata["default_before"], field.metadata["up_to"]
        if n_cells is None or name not in params or (isinstance(limit, str) and limit not in params):
            continue
        limits = [limit if isinstance(limit, int) else params[limit]]
        if limit in changed:  # what it would be with the other default
            limits += [changed[limit].default, changed[limit].metadata["default_before"]]
        if n_cells <= min(limits) and params[name] == (before if to_today else today):
            found[name] = today if to_today else before
    return found


def current_params(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of a record, nested, by their current names; those of an unknown method as they are.

    Where all others are there, those that came later have their defaults.
    """
    schema = installed_schema(method)
    if schema is None:
        return params
    moved, later = _moved(params, former_names(schema)), _values_before(schema)
    names = {field.name for field in dataclasses.fields(schema)} - {"name", "variant"}
    return {**later, **moved} if names - later.keys() <= moved.keys() else moved


def current_record(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record, of this version or an earlier one, with the current names of its parameters.

    A default of an earlier version that makes no difference to so many cells is that of today.
    """
    params = current_params(record["method"], record["params"])
    schema, n_cells = installed_schema(record["method"]), record.get("n_cells")
    if schema is not None and isinstance(n_cells, int):
        params = {**params, **_without_difference(schema, params, n_cells, to_today=True)}
    return {**record, "params": params}


def installed_schema(method: str) -> type | None:
    """Return the configuration of a method, or None where it is not installed or cannot be imported."""
    try:
        return _found_schema(method)
    except ConfigError:
        return None


@cache
def _found_schema(method: str) -> type:
    """Return the configuration of an installed method; that one is not installed is not remembered."""
    return find(method).config_class()


@cache
def _values_before(schema: type) -> dict[str, Any]:
    """Return what runs had that were stored before there was a field, by the names of such fields."""
    return {
        field.name: field.metadata["earlier"] for field in dataclasses.fields(schema) if "earlier" in field.metadata
    }


def _moved(params: Mapping[str, Any], moves: Mapping[str, str]) -> dict[str, Any]:
    """Return nested mappings in which values stand in other places, by dotted names; what is not there is left out."""
    moved = dict(params)
    for source, target in moves.items():
        group, _, name = source.rpartition(".")
        node = moved.get(group) if group else moved
        if not isinstance(node, Mapping) or name not in node:
            continue
        value = node[name]
        if group:
            moved[group] = {other: kept for other, kept in node.items() if other != name}
        if not moved.get(group, True):
            del moved[group]
        moved.pop(source, None)
        group, _, name = target.rpartition(".")
        if group:
            moved[group] = {**moved.get(group, {}), name: value}
        else:
            moved[name] = value
    return moved
