"""A report of an experiment holds its runs, and no variation of its methods that lies in the same store."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from report_records import put, record
from scbench_methods.leiden.config import LeidenConfig
from scbench_methods.louvain.config import LouvainConfig

from scbench.config.experiment import load_experiment
from scbench.report.__main__ import main
from scbench.report.experiment_selection import selection_of_experiment

EXPERIMENT = """
title: Communities, finer and as they are
seeds: [0, 1]
methods:
  - leiden
  - leiden: {resolution: 2.0}
  - louvain
datasets: [paul15, pbmc68k_reduced]
metrics: [ari]
"""


@pytest.fixture(autouse=True)
def own_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "mine.yaml").write_text(EXPERIMENT)
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path / "conf"))


def run(method: str = "leiden", seed: int = 0, **params: Any) -> dict[str, Any]:
    config = {"leiden": LeidenConfig, "louvain": LouvainConfig}[method](**params)
    values = {k: v for k, v in dataclasses.asdict(config).items() if k not in ("name", "variant")}
    return record("paul15", method, seed, params=values)


def test_only_the_named_settings_belong_to_it() -> None:
    chosen = selection_of_experiment(load_experiment("mine"))
    assert chosen.keeps(run())
    assert chosen.keeps(run(resolution=2.0))
    assert not chosen.keeps(run(resolution=3.0))
    assert not chosen.keeps(run(resolution=2.0, n_neighbors=5))
    assert not chosen.keeps(run("louvain", resolution=2.0))
    assert not chosen.keeps(run(seed=2))
    assert not chosen.keeps({**run(), "dataset": "goolam"})
    assert not chosen.keeps({**run(), "n_clusters_rule": "estimate"})


@pytest.mark.parametrize(
    ("more", "rule"),
    [("", "estimate"), ("overrides: {estimate: stability}\n", "estimate_stability")],
)
def test_the_rule_of_an_estimate_belongs_to_it(more: str, rule: str, tmp_path: Path) -> None:
    path = tmp_path / "conf" / "experiment" / "mine.yaml"
    path.write_text(f"{EXPERIMENT}n_clusters: estimate\n{more}")
    chosen = selection_of_experiment(load_experiment("mine"))
    rules = ("true", "estimate", "estimate_stability", "number")
    assert [one for one in rules if chosen.keeps({**run(), "n_clusters_rule": one})] == [rule]


@pytest.mark.parametrize("row", ["{match_k: false}", "{resolution: 1.0}", "{match_k: false, resolution: 1.0}"])
def test_a_setting_holds_what_follows_from_it(row: str, tmp_path: Path) -> None:
    path = tmp_path / "conf" / "experiment" / "mine.yaml"
    path.write_text(EXPERIMENT.replace("  - leiden\n", "").replace("{resolution: 2.0}", row))
    chosen = selection_of_experiment(load_experiment("mine"))
    assert chosen.keeps(run(match_k=False))
    assert not chosen.keeps(run())
    assert not chosen.keeps(run(resolution=2.0))


def test_a_run_with_a_preset_belongs_to_it() -> None:
    chosen = selection_of_experiment(load_experiment("mine"))
    assert chosen.keeps({**run(resolution=3.0), "preset": {"name": "paul15"}})
    assert not chosen.keeps({**run(resolution=3.0), "preset": {"name": "leiden-paul15-modularity.yaml"}})
    assert chosen.keeps({**run(resolution=2.0), "preset": {"name": "leiden-paul15-modularity.yaml"}})


def test_the_report_goes_to_its_own_folder(tmp_path: Path) -> None:
    put(tmp_path / "s", run(), run(resolution=2.0), run(resolution=3.0))
    out = tmp_path / "o"
    assert main(["experiment=mine", f"store={tmp_path / 's'}", f"out={out}", "figures=false"]) == 0
    text = (out / "mine" / "tables.md").read_text()
    assert text.startswith("# Communities, finer and as they are")
    assert "leiden resolution=2.0" in text
    assert "resolution=3.0" not in text
    assert "Note: no run at all of louvain" not in text  # a control: its row says so
    assert "Note: 1 dataset has no run at all in this store (pbmc68k_reduced)." in text
    assert "| method | paul15 |" in text
    assert "pbmc68k_reduced" in (out / "mine" / "long.csv").read_text()
    assert "pbmc68k_reduced" not in (out / "mine" / "wide_ari.csv").read_text()
    assert "## ACC" not in text


def test_methods_and_datasets_without_a_run_are_named(tmp_path: Path) -> None:
    path = tmp_path / "conf" / "experiment" / "mine.yaml"
    path.write_text(
        EXPERIMENT.replace("  - louvain", "  - cicl").replace("paul15, pbmc68k_reduced", "paul15, goolam, yan")
    )
    put(tmp_path / "s", run())
    assert main(["experiment=mine", f"store={tmp_path / 's'}", f"out={tmp_path / 'o'}", "figures=false"]) == 0
    text = (tmp_path / "o" / "mine" / "tables.md").read_text()
    assert "Note: no run at all of cicl, which the experiment compares as well." in text
    assert "Note: 2 datasets have no run at all in this store (goolam, yan)." in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["experiment=mine", "methods=leiden"], "experiment=mine already names its methods; leave out methods"),
        (["experiment=mime"], "unknown experiment 'mime'. Did you mean 'mine'?"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
