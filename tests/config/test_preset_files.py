"""Files of presets: what they may hold, and the one line that says what is wrong with one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scbench.config.preset import leaves, own_preset, shipped_names, shipped_preset, shipped_presets
from scbench.config.preset_choice import check_params, choose_preset
from scbench.errors import ConfigError
from scbench.plugins import Plugin, find

WHOLE = "datasets: [kidney]\nsource: a table\ntuned_with_labels: true\nnote: ''\nparams: {seconds: 1}\n"


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def shipper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """A method's package with an empty folder for presets."""
    package = tmp_path / "site" / "shipper"
    (package / "presets").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.delitem(sys.modules, "shipper", raising=False)  # that of the test before
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return Plugin("shipper", "shipper")


def ship(tmp_path: Path, name: str, text: str = WHOLE) -> None:
    (tmp_path / "site" / "shipper" / "presets" / name).write_text(text)


def test_a_shipped_preset_is_read_whole(toy_installed: None) -> None:
    toy = find("toy")
    assert shipped_names(toy) == ["kidney", "quick"]
    kidney, quick = shipped_presets(toy)
    assert (kidney.name, kidney.datasets) == ("kidney", ("kidney", "kidney_top2000"))
    assert (kidney.source, kidney.note) == ("Toy et al. 2024, Table 1", "tuned with labels by the authors")
    assert (kidney.tuned_with_labels, quick.tuned_with_labels) == (True, False)
    assert kidney.params == {"bad_seed": 77, "train.rate": 0.5}, "5e-1 is a number, as on the command line"
    assert kidney.file.endswith("scbench_toy/presets/kidney.yaml")


def test_only_yaml_files_are_presets(shipper: Plugin, tmp_path: Path) -> None:
    for name in ("README.md", ".hidden.yaml", "b.yaml", "a.yaml"):
        ship(tmp_path, name)
    assert shipped_names(shipper) == ["a", "b"]


def test_a_method_without_the_folder_has_none() -> None:
    assert shipped_presets(find("random")) == []


@pytest.mark.parametrize("name", ["auto", "none"])
def test_a_preset_cannot_be_called_like_a_key_word(shipper: Plugin, tmp_path: Path, name: str) -> None:
    ship(tmp_path, f"{name}.yaml")
    with pytest.raises(ConfigError, match=f"method 'shipper' ships a preset called '{name}', .* rename it"):
        shipped_presets(shipper)


def test_an_unknown_name_is_answered_with_the_nearest_and_all(shipper: Plugin, tmp_path: Path) -> None:
    names = [f"tissue{number:02}" for number in range(15)]
    for name in names:
        ship(tmp_path, f"{name}.yaml")
    with pytest.raises(ConfigError) as raised:
        shipped_preset(shipper, "tisue03")
    message = str(raised.value)
    assert message.startswith("unknown preset 'tisue03' of method shipper. Did you mean 'tissue03'? Known: ")
    assert all(name in message for name in names)
    assert message.count("Known") == 1


@pytest.mark.parametrize("asked", ["zzz", "Kidny"])
def test_few_names_are_listed_once(toy_installed: None, asked: str) -> None:
    with pytest.raises(ConfigError, match=r"^[^:]*Known: kidney, quick\.$"):
        shipped_preset(find("toy"), asked)


