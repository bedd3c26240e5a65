"""The papers' numbers, and what does not add up in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scbench.errors import DataError
from scbench.report.checks import Check, check_claims, repeated_cells
from scbench.report.published import Names, PublishedValue, read_names, read_published

PUBLISHED = Path(__file__).parents[2] / "results" / "published"


@pytest.fixture(scope="module")
def values() -> list[PublishedValue]:
    return read_published(PUBLISHED)


@pytest.fixture(scope="module")
def checks(values: list[PublishedValue]) -> list[Check]:
    return [*check_claims(values, PUBLISHED / "claims.csv"), *repeated_cells(values)]


def value(method: str, number: float, dataset: str = "d", sd: float | None = None) -> PublishedValue:
    return PublishedValue("P", "1", dataset, method, "acc", number, sd, "p.csv")


def test_every_cell_of_every_table_is_read(values: list[PublishedValue]) -> None:
    per_table = {(v.paper, v.table) for v in values}
    assert {("CICL", "3"), ("scClubench", "2"), ("scSAMAC", "4"), ("scSiameseClu", "1")} <= per_table
    assert sum(v.paper == "CICL" for v in values) == 442
    assert sum(v.paper == "scClubench" for v in values) == 36 * 14 - 4
    scores = [v.value for v in values if v.metric in ("acc", "nmi", "ari")]
    assert min(scores) > -0.1
    assert max(scores) <= 1


def find(checks: list[Check], **wanted: str) -> Check:
    (found,) = [c for c in checks if all(getattr(c, name) == value for name, value in wanted.items())]
    return found


def test_the_bold_mark_below_the_best_of_its_row_is_found(checks: list[Check]) -> None:
    check = find(checks, kind="bold", dataset="cite_cbmc", metric="nmi")
    assert (check.verdict, check.printed, check.recomputed) == ("differs", "0.6871", 0.7316)
    assert "scdeepcluster" in check.note


def test_the_average_that_is_not_that_of_its_rows_is_found(checks: list[Check]) -> None:
    averages = [c for c in checks if c.paper == "CICL" and c.kind == "average"]
    assert len(averages) == 18
    (wrong,) = [c for c in averages if c.verdict != "agrees"]
    assert (wrong.method, wrong.metric, wrong.printed) == ("scDHA", "ari", "0.6812")
    assert wrong.recomputed == pytest.approx(0.7006, abs=5e-5)
    gain = find(checks, kind="gain", paper="CICL", against="scDHA")
    assert gain.verdict == "differs"
    assert gain.recomputed == pytest.approx(0.7757 / 0.7006 - 1, abs=2e-4)


def test_counts_of_first_places_and_copied_cells(checks: list[Check]) -> None:
    assert {c.verdict for c in checks if c.kind in ("first", "second", "beats")} == {"agrees"}
    copied = find(checks, kind="repeated", paper="scSiameseClu")
    assert copied.dataset == "shekhar+qs_lung"
    assert find(checks, kind="gain", paper="scCAGN").verdict == "not in the table"


def claims(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "claims.csv"
    path.write_text("\n".join(["paper,table,kind,dataset,method,against,metric,value,source", *lines]) + "\n")
    return path


def test_each_kind_on_a_hand_case(tmp_path: Path) -> None:
    table = [
        value("a", 0.9, "x"),
        value("b", 0.8, "x"),
        value("a", 0.5, "y"),
        value("b", 0.6, "y"),
        value("c", 0.1, "y"),
    ]
    lines = [
        "P,1,average,all,a,,ACC,0.70,s",
        "P,1,average,x,a,,ACC,0.9,s",
        "P,1,gain,all,a,c,ACC,6.0,s",
        "P,1,first,all,a,,ACC,2,s",
        "P,1,first,all but y,a,,ACC,1,s",
        "P,1,second,all,b,,ACC,1,s",
        "P,1,beats,all,b,a,ACC,1,s",
        "P,1,bold,y,b,,ACC,0.6,s",
        "P,1,bold,y,a,,ACC,0.5,s",
        "P,1,average,all,z,,ACC,0.7,s",
    ]
    found = check_claims(table, claims(tmp_path, *lines))
    verdicts = [c.verdict for c in found]
    assert verdicts == ["agrees"] * 3 + ["differs"] + ["agrees"] * 4 + ["differs", "not in the table"]
    assert [c.recomputed for c in found[:3]] == pytest.approx([0.7, 0.9, 6.0])
    assert "not on y" in found[3].note


def test_equal_means_with_another_sd_are_no_copy() -> None:
    assert repeated_cells([value("a", 0.5, "x", 0.1), value("a", 0.5, "y", 0.2), value("b", 0.5, "y", 0.1)]) == []
    assert repeated_cells([value("a", 0.5, "x"), value("a", 0.5, "y")]) == []
    assert len(repeated_cells([value("a", 0.5, "x", 0.1), value("a", 0.5, "y", 0.1)])) == 1


def test_names_match_by_the_list_or_by_their_letters() -> None:
    names = read_names(PUBLISHED)
    klein = PublishedValue("scSAMAC", "4", "klein", "scSAMAC(NB)", "acc", 0.5, None, "f")
    assert names.dataset(klein, ["klein", "klein_scsamac"]) == "klein_scsamac"
    assert names.dataset(klein, ["klein"]) is None
    assert names.is_method(klein, "scsamac", {"likelihood": "nb"})
    assert not names.is_method(klein, "scsamac", {"likelihood": "zinb"})
    plain = PublishedValue("P", "1", "CITE CBMC", "scSiameseClu", "acc", 0.5, None, "f")
    assert names.dataset(plain, ["yan", "cite_cbmc"]) == "cite_cbmc"
    assert names.is_method(plain, "scsiameseclu", {})
    assert names.is_method(klein, "scsamac", {"likelihood": "zinb"}, ["likelihood"]) is False
    assert names.is_method(klein, "scsamac", {"likelihood": "nb", "lr": 0.1}, ["lr"]) is False  # a variation of it
    assert not names.is_method(plain, "scsiameseclu", {"without": "zinb"}, ["without"])
    assert read_names(Path("/does/not/exist")) == Names({}, {})


def test_every_listed_name_is_a_registered_dataset() -> None:
    from scbench.data.registry import dataset_names

    assert set(read_names(PUBLISHED).datasets.values()) <= set(dataset_names())


def test_wrong_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unknown kind 'most'; kinds are average, gain"):
        check_claims([], claims(tmp_path, "P,1,most,all,a,,ACC,1,s"))
    with pytest.raises(DataError, match="cannot read .*nowhere.csv"):
        check_claims([], tmp_path / "nowhere.csv")
    (tmp_path / "t.csv").write_text("paper,table,dataset,method,metric,value\nP,1,d,m,ACC,high\n")
    with pytest.raises(DataError, match="t.csv holds a value that is no number"):
        read_published(tmp_path)
    (tmp_path / "t.csv").write_text('"unclosed')
    with pytest.raises(DataError, match="cannot read .*t.csv"):
        read_published(tmp_path)
