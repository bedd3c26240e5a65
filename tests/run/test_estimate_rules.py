"""n_clusters=estimate in keys and records: the first rule keeps its keys, the second has its own, and says why."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from scbench.__main__ import main
from scbench.config.schema import parse_n_clusters
from scbench.errors import ConfigError
from scbench.store.record_check import what_is_wrong
from scbench.store.record_key import wrong_key

SIMULATED = ["dataset=simulated", "dataset.n_cells=150", "dataset.n_genes=400", "dataset.n_types=3"]
COMMAND = ["method=random", *SIMULATED, "dataset.separation=3", "seeds=1", "n_clusters=estimate"]


def record_of(tmp_path: Path, *more: str) -> dict[str, Any]:
    assert main([*COMMAND, f"store={tmp_path / 'store'}", *more]) == 0
    (path,) = (tmp_path / "store").rglob("record.json")
    record: dict[str, Any] = json.loads(path.read_text())
    assert (wrong_key(record), what_is_wrong(record)) == ("", "")
    return record


def key_with(record: dict[str, Any], rule: str) -> str:
    """Return the key as the first version of this rule made it, written out."""
    identity = {name: record[name] for name in ("schema", "method", "variant", "protocol", "seed", "params")} | {
        "data": record["data"]["sha256"],
        "preprocessing": record["data"]["preprocessing"],
        "k": {"rule": rule, "n_clusters": record["n_clusters_requested"]},
    }
    return sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def test_resolution_1_keeps_the_keys_of_runs_from_before(tmp_path: Path) -> None:
    record = record_of(tmp_path)
    assert record["n_clusters_rule"] == "estimate"
    assert record["key"] == key_with(record, "estimate")
    assert record["n_clusters_evidence"] == {"rule": "resolution_1"}


def test_stability_has_a_key_of_its_own_and_its_evidence_in_the_record(tmp_path: Path) -> None:
    record = record_of(tmp_path, "estimate=stability")
    assert record["n_clusters_rule"] == "estimate_stability"
    assert record["key"] == key_with(record, "estimate_stability")
    evidence = record["n_clusters_evidence"]
    assert (evidence["rule"], evidence["k"], evidence["n_cells_used"]) == ("stability", 3, 150)
    assert record["n_clusters_requested"] == 3
    assert (
        main([*COMMAND, "estimate=stability", f"store={tmp_path / 'store'}"]) == 0
    )  # found again, from the cache of the estimate
    assert len(list((tmp_path / "store").rglob("record.json"))) == 1


def test_other_rules_have_no_evidence(tmp_path: Path) -> None:
    assert "n_clusters_evidence" not in record_of(tmp_path, "n_clusters=3")


@pytest.mark.parametrize(
    ("given", "estimate", "expected"),
    [
        ("estimate", "stability", ("estimate_stability", None)),
        ("estimate", "resolution_1", ("estimate", None)),
        (True, "resolution_1", ("true", None)),
        (7, "stability", ("number", 7)),
    ],
)
def test_rules_by_name(given: object, estimate: str, expected: tuple[str, int | None]) -> None:
    assert parse_n_clusters(given, estimate) == expected


def test_an_unknown_rule_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="unknown estimate 'resolution'"):
        parse_n_clusters("estimate", "resolution")
    assert main([*COMMAND, "estimate=gap"]) == 2
    assert "unknown estimate 'gap'" in capsys.readouterr().err


def test_too_few_cells_are_said_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([*COMMAND, "estimate=stability", "dataset.n_cells=8", f"store={tmp_path}"]) == 2
    assert "8 cells are too few to estimate the number of clusters from, which takes 10" in capsys.readouterr().err
