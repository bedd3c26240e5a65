"""``markers=true``: real clusters of real cells through the command, the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from report_records import put, record

from scbench.__main__ import main as run
from scbench.report.__main__ import main

FILES = {"markers.md", "markers.csv", "marker_overlap.csv", "marker_means.csv"}


def test_markers_of_real_clusters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, out = tmp_path / "store", tmp_path / "out"
    assert run(["-m", "method=random,pca_kmeans", "dataset=pbmc68k_reduced", "seeds=1", f"store={store}"]) == 0
    capsys.readouterr()
    command = [f"store={store}", f"out={out}", "figures=false", "report.markers=true"]
    assert main(command) == 0
    shown = capsys.readouterr()
    assert "scbench: markers: pbmc68k_reduced (1/1): pca_kmeans" in shown.err
    first = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    assert {Path(line) for line in shown.out.splitlines()} == set(first)
    assert {path.name for path in first} >= FILES
    assert main(command) == 0
    assert {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()} == first
    means = pd.read_csv(out / "marker_means.csv").set_index("method")["mean_best_share"]
    assert means["pca_kmeans"] > 2 * means["random"]
    markers = pd.read_csv(out / "markers.csv")
    of_b_cells = markers[(markers["method"] == "annotated types") & (markers["cluster"] == "CD19+ B")]["gene"]
    assert {"CD79A", "MS4A1"} <= set(of_b_cells)
    assert "## Marker genes" in (out / "tables.md").read_text()
    assert '"markers":{' in (out / "report.html").read_text()


def test_without_the_key_there_are_none(tmp_path: Path) -> None:
    put(tmp_path / "store", record())
    out = tmp_path / "out"
    assert main([f"store={tmp_path / 'store'}", f"out={out}", "figures=false"]) == 0
    assert not FILES & {path.name for path in out.iterdir()}
    assert "Marker genes" not in (out / "tables.md").read_text()
    assert '"markers":{' not in (out / "report.html").read_text()


def test_a_dataset_that_is_not_at_hand_costs_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "store", record())
    out = tmp_path / "out"
    assert main([f"store={tmp_path / 'store'}", f"out={out}", "markers=true", "details=none"]) == 0
    assert "scbench: markers left out: d: d is no registered dataset" in capsys.readouterr().err
    assert "- d: d is no registered dataset" in (out / "markers.md").read_text()
    assert (out / "figures" / "README.md").is_file()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("markers=yes", "unknown value of markers 'yes'. Known: false, true."),
        ("report.marker=true", "unknown key 'marker'. Did you mean 'markers'?"),
        ("report.markers=", "markers has no value"),
    ],
)
def test_mistakes_are_one_line(argument: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([argument]) == 2
    assert message in capsys.readouterr().err
