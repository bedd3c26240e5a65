"""A wrong command line is one line on stderr, exit status 2, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from scbench.__main__ import main

SMALL = ["dataset=simulated", "dataset.n_cells=40", "dataset.n_genes=30", "dataset.n_types=3", "device=cpu"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["metod=leiden"], "unknown key 'metod'. Did you mean 'method'?"),
        (["method=random", "+engine.timout=3"], "Did you mean 'engine.timeout_min'?"),
        (["method=random", "dataset=shekar"], "unknown dataset 'shekar'. Did you mean 'shekhar'?"),
        (["method=leidn"], "unknown method 'leidn'. Did you mean 'leiden'?"),
        (["-m", "method=leiden,lovain"], "unknown method 'lovain'. Did you mean 'louvain'?"),
        (["method=leiden", "method.resolutio=1"], "Did you mean 'method.resolution'?"),
        (["method=leiden", "timeout_min=3"], "unknown key 'timeout_min'. Did you mean 'engine.timeout_min'?"),
        (["method=leiden", "store.path=x"], "'store' has no parts"),
        (["method=leiden", "engine=slum"], "unknown engine 'slum'"),
        (["method=leiden", "engine.threads=two"], "engine.threads: Value 'two'"),
        (["method=leiden", "engine.threads=0"], "engine.threads must be at least 1, got 0"),
        (["method=leiden", "engine.timeout_min=-1"], "engine.timeout_min must be a positive number, got -1"),
        (["method=leiden", "method.resolution=0"], "method.resolution must be a positive number, got 0"),
        (["method=leiden", "method.variant=paper_code"], "unknown variant of method leiden 'paper_code'"),
        (["method=leiden", "protocol=publishd"], "Did you mean 'published'?"),
        (["method=leiden", "seeds=0"], "seeds must be at least 1, got 0"),
        (["method=leiden", "seeds=[1,1]"], "seeds holds a seed twice"),
        (["method=leiden", "seeds=[1,-1]"], "every seed must be a whole number"),
        (["method=leiden", "seeds=many"], "seeds must be a number or a list of numbers"),
        (["method=leiden", "n_clusters=0"], "n_clusters must be true"),
        (["method=leiden", "n_clusters=maybe"], "n_clusters must be true"),
        (["method=leiden", "device=tpu"], "unknown device 'tpu'"),
        (["method=leiden", "device=[]"], "device is an empty list"),
        (["method=leiden", "device=cuda:99"], "device cuda:99 is not there"),
        (["method=leiden", "store="], "store is empty"),
        (["method=random", *SMALL, "n_clusters=41"], "n_clusters is 41 but dataset simulated has only 40 cells"),
        (["method=random", "dataset=simulated", "dataset.dropout=1"], "dataset.dropout must be in [0, 1), got 1"),
        (["method=random", "dataset=simulated", "dataset.values=log"], "unknown dataset.values 'log'"),
        (["method=random", "dataset=file"], "dataset.path has no value. Add dataset.path=..."),
        (["method"], "cannot read the argument 'method'"),
        (["method="], "method= names no method"),
        ([], "no method given. Add method=<name>"),
        (["--confg-dir=x"], "unrecognized arguments: --confg-dir=x"),
        (["-m", "method=random", *SMALL, "store=a,b"], "store differs between the jobs of this sweep"),
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
    said = capsys.readouterr()
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("scbench: ")
    assert message in said.err
    assert not list(tmp_path.rglob("record.json"))


def test_cfg_job_shows_the_composed_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["method=leiden", "method.match_k=false", "dataset=worm_neuron", "--cfg", "job"]) == 0
    shown = capsys.readouterr().out
    for line in ("name: leiden", "match_k: false", "name: worm_neuron", "timeout_min: 1440.0", "seeds: 10"):
        assert line in shown


def test_a_sweep_goes_through_one_queue_and_one_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["-m", "method=random,pca_kmeans", "n_clusters=2,3", "seeds=2", *SMALL, f"store={tmp_path}"]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "[8/8]" in said.err
    table = [line for line in said.out.splitlines() if line.startswith("simulated")]
    assert len(table) == 4
    assert all(line.endswith("2/2") for line in table)


def test_a_config_folder_of_the_user_comes_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "dataset").mkdir()
    own = "defaults:\n  - simulated_schema\n  - _self_\nname: my_simulation\nn_cells: 33\n"
    (tmp_path / "dataset" / "my_simulation.yaml").write_text(own)
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path))
    assert main(["method=random", "dataset=my_simulation", "dataset.n_types=2", "--cfg", "job"]) == 0
    shown = capsys.readouterr().out
    assert "n_cells: 33" in shown
    assert "n_types: 2" in shown
    assert main(["datasets", "list"]) == 0
    assert "my_simulation" not in capsys.readouterr().out
