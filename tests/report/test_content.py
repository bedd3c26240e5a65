"""What a report says of records that it cannot use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_records import put, record

from scbench.report.__main__ import main


def tables(tmp_path: Path) -> str:
    assert main([f"store={tmp_path / 's'}", f"out={tmp_path / 'o'}", "figures=false"]) == 0
    return (tmp_path / "o" / "tables.md").read_text()


def test_records_of_another_schema_and_damaged_ones_are_counted_and_named(tmp_path: Path) -> None:
    lost, foreign = record("d", "m", 1), {**record("d", "m", 2), "schema": 2}
    put(tmp_path / "s", record("d", "m", 0), lost, foreign)
    (tmp_path / "s" / "d" / "m" / lost["key"][:16] / "record.json").write_text("{")
    text = tables(tmp_path)
    note = next(line for line in text.splitlines() if "hold no record" in line)
    assert note.startswith("Note: 2 folders of runs hold no record that this version can read (damaged, or of another")
    for one in (lost, foreign):
        assert f"d/m/{one['key'][:16]}" in note
    put(tmp_path / "whole" / "s", record("d", "m", 0))
    assert "hold no record" not in tables(tmp_path / "whole")


@pytest.mark.parametrize("metrics", [None, {"acc": float("nan"), "nmi": 0.5, "ari": 0.5}, {"acc": -5.0}])
def test_a_record_with_scores_that_are_none_is_left_out_and_named(
    metrics: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = record("d", "m", 0)
    put(tmp_path / "s", one, record("d", "m", 1))
    path = tmp_path / "s" / "d" / "m" / one["key"][:16] / "record.json"
    path.write_text(json.dumps({**one, "metrics": metrics}))
    note = next(line for line in tables(tmp_path).splitlines() if "hold no record" in line)
    assert f"d/m/{one['key'][:16]}" in note
    assert f"{path} is damaged (metrics" in caplog.text or f"{path} cannot be read (it holds NaN" in caplog.text


def test_without_a_score_there_are_no_statistics_and_it_says_so(tmp_path: Path) -> None:
    put(tmp_path / "s", record("d", "m", 0), record("d", "leiden", 0))
    command = [f"store={tmp_path / 's'}", f"out={tmp_path / 'o'}", "figures=false", "metrics=seconds"]
    assert main(command) == 0
    assert "no statistics: ranks and tests are made of scores" in (tmp_path / "o" / "statistics.md").read_text()
