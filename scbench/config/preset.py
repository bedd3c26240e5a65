"""Files of presets: named sets of parameters of a method, with the datasets they belong to and how they were chosen.

A method ships them as ``presets/<name>.yaml`` in its package; a user's own file has the same keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from scbench.errors import ConfigError
from scbench.names import nearest, unknown
from scbench.plugins import Plugin

__all__ = ["Preset", "leaves", "own_preset", "shipped_names", "shipped_preset", "shipped_presets"]

_KEYS = {
    "datasets": "a list of names of datasets",
    "source": "a text that says where the values come from",
    "tuned_with_labels": "true or false",
    "note": "a text",
    "params": "key: value pairs, at least one",
}
_OWN_MAY_OMIT = ("datasets", "source", "note")
_RESERVED = ("auto", "none")
_SUFFIX = ".yaml"


@dataclass(frozen=True)
class Preset:
    """One preset as its file has it.

    Attributes:
        name: the file's name without ``.yaml``; a user's own keeps the suffix, so that it passes for no shipped one.
        file: where it was read, for messages.
        datasets: names of the datasets it belongs to.
        source, note: where the values come from, and what to know about them.
        tuned_with_labels: whether the values were chosen with the true labels.
        params: values by the dotted name of a parameter (``train.epochs``).
    """

    name: str
    file: str
    datasets: tuple[str, ...]
    source: str
    tuned_with_labels: bool
    note: str
    params: Mapping[str, Any]  # Any: as YAML has them; the method's schema checks them


def shipped_names(plugin: Plugin) -> list[str]:
    """Return the names of the presets that a method ships, in order; none are read.

    Raises:
        ConfigError: when a preset has a name that means something else on the command line.
    """
    names = sorted(entry.name.removesuffix(_SUFFIX) for entry in _entries(plugin))
    for name in names:
        if name in _RESERVED:
            raise ConfigError(
                f"method {plugin.name!r} ships a preset called {name!r}, which no preset can be; rename it"
            )
    return names


def shipped_preset(plugin: Plugin, name: str) -> Preset:
    """Return one of the presets of a method.

    Raises:
        ConfigError: when the method has none of that name (the nearest is suggested, all are listed), or its file
            is wrong.
    """
    known = shipped_names(plugin)
    if not known:
        raise ConfigError(
            f"method {plugin.name} has no presets, found preset={name}; leave it out, or give a file of your own "
            "(preset=path/to/file.yaml)"
        )
    if name not in known:
        close = nearest(name, known)
        hint = f" Did you mean {close!r}?" if close else ""
        raise ConfigError(f"unknown preset {name!r} of method {plugin.name}.{hint} Known: {', '.join(known)}.")
    return _read(_folder(plugin).joinpath(f"{name}{_SUFFIX}"), name, may_omit=())


def shipped_presets(plugin: Plugin) -> list[Preset]:
    """Return all presets of a method, by name.

    Raises:
        ConfigError: when one of their files is wrong.
    """
    return [shipped_preset(plugin, name) for name in shipped_names(plugin)]


def own_preset(path: str) -> Preset:
    """Return the preset in a user's own file.

    Raises:
        ConfigError: when it cannot be read or is wrong.
    """
    file = Path(path).expanduser()
    return _read(file, file.name, may_omit=_OWN_MAY_OMIT)


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted names and values of a nested mapping."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _folder(plugin: Plugin) -> Traversable:
    return files(plugin.package).joinpath("presets")


def _entries(plugin: Plugin) -> list[Traversable]:
    """Return the preset files of a method."""
    folder = _folder(plugin)
    if not folder.is_dir():
        return []
    return [entry for entry in folder.iterdir() if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".")]


def _read(file: Traversable, name: str, may_omit: tuple[str, ...]) -> Preset:
    """Read and check one file; the names and types of its ``params`` are the method's to check."""
    content = _content(file)
    for key in content:
        if key not in _KEYS:
            raise ConfigError(f"preset file {file}: {unknown('key', str(key), _KEYS)}")
    for key, expected in _KEYS.items():
        if key not in content and key in may_omit:
            continue
        if key not in content:
            raise ConfigError(f"preset file {file} has no {key}; add {key}: {expected}")
        if not _fits(key, content[key]):
            raise ConfigError(f"preset file {file}: {key} must be {expected}, found {content[key]!r}")
    return Preset(
        name=name,
        file=str(file),
        datasets=tuple(content.get("datasets", ())),
        source=content.get("source", str(file)),
        tuned_with_labels=content["tuned_with_labels"],
        note=content.get("note", ""),
        params=dict(leaves(content["params"])),
    )


def _content(file: Traversable) -> dict[Any, Any]:
    """Return what a YAML file holds, read as the configuration is: 5e-3 is a number, a key given twice an error."""
    from omegaconf._utils import get_yaml_loader

    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=get_yaml_loader())
    except OSError as error:
        raise ConfigError(f"preset file {file} cannot be read ({error.strerror or error}); check the path") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"preset file {file} is not YAML ({' '.join(str(error).split())}); correct it") from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"preset file {file} must hold key: value pairs, found {type(content).__name__}; "
            f"its keys are {', '.join(_KEYS)}"
        )
    return content


def _fits(key: str, value: object) -> bool:
    """Return whether a value is of the kind that ``_KEYS`` says."""
    if key == "datasets":
        return isinstance(value, list) and all(isinstance(name, str) and name for name in value)
    if key == "tuned_with_labels":
        return isinstance(value, bool)
    if key == "params":
        return isinstance(value, dict) and bool(value) and all(isinstance(name, str) for name in value)
    return isinstance(value, str) and (bool(value.strip()) or key == "note")
