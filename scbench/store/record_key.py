"""The key of a run, made anew from what its record says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from scbench.renames import stored_params_of
from scbench.store.record import canonical_json
from scbench.store.record_text import shown

__all__ = ["wrong_key"]

_RULES = ("true", "estimate", "number")  # those of records that do not say theirs
_CUT = ".../"  # how folders of a machine stand in archives that were packed before preprocessing was left as it is


def wrong_key(record: Mapping[str, Any]) -> str:
    """Return what is wrong with the key of a whole record; empty for nothing.

    The identity is that of :func:`scbench.run.plan.run_key`: parameters have the names in it that they had first, which
    the installed method tells; those of a method that is not installed stand in it as the record has them. A record
    from before rules were recorded may have the key of any. One whose preprocessing was cut by an earlier ``pack``
    cannot be checked and is taken as it is.
    """
    data = record["data"]
    preprocessing = data.get("preprocessing")
    if isinstance(preprocessing, dict) and any(_CUT in one for one in preprocessing.values() if isinstance(one, str)):
        return ""
    rule = record.get("n_clusters_rule")
    made = [_key(record, one) for one in (_RULES if rule is None else (rule,))]
    if record["key"] in made:
        return ""
    return (
        f"key is {shown(record['key'])}; expected {made[0]}, which follows from its method, parameters, data, rule for "
        "K, protocol and seed"
    )


def _key(record: Mapping[str, Any], rule: str) -> str:
    """Return the sha256 of the identity."""
    identity = {
        **{name: record[name] for name in ("schema", "method", "variant", "protocol", "seed")},
        "params": stored_params_of(record["method"], record["params"], record["n_cells"]),
        "data": record["data"]["sha256"],
        "preprocessing": record["data"].get("preprocessing"),
        "k": {"rule": rule, "n_clusters": record["n_clusters_requested"]},
    }
    return hashlib.sha256(canonical_json(identity).encode()).hexdigest()
