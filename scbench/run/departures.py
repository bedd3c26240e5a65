"""Which parameters of a run are not its method's defaults, so that a table never shows a variation as the method."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

from scbench.config.preset import leaves
from scbench.errors import ScbenchError
from scbench.plugins import find
from scbench.run.store import json_ready

__all__ = ["departures"]


def departures(method: str, variant: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the parameters that differ from those of the installed method, by dotted name.

    Args:
        method, variant: of the run.
        parameters: of the run, by dotted name, as its record has them.

    Returns:
        What differs, in the order of the method's configuration; parameters that only one of the two knows (the
        record is of another version) are left out. None when the method is not installed, or has no such variant.
    """
    defaults = _defaults(method, variant)
    if defaults is None:
        return None
    return {
        name: parameters[name] for name, value in defaults.items() if name in parameters and parameters[name] != value
    }


@cache
def _defaults(method: str, variant: str) -> dict[str, Any] | None:
    """Return the default parameters as a record has them."""
    try:
        config = find(method).config_class()(name=method, variant=variant)
    except ScbenchError:
        return None
    values = dict(leaves(json_ready(dataclasses.asdict(config))))
    return {name: value for name, value in values.items() if name not in ("name", "variant")}
