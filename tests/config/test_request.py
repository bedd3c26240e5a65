from __future__ import annotations

from pathlib import Path

import pytest

from scbench.__main__ import main
from scbench.config.compose import run_with_config
from scbench.config.request import LeftOut, Request, read_request
from scbench.config.schema import RunConfig
from scbench.data.at_hand import NOT_HERE
from scbench.errors import ConfigError

MINE = """
title: T
seeds: 2
methods:
  - random
  - leiden: {resolution: 0.5}
  - pca_kmeans
  - absent_method
datasets: [pbmc68k_reduced, yan, small]
overrides: {engine.timeout_min: 7, device: cpu}
"""


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment of one's own, with a simulation beside registered sets, on a machine without data files."""
    own = tmp_path / "conf"
    monkeypatch.setenv("SCBENCH_CONF", str(own))
    monkeypatch.delenv("SCBENCH_DATA_PATH", raising=False)
    for folder, name, content in (
        ("experiment", "mine", MINE),
        (
            "dataset",
            "small",
            "defaults: [simulated_schema, _self_]\nname: small\nn_cells: 40\nn_genes: 30\nn_types: 3\n",
        ),
    ):
        (own / folder).mkdir(parents=True)
        (own / folder / f"{name}.yaml").write_text(content)
    return own / "experiment" / "mine.yaml"


def composed(*arguments: str) -> list[RunConfig]:
    configs: list[RunConfig] = []

    def keep(found: list[RunConfig]) -> int:
        configs.extend(found)
        return 0

    assert run_with_config(read_request(arguments), keep) == 0
    return configs


def test_without_an_experiment_a_command_line_stays_as_it_is() -> None:
    assert read_request(["-m", "method=a,b", "seeds=3"]) == Request(("-m", "method=a,b", "seeds=3"))
    assert read_request(["method=a", "--dry-run"]) == Request(("method=a",), is_dry_run=True)


def test_an_experiment_is_one_job_per_method_and_dataset(tmp_path: Path) -> None:
    configs = composed("experiment=mine", f"store={tmp_path / 'store'}")
    found = [(config.dataset.name, config.method.name) for config in configs]
    methods = ["random", "leiden", "pca_kmeans"]
    assert found == [(dataset, method) for dataset in ("pbmc68k_reduced", "small") for method in methods]
    assert {config.method.resolution for config in configs if config.method.name == "leiden"} == {0.5}
    assert {(config.seeds[-1], config.device, config.engine.timeout_min) for config in configs} == {(1, "cpu", 7.0)}


def test_what_is_not_here_is_left_out_with_its_reason() -> None:
    left_out = read_request(["experiment=mine"]).left_out
    assert left_out == (
        LeftOut("method", "absent_method", "not installed", 2),
        *[LeftOut("dataset", "yan", NOT_HERE, 2)] * 3,
        LeftOut("method", "absent_method", "not installed", 2),
        LeftOut("method", "absent_method", "not installed", 2),
    )


def test_the_command_line_wins_and_chooses_a_part(tmp_path: Path) -> None:
    store = f"store={tmp_path / 'store'}"
    configs = composed("experiment=mine", "method=leiden", "method.resolution=3", "seeds=[5]", "dataset=small", store)
    assert [(config.method.resolution, config.seeds) for config in configs] == [(3.0, [5])]
    assert [
        config.method.name for config in composed("experiment=mine", "method=glob(r*)", "dataset=small", store)
    ] == ["random"]
    swept = composed("experiment=mine", "-m", "dataset=small", "method=random,leiden", "n_clusters=2,3", store)
    assert [(c.method.name, c.n_clusters) for c in swept] == [
        ("random", 2),
        ("random", 3),
        ("leiden", 2),
        ("leiden", 3),
    ]


def test_an_installed_method_that_cannot_be_imported_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "absent-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: absent\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[scbench.methods]\nabsent_method = no_such_package\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (reason,) = {entry.reason for entry in read_request(["experiment=mine"]).left_out if entry.what == "method"}
    assert "package 'no_such_package' has no module 'config'" in reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["experiment=min"], "unknown experiment 'min'. Did you mean 'mine'?"),
        (["experiment=mine", "experiment=smoke"], "experiment is given 2 times (mine, smoke)"),
        (["experiment=mine", "--cfg", "job"], "shows one; leave one out"),
        (["experiment=mine", "method=louvain"], "unknown method of experiment mine 'louvain'"),
        (["experiment=mine", "dataset=small,deng"], "unknown dataset of experiment mine 'deng'"),
        (["experiment=mine", "method=glob(z*)"], "matches no method of the experiment; it has random, leiden"),
        (
            ["experiment=mine", "dataset=yan"],
            "nothing of experiment mine can be run here: dataset yan: not on this machine",
        ),
        (["experiment=mine", "method=leiden", "method.resolutio=1"], "Did you mean 'method.resolution'?"),
        (["experiment=mine", "method.resolution=1"], "unknown key 'method.resolution' for method=random"),
        (["experiment=mine", "-m", "store=a,b"], "store differs between the jobs"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1, said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("yan", "yann"), "datasets: unknown dataset 'yann'. Did you mean 'yan'?"),
        (
            ("resolution", "resolutio"),
            "unknown key 'method.resolutio' for method=leiden. Did you mean 'method.resolution'?",
        ),
        (
            ("timeout_min", "timeout"),
            "unknown key 'engine.timeout' for engine=local. Did you mean 'engine.timeout_min'?",
        ),
    ],
)
def test_mistakes_in_the_file_name_it(mine: Path, change: tuple[str, str], message: str) -> None:
    mine.write_text(MINE.replace(*change))
    with pytest.raises(ConfigError) as raised:
        read_request(["experiment=mine"])
    assert f"experiment file {mine}: " in str(raised.value)
    assert message in str(raised.value)
