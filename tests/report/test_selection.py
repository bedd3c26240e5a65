from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_records import put, record

from scbench.errors import ConfigError, StoreError
from scbench.report.content import Content, read_content, score_table
from scbench.report.selection import Selection, refuse_mixed_data, selection_of, told_apart
from scbench.tables.measures import MEASURES, measures_of

NO_PAPERS = Path("/does/not/exist")


def content(tmp_path: Path, *records: dict[str, Any], selection: Selection | None = None) -> Content:
    put(tmp_path / "s", *records)
    return read_content(tmp_path / "s", selection or Selection(), measures_of("acc"), NO_PAPERS)


def test_options_become_a_filter() -> None:
    assert selection_of({"methods": "a,b", "datasets": "[c]", "seeds": "0,2", "protocol": "honest"}) == Selection(
        ("a", "b"), ("c",), "honest", (0, 2)
    )
    assert selection_of({"methods": ""}) == Selection()


def test_a_filter_keeps_controls_whatever_it_names() -> None:
    chosen = Selection(("m",), ("d",), "published", (0,))
    assert not chosen.keeps(record())
    assert chosen.keeps(record(protocol="published"))
    assert chosen.keeps(record(method="leiden"))
    assert not chosen.keeps(record(method="leiden", seed=1))
    assert not chosen.keeps(record("other", "leiden"))


def test_settings_of_a_method_can_be_asked_for() -> None:
    chosen = Selection(params={"m": [{"graph.k": 5}, {"variant": "paper_code"}]})
    assert chosen.keeps(record(params={"graph": {"k": 5}, "x": 1}))
    assert chosen.keeps(record(variant="paper_code"))
    assert not chosen.keeps(record(params={"graph": {"k": 6}}))
    assert chosen.keeps(record(method="other"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "honst"}, "Did you mean 'honest'"),
        ({"seeds": "0,one"}, "seeds must be whole numbers, got '0,one'"),
    ],
)
def test_wrong_options(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        selection_of(options)


def test_measures_by_name() -> None:
    assert [one.name for one in measures_of("ami,acc,ami")] == ["ami", "acc"]
    assert len(measures_of("all")) == len(MEASURES)
    with pytest.raises(ConfigError, match="unknown metric 'acs'. Did you mean 'acc'"):
        measures_of("acs")


def test_a_typo_is_no_table_of_missing_cells(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no record of this: unknown dataset 'dd'"):
        content(tmp_path, record(), selection=Selection(datasets=("dd",)))


def test_nothing_selected_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none of the 1 records of store .* is selected"):
        content(tmp_path, record(), selection=Selection(seeds=(7,)))


def test_two_checksums_under_one_name_are_refused_and_both_named() -> None:
    other = record(seed=1, data={"sha256": "sha-of-another", "source": "copy.h5"})
    with pytest.raises(StoreError, match="dataset d stands for two different data: .*") as caught:
        refuse_mixed_data([record(), other])
    for part in ("sha-of-d (d.h5; run d/m/", "sha-of-another (copy.h5; run d/m/", "datasets=A,B"):
        assert part in str(caught.value)
    refuse_mixed_data([record("d"), record("e")])


def test_another_reading_of_the_same_file_is_another_dataset() -> None:
    data = record()["data"]
    other = record(seed=1, data={**data, "preprocessing": {"reader": "h5", "unlabelled": "drop"}})
    names = [one["dataset"] for one in told_apart([record(), other, record("e")])]
    assert len(set(names)) == 3
    assert names[0].startswith("d#")
    assert names[2] == "e"


def test_schema_versions_and_damaged_folders_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = tmp_path / "s"
    put(store, record(seed=1), record(seed=2, schema=99))
    half = record(seed=3)
    put(store, half)
    (store / "d" / "m" / half["key"][:16] / "record.json").unlink()
    kept = content(tmp_path, record(seed=0))
    assert {one["seed"] for one in kept.records} == {0, 1}
    assert "has schema 99, this version reads 1" in caplog.text
    assert "holds no record.json" in caplog.text


def test_code_versions_are_said_and_mixed_cells_marked(tmp_path: Path) -> None:
    other = {"scbench": "0.2.0", "git_commit": "1234567890", "git_dirty": True}
    made = content(tmp_path, record(), record(seed=1, provenance=other), record("e"))
    (note,) = [note for note in made.notes if "versions" in note]
    assert "2 versions of the code (0.1.0 abcdef0: 2, 0.2.0 1234567 (changed): 1)" in note
    assert "1 cells average over more than one and are marked †" in note
    from scbench.report.pages import tables_markdown

    assert "†" in tables_markdown(made, "T").partition("## ACC")[2]


def test_scores_leave_out_what_was_not_run_and_keep_what_failed(tmp_path: Path) -> None:
    made = content(
        tmp_path,
        record("d", "a", 0, 0.4), record("d", "a", 1, 0.6), record("d", "a", 2, None), record("d", "b"),
        record("e", "a", 0, None), record("e", "b"), record("f", "a"),
        record("d", "c", protocol="published"), record("d", "x", tuned_with_labels=True),
    )  # fmt: skip
    scores, values, left_out = score_table(made, MEASURES["acc"])
    assert (list(scores), list(scores.index), left_out) == (["a", "b"], ["d", "e"], ["f"])
    assert scores.loc["d"].tolist() == [0.5, 0.5]
    assert scores.isna().to_numpy().tolist() == [[False, False], [True, False]]
    assert values.shape == (2, 2, 3)


def test_controls_without_a_run_are_shown_as_missing(tmp_path: Path) -> None:
    made = content(tmp_path, record(), record(method="leiden"))
    assert [entry.name for entry in made.compared] == ["random", "pca_kmeans", "louvain", "leiden", "m"]
    assert "no run of random, pca_kmeans, louvain in this store" in made.notes[0]
