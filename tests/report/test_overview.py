"""The compact table: marks, numbers of seeds, what is missing; and that the README's is the stored one."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_records import put, record

from scbench.report.__main__ import main

ROOT = Path(__file__).parents[2]
STORED = ROOT / "results" / "reference" / "headline" / "overview.md"


def overview(tmp_path: Path) -> list[str]:
    command = [f"store={tmp_path / 's'}", f"out={tmp_path / 'o'}", "figures=false", "metrics=ari"]
    assert main(command) == 0
    return (tmp_path / "o" / "overview.md").read_text().splitlines()


def test_marks_seeds_and_what_is_missing(tmp_path: Path) -> None:
    put(
        tmp_path / "s",
        *(record("a", "leiden", seed, 0.6 + 0.02 * seed) for seed in (0, 1)),
        *(record("a", "random", seed, 0.1) for seed in (0, 1)),
        record("a", "louvain", 0, 0.55),
        record("b", "leiden", 0, None),
        *(record("b", "random", seed, 0.0) for seed in (0, 1)),
    )
    lines = overview(tmp_path)
    assert "Mean ± sd over 2 seeds, in brackets how many where there are others; best in bold" in lines[2]
    assert lines[-4:] == [
        "| dataset | random | leiden | louvain |",
        "| --- | --- | --- | --- |",
        "| a | 10.0 ± 0.0 | **61.0 ± 1.4** | *55.0* (1) |",
        "| b | 0.0 ± 0.0 | failed | not run |",
    ]


@pytest.mark.skipif(not STORED.is_file(), reason="no report of the experiment headline is stored")
def test_the_table_of_the_readme_is_that_of_the_stored_report() -> None:
    stored = STORED.read_text().split("## ARI")[1].split("\n\n")[1].strip()
    assert stored in (ROOT / "README.md").read_text()


def test_interrupted_runs_are_neither_failures_nor_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopped = {**record("a", "leiden", 1, None), "status": "interrupted"}
    put(tmp_path / "s", record("a", "leiden", 0, 0.6), record("a", "louvain", 0, 0.5), stopped)
    put(tmp_path / "s", {**record("b", "louvain", 0, None), "status": "interrupted"}, record("b", "leiden", 0, 0.5))
    lines = overview(tmp_path)
    assert lines[-2:] == ["| a | **60.0** | *50.0* |", "| b | 50.0 | not run |"]
    text = (tmp_path / "o" / "tables.md").read_text()
    assert "Note: 2 runs were interrupted before the end, so that nothing is known of them" in text
    put(tmp_path / "t", stopped)
    assert main([f"store={tmp_path / 't'}", f"out={tmp_path / 'p'}"]) == 2
    assert "is selected (1 interrupted: the command that made them goes on)" in capsys.readouterr().err
