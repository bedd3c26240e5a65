"""Parameters have new names: old ones still work where a user gives them, and stored runs stay the runs they were."""

from __future__ import annotations

import dataclasses
import importlib
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scbench import vocabulary
from scbench.__main__ import main
from scbench.config.compose import run_with_config
from scbench.config.experiment import load_experiment
from scbench.config.method_help import method_help, parameters_of
from scbench.config.preset import leaves
from scbench.config.schema import RunConfig
from scbench.errors import ConfigError
from scbench.method import MethodConfig
from scbench.plugins import discover, find
from scbench.renames import current_params, current_record, current_values, former_names, stored_params
from scbench.run.plan import run_key
from scbench.store.non_defaults import parameters_with
from scbench.store.record_file import read_record
from scbench.tune.search_overrides import space_of

STORED = json.loads(Path(__file__).with_name("stored_keys.json").read_text(encoding="utf-8"))
WHOLE = [entry for entry in STORED if "params" in entry]
DATA: Any = SimpleNamespace(sha256="0" * 64, preprocessing={"label": None}, n_cells=100)
METHODS = sorted(name for name, plugin in discover().items() if plugin.package.startswith("scbench_methods."))


def composed(*arguments: str) -> list[RunConfig]:
    seen: list[RunConfig] = []
    run_with_config(list(arguments), lambda jobs: seen.extend(jobs) or 0)  # type: ignore[func-returns-value]
    return seen


def config_of(method: str, variant: str, given: dict[str, Any]) -> MethodConfig:
    values = current_values(find(method).config_class(), given)
    mask = {name.removeprefix("mask."): values.pop(name) for name in list(values) if name.startswith("mask.")}
    if mask:
        from scbench_methods.scsamac.config import MaskConfig

        values["mask"] = MaskConfig(**mask)
    return find(method).config_class()(name=method, variant=variant, **values)


def params_of(config: MethodConfig) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(config).items() if name not in ("name", "variant")}


@pytest.mark.parametrize("entry", STORED, ids=lambda entry: f"{entry['method']}-{entry['variant']}")
def test_a_run_that_was_stored_under_old_names_has_the_key_that_it_had(entry: dict[str, Any]) -> None:
    config = config_of(entry["method"], entry["variant"], entry["given"])
    assert run_key(config, DATA, "honest", "true", 4, 0) == entry["key"]


