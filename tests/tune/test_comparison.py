"""Default against tuned, as files and as one table."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from scbench.__main__ import main
from scbench.errors import StoreError
from scbench.tune.comparison import FILE, Cost, Difference, read_comparisons, table_of, write_comparison

ROOT = Path(__file__).parents[2]
STORED = ROOT / "results" / "reference" / "search"
COST = Cost(("goolam",), n_trials=20, n_given_up=6, n_failed=1, best_trial=11, seconds=183.04)
ARI = Difference("goolam", "ari", np.array([0.5, 0.6, 0.4]), np.array([0.55, 0.7, 0.4]), 3, 3)
OBJECTIVE = Difference("goolam", "modularity", np.array([0.66, 0.64]), np.array([0.71, 0.71]), 2, 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for study, method in (("b", "zeta"), ("a", "alpha")):
        (tmp_path / study).mkdir()
        write_comparison(tmp_path / study / FILE, study, method, "modularity", COST, [OBJECTIVE, ARI])
    return tmp_path


def test_percent_for_scores_and_four_digits_for_the_rest() -> None:
    assert ARI.shown() == ("50.0 ± 10.0", "55.0 ± 15.0", "+5.0 ± 5.0")
    assert OBJECTIVE.shown() == ("0.6500 ± 0.0141", "0.7100 ± 0.0000", "+0.0600 ± 0.0141")
    alone = Difference("d", "stability", np.array([0.9]), np.array([0.8]), 5, 5)
    assert alone.shown() == ("0.9000", "0.8000", "-0.1000")


def test_the_file_has_numbers_of_full_precision(folder: Path) -> None:
    with (folder / "a" / FILE).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["score"] for row in rows] == ["modularity", "ari"]
    ari = rows[1]
    assert float(ari["difference_mean"]) == pytest.approx(0.05)
    assert float(ari["difference_sd"]) == pytest.approx(np.std([0.05, 0.1, 0.0], ddof=1))
    assert (ari["n_given_up"], ari["search_seconds"]) == ("6", "183.0")


def test_one_table_of_all_studies_by_method(folder: Path) -> None:
    rows = read_comparisons(folder)
    assert [row["method"] for row in rows[::2]] == ["alpha", "zeta"]
    lines = table_of(rows).splitlines()
    assert len(lines) == 4
    assert lines[2] == (
        "| alpha | goolam | modularity | 0.650 ± 0.014 | 0.710 ± 0.000 | 50.0 ± 10.0 | 55.0 ± 15.0 | +5.0 ± 5.0 | 3 | "
        "20 (6, 1) | 3 min 03 s |"
    )
    assert {line.count("|") for line in lines} == {12}


def test_a_single_seed_has_no_sd(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    one = Difference("goolam", "ari", np.array([0.5]), np.array([0.4]), 1, 2)
    write_comparison(tmp_path / "a" / FILE, "a", "m", "ari", COST, [one])
    assert "| 50.0 | 40.0 | -10.0 | 1/2 |" in table_of(read_comparisons(tmp_path))


def test_a_dataset_without_types_and_one_that_was_not_searched_on(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    cost = dataclasses.replace(COST, searched_on=("yan", "mix_dropseq"))
    write_comparison(tmp_path / "a" / FILE, "a", "m", "modularity", cost, [OBJECTIVE])
    (line,) = table_of(read_comparisons(tmp_path)).splitlines()[2:]
    assert line.startswith(
        "| m | goolam (searched on yan+mix_dropseq) | modularity | 0.650 ± 0.014 | 0.710 ± 0.000 | - |"
    )
    assert "| - | - | 2/3 |" in line


def test_what_is_no_comparison_is_refused(folder: Path) -> None:
    with pytest.raises(StoreError, match=r"no study that was evaluated .* out=DIR"):
        read_comparisons(folder / "a")
    text = (folder / "a" / FILE).read_text()
    (folder / "a" / FILE).write_text(text.replace("183.0", "much"))
    with pytest.raises(StoreError, match="the comparison of a cannot be read .*much"):
        table_of(read_comparisons(folder))
    (folder / "a" / FILE).write_text("study,method\n")
    with pytest.raises(StoreError, match="another version"):
        read_comparisons(folder)
    (folder / "a" / FILE).write_bytes(b"\xff\xfe\xff")
    with pytest.raises(StoreError, match="cannot be read"):
        read_comparisons(folder)


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "summary", f"out={folder}"]) == 0
    assert capsys.readouterr().out.count("goolam") == 2
    for arguments, reason in (
        (["ot=x"], "Did you mean 'out'"),
        (["out="], "out is empty"),
        (["out=a", "out=b"], "twice"),
        (["out=nowhere"], "no study"),
    ):
        assert main(["tune", "summary", *arguments]) == 2
        assert reason in (said := capsys.readouterr().err)
        assert said.count("\n") == 1


@pytest.mark.skipif(not STORED.is_dir(), reason="no searches are stored")
def test_the_table_of_the_readme_is_that_of_the_stored_searches() -> None:
    assert table_of(read_comparisons(STORED)) in (ROOT / "README.md").read_text()


def test_names_that_are_markup_or_formulas_come_back_and_stay_text(tmp_path: Path) -> None:
    names = {"study": "=1+1", "method": "'-a|b", "objective": "@[x](javascript:y)\x1b[31m<b>"}
    one = dataclasses.replace(ARI, dataset="-_a_")
    (tmp_path / "s").mkdir()
    write_comparison(tmp_path / "s" / FILE, names["study"], names["method"], names["objective"], COST, [one])
    (row,) = read_comparisons(tmp_path)
    shown = names | {"objective": r"@[x](javascript:y)\x1b[31m<b>"}
    assert {name: row[name] for name in ("dataset", *names)} == {"dataset": "-_a_", **shown}
    cells = (tmp_path / "s" / FILE).read_text().splitlines()[1].split(",")
    assert cells[:4] == ["'=1+1", "''-a|b", "'-_a_", r"'@[x](javascript:y)\x1b[31m<b>"]
    assert float(cells[9]) == pytest.approx(0.05)
    line = table_of([row]).splitlines()[2]
    assert line.startswith(r"| '-a\|b | -\_a\_ (searched on goolam) | @[x\](javascript:y)\\x1b[31m&lt;b> |")
