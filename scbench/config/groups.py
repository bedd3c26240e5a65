"""The configuration groups, their options and their schemas."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from importlib.resources import files

from scbench import plugins
from scbench.config.schema import LocalEngine, RunConfig, SlurmEngine
from scbench.data.config import FileDataset, RegisteredDataset, SimulatedDataset
from scbench.data.registry import dataset_names, own_dataset_schemas

__all__ = ["DEFAULT_OPTIONS", "dotted_fields", "field_names", "has_field", "is_in_mapping", "options", "schema_of"]

DEFAULT_OPTIONS = {"dataset": "pbmc68k_reduced", "engine": "local"}
_ENGINES: dict[str, type] = {"local": LocalEngine, "slurm": SlurmEngine}
_UNREGISTERED: dict[str, type] = {"file": FileDataset, "simulated": SimulatedDataset}


def options(group: str) -> list[str]:
    """Return the names that can be given to a group: ``method``, ``dataset`` or ``engine``."""
    if group == "method":
        return list(plugins.discover())
    if group == "dataset":
        return [*_UNREGISTERED, *own_dataset_schemas(), *dataset_names()]
    folder = files("scbench.conf").joinpath(group)
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def schema_of(group: str, option: str) -> type:
    """Return the dataclass that checks ``option`` of ``group``."""
    if group == "method":
        return plugins.find(option).config_class()
    if group == "dataset":
        return _UNREGISTERED.get(own_dataset_schemas().get(option, option).removesuffix("_schema"), RegisteredDataset)
    return _ENGINES[option]


def field_names(schema: type = RunConfig) -> list[str]:
    """Return the names of the settable fields of a dataclass."""
    return [field.name for field in dataclasses.fields(schema) if not field.metadata.get("omegaconf_ignore")]


def dotted_fields(schema: type) -> Iterator[str]:
    """Yield the dotted names of a dataclass's fields, nested dataclasses included."""
    types = typing.get_type_hints(schema)
    for field in dataclasses.fields(schema):
        yield field.name
        if dataclasses.is_dataclass(types[field.name]):
            yield from (f"{field.name}.{name}" for name in dotted_fields(types[field.name]))


def has_field(schema: type, path: str) -> bool:
    """Return whether a dataclass has the field of a dotted name; what is below a field that is a mapping is open."""
    head, _, rest = path.partition(".")
    if head not in field_names(schema):
        return False
    below = typing.get_type_hints(schema)[head]
    is_nested = isinstance(below, type) and dataclasses.is_dataclass(below)
    return has_field(below, rest) if rest and is_nested else True


def is_in_mapping(schema: type, path: str) -> bool:
    """Return whether a dotted name is a field that is a mapping, or a key of one: such keys can be added."""
    head, _, rest = path.partition(".")
    if head not in field_names(schema):
        return False
    below = typing.get_type_hints(schema)[head]
    if isinstance(below, type) and dataclasses.is_dataclass(below):
        return bool(rest) and is_in_mapping(below, rest)
    return typing.get_origin(below) is dict