def test_a_new_default_that_makes_no_difference_to_a_set_leaves_its_runs_as_they_are() -> None:
    schema = find("scsamac").config_class()
    now, before = schema(name="scsamac"), schema(name="scsamac", exact_attention_cells=50_000, n_landmarks=4096)
    small, large = (SimpleNamespace(sha256=str(n), preprocessing={}, n_cells=n) for n in (10_000, 10_001))
    keys = [run_key(config, data, "honest", "true", 4, 0) for data in (small, large) for config in (now, before)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3  # those of the larger set differ
    fewer = schema(name="scsamac", n_landmarks=7)
    assert run_key(fewer, small, "honest", "true", 4, 0) not in keys
    for n_cells, expected in ((10_000, now), (10_001, before)):
        found = current_record({"method": "scsamac", "params": params_of(before), "n_cells": n_cells})
        assert found["params"] == params_of(expected)


@pytest.mark.parametrize("entry", WHOLE, ids=lambda entry: f"{entry['method']}-{entry['variant']}")
def test_parameters_of_old_records_are_those_of_today_and_back(entry: dict[str, Any]) -> None:
    config = config_of(entry["method"], entry["variant"], entry["given"])
    found = current_params(entry["method"], entry["params"])
    assert found == params_of(config)
    assert current_params(entry["method"], found) == found
    assert stored_params(type(config), found) == stored_params(type(config), entry["params"]) == entry["params"]


@pytest.mark.parametrize("method", METHODS)
def test_no_old_name_means_something_else_now(method: str) -> None:
    schema = find(method).config_class()
    names = {field.name for field in dataclasses.fields(schema)}
    former = former_names(schema)
    assert not names & {name.partition(".")[0] for name in former}
    assert len(set(former.values())) == len(former)


def test_a_name_that_two_methods_have_means_one_thing() -> None:
    """It is a term of the vocabulary, whose meaning every method's own starts with."""
    meanings: dict[str, list[str]] = {}
    for method in METHODS:
        if method != "louvain":  # its fields are those of leiden
            for parameter in parameters_of(find(method).config_class()):
                meanings.setdefault(parameter.path, []).append(parameter.meaning)
    shared = {name: found for name, found in meanings.items() if len(found) > 1}
    assert {"n_top_genes", "lr", "n_neighbors", "temperature", "tol", "n_heads", "noise_std", "epochs"} <= shared.keys()
    for name, found in shared.items():
        term = getattr(vocabulary, name, None)
        assert term is not None, f"{name} is no term of the vocabulary"
        assert all(meaning.startswith(term.meaning) for meaning in found), name


@pytest.mark.parametrize("method", METHODS)
def test_help_shows_each_parameter_with_type_and_meaning(method: str) -> None:
    text = method_help(method)
    for parameter in parameters_of(find(method).config_class()):
        assert parameter.meaning, f"{parameter.path} says nothing"
        assert f"  method.{parameter.path}=" in text
        assert parameter.meaning.split()[0] in text
    for former in former_names(find(method).config_class()):
        assert f"was method.{former}" in text.replace("\n      ", " ")


@pytest.mark.parametrize(
    ("arguments", "name", "value", "said"),
    [
        (("method=leiden", "method.n_genes=500"), "n_top_genes", 500, "method.n_genes is now method.n_top_genes"),
        (("method=cicl", "++method.tau=0.1"), "temperature", 0.1, "method.tau is now method.temperature"),
        (("method=sccagn", "method.graph.k=5"), "n_neighbors", 5, "method.graph.k is now method.n_neighbors"),
        (("method=sccagn", "method.graph={k: 5}"), "n_neighbors", 5, "method.graph.k is now method.n_neighbors"),
        (("method=leiden", "method.n_top_genes=500"), "n_top_genes", 500, ""),
    ],
)
def test_an_old_name_on_the_command_line_works_and_is_told(
    arguments: tuple[str, ...], name: str, value: object, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "scbench.renames")
    (config,) = composed(*arguments)
    assert getattr(config.method, name) == value
    assert "\n".join(caplog.messages) == said


def test_an_old_name_in_a_sweep_is_that_parameter_of_every_method() -> None:
    found = composed("-m", "method=leiden,cicl", "method.n_genes=300,400")
    assert [(job.method.name, job.method.n_top_genes) for job in found] == [
        ("leiden", 300), ("leiden", 400), ("cicl", 300), ("cicl", 400)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("method=leiden", "method.n_genes=5", "method.n_top_genes=6"), "n_top_genes, and both are given; leave the"),
        (("-m", "method=cicl,scsiameseclu", "method.alpha=0.5"), "method.alpha is now method.dof of CiclConfig and"),
        (("method=random", "method.n_genes=5"), "unknown key 'method.n_genes' for method=random"),
    ],
)
def test_an_old_name_that_is_not_one_parameter_is_refused(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        composed(*arguments)


def test_old_names_work_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preset = tmp_path / "mine.yaml"
    preset.write_text("tuned_with_labels: false\nparams: {tau: 0.2, graph: {k: 7}, lr: 0.01}\n", encoding="utf-8")
    (config,) = composed("method=sccagn", f"preset={preset}", "method.lr=0.02")
    assert (config.method.target_temperature, config.method.n_neighbors, config.method.lr) == (0.2, 7, 0.02)
    (config,) = composed("method=sccagn", f"preset={preset}", "method.n_neighbors=9")
    assert config.method.n_neighbors == 9
    preset.write_text("tuned_with_labels: false\nparams: {tau: 0.2, target_temperature: 0.3}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"params.tau is now params.target_temperature, and both are given"):
        composed("method=sccagn", f"preset={preset}")
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "own.yaml").write_text(
        "title: x\nmethods: [leiden: {n_genes: 300}, nobody: {n_genes: 4}]\ndatasets: [goolam]\n", encoding="utf-8"
    )
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path))
    assert [row.params for row in load_experiment("own").methods] == [{"n_top_genes": 300}, {"n_genes": 4}]


