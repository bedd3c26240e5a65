"""scbench.compare: methods on one's own cells."""

from __future__ import annotations

import html.parser
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

import scbench
from scbench.errors import ConfigError, DataError
from scbench.metrics.consensus import Consensus
from scbench.own_cells.comparison.cells_file import write_cells
from scbench.own_cells.comparison.command import main
from scbench.own_cells.comparison.evidence import agreement_of, clusters_of, numbered_alike
from scbench.own_cells.comparison.result import Comparison
from scbench.own_cells.comparison.tables import CONSENSUS
from scbench.testing import toy_counts

Stays = Callable[[anndata.AnnData], AbstractContextManager[None]]
ODD = '<b>a,"1"\x1b'


@pytest.fixture(scope="module")
def adata() -> anndata.AnnData:
    counts = toy_counts(150, 200)
    names = [f"cell{i}" for i in range(149)] + [ODD]
    genes = [f"gene{j}" for j in range(200)]
    data = anndata.AnnData(csr_matrix(counts.matrix), obs=pd.DataFrame(index=names), var=pd.DataFrame(index=genes))
    data.obs["type"] = np.where(np.arange(150) % 3 == 0, "a", "b")
    return data


@pytest.fixture(scope="module")
def found(adata: anndata.AnnData, tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, Path]:
    out = tmp_path_factory.mktemp("comparison")
    methods = {"random": {}, "pca_kmeans": {"n_components": 7}, "leiden": {"resolution": 0.5}}
    done = scbench.compare(adata, methods, n_seeds=2, n_clusters=3, out=out, markers=True, device="cpu", progress=False)
    return done, out


def test_tables_hold_every_method_and_every_cell(found: tuple[Comparison, Path], adata: anndata.AnnData) -> None:
    comparison, _ = found
    assert comparison.methods == ["random", "pca_kmeans n_components=7", "leiden resolution=0.5"]
    assert comparison.labels.index.tolist() == adata.obs_names.tolist()
    assert list(comparison.labels) == [*comparison.methods, CONSENSUS]
    assert comparison.clusters["n_cells"].sum() == 150
    assert comparison.table["n_seeds"].tolist() == [2, 2, 2]
    assert abs(comparison.table.loc["random", "seed_ari_mean"]) < 0.2
    assert comparison.table["modularity"].between(-0.5, 1).all()
    assert not {"acc", "ari"} & set(comparison.table)


def test_labels_of_a_seed_are_those_of_cluster(found: tuple[Comparison, Path], adata: anndata.AnnData) -> None:
    comparison, _ = found
    own = scbench.cluster(adata.copy(), "pca_kmeans", 3, seed=1, n_components=7)
    np.testing.assert_array_equal(comparison.seeds["pca_kmeans n_components=7"][1], own.labels)


