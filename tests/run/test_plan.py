from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scbench_methods.leiden.config import LeidenConfig
from scbench_methods.pca_kmeans.config import PcaKmeansConfig

from scbench.config.schema import AppliedPreset, LocalEngine, RunConfig
from scbench.data.load import Dataset
from scbench.errors import ConfigError
from scbench.run.plan import plan_runs, run_key
from scbench.store.record import canonical_json

DATASET = Dataset(
    name="d",
    sha256="f" * 64,
    source="d.h5",
    preprocessing={"values": "counts", "rounding": "none"},
    folder=Path("/cache/d"),
    labels_path=None,
    n_cells=50,
    n_genes=20,
    n_types=6,
    is_counts=True,
    warnings=(),
)


def config(**settings: Any) -> RunConfig:
    return RunConfig(method=PcaKmeansConfig(), dataset=None, engine=LocalEngine(), **settings)


def keys(dataset: Dataset = DATASET, **settings: Any) -> list[str]:
    return [run.key for run in plan_runs(config(**settings), dataset)]


def test_seeds_and_k_are_resolved() -> None:
    runs = plan_runs(config(seeds=[4, 2]), DATASET)
    assert [run.seed for run in runs] == [4, 2]
    assert {(run.k_rule, run.n_clusters) for run in runs} == {("true", 6)}
    assert plan_runs(config(n_clusters=9, seeds=1), DATASET)[0].n_clusters == 9
    assert len(keys()) == 10


def test_the_key_is_the_hash_of_the_canonical_identity() -> None:
    (key,) = keys(seeds=[7])
    identity = {
        "seed": 7,
        "schema": 1,
        "method": "pca_kmeans",
        "variant": "default",
        "params": {"n_init": 20, "n_genes": 2000, "n_components": 20},
        "data": "f" * 64,
        "preprocessing": {"rounding": "none", "values": "counts"},
        "k": {"rule": "true", "n_clusters": 6},
        "protocol": "honest",
    }
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    assert key == hashlib.sha256(text.encode()).hexdigest()


def test_whatever_changes_a_result_changes_the_key() -> None:
    base = run_key(PcaKmeansConfig(), DATASET, "honest", "true", 6, 0)
    others = [
        run_key(PcaKmeansConfig(n_init=5), DATASET, "honest", "true", 6, 0),
        run_key(LeidenConfig(), DATASET, "honest", "true", 6, 0),
        run_key(PcaKmeansConfig(), replace(DATASET, sha256="0" * 64), "honest", "true", 6, 0),
        run_key(PcaKmeansConfig(), replace(DATASET, preprocessing={"rounding": "ceil"}), "honest", "true", 6, 0),
        run_key(PcaKmeansConfig(), DATASET, "published", "true", 6, 0),
        run_key(PcaKmeansConfig(), DATASET, "honest", "number", 6, 0),
        run_key(PcaKmeansConfig(), DATASET, "honest", "true", 7, 0),
        run_key(PcaKmeansConfig(), DATASET, "honest", "true", 6, 1),
    ]
    assert len({base, *others}) == 9


def test_what_does_not_change_a_result_does_not_change_the_key() -> None:
    elsewhere = replace(DATASET, folder=Path("/other"), source="copy.h5", warnings=("x",))
    assert keys() == keys(elsewhere, device="cuda", store="other", retry_failed=True)
    preset = AppliedPreset("young", "a table", tuned_with_labels=True)
    assert keys() == keys(preset="young", applied_preset=preset)
    assert {run.preset for run in plan_runs(config(applied_preset=preset), DATASET)} == {preset}


def test_canonical_json_ignores_order_and_refuses_nan() -> None:
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == canonical_json({"a": {"c": 3, "d": 2}, "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": float("nan")})


def test_more_clusters_than_cells_are_refused() -> None:
    with pytest.raises(ConfigError, match="n_clusters is 51 but dataset d has only 50 cells"):
        plan_runs(config(n_clusters=51), DATASET)


def test_k_from_labels_needs_labels() -> None:
    with pytest.raises(ConfigError, match="dataset d has no labels"):
        plan_runs(config(), replace(DATASET, n_types=None))
