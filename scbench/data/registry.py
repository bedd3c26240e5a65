"""The registered datasets: one YAML file each, readable without Hydra."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import yaml

from scbench.data.checksum import split_checksum
from scbench.data.config import RegisteredDataset, SourceFile
from scbench.errors import ConfigError
from scbench.names import nearest, unknown

__all__ = ["dataset_names", "is_verifiable", "load_dataset", "own_dataset_schemas"]

_NOT_REGISTERED = ("file", "simulated")
_OTHER_SCHEMAS = {
    name: f"{name.removesuffix('_schema')}_schema" for name in ("file_schema", "simulated_schema", "file", "simulated")
}
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 10 times faster where built


def dataset_names() -> list[str]:
    """Return the sorted names of the registered datasets, those in ``$SCBENCH_CONF/dataset`` included."""
    return sorted(_dataset_files())


def load_dataset(name: str) -> RegisteredDataset:
    """Return the registered dataset ``name``; a file in ``$SCBENCH_CONF/dataset`` comes first.

    Raises:
        ConfigError: if the dataset is unknown (the nearest name is suggested), or its file cannot be read or
            has an unknown key, a value of the wrong type or a malformed checksum.
    """
    paths = _dataset_files()
    if name not in paths:
        raise ConfigError(unknown("dataset", name, paths))
    path = paths[name]
    try:
        content = yaml.load(path.read_text("utf-8"), _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"cannot read {path}: {reason}; correct the file") from None
    values = {key: value for key, value in _mapping(content, path).items() if key != "defaults"}
    _check(RegisteredDataset, values, f"{path}")
    sources = []
    for position, entry in enumerate(values.get("files", [])):
        _check(SourceFile, _mapping(entry, path), f"{path}, files[{position}]")
        sources.append(SourceFile(**_mapping(entry, path)))
    _check_checksums(sources, path)
    return RegisteredDataset(**({"name": name} | values | {"files": sources}))


def own_dataset_schemas() -> dict[str, str]:
    """Return the options of ``$SCBENCH_CONF/dataset`` that are no registered dataset, with the schema they name.

    A user's folder may hold settings of ``file`` or ``simulated`` under a name of their own.
    """
    found = {path.stem: _other_schema(path) for path in _user_files()}
    return {name: schema for name, schema in found.items() if schema is not None}


def is_verifiable(source: SourceFile) -> bool:
    """Return whether ``source`` can be downloaded and then verified, its labels included."""
    has_checksum = source.checksum is not None or source.checksum_api is not None
    has_labels = source.label_url is None or source.label_checksum is not None
    return source.url is not None and has_checksum and has_labels


def _dataset_files() -> dict[str, Path]:
    shipped = (Path(str(resources.files("scbench.conf"))) / "dataset").glob("*.yaml")
    own = [path for path in _user_files() if _other_schema(path) is None]
    return {
        path.stem: path
        for path in (*shipped, *own)
        if path.stem not in _NOT_REGISTERED and not path.stem.startswith((".", "_"))
    }


def _user_files() -> list[Path]:
    user = os.environ.get("SCBENCH_CONF", "").strip()
    return sorted((Path(user).expanduser() / "dataset").glob("*.yaml")) if user else []


def _other_schema(path: Path) -> str | None:
    """Return the schema that a file names in its defaults when it is not that of registered datasets."""
    try:
        content = yaml.load(path.read_text("utf-8"), _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None  # said when the dataset is asked for
    defaults = content.get("defaults", []) if isinstance(content, dict) else []
    return next((schema for name, schema in _OTHER_SCHEMAS.items() if name in (defaults or [])), None)


def _mapping(content: object, path: Path) -> dict[str, Any]:  # Any: YAML, compared with its fields later
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold key: value pairs, found {type(content).__name__}")
    return content


def _check(kind: type[RegisteredDataset | SourceFile], values: Mapping[str, object], where: str) -> None:
    hints = get_type_hints(kind)
    known = [field.name for field in fields(kind)]
    for key, value in values.items():
        if key not in known:
            close = nearest(str(key), known)
            hint = f"did you mean {close!r}?" if close else f"known: {', '.join(known)}"
            raise ConfigError(f"unknown key {key!r} in {where}; {hint}")
        expected = list if get_origin(hints[key]) is list else hints[key]
        if not isinstance(value, expected):
            raise ConfigError(f"{key} in {where} must be {_type_name(hints[key])}, found {value!r}")


def _type_name(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) and get_origin(hint) is None else str(hint)


def _check_checksums(sources: list[SourceFile], path: Path) -> None:
    for source in sources:
        for checksum in (source.checksum, source.label_checksum):
            if checksum is None:
                continue
            try:
                split_checksum(checksum)
            except ConfigError as error:
                raise ConfigError(f"{path}: {error}") from None
