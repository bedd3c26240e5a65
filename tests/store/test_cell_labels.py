from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scbench.store.cell_labels import add_cell_labels, cell_names, what_is_wrong_with, write_cell_labels

NAMES = np.array(["AAAC-1", "=1+1", "-x,y", 'a "b"', "two\nlines", "'=z", "\u202ex"], dtype=object)
LABELS = np.array([0, 1, 1, 0, 2, 2, 0])


def test_a_line_for_each_cell_and_nothing_that_a_spreadsheet_runs(tmp_path: Path) -> None:
    write_cell_labels(tmp_path, NAMES, LABELS, None)
    rows = list(csv.reader((tmp_path / "labels.csv").open(newline="")))
    assert rows[0] == ["cell", "cluster"]
    assert rows[1:4] == [["AAAC-1", "0"], ["'=1+1", "1"], ["'-x,y", "1"]]
    assert rows[7] == ["\\u202ex", "0"]
    np.testing.assert_array_equal(cell_names(tmp_path, 7)[:6], NAMES[:6])  # type: ignore[index]
    assert what_is_wrong_with(tmp_path / "labels.csv", LABELS) == ""


def test_the_share_is_that_of_the_cells_own_cluster(tmp_path: Path) -> None:
    soft = np.array([[0.75, 0.25], [0.4, 0.6], [0.5, 1 / 2]])
    write_cell_labels(tmp_path, np.array(["a", "b", "c"]), np.array([0, 0, 1]), soft)
    table = pd.read_csv(tmp_path / "labels.csv")
    assert table["share"].tolist() == [0.75, 0.4, 0.5]
    assert what_is_wrong_with(tmp_path / "labels.csv", np.array([0, 0, 1])) == ""


def test_memberships_that_have_no_column_for_a_label_are_left_out(tmp_path: Path) -> None:
    write_cell_labels(tmp_path, np.array(["a", "b"]), np.array([0, 2]), np.full((2, 2), 0.5))
    assert (tmp_path / "labels.csv").read_text() == "cell,cluster\na,0\nb,2\n"


def test_a_file_that_is_added_later_is_the_same(tmp_path: Path) -> None:
    for name in ("at once", "later"):
        (tmp_path / name).mkdir()
    write_cell_labels(tmp_path / "at once", NAMES, LABELS, np.full((7, 3), 1 / 3))
    add_cell_labels(tmp_path / "later", NAMES, LABELS, np.full((7, 3), 1 / 3))
    assert (tmp_path / "later" / "labels.csv").read_bytes() == (tmp_path / "at once" / "labels.csv").read_bytes()
    assert [path.name for path in (tmp_path / "later").iterdir()] == ["labels.csv"]


def test_what_a_link_leads_to_is_never_written(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "labels.csv").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_cell_labels(tmp_path / "work", NAMES, LABELS, None)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"", b"cell,group\na,0\n", b"cell,cluster\na,0\nb,1\n", b"cell,cluster\n\xff,0\n"])
def test_what_is_damaged_names_no_cells(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    assert cell_names(tmp_path, 1) is None
    assert cell_names(tmp_path / "nowhere", 1) is None