class Reader(html.parser.HTMLParser):
    """Collects what a browser would act on and what it would show."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert str(value).startswith("data:")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_opens_offline_and_runs_nothing(found: tuple[Comparison, Path]) -> None:
    comparison, out = found
    page = (out / "compare.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(page)
    assert not reader.tags & {"script", "b", "iframe", "form"}
    assert reader.tags >= {"img", "table"}
    assert all(name in reader.text for name in comparison.methods)
    assert "Markers of the consensus clusters" in reader.text
    tables = {name: pd.read_csv(out / f"{name}.csv", index_col=0) for name in ("labels", "cells", "table", "markers")}
    assert len(tables["labels"]) == len(tables["cells"]) == 150
    assert tables["table"]["n_clusters"].tolist() == comparison.table["n_clusters"].tolist()
    assert tables["markers"]["gene"].isin([f"gene{j}" for j in range(200)]).all()


def test_the_same_call_finds_its_runs_again(
    found: tuple[Comparison, Path], adata: anndata.AnnData, stays: Stays, capfd: pytest.CaptureFixture[str]
) -> None:
    first, out = found
    capfd.readouterr()
    with stays(adata):
        again = scbench.compare(
            adata, ["random"], n_seeds=2, n_clusters=3, out=out, label_key=None, device="cpu", progress=True
        )
    assert "done" not in capfd.readouterr().err
    np.testing.assert_array_equal(again.seeds["random"][0], first.seeds["random"][0])


def test_types_are_scored_when_they_are_given(adata: anndata.AnnData) -> None:
    done = scbench.compare(
        adata, ["random"], n_seeds=1, n_clusters="true", label_key="type", device="cpu", progress=False
    )
    assert 0.4 < done.table.loc["random", "acc"] < 0.7
    assert done.table.loc["random", "n_clusters"] == 2
    assert np.isnan(done.table.loc["random", "seed_ari_mean"])


def test_a_script_without_a_main_guard_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "print('once')\nimport scbench\nfrom scbench.testing import toy_counts\n"
        "done = scbench.compare(toy_counts(60, 50).matrix, ['random'], n_seeds=1, n_clusters=2, device='cpu')\n"
        "print(done.table.shape)\n"
    )
    ended = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, env=os.environ, timeout=200
    )
    assert ended.stdout.splitlines() == ["once", "(1, 11)"], ended.stderr
    assert ended.stderr.count("random on cells, seed 0: ok") == 1


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"methods": "leiden"}, ConfigError, r"methods must be a list of names, got the text 'leiden'"),
        ({"methods": ["leidn"]}, ConfigError, "leiden"),
        ({"n_seeds": 0}, ConfigError, "n_seeds must be a whole number of at least 1, got 0"),
        ({"label_key": "typ"}, ConfigError, "type"),
        ({"layer": "counts"}, ConfigError, "layer"),
        ({"methods": {"leiden": {"resolutio": 1}}}, ConfigError, "resolution"),
        ({"n_clusters": 151}, ConfigError, "has only 150 cells"),
    ],
)
def test_a_wrong_call_is_one_line(
    change: dict[str, object], error: type[Exception], words: str, adata: anndata.AnnData, stays: Stays
) -> None:
    given: dict[str, object] = {"methods": ["random"], "device": "cpu", "progress": False, "n_clusters": 3}
    with stays(adata), pytest.raises(error, match=words) as raised:
        scbench.compare(adata, **(given | change))  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_names_that_come_twice_and_missing_types_are_refused(adata: anndata.AnnData) -> None:
    twice = anndata.AnnData(adata.X, obs=pd.DataFrame(index=["same"] * 150))
    with pytest.raises(DataError, match="149 cells have the name of another"):
        scbench.compare(twice, ["random"])
    missing = adata.copy()
    missing.obs["type"] = pd.Categorical([None, *missing.obs["type"][1:]])
    with pytest.raises(DataError, match="label_key='type' misses 1 of 150 cells"):
        scbench.compare(missing, ["random"], label_key="type")


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for given, words in (
        (["path=x.h5ad"], "no out given; add out=comparison"),
        (["out=x"], "no path given; add path=my.h5ad"),
        (["path=x", "out=y", "metods=a"], "methods"),
        (["path=x", "path=y", "out=z"], "path is given twice"),
        (["path=x", "out=y", "leiden.resolution=1", "methods=random"], "leiden"),
        (["path=x", "out=y", "n_seeds=0"], "n_seeds must be a whole number of at least 1, got '0'"),
        ([f"path={tmp_path / 'none.h5ad'}", f"out={tmp_path}", "methods=random"], "none.h5ad"),
    ):
        assert main(given) == 2
        said = capsys.readouterr().err
        assert words in said
        assert len(said.strip().splitlines()) == 1


def test_the_command_compares_a_file(
    adata: anndata.AnnData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.h5ad"
    adata.write_h5ad(path)
    given = [f"path={path}", f"out={tmp_path / 'out'}", "methods=random,pca_kmeans", "n_seeds=1", "n_clusters=2"]
    assert main([*given, "device=cpu", "pca_kmeans.n_components=4", "label_key=type"]) == 0
    shown = capsys.readouterr().out
    assert "pca_kmeans n_components=4" in shown
    assert shown.splitlines()[-1] == str(tmp_path / "out" / "compare.html")
    assert (tmp_path / "out" / "compare.html").exists()


def test_the_file_is_called_after_what_is_in_it(tmp_path: Path) -> None:
    counts = toy_counts(20, 10)
    names = np.array([f"c{i}" for i in range(20)])
    one = write_cells(counts, names, None, tmp_path)
    assert write_cells(counts, names, None, tmp_path) == one
    assert write_cells(counts, names[::-1], None, tmp_path) != one
    assert write_cells(counts, names, np.array(["a", "b"] * 10), tmp_path) != one
    assert len(list(tmp_path.iterdir())) == 3


def test_clusters_get_the_numbers_of_the_reference() -> None:
    reference = np.array([0, 0, 0, 1, 1, 2])
    labels = np.array([2, 2, 2, 0, 0, 1])
    assert numbered_alike(labels, reference).tolist() == reference.tolist()
    finer = np.array([0, 0, 3, 1, 1, 2])  # one cluster more: the next free number
    assert numbered_alike(finer, reference).tolist() == [0, 0, 3, 1, 1, 2]
    coarser = np.array([0, 0, 0, 0, 0, 1])
    assert numbered_alike(coarser, reference).tolist() == [0, 0, 0, 0, 0, 2]


def test_agreement_and_clusters_by_hand() -> None:
    sure = np.ones(6)
    a = Consensus(np.array([0, 0, 0, 1, 1, 1]), sure, 1.0, None, 0.0)
    b = Consensus(np.array([1, 1, 1, 0, 0, 0]), sure, 1.0, None, 0.0)
    c = Consensus(np.array([0, 1, 0, 1, 0, 1]), sure, 1.0, None, 0.0)
    table = agreement_of({"a": a, "c": c, "b": b})
    assert table.loc["a", "b"] == 1.0
    assert table.loc["a", "c"] == table.loc["c", "a"] == pytest.approx(-1 / 9)
    assert abs(list(table.index).index("a") - list(table.index).index("b")) == 1
    clusters = clusters_of(a, {"a": a, "c": c})
    assert clusters["found_by"].tolist() == [1, 1]
    assert clusters["c"].tolist() == pytest.approx([0.5, 0.5])
