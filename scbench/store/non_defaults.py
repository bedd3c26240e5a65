"""Which parameters of a run are not its method's defaults, so that a table never shows a variation as the method."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from scbench.config.preset import leaves
from scbench.errors import ScbenchError
from scbench.plugins import find
from scbench.renames import current_name
from scbench.store.record import canonical_json
from scbench.store.store import json_ready

__all__ = ["changed_fields", "implications", "non_defaults", "parameters_with"]


def non_defaults(method: str, variant: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the parameters that differ from those of the installed method, by dotted name.

    A field of a method's configuration may say, as ``metadata={"implies": {"match_k": False}}``, what else holds once
    it is given. It is named wherever that holds, even with the value that is its default, and instead of what it
    implies: ``resolution=1.0`` for ``match_k=False``. Elsewhere nothing uses it, which its value then says.

    Args:
        method, variant: of the run.
        parameters: of the run, by dotted name, as its record has them.

    Returns:
        What differs, in the order of the method's configuration; parameters that only one of the two knows (the
        record is of another version) are left out. None when the method is not installed, or has no such variant.
    """
    defaults = parameters_with(method, variant, {})
    if defaults is None:
        return None
    known = {name: parameters[name] for name in defaults if name in parameters}
    differing = {name: value for name, value in known.items() if value != defaults[name]}
    for name, implied in implications(method).items():
        if name not in known or not implied.keys() <= known.keys():
            continue
        if all(known[other] == value for other, value in implied.items()):
            differing = {other: value for other, value in differing.items() if other not in implied}
            differing[name] = known[name]
        elif name in differing:
            differing[name] = f"{known[name]} (not used)"
    return {name: differing[name] for name in known if name in differing}


def parameters_with(method: str, variant: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return all parameters of the installed method when some are given, by dotted name, as a record has them.

    Args:
        method, variant: of the method.
        given: values by dotted name, current or earlier.

    Returns:
        The parameters; None when the method is not installed, has no such variant or does not take these values.
    """
    return _parameters_with(method, variant, canonical_json(given))


@cache
def _parameters_with(method: str, variant: str, given: str) -> dict[str, Any] | None:
    """Return :func:`parameters_with` of values as JSON."""
    try:
        schema = find(method).config_class()
        values = {current_name(schema, name): value for name, value in json.loads(given).items()}
        changed = changed_fields(schema(name=method, variant=variant), values)
        config = schema(name=method, variant=variant, **changed)
    except (ScbenchError, AttributeError, TypeError):
        return None
    values = dict(leaves(json_ready(dataclasses.asdict(config))))
    return {name: value for name, value in values.items() if name not in ("name", "variant")}


def changed_fields(node: object, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a dataclass that values by dotted name change; a group as the changed dataclass."""
    fields = {name: value for name, value in given.items() if "." not in name}
    for group in dict.fromkeys(name.partition(".")[0] for name in given if "." in name):
        below = {name.partition(".")[2]: value for name, value in given.items() if name.startswith(f"{group}.")}
        inner: Any = getattr(node, group)
        fields[group] = dataclasses.replace(inner, **changed_fields(inner, below))
    return fields


@cache
def implications(method: str) -> dict[str, dict[str, Any]]:
    """Return what else holds once a parameter of an installed method is given, by the parameter."""
    fields = dataclasses.fields(find(method).config_class())
    return {field.name: dict(field.metadata["implies"]) for field in fields if "implies" in field.metadata}