def test_two_presets_of_one_dataset_leave_auto_without_an_answer(
    shipper: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(tmp_path, "a.yaml")
    ship(tmp_path, "b.yaml")
    monkeypatch.setattr("scbench.config.preset_choice.find", lambda _: shipper)
    message = "dataset kidney is in several presets of method shipper: a, b; choose one with preset=..."
    with pytest.raises(ConfigError, match=message):
        choose_preset("auto", "published", "shipper", "kidney")
    chosen = choose_preset("b", "published", "shipper", "kidney")
    assert chosen is not None
    assert chosen.name == "b"


@pytest.mark.parametrize("left_out", ["datasets", "source", "tuned_with_labels", "note", "params"])
def test_a_shipped_preset_has_every_key(shipper: Plugin, tmp_path: Path, left_out: str) -> None:
    ship(tmp_path, "a.yaml", "".join(line for line in WHOLE.splitlines(True) if not line.startswith(left_out)))
    with pytest.raises(ConfigError, match=f"presets/a.yaml has no {left_out}; add {left_out}: "):
        shipped_preset(shipper, "a")


def test_a_users_own_file_needs_less_and_keeps_its_suffix(tmp_path: Path) -> None:
    path = own(tmp_path, "tuned_with_labels: false\nparams: {seconds: 1}\n")
    preset = own_preset(str(path))
    assert (preset.name, preset.datasets, preset.note) == ("mine.yaml", (), "")
    assert preset.source == str(path), "its own place is its source when it names none"
    assert own_preset(str(own(tmp_path, WHOLE))).source == "a table"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("params: [", "mine.yaml is not YAML (while parsing"),
        ("params: {a: 1}\nparams: {a: 2}", "found duplicate key params in"),
        ("", "mine.yaml must hold key: value pairs, found NoneType; its keys are datasets, source,"),
        ("- a", "mine.yaml must hold key: value pairs, found list"),
        ("some words", "mine.yaml must hold key: value pairs, found str"),
        ("param: {a: 1}", "mine.yaml: unknown key 'param'. Did you mean 'params'?"),
        ("1: a", "mine.yaml: unknown key '1'"),
        ("params: {a: 1}", "mine.yaml has no tuned_with_labels; add tuned_with_labels: true or false"),
        ("tuned_with_labels: true", "mine.yaml has no params; add params: key: value pairs"),
        ("tuned_with_labels: maybe\nparams: {a: 1}", "tuned_with_labels must be true or false, found 'maybe'"),
        ("tuned_with_labels: 1\nparams: {a: 1}", "tuned_with_labels must be true or false, found 1"),
        ("tuned_with_labels: true\nparams: {}", "params must be key: value pairs, at least one, found {}"),
        ("tuned_with_labels: true\nparams: 3", "params must be key: value pairs, at least one, found 3"),
        ("tuned_with_labels: true\nparams: {1: 2}", "params must be key: value pairs, at least one, found {1: 2}"),
        ("datasets: kidney\ntuned_with_labels: true\nparams: {a: 1}", "datasets must be a list of names of datasets, found 'kidney'"),
        ("datasets: [1]\ntuned_with_labels: true\nparams: {a: 1}", "datasets must be a list of names of datasets, found [1]"),
        ("source: ' '\ntuned_with_labels: true\nparams: {a: 1}", "source must be a text that says where the values come from, found ' '"),
        ("note: 3\ntuned_with_labels: true\nparams: {a: 1}", "note must be a text, found 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        own_preset(str(own(tmp_path, text)))
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"preset file {tmp_path / 'mine.yaml'}")
    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml cannot be read \(No such file or directory\); check the path"):
        own_preset(str(tmp_path / "no.yaml"))
    (tmp_path / "mine.yaml").write_bytes(b"source: \xff")
    with pytest.raises(ConfigError, match="is not YAML .'utf-8' codec"):
        own_preset(str(tmp_path / "mine.yaml"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{secnds: 1}", "params.secnds: unknown parameter of method toy 'secnds'. Did you mean 'seconds'?"),
        ("{train: {rat: 1}}", "params.train.rat: unknown parameter of method toy 'train.rat'. Did you mean 'train.rate'?"),
        ("{name: toy}", "params.name: unknown parameter of method toy 'name'."),
        ("{seconds: long}", "params.seconds: Value 'long' of type 'str' could not be converted to Float; correct"),
        ("{bad_seed: 1.5}", "params.bad_seed: Value '1.5' of type 'float' could not be converted to Integer; correct"),
        ("{bad_seed: null}", "params.bad_seed: "),
        ("{train: 3}", "params.train: "),
        ("{seconds: {a: 1}}", "params.seconds.a: "),
        ("{train: {rate: 2}}", "params: method.train.rate must be in (0, 1], got 2"),
        ("{variant: paper}", "params: unknown variant of method toy 'paper'"),
        ("{trace: '${nowhere}'}", "params: Interpolation key 'nowhere' not found"),
    ],
)  # fmt: skip
def test_params_are_those_of_the_method(toy_installed: None, tmp_path: Path, params: str, message: str) -> None:
    preset = own_preset(str(own(tmp_path, f"tuned_with_labels: true\nparams: {params}\n")))
    with pytest.raises(ConfigError) as raised:
        check_params(preset, find("toy"))
    assert f"preset file {tmp_path / 'mine.yaml'}: {message}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_params_may_leave_to_the_command_line_what_has_no_default(toy_installed: None, tmp_path: Path) -> None:
    preset = own_preset(str(own(tmp_path, "tuned_with_labels: true\nparams: {first_too_big: true}\n")))
    check_params(preset, find("toy_gpu"))


def test_nested_values_are_taken_apart_and_empty_ones_stay() -> None:
    assert dict(leaves({"a": {"b": 1, "c": {"d": [2]}}, "e": {}, "f": None})) == {
        "a.b": 1,
        "a.c.d": [2],
        "e": {},
        "f": None,
    }
