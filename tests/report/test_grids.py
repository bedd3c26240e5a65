"""Grids and what they become."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from report_records import record

from scbench.escape import latex_text
from scbench.report.csv_tables import long_lines, wide_lines, write_csv
from scbench.report.entries import entries_of, is_comparable
from scbench.report.gaps import gaps_of
from scbench.report.grid import difference_grid, marks, measured_grid, published_grid
from scbench.report.latex import grid_latex
from scbench.report.markdown import grid_markdown, runs_markdown
from scbench.report.published import Names, PublishedValue
from scbench.tables.measures import MEASURES

ACC = MEASURES["acc"]
NAMES = Names({}, {})


def best_of(seed: int, score: float, best: float, **more: object) -> dict[str, object]:
    epoch = {"epoch": 3, "acc": best, "nmi": best, "ari": best}
    return record(seed=seed, score=score, protocol="published", best_epoch=epoch, **more)


def test_a_grid_has_means_runs_marks_and_what_is_missing() -> None:
    entries = entries_of(
        [
            record("d", "a", 0, 0.4),
            record("d", "a", 1, 0.6),
            record("d", "a", 2, None),
            record("d", "b", 0, 0.7),
            record("e", "b", 0, None),
            record("d", "c", 0, 0.1),
        ]
    )
    grid = measured_grid(entries, ["d", "e", "f"], ACC, "T")
    cells = dict(grid.rows)
    assert (cells["a"][0].text, cells["a"][0].detail, cells["a"][0].mark) == ("50.0 ± 14.1", "2/3, K 3/3", "second")
    assert (cells["b"][0].text, cells["b"][0].mark, cells["c"][0].mark) == ("70.0", "best", "")
    assert [cell.text for cell in cells["b"][1:]] == ["failed", "not run"]
    assert len(cells["a"][0].keys) == 3
    assert cells["b"][1].mark == ""


def test_marks_follow_shown_values_and_direction() -> None:
    assert marks([1.0, 3.0, 2.0, 2.0, np.nan], higher_is_better=True) == ["", "best", "second", "second", ""]
    assert marks([1.0, 3.0, 3.0, 2.0], higher_is_better=True) == ["", "best", "best", ""]  # none is second to two
    assert marks([np.nan, 1.0], higher_is_better=True) == ["", "best"]
    assert marks([], higher_is_better=True) == []
    assert marks([1.0, 3.0, 2.0], higher_is_better=False) == ["best", "", "second"]
    close = entries_of([record("d", "a", 0, 0.70001), record("d", "b", 0, 0.7)])
    assert [cells[0].mark for _, cells in measured_grid(close, ["d"], ACC, "T").rows] == ["best", "best"]
    slow = entries_of([record("d", "a", 0), record("d", "b", 9)])
    assert [cells[0].mark for _, cells in measured_grid(slow, ["d"], MEASURES["seconds"], "T").rows] == [
        "best",
        "second",
    ]


def test_a_lone_value_is_not_best() -> None:
    assert measured_grid(entries_of([record()]), ["d"], ACC, "T").rows[0][1][0].mark == ""


def test_markdown_marks_links_and_pieces() -> None:
    entries = entries_of([record(f"d{i}", m, 0, 0.5 + 0.1 * (m == "a")) for i in range(8) for m in "ab"])
    text = grid_markdown(measured_grid(entries, [f"d{i}" for i in range(8)], ACC, "T|x"))
    assert text.count("| method |") == 2
    assert "[**60.0**](cells.md#a-on-d0) 1/1, K 3/3" in text
    assert "[*50.0*](cells.md#b-on-d7)" in text
    runs = runs_markdown(entries, {one["key"]: "here" for e in entries for c in e.cells.values() for one in c.records})
    assert '<a id="a-on-d0"></a>' in runs
    assert runs.count("`here`") == 16


def test_latex_is_booktabs_with_marks_and_escapes() -> None:
    entries = entries_of(
        [record(f"my_{i}", m, s, 0.5 + 0.1 * (m == "a_b")) for i in range(6) for m in ("a_b", "c") for s in (0, 1)]
    )
    text = grid_latex(measured_grid(entries, [f"my_{i}" for i in range(6)], ACC, "T"), "50 % & more", "tab:x")
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 2
    assert r"\textbf{60.0 $\pm$ 0.0}" in text
    assert r"\underline{50.0 $\pm$ 0.0}" in text
    assert r"a\_b & " in text
    assert r"\caption{50 \% \& more}" in text
    assert r"\label{tab:x-2}" in text
    for line in text.splitlines():
        if line.endswith(r"\\"):
            assert line.count(" & ") in (5, 1)
    assert latex_text("#{x}~^\\") == r"\#\{x\}\textasciitilde{}\textasciicircum{}\textbackslash{}"


def test_published_numbers_and_differences() -> None:
    values = [
        PublishedValue("P", "1", "D", "A", "acc", 0.70, 0.02, "f"),
        PublishedValue("P", "1", "D", "Z", "acc", 0.10, None, "f"),
        PublishedValue("P", "1", "elsewhere", "A", "acc", 0.9, None, "f"),
        PublishedValue("P", "1", "d", "A", "nmi", 0.9, None, "f"),
    ]
    entries = entries_of([record("d", "a", 0, 0.6), record("e", "a", 0, None)])
    grid = published_grid(values, NAMES, ["d", "e"], ACC)
    assert grid is not None
    assert grid.columns == ("d",)
    assert {name: cells[0].text for name, cells in grid.rows} == {
        "A [P, table 1]": "70.0 ± 2.0",
        "Z [P, table 1]": "10.0",
    }
    minus = difference_grid(entries, values, NAMES, ["d", "e"], ACC)
    assert minus is not None
    assert [(name, cells[0].text) for name, cells in minus.rows] == [("a [P, table 1]", "-10.0")]
    assert published_grid(values, NAMES, ["x"], ACC) is None
    assert difference_grid(entries, values, NAMES, ["e"], ACC) is None


def test_csv_long_and_wide_lead_to_the_runs(tmp_path: Path) -> None:
    runs = [record("d", "a", 0, 0.4), record("d", "a", 1, 0.6), record("e", "b", 0, None)]
    entries = entries_of(runs)
    lines = long_lines(entries, ["d", "e"], [ACC])
    first = lines[0]
    assert (first["mean"], first["n_ok"], first["n"], first["seeds"]) == (pytest.approx(0.5), 2, 2, "0 1")
    assert first["keys"] == f"{runs[0]['key']} {runs[1]['key']}"
    assert [(line["entry"], line["dataset"], line["mean"], line["n"]) for line in lines[1:]] == [
        ("a", "e", "", 0), ("b", "d", "", 0), ("b", "e", "", 1),
    ]  # fmt: skip
    write_csv(tmp_path / "w.csv", wide_lines(entries, ["d", "e"], ACC))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "w.csv").read_text())))
    assert rows[0] == {
        "entry": "a",
        "d": "0.5",
        "d_sd": rows[0]["d_sd"],
        "d_ok": "2/2",
        "e": "",
        "e_sd": "",
        "e_ok": "",
    }
    write_csv(tmp_path / "empty.csv", [], ["x", "y"])
    assert (tmp_path / "empty.csv").read_text() == "x,y\n"


def test_settings_are_entries_of_their_own_and_presets_per_dataset_are_one() -> None:
    own = {name: {"preset": {"name": name, "source": "s", "tuned_with_labels": True}, "tuned_with_labels": True,
                  "protocol": "published", "params": {"k": number}} for number, name in enumerate("de")}  # fmt: skip
    runs = [
        record("d"),
        record("d", seed=1),
        record("e"),
        record("d", params={"k": 2}),
        record("d", n_clusters_rule="estimate"),
    ]
    entries = entries_of([*runs, record("d", **own["d"]), record("e", **own["e"])])
    assert len(entries) == 4
    (presets,) = [entry for entry in entries if entry.preset]
    assert presets.name == "m (published, the authors' presets: tuned with labels)"
    assert set(presets.cells) == {"d", "e"}
    assert [is_comparable(entry) for entry in entries] == [entry is not presets for entry in entries]
    assert len({entry.name for entry in entries}) == 4
    assert "m k=2" in {entry.name for entry in entries}


def test_every_gap_on_a_hand_case() -> None:
    preset = {
        "preset": {"name": "d", "source": "s", "tuned_with_labels": True},
        "tuned_with_labels": True,
        "params": {"k": 9},
    }
    entries = entries_of(
        [best_of(0, 0.5, 0.7), best_of(1, 0.7, 0.8), best_of(0, 0.8, 0.9, **preset), record(method="honest_only")]
    )
    values = [PublishedValue("P", "1", "d", "M", "acc", 0.95, None, "f")]
    plain, tuned = sorted(gaps_of(entries, values, NAMES, ["d"], ACC), key=lambda gap: gap.last)
    assert (plain.last, plain.best, plain.epoch) == pytest.approx((0.6, 0.75, 0.15))
    assert (plain.seed, plain.port, plain.source) == (pytest.approx(0.1), pytest.approx(0.35), "P, table 1")
    assert np.isnan(plain.preset)
    assert tuned.preset == pytest.approx(0.2)
    assert np.isnan(tuned.seed)
    unpublished = gaps_of(entries, [], NAMES, ["d"], ACC)
    assert [(np.isnan(gap.port), gap.source) for gap in unpublished] == [(True, "")] * 2
