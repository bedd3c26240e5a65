"""A method's ``search.yaml``: what a search of it varies, within which range, and where that range comes from."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from scbench.config.groups import dotted_fields, has_field
from scbench.errors import ConfigError
from scbench.method import MethodConfig
from scbench.names import unknown
from scbench.plugins import Plugin
from scbench.renames import current_values
from scbench.tune.space import Parameter, Space, value_at

__all__ = ["check_path", "parameter_of", "read_space", "search_file"]

_KEYS = ("space", "loss")
_ENTRY_KEYS = ("low", "high", "log", "choices", "source", "when")


def search_file(plugin: Plugin) -> Traversable:
    """Return where a method says what a search of it varies; it need not be there."""
    return files(plugin.package).joinpath("search.yaml")


def read_space(plugin: Plugin, config: MethodConfig) -> Space:
    """Return what a search of a method varies.

    Args:
        plugin: the method.
        config: the configuration that the search starts from: an entry with ``when`` counts only where it holds.

    Raises:
        ConfigError: when the method has no file, the file is wrong, or a default of the method is out of its range.
    """
    file = search_file(plugin)
    content = _content(plugin, file)
    parameters = []
    schema = plugin.config_class()
    for path, entry in current_values(schema, content["space"], where=f"search file {file}: ", prefix="space.").items():
        where = f"search file {file}: space.{path}"
        check_path(plugin, str(path), where)
        if not isinstance(entry, Mapping) or not str(entry.get("source", "")).strip():
            raise ConfigError(f"{where} has no source; say where the range comes from (source: ...)")
        when = entry.get("when", {})
        if not isinstance(when, Mapping):
            raise ConfigError(f"{where}: when must be key: value pairs, found {when!r}")
        when = current_values(schema, when, where=f"{where}: ", prefix="when.")
        for name in when:
            check_path(plugin, str(name), f"{where}: when")
        parameter = parameter_of(str(path), entry, where)
        default = value_at(schema(name=plugin.name), parameter.path)
        if not parameter.contains(default):
            raise ConfigError(f"{where}: the default {default} is not within {parameter.shown()}; widen the range")
        if all(value_at(config, str(name)) == value for name, value in when.items()):
            parameters.append(parameter)
    return Space(tuple(parameters), tuple(content.get("loss", ())))


def check_path(plugin: Plugin, path: str, where: str) -> None:
    """Refuse a name that is no parameter of the method.

    Raises:
        ConfigError: with the nearest name.
    """
    schema = plugin.config_class()
    if path in ("name", "variant") or not has_field(schema, path):
        known = [name for name in dotted_fields(schema) if name not in ("name", "variant")]
        raise ConfigError(f"{where}: {unknown(f'parameter of method {plugin.name}', path, known)}")


def parameter_of(path: str, entry: Mapping[Any, Any], where: str) -> Parameter:
    """Return one entry of the file, or of the command line, as a parameter.

    Raises:
        ConfigError: when it is not understood.
    """
    for key in entry:
        if key not in _ENTRY_KEYS:
            raise ConfigError(f"{where}: {unknown('key', str(key), _ENTRY_KEYS)}")
    choices, low, high, log = (entry.get(key) for key in ("choices", "low", "high", "log"))
    source = str(entry.get("source", "the command line"))
    if choices is not None:
        if low is not None or high is not None or not isinstance(choices, list):
            raise ConfigError(f"{where}: choices must be a list, without low and high; found {dict(entry)}")
        return Parameter(path, source, choices=tuple(choices))
    for name, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{where}: {name} must be a number, found {value!r}; or give choices: [a, b]")
    if log not in (None, True, False):
        raise ConfigError(f"{where}: log must be true or false, found {log!r}")
    return Parameter(path, source, low=low, high=high, log=bool(log))


def _content(plugin: Plugin, file: Traversable) -> dict[str, Any]:
    """Return what the file holds, read as the configuration is."""
    from omegaconf._utils import get_yaml_loader

    if not file.is_file():
        raise ConfigError(
            f"method {plugin.name} has no search.yaml, so it has nothing to search; "
            f"add one beside its config.py, or name what to vary (search.<parameter>={{low: .., high: ..}})"
        )
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=get_yaml_loader())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"search file {file} cannot be read ({' '.join(str(error).split())}); correct it") from error
    if not isinstance(content, dict) or not isinstance(content.get("space"), dict):
        raise ConfigError(f"search file {file} must hold 'space:' with one entry for each parameter; see a shipped one")
    for key in content:
        if key not in _KEYS:
            raise ConfigError(f"search file {file}: {unknown('key', str(key), _KEYS)}")
    loss = content.get("loss", [])
    if not isinstance(loss, list) or not all(isinstance(name, str) for name in loss):
        raise ConfigError(f"search file {file}: loss must be a list of columns of history.csv, found {loss!r}")
    return content
