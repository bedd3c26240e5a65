"""A report into the folder of an earlier one leaves none of its files behind, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

from report_records import put, record

from scbench.report.__main__ import main
from scbench.report.leftovers import LIST_FILE, remove_leftovers


def test_files_of_the_last_report_go_and_others_stay(tmp_path: Path) -> None:
    for name in ("a.md", "figures/old.png", "figures/kept.png", "figures/mine.txt", "runs/old.svg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / LIST_FILE).write_text("a.md\nfigures/kept.png\nfigures/old.png\nruns/old.svg\nnever/there.md\n")
    listed = remove_leftovers(tmp_path, [tmp_path / "a.md", tmp_path / "figures" / "kept.png"])
    assert listed.read_text() == "a.md\nfigures/kept.png\n"
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"a.md", "figures/kept.png", "figures/mine.txt", LIST_FILE}
    assert not (tmp_path / "runs").exists()


def test_a_list_cannot_reach_outside(tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other.md"
    out.mkdir()
    other.write_text("mine")
    (out / LIST_FILE).write_text("../other.md\n")
    remove_leftovers(out, [])
    assert other.read_text() == "mine"


def test_a_smaller_report_replaces_a_larger_one(tmp_path: Path) -> None:
    put(tmp_path / "s", record("goolam", "pca_kmeans"), record("goolam", "leiden"))
    out = tmp_path / "o"
    command = [f"store={tmp_path / 's'}", f"out={out}", "figures=false"]
    assert main(command) == 0
    assert (out / "wide_nmi.csv").is_file()
    assert main([*command, "metrics=ari"]) == 0
    assert not (out / "wide_nmi.csv").exists()
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert written == {*(out / LIST_FILE).read_text().splitlines(), LIST_FILE}
