from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from report_records import put, record

from scbench.__main__ import main as run
from scbench.report.__main__ import main

SMALL = ["dataset=simulated", "dataset.n_cells=40", "dataset.n_genes=30", "dataset.n_types=3", "device=cpu"]


def runs_of(out: Path) -> list[str]:
    return pd.read_csv(out / "runs.csv")["key"].tolist()


def test_tables_are_made_from_the_store_and_are_the_same_every_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, out = tmp_path / "store", tmp_path / "out"
    assert run(["-m", "method=random,pca_kmeans", "seeds=3", *SMALL, f"store={store}"]) == 0
    capsys.readouterr()
    assert main([f"store={store}", f"out={out}", "metrics=ari"]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert written[:3] == [out / name for name in ("summary.csv", "summary.md", "runs.csv")]
    first = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    assert set(first) == set(written)
    assert {path.suffix for path in first} >= {".csv", ".md", ".tex"}
    assert main([f"store={store}", f"out={out}", "metrics=ari"]) == 0
    assert {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()} == first
    for key in runs_of(out):
        assert f"`{key}`" in (out / "cells.md").read_text()
        assert key in (out / "long.csv").read_text()
    summary, runs = pd.read_csv(out / "summary.csv"), pd.read_csv(out / "runs.csv")
    assert summary["method"].tolist() == ["pca_kmeans", "random"]
    for row in summary.itertuples():
        of_method = runs[runs["method"] == row.method]["ari"]
        assert row.ari_mean == pytest.approx(of_method.mean())
        assert row.ari_sd == pytest.approx(of_method.std())
    assert "| simulated | random |" in (out / "summary.md").read_text()


def test_tables_have_the_preset_in_a_column_and_in_the_name(tmp_path: Path, toy_installed: None) -> None:
    store, out = tmp_path / "store", tmp_path / "out"
    sweep = ["-m", "method=toy,random", *SMALL, "dataset.name=kidney", "protocol=published", "preset=auto,none"]
    assert run([*sweep, "seeds=2", f"store={store}"]) == 0
    assert main([f"store={store}", f"out={out}"]) == 0
    summary = pd.read_csv(out / "summary.csv", keep_default_na=False)
    shown = summary[["method", "preset", "tuned_with_labels", "n"]].values.tolist()
    assert shown == [
        ["random (published)", "", False, 2],
        ["toy (published)", "", False, 2],
        ["toy (published)", "kidney", True, 2],
    ]
    runs = pd.read_csv(out / "runs.csv", keep_default_na=False)
    assert runs.groupby(["method", "preset", "tuned_with_labels"]).size().to_dict() == {
        ("random", "", False): 2,
        ("toy", "", False): 2,
        ("toy", "kidney", True): 2,
    }
    text = (out / "summary.md").read_text()
    assert "| toy (published, preset kidney: tuned with labels) |" in text
    assert text.endswith("such rows show a gap and never enter a comparison.\n")
    assert "Best: the epoch with the highest ACC by" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stor=x"], "unknown key 'stor'. Did you mean 'store'?"),
        (["store"], "store has no value; write store=DIR"),
        (["store=/does/not/exist"], "does not exist; run something first"),
        (["metrics=acs"], "unknown metric 'acs'. Did you mean 'acc'?"),
        (["methods="], "methods has no value; write methods=A,B"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_an_empty_store_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"store={tmp_path}"]) == 2
    assert "holds no records" in capsys.readouterr().err


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("scbench.report.__main__.find_spec", lambda name: None if name == "umap" else object())
    assert main([]) == 2
    assert "(umap); install scbench with its extra 'report'" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "store", record())
    (tmp_path / "out").write_text("a file")
    assert main([f"store={tmp_path / 'store'}", f"out={tmp_path / 'out'}"]) == 2
    assert "cannot write the tables to" in capsys.readouterr().err


def test_help_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"{key}=" in text for key in ("store", "out", "published", "methods", "datasets", "seeds", "metrics"))
