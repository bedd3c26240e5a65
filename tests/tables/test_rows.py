from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from scbench.tables.columns import columns_of
from scbench.tables.measures import MEASURES
from scbench.tables.rows import TableRow, differences, has_best, summarise, tuned_note
from scbench.tables.terminal import print_summary


def record(seed: int, acc: float | None = 0.5, status: str = "ok", **more: Any) -> dict[str, Any]:
    return {
        "dataset": "d",
        "method": "m",
        "variant": "default",
        "protocol": "honest",
        "seed": seed,
        "status": status,
        "error": None if status == "ok" else {"type": "E", "message": "it broke\nmore", "traceback": ""},
        "metrics": {"acc": acc, "nmi": acc, "ari": acc},
        "seconds": {"total": 2.0},
        "peak_rss_bytes": 2**20 * (seed + 1),
        "n_clusters_requested": 4,
        "n_clusters_rule": "true",
        "n_clusters_found": 4 if status == "ok" else None,
        "params": {"k": 1},
        "best_epoch": None,
        "data": {"sha256": "x", "source": "file.h5"},
        **more,
    }


def cells(row: TableRow) -> list[str]:
    return [row.dataset, row.label, *(column.text(row) for column in columns_of([row]))]


def test_mean_and_sample_sd_are_over_ok_runs_and_failures_stay_in_n() -> None:
    (row,) = summarise([record(0, 0.5), record(1, 0.7), record(2, None, "diverged")])
    found = row.cell.mean(MEASURES["acc"])
    assert found.mean == pytest.approx(0.6)
    assert found.sd == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert (found.n, found.n_ok, len(row.cell.records)) == (2, 2, 3)
    assert row.cell.failures == [(2, "diverged", "it broke\nmore")]
    assert cells(row) == ["d", "m", "60.0 ± 14.1", "60.0 ± 14.1", "60.0 ± 14.1", "4/4", "2.0", "3 MiB", "2/3"]


def test_one_run_has_no_sd_and_no_run_has_nothing() -> None:
    (one,) = summarise([record(0, 0.5)])
    assert cells(one)[2] == "50.0"
    (none,) = summarise([record(0, None, "error", peak_rss_bytes=None)])
    assert cells(none) == ["d", "m", "-", "-", "-", "4/-", "-", "-", "0/1"]


def test_a_range_of_found_clusters_is_shown() -> None:
    (row,) = summarise([record(0, n_clusters_found=3), record(1, n_clusters_found=5)])
    assert cells(row)[5] == "4/3-5"


@pytest.mark.parametrize(
    "other",
    [
        {"params": {"k": 2}},
        {"data": {"sha256": "y", "source": "file.h5"}},
        {"n_clusters_rule": "number"},
        {"n_clusters_requested": 5},
        {"variant": "paper_code"},
        {"protocol": "published"},
        {"preset": {"name": "young", "source": "s", "tuned_with_labels": False}},
        {"tuned_with_labels": True},
    ],
)
def test_different_settings_are_never_averaged(other: dict[str, Any]) -> None:
    assert len(summarise([record(0), record(1, **other)])) == 2


def test_the_name_of_the_file_makes_no_other_row() -> None:
    (row,) = summarise([record(0), record(1, data={"sha256": "x", "source": "copy.h5"})])
    assert len(row.cell.records) == 2


def test_the_best_epoch_has_columns_of_its_own_when_there_is_one() -> None:
    best = {"epoch": 3, "acc": 0.9, "nmi": 0.8, "ari": 0.7}
    rows = summarise([record(0, best_epoch=best), record(1, best_epoch={**best, "acc": 0.7})])
    assert has_best(rows)
    assert cells(rows[0])[2] == "50.0 ± 0.0"
    assert cells(rows[0])[5] == "80.0 ± 14.1"
    assert columns_of(rows)[3].heading == "best ACC %"
    out = io.StringIO()
    print_summary([record(0, best_epoch=best)], Path("/store"), Console(file=out, width=200), n_cached=0)
    assert "by the true labels" in out.getvalue()
    assert not has_best(summarise([record(0)]))


def of_preset(name: str, *, tuned: bool = True, **more: Any) -> dict[str, Any]:
    preset = {"name": name, "source": "a table", "tuned_with_labels": tuned}
    return {"preset": preset, "tuned_with_labels": tuned, **more}


PUBLISHED = {"protocol": "published"}
WHOLE, SHORT = "m (published, preset young: tuned with labels)", "m (published, preset young)"


@pytest.mark.parametrize(
    ("more", "method", "label", "short"),
    [
        ({}, "m", "m", "m"),
        ({"preset": None, "tuned_with_labels": False}, "m", "m", "m"),
        (of_preset("quick", tuned=False), "m", "m (preset quick)", "m (preset quick)"),
        (of_preset("young", **PUBLISHED), "m (published)", WHOLE, SHORT),
        ({"tuned_with_labels": True}, "m", "m (tuned with labels)", "m (tuned with labels)"),
    ],
)
def test_a_row_says_which_preset_it_has_and_whether_labels_chose_it(
    more: dict[str, Any], method: str, label: str, short: str
) -> None:
    (row,) = summarise([record(0, **more), record(1, **more)])
    assert (row.method, cells(row)[1], row.short_label) == (method, label, short)


