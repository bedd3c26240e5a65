"""Which preset a configuration takes, and its values put below those of the command line."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from scbench.config.groups import dotted_fields, has_field
from scbench.config.hydra_setup import schema_node
from scbench.config.preset import Preset, leaves, own_preset, shipped_preset, shipped_presets
from scbench.config.schema import PROTOCOLS, AppliedPreset
from scbench.errors import ConfigError
from scbench.names import check_choice, unknown
from scbench.plugins import Plugin, find
from scbench.renames import current_values

__all__ = ["check_params", "choose_preset", "with_preset"]


def with_preset(config: DictConfig, overrides: Iterable[str]) -> tuple[DictConfig, AppliedPreset | None]:
    """Return a configuration with the values of its preset in place of the method's own, and which preset that was.

    Args:
        config: a composed configuration whose groups ``method`` and ``dataset`` are mappings; it stays as it is.
        overrides: the command line that it was composed with; what that sets of the method wins over the preset.

    Raises:
        ConfigError: when there is no such preset, the protocol does not allow it, or its file is wrong.
    """
    asked = str(OmegaConf.select(config, "preset", default="auto"))
    protocol = check_choice("protocol", str(OmegaConf.select(config, "protocol", default="honest")), PROTOCOLS)
    method, dataset = (OmegaConf.select(config, f"{group}.name") for group in ("method", "dataset"))
    preset = None if method is None else choose_preset(asked, protocol, method, dataset)
    if preset is None:  # a name that is missing is said when the whole configuration is checked
        return config, None
    schema, where = find(method).config_class(), f"preset file {preset.file}: "
    preset = dataclasses.replace(preset, params=current_values(schema, preset.params, where=where, prefix="params."))
    check_params(preset, find(method))
    merged = copy.deepcopy(config)
    given = [path for override in overrides for path in _paths_set(override)]
    for path, value in preset.params.items():
        if not any(_overlap(path, other) for other in given):
            OmegaConf.update(merged, f"method.{path}", value, force_add=True)
    return merged, AppliedPreset(preset.name, preset.source, preset.tuned_with_labels)


def choose_preset(asked: str, protocol: str, method: str, dataset: str | None) -> Preset | None:
    """Return the preset that the key ``preset`` means, or None for the method's own set of parameters.

    Args:
        asked: ``auto``, ``none``, the name of a preset of the method, or a path that ends in ``.yaml``.
        protocol: ``honest`` or ``published``; ``honest`` has no ``auto`` and refuses what was tuned with labels.
        method: name of the method.
        dataset: name of the dataset, which ``auto`` looks for.

    Raises:
        ConfigError: when there is no such preset, the protocol does not allow it, or its file is wrong.
    """
    if not asked.strip():
        raise ConfigError("preset is empty; use auto, none, a preset's name, or a file that ends in .yaml")
    if asked == "none" or (asked == "auto" and protocol == "honest"):
        return None
    if asked == "auto":
        return _preset_of_dataset(find(method), dataset)
    preset = own_preset(asked) if asked.endswith(".yaml") else shipped_preset(find(method), asked)
    if preset.tuned_with_labels and protocol == "honest":
        raise ConfigError(
            f"preset={asked} was tuned with labels, which protocol=honest does not allow; "
            "add protocol=published, or leave the preset out"
        )
    return preset


def check_params(preset: Preset, plugin: Plugin) -> None:
    """Check that the method has every parameter of a preset and takes its value.

    Raises:
        ConfigError: with the file, the parameter and, for an unknown one, the nearest.
    """
    schema = plugin.config_class()
    node = schema_node(schema)
    node.name = plugin.name
    for path, value in preset.params.items():
        where = f"preset file {preset.file}: params.{path}"
        if path == "name" or not has_field(schema, path):
            known = [name for name in dotted_fields(schema) if name != "name"]
            raise ConfigError(f"{where}: {unknown(f'parameter of method {plugin.name}', path, known)}")
        try:
            OmegaConf.update(node, path, value)
        except (OmegaConfBaseException, TypeError) as error:
            raise ConfigError(f"{where}: {_first_line(error)}; correct the value") from error
    try:
        OmegaConf.to_object(node)
    except MissingMandatoryValue:
        return  # what only the command line can give; the whole configuration is checked with it
    except (OmegaConfBaseException, ValueError, TypeError) as error:
        raise ConfigError(f"preset file {preset.file}: params: {_first_line(error)}") from error


def _preset_of_dataset(plugin: Plugin, dataset: str | None) -> Preset | None:
    """Return the one preset of a method that belongs to a dataset, or None."""
    found = [preset for preset in shipped_presets(plugin) if dataset in preset.datasets]
    if len(found) > 1:
        names = ", ".join(preset.name for preset in found)
        raise ConfigError(
            f"dataset {dataset} is in several presets of method {plugin.name}: {names}; choose one with preset=..."
        )
    return found[0] if found else None


def _paths_set(override: str) -> list[str]:
    """Return the parameters of the method that one override sets, by their dotted names."""
    parsed = OverridesParser.create().parse_override(override)
    head, _, path = parsed.get_key_element().lstrip("+~").partition(".")
    if head != "method" or not path:
        return []
    value: Any = parsed.value()  # Any: whatever was typed
    return [name for name, _ in leaves({path: value})] if isinstance(value, Mapping) else [path]


def _overlap(path: str, other: str) -> bool:
    """Return whether two dotted names are the same, or one lies within the other."""
    return path == other or path.startswith(f"{other}.") or other.startswith(f"{path}.")


def _first_line(error: BaseException) -> str:
    """Return the line of an error that says what is wrong; the others are OmegaConf's own."""
    return str(error).partition("\n")[0]
