"""Records that no run of ours has: each is a whole record with one thing about it changed, as the bytes of its file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from whole_records import whole_record

__all__ = ["CRAFTED"]


def _with(path: str, value: Any) -> Callable[[], bytes]:
    """Return what makes a record one field of which, by its dotted name, has this value."""

    def make() -> bytes:
        record = whole_record()
        node: dict[str, Any] = record
        *above, last = path.split(".")
        for name in above:
            node = node[name]
        node[last] = value
        return json.dumps(record).encode()

    return make


def _without(name: str) -> Callable[[], bytes]:
    return lambda: json.dumps({key: value for key, value in whole_record().items() if key != name}).encode()


def _text(old: str, new: str) -> Callable[[], bytes]:
    """Return what makes a record with another text in it, such as JSON cannot be made to write."""
    return lambda: json.dumps(whole_record()).replace(old, new).encode()


def _nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {}
    for _ in range(depth):
        node = {"a": node}
    return node


# What is crafted, and what a refusal says about it.
CRAFTED: dict[str, tuple[Callable[[], bytes], str]] = {
    "an ARI of 99": (_with("metrics.ari", 99), r"metrics.ari is 99; expected a number in \[-1, 1\]"),
    "an ACC of -5": (_with("metrics.acc", -5.0), r"metrics.acc is -5.0; expected a number in \[0, 1\]"),
    "an AMI above 1": (_with("metrics.ami", 1.5), "metrics.ami is 1.5"),
    "a score as text": (_with("metrics.acc", "0.5"), "metrics.acc is '0.5'; expected a number or null"),
    "a score that is true": (_with("metrics.acc", True), "metrics.acc is True"),
    "a score in a list": (_with("metrics.acc", [0.5]), r"metrics.acc is \[0.5\]"),
    "a score of its own that is text": (_with("metrics.mine", "7"), "metrics.mine is '7'"),
    "NaN": (_text('"acc": 0.5', '"acc": NaN'), "it holds NaN"),
    "infinity": (_text('"acc": 0.5', '"acc": Infinity'), "it holds Infinity"),
    "a number beyond floats": (_text('"total": 1.2', '"total": 1e999'), "seconds.total' is inf"),
    "an integer beyond floats": (_text('"k": 1}', f'"k": {"9" * 400}}}'), "params.k' is 999"),
    "an integer of 5000 digits": (_text('"k": 1}', f'"k": {"9" * 5000}}}'), "cannot be read"),
    "a huge number of cells": (_with("n_cells", 10**30), "n_cells is 1000"),
    "no cells": (_with("n_cells", 0), "n_cells is 0; expected a whole number above 0"),
    "half a cell": (_with("n_cells", 59.5), "n_cells is 59.5"),
    "a seed as text": (_with("seed", "0"), "seed is '0'; expected a whole number"),
    "threads in a list": (_with("threads", [1]), r"threads is \[1\]"),
    "negative seconds": (_with("seconds.total", -5.0), "seconds.total is -5.0; expected a number of at least 0"),
    "seconds as text": (_with("seconds.fit", "long"), "seconds.fit is 'long'"),
    "no total of seconds": (_with("seconds", {"fit": 1.0}), "seconds lacks total"),
    "negative memory": (_with("peak_rss_bytes", -1), "peak_rss_bytes is -1"),
    "memory as a float": (_with("peak_gpu_bytes", 1.5), "peak_gpu_bytes is 1.5"),
    "an unknown status": (_with("status", "banana"), "status is 'banana'; expected one of ok, error"),
    "a status in a list": (_with("status", ["ok"]), r"status is \['ok'\]"),
    "an unknown protocol": (_with("protocol", "honestly"), "protocol is 'honestly'; expected one of honest, published"),
    "another schema": (_with("schema", 2), "has schema 2"),
    "a schema in a list": (_with("schema", [1]), r"has schema \[1\]"),
    "no schema": (_without("schema"), "has no schema"),
    "a failure without a reason": (_with("status", "error"), "error is null with status error"),
    "an error as text": (_with("error", "it broke"), "error is 'it broke'; expected null or a mapping"),
    "an error without a message": (_with("error", {"type": "E"}), "error is {'type': 'E'}; expected type, message"),
    "more clusters than cells": (_with("n_clusters_found", 61), "n_clusters_found is 61; expected 1 to 60"),
    "a result without clusters": (_with("n_clusters_found", None), "n_clusters_found is None"),
    "no seconds": (_without("seconds"), "it lacks seconds"),
    "no data and no params": (lambda: json.dumps({"schema": 1}).encode(), "it lacks key, method"),
    "params in a list": (_with("params", [1, 2]), r"params is \[1, 2\]; expected a mapping"),
    "data without a checksum": (_with("data", {"source": "x"}), "data.sha256 is None"),
    "preprocessing as text": (_with("data.preprocessing", "none"), "data.preprocessing is 'none'"),
    "provenance of null": (_with("provenance", None), "provenance is None"),
    "a start that is a number": (_with("provenance.started_at", 5), "provenance.started_at is 5"),
    "a preset as text": (_with("preset", "young"), "preset is 'young'"),
    "a preset without a name": (_with("preset", {"source": "x"}), "preset.name is None"),
    "tuned as text": (_with("tuned_with_labels", "no"), "tuned_with_labels is 'no'"),
    "info in a list": (_with("info", ["x"]), r"info is \['x'\]"),
    "a rule that is a number": (_with("n_clusters_rule", 3), "n_clusters_rule is 3"),
    "a best epoch of text": (_with("best_epoch", {"epoch": "last"}), "best_epoch.epoch is 'last'"),
    "a best epoch of 99": (_with("best_epoch", {"epoch": 3, "acc": 99, "nmi": 0, "ari": 0}), "best_epoch.acc is 99"),
    "a dataset above the store": (_with("dataset", "../../x"), "dataset is '../../x'; expected a name without slashes"),
    "a hidden method": (_with("method", ".work"), "method is '.work'"),
    "a method with a line break": (_with("method", "m\nn"), r"method is 'm\\nn'"),
    "a dataset of null bytes": (_with("dataset", "d\0"), r"dataset is 'd\\x00'"),
    "a dataset of 300 letters": (_with("dataset", "d" * 300), "dataset is 'ddd"),
    "a key with a slash": (_with("key", "a/b"), "key is 'a/b'"),
    "a field that hides another": (
        lambda: json.dumps(whole_record() | {"metrics.acc": 0.9}).encode(),
        "a field 'metrics.acc'; expected a name without a dot",
    ),
    "deep nesting": (_with("params", _nested(200)), "is nested too deeply"),
    "nesting beyond the parser": (_text('"k": 1}', '"k": ' + "[" * 20_000 + "]" * 20_000 + "}"), "nested too deeply"),
    "half a million values": (_text('"k": 1}', '"k": [' + "0," * 500_000 + "0]}"), "holds more than 200000 values"),
    "more than 8 MiB": (_text('"k": 1}', '"k": "' + "x" * (9 << 20) + '"}'), "larger than 8 MiB"),
    "no JSON": (lambda: b"{", "cannot be read"),
    "a list": (lambda: b"[]", r"it is \[\]; expected a mapping"),
    "nothing": (lambda: b"", "cannot be read"),
    "bytes that are no text": (lambda: b"\xff\xfe{}", "cannot be read"),
    "UTF-16": (lambda: json.dumps(whole_record()).encode("utf-16"), "cannot be read"),
}