def test_rows_of_two_presets_stay_apart_even_with_equal_parameters() -> None:
    rows = summarise([record(0, **of_preset("a")), record(1, **of_preset("b")), record(2, **of_preset("a"))])
    assert [(row.preset, len(row.cell.records)) for row in rows] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize(
    ("width", "shown"),
    [(100, "scsiameseclu (published, preset young) "), (200, "scsiameseclu (published, preset young: tuned with labels) ")],
)  # fmt: skip
def test_what_labels_chose_is_in_the_table_or_below_it(width: int, shown: str) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None)
    names = {"dataset": "young_top2000", "method": "scsiameseclu"}
    tuned, free = of_preset("young", **names, **PUBLISHED), of_preset("quick", tuned=False, **names)
    print_summary([record(0, **tuned), record(1, **tuned), record(0, **free)], Path("/s"), console, n_cached=0)
    table, _, below = out.getvalue().partition("\ntuned with labels (preset young): ")
    assert shown in table
    assert "scsiameseclu (preset quick) " in table
    assert max(map(len, table.splitlines())) <= width
    assert "never enter a comparison" in below


def test_nothing_is_said_of_labels_that_chose_nothing() -> None:
    assert tuned_note(summarise([record(0, **of_preset("quick", tuned=False))])) is None


def test_parameters_from_a_search_with_labels_are_said_without_a_preset() -> None:
    note = tuned_note(summarise([record(0, tuned_with_labels=True)]))
    assert note is not None
    assert note.startswith("tuned with labels: the true labels had a part")


@pytest.mark.parametrize("message", ["", " ", "\n", "\n\nlate"])
def test_a_failure_without_a_message_breaks_no_table(message: str) -> None:
    out = io.StringIO()
    failed = record(0, None, "error") | {"error": {"type": "E", "message": message, "traceback": ""}}
    print_summary([failed], Path("/store"), Console(file=out, width=200), n_cached=0)
    assert ("late" in out.getvalue()) == ("late" in message)


def test_the_printed_table_names_settings_and_reasons() -> None:
    out = io.StringIO()
    records = [record(0), record(1, params={"k": 2}), record(2, None, "oom"), record(3, None, "oom")]
    print_summary(records, Path("/store"), Console(file=out, width=60), n_cached=1)
    text = out.getvalue()
    assert "m k=1 " in text
    assert "m k=2 " in text
    assert "m on d: 2 x oom (seed 2, 3): it broke\n" in text
    assert "more" not in text
    assert "1 of 4 were there before" in text
    assert "/store" in text
    assert text.count("retry_failed=true") == 1


def test_rows_of_one_name_are_told_apart_by_what_differs() -> None:
    params = [{"a": 1, "graph": {"k": k, "metric": "p"}} for k in (5, 10)]
    rows = summarise([record(0, params=p) for p in params] + [record(0, method="other")])
    assert differences(rows) == ["graph.k=5", "graph.k=10", ""]


def test_rows_of_different_rules_for_k_are_told_apart_in_words() -> None:
    rows = summarise(
        [
            record(0, n_clusters_rule="true"),
            record(0, n_clusters_rule="number", n_clusters_requested=5),
            record(0, n_clusters_rule="number", n_clusters_requested=7),
            record(0, n_clusters_rule="estimate", n_clusters_requested=7),
        ]
    )
    assert differences(rows) == ["n_clusters=true", "n_clusters=5", "n_clusters=7", ""]
    assert [row.label for row in rows] == ["m", "m", "m", "m (K estimated)"]


def test_rows_of_differently_read_cells_are_told_apart_in_words() -> None:
    kept, dropped = (
        {"sha256": "a" * 64, "source": "", "preprocessing": {"empty_cells": how}} for how in ("keep", "drop")
    )
    assert differences(summarise([record(0, data=kept), record(0, data=dropped)])) == [
        "empty_cells=keep",
        "empty_cells=drop",
    ]


def test_rows_that_differ_in_more_than_parameters_show_their_hash() -> None:
    rows = summarise([record(0), record(0, n_clusters_requested=5)])
    assert differences(rows) == [f"#{row.setting}" for row in rows]
    long = summarise([record(0, params={f"parameter{i}": x for i in range(5)}) for x in (1, 2)])
    assert differences(long) == [f"#{row.setting}" for row in long]


@pytest.mark.parametrize("width", [20, 60, 80, 100, 200])
def test_no_number_is_cut_whatever_the_width(width: int) -> None:
    out = io.StringIO()
    named = {"dataset": "mouse_pancreas_1", "method": "pca_kmeans"}
    console = Console(file=out, width=width, force_terminal=True, color_system=None)
    print_summary([record(0, 0.5, **named), record(1, 0.7, **named)], Path("/s"), console, n_cached=0)
    lines = out.getvalue().splitlines()
    assert sum("60.0 ± 14.1" in line for line in lines) == 1
    assert "…" not in out.getvalue()
    for word in ("mouse_pancreas_1", "pca_kmeans", "4/4", "2 MiB", "2/2"):
        assert word in out.getvalue()
    if width >= 80:
        assert max(map(len, lines)) <= width


def test_records_without_labels_have_no_scores() -> None:
    (row,) = summarise([record(0, None)])
    assert cells(row)[2] == "-"
    assert len(row.cell.ok) == 1


def test_a_mean_just_below_zero_has_no_sign() -> None:
    (row,) = summarise([record(0, -1e-5), record(1, -1e-5)])
    assert cells(row)[2] == "0.0 ± 0.0"
