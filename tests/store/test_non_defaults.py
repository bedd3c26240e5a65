"""A variation of a method is never shown under the method's bare name."""

from __future__ import annotations

import dataclasses

import pytest
from report_records import record
from scbench_methods.leiden.config import LeidenConfig
from scbench_methods.scsamac.config import MaskConfig, ScSamacConfig
from scbench_methods.scsiameseclu.config import ScSiameseCluConfig

from scbench.config.preset import leaves
from scbench.store.non_defaults import non_defaults, parameters_with
from scbench.store.store import json_ready
from scbench.tables.rows import differences, summarise


def parameters(config: object) -> dict[str, object]:
    values = json_ready(dataclasses.asdict(config))  # type: ignore[call-overload]
    return {name: value for name, value in values.items() if name not in ("name", "variant")}


def test_defaults_depart_from_nothing() -> None:
    assert non_defaults("leiden", "default", dict(leaves(parameters(LeidenConfig())))) == {}
    for variant in ("default", "paper_code"):
        config = ScSiameseCluConfig(variant=variant)
        assert non_defaults("scsiameseclu", variant, dict(leaves(parameters(config)))) == {}


def test_what_differs_is_named_also_inside_groups() -> None:
    config = parameters(ScSamacConfig(noise_std=0.1, mask=MaskConfig(p_other=0.5)))
    assert non_defaults("scsamac", "default", dict(leaves(config))) == {"noise_std": 0.1, "mask.p_other": 0.5}


def test_a_resolution_is_named_wherever_it_is_used_and_stands_for_what_it_implies() -> None:
    usual = parameters(LeidenConfig())
    for config, shown in (
        (LeidenConfig(match_k=False), {"resolution": 1.0}),
        (LeidenConfig(resolution=1.0), {"resolution": 1.0}),
        (LeidenConfig(match_k=False, resolution=2.0, n_neighbors=5), {"resolution": 2.0, "n_neighbors": 5}),
    ):
        assert non_defaults("leiden", "default", parameters(config)) == shown
    rows = summarise([record(method="leiden", params=p) for p in (usual, parameters(LeidenConfig(match_k=False)))])
    assert differences(rows) == ["", "resolution=1.0"]


def test_a_resolution_that_a_record_names_but_its_run_did_not_use_says_so() -> None:
    """Records of versions that took ``method.resolution=2`` and searched another one."""
    old = {**parameters(LeidenConfig()), "resolution": 2.0}
    assert non_defaults("leiden", "default", old) == {"resolution": "2.0 (not used)"}
    assert non_defaults("leiden", "default", {"resolution": 2.0}) == {"resolution": 2.0}


def test_parameters_that_follow_from_those_that_are_given() -> None:
    finer = parameters_with("leiden", "default", {"resolution": 2})
    assert finer == parameters(LeidenConfig(resolution=2.0))
    grouped = parameters_with("scsamac", "default", {"mask.p_other": 0.5, "dof": 2.0})
    assert grouped is not None
    assert (grouped["mask.p_other"], grouped["mask.p_salient"], grouped["dof"]) == (0.5, 0.1, 2.0)
    earlier = parameters_with("scsiameseclu", "default", {"graph.k": 7, "alpha": 0.3})
    assert earlier is not None
    assert (earlier["n_neighbors"], earlier["teleport"]) == (7, 0.3)
    assert parameters_with("leiden", "default", {"resolution": 2.0, "match_k": True}) is None
    assert parameters_with("leiden", "default", {"resolutio": 2.0}) is None
    assert parameters_with("leiden", "default", {"graph.k": 7}) is None


def test_parameters_of_another_version_are_left_out() -> None:
    assert non_defaults("leiden", "default", {"gone": 1}) == {}


@pytest.mark.parametrize(("method", "variant"), [("nobody", "default"), ("leiden", "nobody")])
def test_what_is_not_installed_is_not_known(method: str, variant: str) -> None:
    assert non_defaults(method, variant, {"resolution": 2.0}) is None


def test_a_lone_row_names_what_is_not_default() -> None:
    usual, finer = parameters(LeidenConfig()), parameters(LeidenConfig(resolution=2.0))
    assert differences(summarise([record(method="leiden", params=usual)])) == [""]
    assert differences(summarise([record(method="leiden", params=finer)])) == ["resolution=2.0"]
    both = summarise([record(method="leiden", params=params) for params in (usual, finer)])
    assert differences(both) == ["", "resolution=2.0"]


def test_many_departures_are_a_hash_and_a_preset_speaks_for_itself() -> None:
    odd = parameters(ScSiameseCluConfig(pretrain_epochs=5, pretrain_graph_epochs=5, pretrain_joint_epochs=5, epochs=5))
    (row,) = summarise([record(method="scsiameseclu", params=odd)])
    assert differences([row]) == [f"#{row.setting}"]
    (named,) = summarise([record(method="scsiameseclu", params=odd, preset={"name": "short"})])
    assert differences([named]) == [""]


def test_equal_departures_on_other_data_are_told_apart_by_their_hash() -> None:
    finer = parameters(LeidenConfig(resolution=2.0))
    rows = summarise([record(method="leiden", params=finer, n_clusters_requested=k) for k in (3, 5)])
    assert differences(rows) == [f"#{row.setting}" for row in rows]
