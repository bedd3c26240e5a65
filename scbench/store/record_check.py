"""Whether a record is one: the type and range of every field that tables, pages and searches build on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from scbench.config.schema import PROTOCOLS
from scbench.metrics.registry import METRICS
from scbench.store.record import FIELDS, STATUSES
from scbench.store.record_text import shown

__all__ = ["what_is_wrong"]

_NAME = re.compile(r"[^/.\x00-\x1f\x7f][^/\x00-\x1f\x7f]*")  # of a folder
_LARGEST_COUNT = 2**53  # what every reader of JSON keeps exact
_MOST_SECONDS = 1e10  # three hundred years
_SLACK = 1e-9  # of a score: rounding may carry it past its limit
_CLOCK_SLACK = 1e-3  # of seconds that are a difference of two


_NEEDED = frozenset(FIELDS)


class _Field(NamedTuple):
    name: str
    fits: Callable[[Any], bool]  # Any: JSON of unknown shape
    expected: str


def what_is_wrong(record: Mapping[str, Any]) -> str:
    """Return the field that no run of ours has, what it holds and what is expected; empty for nothing.

    Args:
        record: JSON of this version's schema; anything.
    """
    if not record.keys() >= _NEEDED:
        return f"it lacks {', '.join(name for name in FIELDS if name not in record)}"
    for name, fits, expected in _EXPECTED:
        if not fits(record[name]):
            return f"{name} is {shown(record[name])}; expected {expected}"
    for name, fits, expected in _EXTRAS:
        if name in record and not fits(record[name]):
            return f"{name} is {shown(record[name])}; expected {expected}"
    if (dotted := next((name for name in record if "." in name), None)) is not None:
        return f"it has a field {shown(dotted)}; expected a name without a dot"
    return (
        _wrong_status(record)
        or _wrong_scores(record["metrics"], "metrics")
        or _wrong_best(record["best_epoch"])
        or _wrong_seconds(record["seconds"])
        or _wrong_parts(record)
    )


def _wrong_status(record: Mapping[str, Any]) -> str:
    """Return what does not fit the status or the number of cells."""
    error, found = record["error"], record["n_clusters_found"]
    if error is not None and not all(type(error.get(name)) is str for name in ("type", "message", "traceback")):
        return f"error is {shown(error)}; expected type, message and traceback, each a text"
    if record["status"] != "ok":
        return f"error is null with status {record['status']}; expected a reason" if error is None else ""
    if found is None or not 0 < found <= record["n_cells"]:
        return f"n_clusters_found is {shown(found)}; expected 1 to {record['n_cells']}, the number of cells"
    return ""


def _wrong_scores(scores: Mapping[str, Any], place: str) -> str:
    """Return what is no score. Metrics that came later are missing; of those that are not known here, any number is."""
    for name, value in scores.items():
        if value is None:
            continue
        if type(value) is not float and type(value) is not int:
            return f"{place}.{_key(name)} is {shown(value)}; expected a number or null"
        metric = METRICS.get(name)
        if metric is not None and not metric.lowest - _SLACK <= value <= metric.highest + _SLACK:
            return f"{place}.{_key(name)} is {shown(value)}; expected a number in {metric.interval}"
    return ""


def _wrong_best(best: Mapping[str, Any] | None) -> str:
    """Return what is no best epoch."""
    if best is None:
        return ""
    if not _is_whole(best.get("epoch")):
        return f"best_epoch.epoch is {shown(best.get('epoch'))}; expected a whole number"
    return _wrong_scores({name: best[name] for name in best if name != "epoch"}, "best_epoch")


def _wrong_seconds(seconds: Mapping[str, Any]) -> str:
    """Return what is no duration."""
    if "total" not in seconds:
        return "seconds lacks total"
    for name, value in seconds.items():
        is_number = type(value) is float or type(value) is int
        if value is not None and not (is_number and -_CLOCK_SLACK <= value <= _MOST_SECONDS):
            return f"seconds.{_key(name)} is {shown(value)}; expected a number of at least 0, or null"
    return ""


def _wrong_parts(record: Mapping[str, Any]) -> str:
    """Return what is wrong in the mappings that say where a run comes from."""
    data, started = record["data"], record["provenance"].get("started_at")
    if type(data.get("sha256")) is not str:
        return f"data.sha256 is {shown(data.get('sha256'))}; expected a text"
    if not isinstance(data.get("preprocessing", {}), dict):
        return f"data.preprocessing is {shown(data['preprocessing'])}; expected a mapping"
    if started is not None and type(started) is not str:
        return f"provenance.started_at is {shown(started)}; expected a text"
    preset = record.get("preset")
    if preset is not None and type(preset.get("name")) is not str:
        return f"preset.name is {shown(preset.get('name'))}; expected a text"
    return ""


def _key(name: str) -> str:
    """Return the name of a part as messages show it."""
    return name if name.isidentifier() else shown(name)


def _is_name(value: Any) -> bool:
    return type(value) is str and len(value) <= 255 and _NAME.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_mapping(value: Any) -> bool:
    return type(value) is dict


def _is_mapping_or_null(value: Any) -> bool:
    return value is None or type(value) is dict


def _is_whole(value: Any) -> bool:
    return type(value) is int and -_LARGEST_COUNT < value < _LARGEST_COUNT


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST_COUNT


def _is_count_or_null(value: Any) -> bool:
    return value is None or _is_count(value)


def _is_positive(value: Any) -> bool:
    return type(value) is int and 0 < value < _LARGEST_COUNT


def _one_of(*choices: str) -> Callable[[Any], bool]:
    return lambda value: type(value) is str and value in choices


_A_NAME = "a name without slashes and control characters that does not start with a dot"
_EXPECTED = (
    _Field("key", _is_name, "the sha256 of the run"),
    _Field("method", _is_name, _A_NAME),
    _Field("variant", _is_text, "a text"),
    _Field("dataset", _is_name, _A_NAME),
    _Field("protocol", _one_of(*PROTOCOLS), f"one of {', '.join(PROTOCOLS)}"),
    _Field("seed", _is_whole, "a whole number"),
    _Field("status", _one_of(*STATUSES), f"one of {', '.join(STATUSES)}"),
    _Field("error", _is_mapping_or_null, "null or a mapping"),
    _Field("n_cells", _is_positive, "a whole number above 0"),
    _Field("n_genes", _is_positive, "a whole number above 0"),
    _Field("n_types", _is_count_or_null, "a whole number of at least 0, or null"),
    _Field("n_clusters_requested", _is_positive, "a whole number above 0"),
    _Field("n_clusters_found", _is_count_or_null, "a whole number of at least 0, or null"),
    _Field("metrics", _is_mapping, "a mapping"),
    _Field("best_epoch", _is_mapping_or_null, "null or a mapping"),
    _Field("seconds", _is_mapping, "a mapping"),
    _Field("peak_rss_bytes", _is_count_or_null, "a whole number of at least 0, or null"),
    _Field("peak_gpu_bytes", _is_count_or_null, "a whole number of at least 0, or null"),
    _Field("device", _is_text, "a text"),
    _Field("threads", _is_count, "a whole number of at least 0"),
    _Field("params", _is_mapping, "a mapping"),
    _Field("data", _is_mapping, "a mapping"),
    _Field("provenance", _is_mapping, "a mapping"),
)
_EXTRAS = (
    _Field("n_clusters_rule", lambda value: value is None or type(value) is str, "a text or null"),
    _Field("n_clusters_evidence", _is_mapping_or_null, "null or a mapping"),
    _Field("info", _is_mapping_or_null, "null or a mapping"),
    _Field("preset", _is_mapping_or_null, "null or a mapping"),
    _Field("tuned_with_labels", lambda value: value is None or type(value) is bool, "true, false or null"),
)
