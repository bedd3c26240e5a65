"""The fields of an experiment's file: which there are, what each may hold, and what it means when it is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scbench.config.schema import PROTOCOLS, parse_n_clusters, parse_seeds
from scbench.errors import ConfigError
from scbench.metrics.registry import HEADLINE, SCORES
from scbench.names import check_choice, unknown

__all__ = ["METRICS", "read_fields"]

METRICS = (*SCORES, "seconds")
_NOT_HERE = ("method", "store", "experiment", "protocol", "seeds", "n_clusters")


def read_fields(content: object, where: str) -> dict[str, Any]:  # Any: each field is of its own kind
    """Return all fields of an experiment, checked, those left out with their defaults.

    Args:
        content: what the file holds.
        where: names the file in messages.

    Raises:
        ConfigError: with the file, the field, what was found and what it may hold.
    """
    if not isinstance(content, dict):
        raise ConfigError(f"{where} must hold key: value pairs, found {type(content).__name__}")
    for key in content:
        if key not in _READERS:
            raise ConfigError(f"{where}: {unknown('key', str(key), _READERS)}")
    for key in ("title", "methods", "datasets"):
        if key not in content:
            raise ConfigError(f"{where} has no {key}; add {key}: {_EXPECTED[key]}")
    fields = {}
    for key, (read, default) in _READERS.items():
        try:
            fields[key] = read(content.get(key, default))
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{where}: {key} must be {_EXPECTED[key]}, found {content[key]!r}") from error
    return fields


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return " ".join(value.split())


def _protocol(value: object) -> str:
    return check_choice("protocol", str(value), PROTOCOLS)


def _n_clusters(value: object) -> object:
    parse_n_clusters(value)
    return value


def _methods(value: object) -> list[tuple[str, Mapping[str, Any]]]:
    """Return name and parameters of each row: ``- leiden`` or ``- leiden: {resolution: 2}``."""
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for entry in _filled(value):
        name, params = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else (entry, {})
        if not isinstance(name, str) or not isinstance(params, dict):
            raise TypeError
        if (name, params) in rows:
            raise ConfigError(f"methods holds {name} twice with the same parameters; remove one")
        rows.append((name, params))
    return rows


def _datasets(value: object) -> dict[str, str]:
    """Return the paper's name by the registered one; a list has no names of a paper."""
    named = value if isinstance(value, dict) else {name: name for name in _filled(value)}
    if not named or not all(isinstance(text, str) for pair in named.items() for text in pair):
        raise TypeError
    if isinstance(value, list) and len(named) < len(value):
        raise ConfigError(f"datasets holds a name twice: {value}; remove one")
    return dict(named)


def _overrides(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise TypeError
    for key in value:
        if key.partition(".")[0] in _NOT_HERE or key in ("dataset", "engine"):
            raise ConfigError(f"overrides cannot set {key}; it has a field of its own, or is chosen with the command")
    return value


def _metrics(value: object) -> tuple[str, ...]:
    return tuple(check_choice("metric", str(name), METRICS) for name in _filled(value))


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError
    return tuple(value)


def _filled(value: object) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise TypeError
    return value


_READERS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "title": (_text, None),
    "source": (_text, ""),
    "note": (_text, ""),
    "protocol": (_protocol, "honest"),
    "seeds": (lambda value: tuple(parse_seeds(value)), 10),
    "n_clusters": (_n_clusters, True),
    "methods": (_methods, None),
    "datasets": (_datasets, None),
    "overrides": (_overrides, {}),
    "metrics": (_metrics, list(HEADLINE)),
    "published": (_names, []),
}
_EXPECTED = {
    "title": "a text",
    "source": "a text",
    "note": "a text",
    "methods": "a list of names, or of name: {parameter: value}",
    "datasets": "a list of names, or name: name in the paper",
    "overrides": "key: value pairs such as engine.timeout_min: 60",
    "metrics": f"a list of {', '.join(METRICS)}",
    "published": "a list of file names",
}
