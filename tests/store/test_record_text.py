from __future__ import annotations

import json
from pathlib import Path

import pytest
from whole_records import whole_record

from scbench.store.record_check import what_is_wrong
from scbench.store.record_file import json_ready, read_record, write_json
from scbench.store.record_text import parsed_record, shown


def test_a_record_that_was_written_is_whole_and_comes_back(tmp_path: Path) -> None:
    record = whole_record(info={"note": "größe ∞ 🧬", "n": 2**60, "x": 1e-300, "deep": {"a": {"b": [1, [2]]}}})
    write_json(tmp_path / "record.json", record)
    assert read_record(tmp_path) == record
    assert what_is_wrong(record) == ""


def test_every_status_and_a_best_epoch_are_whole() -> None:
    for status in ("error", "diverged", "oom", "timeout", "crashed", "interrupted"):
        assert what_is_wrong(whole_record(status)) == ""
    best = {"epoch": 3, **whole_record()["metrics"]}
    assert what_is_wrong(whole_record(best_epoch=best, protocol="published")) == ""
    assert what_is_wrong(whole_record(row_order="of a later version")) == ""


def test_scores_at_their_limits_are_scores() -> None:
    scores = dict.fromkeys(whole_record()["metrics"], 1.0)
    assert what_is_wrong(whole_record(metrics=scores | {"ari": -0.5, "ami": -3.0, "nmi": 1 + 1e-12})) == ""
    assert "metrics.nmi" in what_is_wrong(whole_record(metrics=scores | {"nmi": 1.001}))


def test_half_characters_are_replaced_and_whole_ones_stay() -> None:
    text = json.dumps({"a": "x\ud800y", "b": "🧬", "\udc80": ["\udfff"]})
    assert parsed_record(text.encode()) == {"a": "x\ufffdy", "b": "🧬", "\ufffd": ["\ufffd"]}
    assert json_ready(parsed_record(text.encode()))["b"] == "🧬"


def test_the_last_of_two_values_counts_unless_each_may_come_only_once() -> None:
    assert parsed_record(b'{"a": 1, "a": 2}') == {"a": 2}
    with pytest.raises(ValueError, match="it names 'a' twice"):
        parsed_record(b'{"b": {"a": 1, "a": 2}}', once=True)


def test_a_number_that_cannot_be_averaged_is_named_by_its_place() -> None:
    with pytest.raises(ValueError, match=r"'a\.1\.b' is inf; expected a finite number"):
        parsed_record(b'{"a": [0, {"b": 1e999}]}')


def test_what_messages_show_is_short_and_one_line() -> None:
    for value in (
        "x" * 10_000,
        "\x1b[31m\n\ud800",
        [[[[1] * 100] * 100] * 100],
        {str(i): {} for i in range(99)},
        10**400,
    ):
        text = shown(value)
        assert len(text) < 120
        assert text.isprintable()
