"""Overrides of a command line that call a parameter by an earlier name: they get the one that it has now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser

from scbench.config.literal import literal
from scbench.config.preset import leaves
from scbench.errors import ConfigError
from scbench.renames import former_names, renamed_values

__all__ = ["with_current_names"]

_METHOD = "method."


def with_current_names(overrides: Iterable[str], schemas: Sequence[type]) -> list[str]:
    """Return overrides in which parameters of the methods have the names that they have now; each old one is told.

    Args:
        overrides: that Hydra can read (``method.n_genes=500``).
        schemas: the configurations of all methods that they are for. What is a name of one of them now stays.

    Raises:
        ConfigError: when a parameter is given by its old and its new name, or an old name has become different ones.
    """
    fields = {name for schema in schemas for name in getattr(schema, "__dataclass_fields__", ())}
    former = {name for schema in schemas for name in former_names(schema) if name.partition(".")[0] not in fields}
    if not former:
        return list(overrides)
    groups = {name.partition(".")[0] for name in former if "." in name}
    taken_apart = [single for one in overrides for single in _of_group(one, groups)]
    paths = [_path(override) for override in taken_apart]
    names = {path: _current_name(path, schemas) for path in paths if path in former}
    renamed_values(names, dict.fromkeys(path for path in paths if path is not None))
    return [
        override.replace(f"{_METHOD}{path}", f"{_METHOD}{names[path]}", 1) if path in names else override
        for override, path in zip(taken_apart, paths, strict=True)
    ]


def _path(override: str) -> str | None:
    """Return the parameter of the method that an override is of; None where it is of something else."""
    key = override.partition("=")[0].lstrip("+~")
    return key.removeprefix(_METHOD) if key.startswith(_METHOD) else None


def _of_group(override: str, groups: set[str]) -> Iterator[str]:
    """Yield an override; of a group that parameters were once in (``method.graph={k: 5}``), one for each of them."""
    key, _, text = override.partition("=")
    value = OverridesParser.create().parse_override(override).value() if text and _path(override) in groups else None
    if isinstance(value, Mapping):
        yield from (f"{key}.{name}={literal(below)}" for name, below in leaves(value))
    else:
        yield override


def _current_name(former: str, schemas: Sequence[type]) -> str:
    """Return the one name that an earlier one has become."""
    became = {former_names(schema)[former]: schema for schema in schemas if former in former_names(schema)}
    if len(became) > 1:
        names = " and ".join(f"{_METHOD}{name} of {schema.__name__}" for name, schema in became.items())
        raise ConfigError(f"{_METHOD}{former} is now {names}; give these instead, each to a command of its own")
    return next(iter(became))
