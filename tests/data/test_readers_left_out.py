"""Columns of a text table that are no genes: labels, descriptions of cells, text; and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read
from scbench.data.readers.descriptions import is_description
from scbench.errors import DataError


def _read(
    folder: Path, text: str, *, label: str | None = "none", labels: str | None = None, reader: str = "table"
) -> LabelledCounts:
    (folder / "t.csv").write_text(text)
    label_path = None if labels is None else folder / "l.csv"
    if label_path is not None:
        label_path.write_text(labels or "")
    return read(folder / "t.csv", SourceFile(reader=reader), label=label, label_path=label_path)


def _genes(counts: LabelledCounts) -> list[str]:
    assert counts.genes is not None
    assert counts.matrix.shape[1] == len(counts.genes)
    return list(counts.genes)


CODED = "cell,g1,label,g2,Batch,seurat.clusters\nc1,0,1,2,1,0\nc2,3,2,0,1,1\nc3,0,1,5,2,1\n"
CODED_WARNING = (
    "t.csv: 3 columns are taken for descriptions of the cells and left out of the genes: "
    "label, Batch, seurat.clusters; rename a gene that has such a name"
)


def test_a_numeric_label_column_is_never_a_gene(tmp_path: Path) -> None:
    counts = _read(tmp_path, CODED)
    assert _genes(counts) == ["g1", "g2"]
    np.testing.assert_array_equal(counts.matrix.toarray(), [[0, 2], [3, 0], [0, 5]])
    assert counts.warnings == (CODED_WARNING,)
    with_file = _read(tmp_path, CODED, label=None, labels="cell,kind\nc1,a\nc2,b\nc3,a\n")
    assert _genes(with_file) == ["g1", "g2"]
    assert with_file.warnings == (CODED_WARNING,)


def test_other_label_columns_are_not_genes_beside_the_wanted_one(tmp_path: Path) -> None:
    counts = _read(tmp_path, CODED, label="seurat.clusters")
    assert _genes(counts) == ["g1", "g2"]
    assert counts.labels is not None
    assert list(counts.labels) == ["0", "1", "1"]
    assert len(counts.warnings) == 1
    assert "genes: label, Batch;" in counts.warnings[0]


def test_the_column_named_by_a_label_file_is_no_gene(tmp_path: Path) -> None:
    text = "cell,g1,kind9,g2\nc1,0,1,2\nc2,3,2,0\nc3,0,1,5\n"
    counts = _read(tmp_path, text, label="kind9", labels="cell,kind9\nc1,a\nc2,b\nc3,a\n")
    assert _genes(counts) == ["g1", "g2"]
    assert "genes: kind9;" in counts.warnings[0]


def test_a_label_column_at_the_front_is_neither_gene_nor_name(tmp_path: Path) -> None:
    coded = _read(tmp_path, "label,g1,g2\n1,0,2\n2,3,0\n1,0,5\n")
    assert (_genes(coded), coded.cells) == (["g1", "g2"], None)
    assert "genes: label;" in coded.warnings[0]
    text = _read(tmp_path, "cell_type,g1,g2\na,0,2\nb,3,0\na,0,5\n")
    assert (_genes(text), text.cells) == (["g1", "g2"], None)
    assert "genes: cell_type;" in text.warnings[0]


@pytest.mark.parametrize("header", ["cell", "barcode", "index", "Unnamed: 0"])
def test_numbered_cells_are_names(tmp_path: Path, header: str) -> None:
    counts = _read(tmp_path, f"{header},g1,g2\n1,0,2\n2,3,0\n")
    assert _genes(counts) == ["g1", "g2"]
    assert counts.cells is not None
    assert list(counts.cells) == ["1", "2"]
    assert counts.warnings == ()


def test_different_names_under_a_describing_header_stay_names(tmp_path: Path) -> None:
    counts = _read(tmp_path, "sample,g1,g2\ns1,0,2\ns2,3,0\n")
    assert counts.cells is not None
    assert list(counts.cells) == ["s1", "s2"]
    assert counts.warnings == ()


@pytest.mark.parametrize("label", ["cell_type", None])
def test_a_label_in_the_first_column_is_found(tmp_path: Path, label: str | None) -> None:
    counts = _read(tmp_path, "cell_type,g0,g1\na,0,2\nb,3,0\n,0,5\n", label=label)
    assert counts.labels is not None
    assert list(counts.labels) == ["a", "b", None]
    assert _genes(counts) == ["g0", "g1"]
    assert counts.cells is None
    assert counts.warnings == ()


@pytest.mark.parametrize(
    ("name", "described"),
    [
        *[(name, True) for name in ("Cell Type", "CELLTYPE", "Labels", "louvain", "leiden", "Y", "orig.ident")],
        *[(name, True) for name in ("group", "donor_id", "nCount_RNA", "percent.mt", "n_genes", "type")],
        *[
            (name, True)
            for name in (
                "nCount_SCT",
                "leiden_res_1.0",
                "celltype_code",
                "UMAP_1",
                "PC_1",
                "S.Score",
                "RNA_snn_res.0.8",
            )
        ],
        *[
            (name, True)
            for name in ("subsets_Mito_percent", "sizeFactor", "total_counts_mt", "mito_frac", "cluster1", "sum")
        ],
        *[
            (name, False)
            for name in (
                "CD3E",
                "SRY",
                "LY6G",
                "TYPEA",
                "g1",
                "1",
                "",
                "CLU",
                "BATF",
                "age-1",
                "sex-1",
                "PC.1",
                "type-1",
                "CLASS1",
                "pct-1",
                "ICA1",
                "solo",
                "row",
                "Rep",
            )
        ],
    ],
)
def test_only_whole_names_describe_cells(name: str, described: bool) -> None:
    assert is_description(name) is described


def test_text_columns_left_out_are_counted_and_named(tmp_path: Path) -> None:
    names = [f"note{i}" for i in range(9)]
    text = ",".join(["cell", "g1", *names, "cell_type"]) + "\n"
    text += "".join(f"c{i},{i}," + ",".join(["x"] * 9) + ",a\n" for i in range(3))
    counts = _read(tmp_path, text, label=None)
    assert _genes(counts) == ["g1"]
    assert counts.warnings == (
        "t.csv: 9 columns hold text and are left out: note0, note1, note2, note3, note4 and 4 more",
    )


def test_no_warning_without_a_column_left_out(tmp_path: Path) -> None:
    assert _read(tmp_path, "cell,g1,cell_type\nc1,2,a\nc2,0,b\n", label=None).warnings == ()
    baron = ",barcode,assigned_cluster,g1\nc1,AC,beta,2\nc2,CG,alpha,0\n"
    assert _read(tmp_path, baron, label=None, reader="csv_baron").warnings == ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (['"1,234"', "5", "6"], r"t\.csv, line 2: '1,234' in column 'g2' is not a number.*thousands"),
        (['"1,5"', '"2,5"', '"0,5"'], r"line 2: '1,5' in column 'g2'.*decimal point"),
        (["-", "5", "-"], r"line 2: '-' in column 'g2' is not a number, but other values of the column are.*NA"),
        (["#N/A", "0", "0"], r"line 2: '#N/A' in column 'g2'"),
        (["low", "0", "7"], r"line 2: 'low' in column 'g2'"),
        (["7", '"1,234"', "0"], r"line 3: '1,234' in column 'g2' is not a number.*thousands"),
    ],
)
@pytest.mark.parametrize("rows", [3, 300])
def test_text_in_a_column_of_numbers_is_refused(tmp_path: Path, values: list[str], message: str, rows: int) -> None:
    rest = [values[1 + i % 2] for i in range(rows - 1)]
    text = "cell,g1,g2\n" + "".join(f"c{i},1,{v}\n" for i, v in enumerate([values[0], *rest]))
    with pytest.raises(DataError, match=message) as caught:
        _read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_first_column_of_numbers_that_begins_with_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2: '1,234' in column 'g1' is not a number"):
        _read(tmp_path, 'g1,g2\n"1,234",1\n5,2\n')


def test_a_file_with_decimal_commas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2: '0,5' in column 'g1'.*decimal point"):
        _read(tmp_path, "cell;g1;g2\nc1;0,5;1,5\nc2;2,5;0,0\n")


def test_codes_with_one_word_among_them_may_be_labels(tmp_path: Path) -> None:
    text = "cell,g1,kind9,cluster\nc1,1,unknown,none\nc2,0,1,1\nc3,2,2,2\n"
    counts = _read(tmp_path, text, label="kind9")
    assert counts.labels is not None
    assert list(counts.labels) == ["unknown", "1", "2"]
    assert _genes(counts) == ["g1"]
    assert "text and are left out: cluster" not in "".join(counts.warnings)
    assert any("cluster" in line for line in counts.warnings)


def test_a_cell_of_text_in_a_table_with_genes_in_rows_is_named(tmp_path: Path) -> None:
    text = "gene,c1,note,c2\ng1,0,x,2\ng2,1,y,0\ng3,1,y,0\n"
    counts = _read(tmp_path, text, label="kind", labels="cell,kind\nc1,a\nc2,b\n")
    assert counts.matrix.shape == (2, 3)
    assert counts.warnings == ("t.csv: 1 column holds text and is left out: note",)
