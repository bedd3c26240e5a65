"""``search.<parameter>=...`` on the command line: another range, or one more parameter."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from scbench.config.hydra_setup import schema_node
from scbench.errors import ConfigError
from scbench.method import MethodConfig
from scbench.plugins import Plugin
from scbench.renames import current_values, former_names
from scbench.store.non_defaults import implications
from scbench.tune.space import Parameter, Space, value_at
from scbench.tune.space_file import check_path, parameter_of, read_space, search_file

__all__ = ["space_of"]


def space_of(
    plugin: Plugin, config: MethodConfig, asked: Mapping[str, Any], held: frozenset[str] = frozenset()
) -> Space:
    """Return the space of a search: the method's own, as the command line changes it.

    ``[low,high]`` is another range (or, for a choice, other choices); ``{low:..,high:..,log:true}`` or
    ``{choices:[..]}`` says all; ``default`` leaves a parameter out.

    Args:
        plugin: the method.
        config: the configuration that the search starts from.
        asked: what ``search.<parameter>`` was set to, by parameter.
        held: parameters that the command line sets to a value, which are not searched.

    Raises:
        ConfigError: for an unknown parameter, one that the configuration does not use, a range that cannot be, or a
            space without parameters.
    """
    schema: type = plugin.config_class()
    asked = current_values(schema, asked, prefix="search.")
    for path in asked:
        check_path(plugin, path, f"search.{path}")
        if path in held:
            raise ConfigError(f"method.{path} and search.{path} are both given; leave one of them out")
        if asked[path] != "default":
            _check_is_used(plugin, path, config)
    ranged = {path: value for path, value in asked.items() if value != "default"}
    shipped = read_space(plugin, config) if search_file(plugin).is_file() or not ranged else Space(())
    known = {parameter.path: parameter for parameter in shipped.parameters}
    parameters = {path: known[path] for path in known if path not in asked and path not in held}
    parameters |= {path: _ranged(path, value, known.get(path), config) for path, value in ranged.items()}
    if not parameters:
        raise ConfigError(f"nothing is left to search of method {plugin.name}; vary at least one parameter")
    for path in ranged:
        _check_values(plugin, parameters[path])
    ordered = [*(path for path in known if path in parameters), *(path for path in parameters if path not in known)]
    names = {current: stored for stored, current in former_names(schema).items()}
    return dataclasses.replace(shipped, parameters=tuple(parameters[path] for path in ordered), stored_names=names)


def _check_is_used(plugin: Plugin, path: str, config: MethodConfig) -> None:
    """Refuse a parameter whose value makes no difference beside those of the configuration."""
    for name, needed in implications(plugin.name).get(path, {}).items():
        value = value_at(config, name)
        if value != needed:
            raise ConfigError(
                f"search.{path} varies what method.{name}={json.dumps(value)} does not use; "
                f"add method.{name}={json.dumps(needed)}"
            )


def _ranged(path: str, value: object, known: Parameter | None, config: MethodConfig) -> Parameter:
    """Return a parameter as the command line has it."""
    where = f"search.{path}"
    default = value_at(config, path)
    if isinstance(value, Mapping):
        return _fit(parameter_of(path, value, where), default)
    if not isinstance(value, list):
        raise ConfigError(
            f"{where} must be [low,high], {{low:..,high:..,log:true}} or {{choices:[..]}}, found {value!r}"
        )
    is_range = len(value) == 2 and all(isinstance(end, int | float) and not isinstance(end, bool) for end in value)
    if known is not None and known.choices:
        return parameter_of(path, {"choices": value}, where)
    if not is_range:
        raise ConfigError(f"{where} must be [low,high], found {value}; choices are given as {where}={{choices:[..]}}")
    log = known.log if known else False
    return _fit(parameter_of(path, {"low": value[0], "high": value[1], "log": log}, where), default)


def _fit(parameter: Parameter, default: object) -> Parameter:
    """Return a range of real numbers where the parameter is one, though its ends were written as whole numbers."""
    if parameter.is_whole and isinstance(default, float):
        return dataclasses.replace(parameter, low=float(parameter.low or 0), high=float(parameter.high or 0))
    return parameter


def _check_values(plugin: Plugin, parameter: Parameter) -> None:
    """Refuse values of the wrong type."""
    node = schema_node(plugin.config_class())
    for value in parameter.choices or (parameter.low, parameter.high):
        try:
            OmegaConf.update(node, parameter.path, value)
        except (OmegaConfBaseException, TypeError) as error:
            raise ConfigError(
                f"search.{parameter.path}: {str(error).partition(chr(10))[0]}; correct the value {value!r}"
            ) from error