def test_a_search_takes_old_names_and_keeps_them_in_its_study() -> None:
    plugin = find("sccagn")
    config = plugin.config_class()(name="sccagn")
    space = space_of(plugin, config, {"graph.k": [6, 9], "heads": "default"})
    ranges = {parameter.path: (parameter.low, parameter.high) for parameter in space.parameters}
    assert ranges["n_neighbors"] == (6, 9)
    assert "n_heads" not in ranges
    assert set(space.distributions()) == {"tau", "graph.k", "lr", "eps_q", "eps_r", "mu"}
    values = space.defaults(config)
    assert space.stored(values)["graph.k"] == values["n_neighbors"] == 10
    assert space.current(space.stored(values)) == values


def test_a_record_is_read_with_the_names_of_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "store"))
    record = importlib.import_module("whole_records").whole_record(
        method="leiden", params={"n_genes": 300, "n_neighbors": 5}
    )
    (tmp_path / "record.json").write_text(json.dumps(record), encoding="utf-8")
    found = read_record(tmp_path)
    assert found is not None
    assert found["params"] == {"n_top_genes": 300, "n_neighbors": 5}


def test_old_and_new_names_of_a_preset_come_to_the_same_parameters() -> None:
    old = parameters_with("scsiameseclu", "default", {"alpha": 0.3, "graph.k": 5})
    assert old == parameters_with("scsiameseclu", "default", {"teleport": 0.3, "n_neighbors": 5})
    assert old is not None
    assert dict(leaves(old))["teleport"] == 0.3


def test_declarations_import_no_array_library() -> None:
    code = (
        "import sys, scbench.vocabulary\nfrom scbench.plugins import discover\n"
        "[plugin.config_class() for plugin in discover().values()]\n"
        "print([name for name in ('numpy', 'torch', 'pandas', 'scanpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("method", METHODS)
def test_a_methods_readme_names_parameters_that_there_are(method: str) -> None:
    folder = Path(str(importlib.import_module(find(method).package).__file__)).parent
    text = (folder / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmethod\.([a-z_]+(?:\.[a-z_]+)?)\b", text)) - {"py"}
    known = {parameter.path for parameter in parameters_of(find(method).config_class())} | {"variant", "mask"}
    assert named - known == set()


def test_a_users_own_file_with_an_earlier_name_is_told_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "method").mkdir()
    (tmp_path / "method" / "leiden.yaml").write_text("defaults:\n  - leiden_schema\n  - _self_\nn_genes: 300\n")
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path))
    assert main(["method=leiden", "dataset=simulated", f"store={tmp_path / 'store'}"]) == 2
    said = capsys.readouterr().err
    assert "In 'method/leiden'" in said
    assert "method.n_genes is now method.n_top_genes" in said


def test_a_parameter_that_came_later_changes_keys_only_where_it_is_not_its_default() -> None:
    schema = find("leiden").config_class()
    keys = [
        run_key(schema(name="leiden", exact_neighbour_cells=limit), DATA, "honest", "true", 4, 0)
        for limit in (50_000, 50_001)
    ]
    assert keys[0] == STORED[0]["key"] != keys[1]
    assert "exact_neighbour_cells" not in stored_params(schema, params_of(schema(name="leiden")))
    assert current_params("leiden", STORED[0]["params"])["exact_neighbour_cells"] == 50_000
