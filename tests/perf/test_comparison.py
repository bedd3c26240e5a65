"""The comparison as a whole: rows, what is left out and why, and what is written."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from comparison import cases, command
from comparison.builds import ROOT, Build, CannotCompare
from comparison.cases import CommandCase, LeftOut, Phase, Sample
from comparison.command import Setting, compare, measured_row
from comparison.fit_once import configured
from comparison.rows import Line, Row, Target, rows
from comparison.table import shown, write

NAMES = [
    "cicl_epoch",
    "cicl_stop",
    "scsiameseclu_fit",
    "scsamac_epoch",
    "scsamac_clustering",
    "sccagn_epoch",
    "sccagn_fit",
    "scsiameseclu_memory",
    "sccagn_memory",
    "leiden",
    "pca_kmeans",
    "trivial",
    "cicl_fast",
    "scsiameseclu_fast",
    "scsamac_fast",
    "sccagn_fast",
]


@pytest.mark.parametrize("quick", [False, True])
def test_rows_are_those_of_the_targets_and_say_their_command(quick: bool) -> None:
    assert [row.name for row in rows(quick=quick)] == NAMES
    for row in rows(quick=quick):
        assert all(row.cases)
        assert all(case.shown for case in row.cases)
        assert row.how


def test_parameters_are_fields_of_the_methods() -> None:
    for quick in (False, True):
        for row in rows(quick=quick):
            for case in row.cases:
                configured(case.method, case.params)
    assert configured("scsamac", {"mask.p_other": 0.5, "epochs": 3}).mask.p_other == 0.5  # type: ignore[attr-defined]


def stamp(epoch: int, cpu: float, *keys: str) -> dict[str, Any]:
    return {"epoch": epoch, "keys": keys, "cpu": cpu, "wall": 2 * cpu}


def test_epochs_of_a_phase_are_told_by_what_they_log() -> None:
    stamps = [
        stamp(0, 1, "nb"),
        stamp(1, 2, "nb"),
        stamp(2, 9, "nb", "w"),
        stamp(3, 10, "nb", "w"),
        stamp(4, 15, "nb", "w"),
    ]
    assert Phase("nb", "w").seconds(stamps, "cpu") == 1
    assert Phase("w").seconds(stamps, "cpu") == 3, "the mean: not every epoch costs the same"
    assert Phase("w").seconds(stamps, "wall") == 6
    with pytest.raises(LeftOut, match="fewer than two epochs log x"):
        Phase("x").seconds(stamps, "cpu")


def test_lines_are_of_the_largest_case_or_of_all() -> None:
    samples = [Sample(1, 2, 3e6, 5), Sample(4, 5, 6e6, 7)]
    found = {
        kind: Line("", kind).value(samples, [10, 20]) for kind in ("seconds", "wall", "memory", "epochs", "exponent")
    }
    assert found == {"seconds": 4, "wall": 5, "memory": 6, "epochs": 7, "exponent": pytest.approx(2)}
    assert Line("", "memory_per_cell").value(samples, [1000, 2000]) == pytest.approx(3)


@dataclass(frozen=True)
class Told:
    """A case that notes whom it was run in, and takes what it is told."""

    log: list[str]
    seconds: dict[str, list[float]]
    data: str = ""
    is_warm: bool = False
    n_cells: int = 0
    shown: str = "told"

    def run(self, build: Build, _counts: object, _translate: Callable[..., object]) -> Sample:
        self.log.append(build.name)
        left = self.seconds[build.name]
        if not left:
            raise LeftOut(f"{build.name} broke")
        return Sample(left.pop(0), 0, 0)


def setting(*rates: float) -> Setting:
    left = list(rates or (100.0, 100.0))
    return Setting(Build("abc", Path("o")), Build("new", Path("n")), Path("f"), lambda: left.pop(0))


def row(case: object, repeats: int = 3) -> Row:
    return Row("one", "by hand", (cast(Any, case),), (Line("a thing", "seconds", Target(0.5)),), repeats)


def test_old_and_new_take_turns_and_medians_are_compared() -> None:
    case = Told([], {"abc": [4, 10, 5], "new": [2, 2, 9]})
    (found,) = measured_row(row(case), setting())
    assert case.log == ["abc", "new", "new", "abc", "abc", "new"]
    assert (found.old, found.new, found.ratio, found.holds) == (5, 2, 0.4, "yes")
    assert (found.ratio_least, found.ratio_most, found.repeats) == (0.2, 1.8, 3)


def test_what_fails_is_left_out_with_its_reason() -> None:
    (found,) = measured_row(row(Told([], {"abc": [4], "new": []})), setting())
    assert (found.left_out, found.holds, found.ratio) == ("new broke", "-", None)
    assert "\na thing  left out: new broke\n" in shown([found])


def test_data_that_are_missing_leave_a_row_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise LeftOut("mouse_pancreas_1 is not on this machine")

    monkeypatch.setattr(command, "make_counts", missing)
    case = Told([], {}, data="mouse_pancreas_1")
    (found,) = measured_row(row(case), setting())
    assert found.left_out == "mouse_pancreas_1 is not on this machine"
    assert case.log == []


def test_a_machine_that_changes_makes_a_verdict_doubtful() -> None:
    (found,) = measured_row(row(Told([], {"abc": [4], "new": [1]}), repeats=1), setting(100.0, 60.0))
    text = shown([found])
    assert "yes?" in text
    assert "measure again on a quiet machine" in text
    assert "100 GFLOP/s before, 60 after" in text
    (found,) = measured_row(row(Told([], {"abc": [4], "new": [1]}), repeats=1), setting())
    assert "yes?" not in shown([found])


def test_the_counterpart_can_be_scanpy() -> None:
    ours, theirs = Told([], {"new": [1]}), Told([], {"new": [4]})
    (found,) = measured_row(replace(row(ours, repeats=1), instead=cast(Any, theirs)), setting())
    assert (found.old, found.new, found.against) == (4, 1, "scanpy")


def test_results_are_written_as_json_and_csv(tmp_path: Path) -> None:
    found = measured_row(row(Told([], {"abc": [4], "new": [1]}), repeats=1), setting())
    write(found, tmp_path / "a.json")
    write(found, tmp_path / "a.csv")
    (as_json,) = json.loads((tmp_path / "a.json").read_text())
    with (tmp_path / "a.csv").open() as file:
        (as_csv,) = csv.DictReader(file)
    assert as_json["ratio"] == float(as_csv["ratio"]) == 0.25
    assert list(as_json) == list(as_csv)
    assert as_json["product_before"] == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": "cicl_epoch,x"}, "no rows x; known: cicl_epoch, cicl_stop"),
        ({"quick": "yes"}, "quick=yes is neither 0 nor 1"),
        ({"out": "a.txt"}, "out=a.txt: use a name that ends in .json or .csv"),
        ({"out": "/no/such/folder/a.csv"}, "in a folder that is there"),
        ({"compare": "no-such-commit"}, "compare=no-such-commit is no commit of"),
    ],
)
def test_wrong_options_are_refused_in_one_line(options: dict[str, str], message: str) -> None:
    with pytest.raises(CannotCompare, match=message) as caught:
        compare({"compare": "HEAD", **options}, lambda: 1.0)
    assert "\n" not in str(caught.value)


def test_a_command_that_fails_is_left_out_with_its_last_line(tmp_path: Path) -> None:
    case = CommandCase("random", ("dataset=no_such",))
    (tmp_path / "in").mkdir()
    build = Build("new", tmp_path / "in")
    with pytest.raises(LeftOut, match=r"^new: .*no_such"):
        case.run(build, None, lambda _method, params: params)


BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_processes_that_outlive_a_command_are_counted(tmp_path: Path) -> None:
    leaves = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"
    script = str(cases.HERE / "process_time.py")
    subprocess.run([sys.executable, "-P", script, str(tmp_path / "r"), sys.executable, "-c", leaves], check=True)
    assert json.loads((tmp_path / "r").read_text())["cpu_seconds"] >= 0.3
    done = subprocess.run(
        [sys.executable, "-P", script, str(tmp_path / "r"), sys.executable, "-c", "exit(7)"], check=False
    )
    assert done.returncode == 7


@pytest.mark.slow  # half a minute: both builds start several processes
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not in a repository")
def test_this_commit_is_compared_with_the_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    compare({"compare": "HEAD", "rows": "cicl_epoch,sccagn_memory", "quick": "1", "out": str(out)}, lambda: 100.0)
    epoch, memory = json.loads(out.read_text())
    assert [epoch["left_out"], memory["left_out"]] == ["", ""]
    assert epoch["old"] > 0 < epoch["new"]
    assert memory["product_after"] == 100
    assert "CICL epoch, 120x100x4" in capsys.readouterr().out
