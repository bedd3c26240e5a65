"""The stored report of the headline experiment is what the stored records give."""

from __future__ import annotations

from pathlib import Path

import pytest

from scbench.__main__ import main

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
RECORDS = REFERENCE / "records.tar.xz"
MADE_OF_RECORDS = ("long.csv", "runs.csv", "overview.md", "tables.md", "cells.md", "ranks.csv", "pairs.csv", "statistics.md",
                   "summary.csv", "table_ari.tex", "wide_ari.csv", "gaps.csv", "checks.csv")  # fmt: skip


@pytest.mark.skipif(not RECORDS.is_file(), reason="no records are stored")
def test_the_stored_tables_come_out_of_the_stored_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REFERENCE.parents[1])  # the papers' numbers are found from there
    assert main(["archive", "unpack", str(RECORDS), f"store={tmp_path / 'store'}"]) == 0
    command = ["experiment=headline", f"store={tmp_path / 'store'}", f"out={tmp_path / 'out'}", "figures=false"]
    assert main(["report", *command]) == 0
    for name in MADE_OF_RECORDS:
        stored, made = (folder / "headline" / name for folder in (REFERENCE, tmp_path / "out"))
        assert made.read_bytes() == stored.read_bytes(), name
