"""Paths and names of columns on the command line: what the shell passes is what is meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scbench.__main__ import main
from scbench.config.compose import run_with_config
from scbench.config.literal import literal
from scbench.config.plain_text import PLAIN_KEYS, take_literally
from scbench.config.schema import RunConfig
from scbench.errors import ConfigError

NAMES = (
    "a=b.csv", "br[1].csv", "pa(1).csv", "co,mma.csv", "and&.csv", "é.csv", "细胞.csv", "exc!.csv", "tilde~.csv",
    "sem;i.csv", "cu{1}.csv", "it's.csv", "x#y.csv", 'q"q.csv', "GSM1 (1).h5ad", "${HOME}.csv", "a${b}.csv", "${",
    "$5", "back\\slash", "\\${x}", "end\\", "~/x.h5ad", "a: b", "*?|<>%@`^", " blanks ", "'half", "-x", "=", "1e3",
    "true", "[a,b]", "{a:b}", "glob(*)", "a\tb",
)  # fmt: skip


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def composed(*arguments: str) -> list[RunConfig]:
    configs: list[RunConfig] = []

    def keep(found: list[RunConfig]) -> int:
        configs.extend(found)
        return 0

    assert run_with_config(["method=random", "dataset=file", *arguments], keep) == 0
    return configs


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_taken_as_it_is_typed(name: str) -> None:
    (config,) = composed(f"dataset.path={name}")
    assert config.dataset.path == name


@pytest.mark.parametrize("key", PLAIN_KEYS)
@pytest.mark.parametrize("sign", ["", "+", "++"])
def test_every_key_of_a_users_text_is(key: str, sign: str) -> None:
    text = "it's [1], a=b ${HOME}"
    assert take_literally([f"{sign}{key}={text}"], is_sweep=False) == [f"{sign}{key}={literal(text)}"]


def test_all_keys_come_through_at_once() -> None:
    keys = ("path", "label", "label_path", "matrix", "member", "modality")
    (config,) = composed(*(f"dataset.{key}=${{{key}}} é,1" for key in keys), "++store=s ${x} (1)")
    assert [getattr(config.dataset, key) for key in keys] == [f"${{{key}}} é,1" for key in keys]
    assert config.store == "s ${x} (1)"


@pytest.mark.parametrize(
    ("typed", "label"),
    [("1", "1"), ("1e3", "1e3"), ("true", "true"), ("none", "none"), ("null", None), ("NULL", None), ("", "")],
)
def test_a_label_is_a_text_and_null_is_none(typed: str, label: str | None) -> None:
    (config,) = composed("dataset.path=x", f"dataset.label={typed}")
    assert config.dataset.label == label


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ('"d/a=b.csv"', "d/a=b.csv"),
        ("'d/a=b.csv'", "d/a=b.csv"),
        ("'it\\'s'", "it's"),
        (" 'a'", "a"),
        ("''", ""),
        ('"${protocol}.csv"', "honest.csv"),
    ],
)
def test_what_is_in_quotes_for_hydra_stays_as_it_was(typed: str, path: str) -> None:
    (config,) = composed(f"dataset.path={typed}")
    assert config.dataset.path == path


def test_other_keys_and_flags_are_left_alone() -> None:
    others = ["method.path=a,b", "dataset.name=1", "store", "~dataset.label", "hydra.run.dir=${store}", "seeds=[1,2]"]
    assert take_literally(others, is_sweep=False) == others


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("a.csv,b.csv", ["a.csv", "b.csv"]),
        ("a.csv, b (1).csv", ["a.csv", "b (1).csv"]),
        ("${HOME}.csv,细胞.csv,it's", ["${HOME}.csv", "细胞.csv", "it's"]),
        ("'a,b.csv',c.csv", ["a,b.csv", "c.csv"]),
        ("\"a,b.csv\",'c,d'", ["a,b.csv", "c,d"]),
        ("'tis,isn't", ["'tis", "isn't"]),
        ("choice(a.csv,b.csv)", ["a.csv", "b.csv"]),
        ("range(1,3)", ["1", "2"]),
        ("one=1.csv", ["one=1.csv"]),
        ("br[1,2].csv", ["br[1", "2].csv"]),
        ("sorted(1).csv", ["sorted(1).csv"]),
        ("other(1)", ["other(1)"]),
    ],
)
def test_in_a_sweep_a_comma_separates_texts_that_are_taken_as_they_are(typed: str, paths: list[str]) -> None:
    assert [config.dataset.path for config in composed("-m", f"dataset.path={typed}")] == paths


def test_in_a_sweep_a_file_of_the_whole_name_is_one_value(tmp_path: Path) -> None:
    for name in ("a,b.csv", "glob(x)"):
        (tmp_path / name).touch()
        assert [config.dataset.path for config in composed("-m", f"dataset.path={name}")] == [name]


def test_a_sweep_over_labels_and_an_odd_store_work_together(tmp_path: Path) -> None:
    configs = composed("--multirun", "dataset.path=x", "dataset.label=1e3,a b,null", "store=my ${store} (1)")
    assert [config.dataset.label for config in configs] == ["1e3", "a b", None]
    assert {config.store for config in configs} == {"my ${store} (1)"}
    assert [path.name for path in tmp_path.iterdir()] == ["my ${store} (1)"], "Hydra keeps the sweep there"


@pytest.mark.parametrize("typed", ["a.csv,", ",a.csv", "a.csv,,b.csv"])
def test_a_value_that_is_missing_in_a_sweep_is_said(typed: str) -> None:
    with pytest.raises(ConfigError, match=f"cannot read the argument 'dataset.path={typed}'"):
        composed("-m", f"dataset.path={typed}")


def test_files_in_a_row_without_a_sweep_are_told_how(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).touch()
    with pytest.raises(ConfigError, match=r"'dataset.path=a.csv,b.csv' names no file, but .* 2 parts does; add -m to"):
        composed("dataset.path=a.csv,b.csv")
    (config,) = composed("dataset.path=a.csv,c.csv")
    assert config.dataset.path == "a.csv,c.csv"


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    return tmp_path / "a=b ${x} (1), 'é'.csv"


@pytest.mark.parametrize("more", [(), ("-m",), ("-m", "hydra/launcher=basic")])
def test_a_run_is_made_and_its_record_has_what_was_typed(
    more: tuple[str, ...], cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells.write_text("g1,g2,kind of ${cell}\n" + "1,2,A\n3,4,B\n" * 5)
    typed = ["method=random", "dataset=file", f"dataset.path={cells.name}", "dataset.label=kind of ${cell}", "seeds=1"]
    typed += [*more, "store=s ${store}"]
    monkeypatch.setattr("sys.argv", ["scbench", *typed])
    assert main() == 0
    (path,) = (tmp_path / "s ${store}").rglob("record.json")
    record = json.loads(path.read_text())
    assert record["status"] == "ok"
    assert record["provenance"]["argv"] == ["scbench", *typed]
