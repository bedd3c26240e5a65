"""A wrong command line is one line on stderr, exit status 2, no traceback."""

from __future__ import annotations

import subprocess
import sys
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
        (["-m", "method=random", *SMALL, "--cfg", "job"], "leave one of them out"),
        (["--shell-completion"], "the configuration cannot be read"),
        (["method=random", "~dataset"], "'~dataset' takes away what every run needs"),
        (["method=pca_kmeans", "method.name=random"], "'method.name' follows from method=..."),
        (["method=random", "dataset=goolam", "dataset.name=x"], "'dataset.name' follows from dataset=..."),
        (["method=random", *SMALL, "dataset.name=../evil"], "dataset.name must be letters, digits"),
        (["method=random", *SMALL, "dataset.name=.hidden"], "dataset.name must be letters, digits"),
        (["method=random", *SMALL, "dataset.separation=nan"], "dataset.separation must be above 0"),
        (["method=random", *SMALL, "dataset.imbalance=inf"], "dataset.imbalance must be at least 1"),
        (["method=leiden", *SMALL, "method.resolution=nan"], "method.resolution must be a positive number, got nan"),
        (["-m", "method=glob(zz*)", *SMALL], "matches no method"),
        (["method=random", "engine.memory_gb=inf"], "engine.memory_gb must be a positive number"),
        (["method=random", "device=[cuda:0,cuda:00]"], "device names a device twice"),
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


@pytest.mark.parametrize(
    ("arguments", "path", "what_to_write"),
    [
        (["dataset=../d/x.h5ad"], "'../d/x.h5ad'", "dataset=file dataset.path=../d/x.h5ad"),
        (["dataset=d/a=b.csv"], "'d/a=b.csv'", "dataset=file dataset.path=d/a=b.csv"),
        (["dataset=GSM1 (1).h5ad"], "'GSM1 (1).h5ad'", "dataset=file 'dataset.path=GSM1 (1).h5ad'"),
        (["dataset=d/细胞.csv"], "'d/细胞.csv'", "dataset=file 'dataset.path=d/细胞.csv'"),
        (["dataset=~/x"], "'~/x'", "dataset=file 'dataset.path=~/x'"),
        (["dataset=absent.h5ad"], "'absent.h5ad'", "dataset=file dataset.path=absent.h5ad"),
        (["dataset='d/x'"], "'d/x'", "dataset=file dataset.path=d/x"),
        (["dataset=here"], "'here'", "dataset=file dataset.path=here"),
        (["dataset=he,re"], "'he,re'", "dataset=file dataset.path=he,re"),
        (["-m", "dataset=yan,../d/x.h5ad"], "'../d/x.h5ad'", "dataset=file dataset.path=../d/x.h5ad"),
    ],
)
def test_a_path_in_place_of_a_dataset_is_told_where_it_belongs(
    arguments: list[str],
    path: str,
    what_to_write: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("here", "he,re"):
        (tmp_path / name).touch()
    assert main(["method=random", *arguments]) == 2
    said = capsys.readouterr().err
    assert (
        said == f"scbench: dataset= takes the name of a dataset, and {path} looks like a path; write {what_to_write}\n"
    )


def test_a_dataset_is_meant_before_a_file_of_its_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "simulated").touch()
    assert main(["method=random", *SMALL, "--cfg", "job"]) == 0
    assert "name: simulated" in capsys.readouterr().out


def test_an_unknown_key_of_a_nested_part_names_the_nearest(
    toy_installed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["method=toy", *SMALL, "method.train.rat=1"]) == 2
    assert "unknown key 'method.train.rat' for method=toy. Did you mean 'method.train.rate'?" in capsys.readouterr().err


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


def test_a_glob_over_methods_means_methods_only_and_m_may_stand_anywhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["method=glob(l*)", "-m", "seeds=1", *SMALL, f"store={tmp_path}"]) == 0
    said = capsys.readouterr()
    assert "[2/2]" in said.err
    assert "leiden" in said.out
    assert "louvain" in said.out


def test_another_launcher_of_hydra_keeps_the_exit_status(toy_installed: None, tmp_path: Path) -> None:
    arguments = ["-m", "hydra/launcher=basic", "method=toy", "method.behaviour=raise", "seeds=1", *SMALL]
    assert main([*arguments, f"store={tmp_path}"]) == 1


def test_one_broken_method_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    info = tmp_path / "site" / "broken-1.dist-info"
    package = tmp_path / "site" / "broken_method"
    info.mkdir(parents=True)
    package.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[scbench.methods]\nbroken = broken_method\nleaving = leaving_method\nabsent = absent_package\n"
    )
    (package / "__init__.py").write_text("")
    (package / "config.py").write_text("import not_installed_at_all\n")
    leaving = tmp_path / "site" / "leaving_method"
    leaving.mkdir()
    (leaving / "__init__.py").write_text("")
    (leaving / "config.py").write_text("import sys\nsys.exit('need a licence')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert main(["method=random", *SMALL, "seeds=1", f"store={tmp_path / 'store'}"]) == 0
    assert main(["--help"]) == 0
    assert "cannot be imported from 'broken_method' (ModuleNotFoundError" in capsys.readouterr().out
    assert main(["method=broken", *SMALL]) == 2
    assert "method 'broken' cannot be imported" in capsys.readouterr().err
    assert main(["method=absent", *SMALL]) == 2
    assert main(["method=leaving", *SMALL]) == 2
    assert main(["doctor"]) == 1
    assert "BROKEN" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("defaults: [x", "cannot be read"),
        ("- a\n- b\n", "scbench: "),
        ("", "has no schema; put registered_schema"),
        ("name: own\n", "has no schema; put registered_schema"),
        ("defaults: [simulated_schema, _self_]\nname: own\nn_cellz: 3\n", "n_cellz"),
    ],
)
def test_a_bad_yaml_of_the_user_is_one_line(
    yaml: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "own.yaml").write_text(yaml)
    monkeypatch.setenv("SCBENCH_CONF", str(tmp_path))
    assert main(["method=random", "dataset=own", f"store={tmp_path / 'store'}"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_flags_may_stand_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["method=leiden", "--cfg", "job", "seeds=4"]) == 0
    assert "seeds: 4" in capsys.readouterr().out
    # Hydra's --info leaves a debug handler behind, so it gets a process of its own.
    shown = subprocess.run(
        [sys.executable, "-m", "scbench", "method=leiden", "--info", "searchpath"], capture_output=True
    )
    assert shown.returncode == 0
    assert b"scbench_methods.leiden.conf" in shown.stdout + shown.stderr


def test_a_config_folder_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCBENCH_CONF", "/does/not/exist")
    assert main(["method=random", *SMALL]) == 2
    assert "SCBENCH_CONF=/does/not/exist is not a folder" in capsys.readouterr().err


def test_two_names_of_the_same_bytes_are_two_datasets(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("g1,g2,cell_type\n" + "1,2,A\n3,4,B\n" * 5)
    paths = f"dataset.path={tmp_path / 'a.csv'},{tmp_path / 'b.csv'}"
    arguments = ["-m", "method=random", "dataset=file", paths, "dataset.label=cell_type", "seeds=2"]
    assert main([*arguments, f"store={tmp_path / 'store'}"]) == 0
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.endswith("2/2")]
    assert rows == ["a", "b"]


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
