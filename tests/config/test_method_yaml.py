"""A package with a method whose option of the group ``method`` is not there, or is called something else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scbench.__main__ import main
from scbench.plugins import Plugin

SMALL = ["dataset=simulated", "dataset.n_cells=40", "dataset.n_genes=30", "dataset.n_types=3", "device=cpu", "seeds=1"]
GOOD = "defaults: [bare_schema, _self_]\nname: bare\n"
_CONFIG = """
from dataclasses import dataclass
from scbench.method import MethodConfig

@dataclass(frozen=True)
class BareConfig(MethodConfig):
    name: str = "bare"
"""
_METHOD = """
import numpy as np
from scbench.method import Clustering

class Bare:
    def __init__(self, config):
        pass

    def fit_predict(self, counts, n_clusters, run):
        return Clustering(np.arange(counts.matrix.shape[0]) % n_clusters)
"""
_LINES = "'defaults: [bare_schema, _self_]' and 'name: bare', and it has to be in the wheel (package data)"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A method of another distribution, without its YAML."""
    info, package = tmp_path / "site" / "bare-1.dist-info", tmp_path / "site" / "bare_method"
    info.mkdir(parents=True)
    package.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bare\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[scbench.methods]\nbare = bare_method\n")
    for name, text in (("__init__", ""), ("config", _CONFIG), ("method", _METHOD)):
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:  # of another test
        monkeypatch.delitem(sys.modules, name)
    return package


def write(package: Path, name: str, text: str) -> None:
    (package / "conf" / "method").mkdir(parents=True, exist_ok=True)
    (package / "conf" / "method" / name).write_text(text)


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("arguments", [["method=bare"], ["-m", "method=random,bare"]])
def test_a_method_without_its_yaml_is_told_what_to_write(
    arguments: list[str], package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = (
        "scbench: method 'bare': package 'bare_method' has no conf/method/bare.yaml; write it; its two lines are "
    )
    assert said([*arguments, *SMALL], capsys) == expected + _LINES
    (package / "conf" / "method").mkdir(parents=True)
    assert said([*arguments, *SMALL], capsys) == expected + _LINES


def test_a_file_of_another_name_is_found(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(package, "bear.yaml", GOOD)
    assert said(["method=bare", *SMALL], capsys).startswith(
        "scbench: method 'bare': package 'bare_method' has no conf/method/bare.yaml, only bear.yaml; "
        "rename that file, or write this one; its two lines are"
    )
    write(package, "bare2.yaml", GOOD)
    assert "bare.yaml, only bare2.yaml, bear.yaml; write it; " in said(["method=bare", *SMALL], capsys)


def test_a_method_of_the_checkout_needs_no_package_data() -> None:
    assert str(Plugin("raw", "scbench_methods.leiden").without_yaml()) == (
        "method 'raw': package 'scbench_methods.leiden' has no conf/method/raw.yaml, only leiden.yaml; rename that "
        "file, or write this one; its two lines are 'defaults: [raw_schema, _self_]' and 'name: raw'"
    )


def test_a_yaml_that_names_no_method_is_said(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(package, "bare.yaml", GOOD.replace("name: bare", "name: bear"))
    assert said(["method=bare", *SMALL], capsys) == (
        "scbench: the YAML of this method has name: bear, which is no method; write there what its file is called, "
        "without .yaml"
    )


def test_the_two_lines_are_enough_and_the_users_own_folder_may_have_them(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own" / "method"
    own.mkdir(parents=True)
    (own / "bare.yaml").write_text(GOOD)
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path / "own"))
    assert main(["method=bare", *SMALL, "--dry-run"]) == 0
    monkeypatch.delenv("SCBENCH_CONF")
    write(package, "bare.yaml", GOOD)
    assert main(["method=bare", *SMALL]) == 0
