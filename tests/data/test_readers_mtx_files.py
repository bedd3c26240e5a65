"""Which files make up an export, and the checksum that stands for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scbench.data.origin import _path_sha256
from scbench.data.readers import reader_for
from scbench.data.readers.matrix_market.files import find_files
from scbench.errors import DataError

MATRIX = "%%MatrixMarket matrix coordinate integer general\n2 3 3\n1 1 4\n2 2 5\n1 3 6\n"


def _touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def _found(path: Path) -> tuple[str, str, str]:
    files = find_files(path)
    return files.matrix.name, files.genes.name, files.cells.name


@pytest.mark.parametrize(
    "names",
    [
        ("matrix.mtx", "genes.tsv", "barcodes.tsv"),
        ("matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz"),
        ("matrix.mtx", "features.tsv.gz", "barcodes.tsv"),
        ("GSM1_matrix_S1.mtx.gz", "GSM1_features_S1.tsv.gz", "GSM1_barcodes_S1.tsv.gz"),
        ("GSM1.matrix.mtx", "GSM1.genes.tsv", "GSM1.barcodes.tsv"),
        ("donor1matrix.mtx", "donor1genes.tsv", "donor1barcodes.tsv"),
        ("GSM43_counts_sample1.mtx.gz", "GSM43_genes_sample1.txt.gz", "GSM43_barcodes_sample1.txt.gz"),
        ("GSM1_quants_mat.mtx.gz", "GSM1_quants_mat_cols.txt.gz", "GSM1_quants_mat_rows.txt.gz"),
        ("GSM1_DGE.mtx.gz", "GSM1_all_genes.csv.gz", "GSM1_cell_metadata.csv.gz"),
        ("matrix_T_cells.mtx", "genes_T_cells.tsv", "barcodes_T_cells.tsv"),
        ("MATRIX.MTX", "Genes.tsv", "Barcodes.TSV"),
        ("expression.mtx", "my_genes.txt", "my_cells.txt"),
        ("counts.mtx", "gene_names.csv", "cell_names.csv"),
    ],
)
def test_the_three_files_are_found_from_the_folder_and_from_the_matrix(tmp_path: Path, names: tuple[str, ...]) -> None:
    _touch(tmp_path, *names, "notes.txt", "web_summary.html")
    assert _found(tmp_path) == names
    assert _found(tmp_path / names[0]) == names


def test_the_closest_of_several_files_is_taken(tmp_path: Path) -> None:
    _touch(tmp_path, "matrix.mtx", "matrix.mtx.gz", "genes.tsv", "features.tsv.gz", "barcodes.tsv", "cells.csv")
    assert _found(tmp_path) == ("matrix.mtx", "features.tsv.gz", "barcodes.tsv")
    _touch(tmp_path, "features.tsv", "barcodes.tsv.gz")
    assert _found(tmp_path) == ("matrix.mtx", "features.tsv", "barcodes.tsv")


def test_each_matrix_has_its_own_names(tmp_path: Path) -> None:
    for sample in ("1", "10"):
        _touch(tmp_path, *(f"GSM{sample}_{part}.gz" for part in ("matrix.mtx", "features.tsv", "barcodes.tsv")))
    assert _found(tmp_path / "GSM1_matrix.mtx.gz") == (
        "GSM1_matrix.mtx.gz",
        "GSM1_features.tsv.gz",
        "GSM1_barcodes.tsv.gz",
    )
    assert _found(tmp_path / "GSM10_matrix.mtx.gz")[1:] == ("GSM10_features.tsv.gz", "GSM10_barcodes.tsv.gz")
    message = (
        r"holds 2 matrices \(GSM10_matrix\.mtx\.gz, GSM1_matrix\.mtx\.gz\); give one of these files as dataset\.path"
    )
    with pytest.raises(DataError, match=message):
        find_files(tmp_path)


def test_samples_may_share_the_names_of_genes_but_not_of_cells(tmp_path: Path) -> None:
    _touch(tmp_path, "GSM1_matrix.mtx", "GSM2_matrix.mtx", "GSE0_genes.tsv", "GSM1_barcodes.tsv")
    assert _found(tmp_path / "GSM1_matrix.mtx") == ("GSM1_matrix.mtx", "GSE0_genes.tsv", "GSM1_barcodes.tsv")
    with pytest.raises(
        DataError, match=r"has no GSM2_barcodes\.tsv or GSM2_cells\.tsv .*Found: GSE0_genes\.tsv, GSM1_bar"
    ):
        find_files(tmp_path / "GSM2_matrix.mtx")


def test_hidden_files_are_not_there(tmp_path: Path) -> None:
    _touch(tmp_path, "matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz")
    _touch(
        tmp_path, "._matrix.mtx.gz", "._matrix.mtx", "._features.tsv", "._barcodes.tsv.gz", ".DS_Store", ".x_matrix.mtx"
    )
    assert _found(tmp_path) == ("matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz")
    assert reader_for(tmp_path) == "mtx_10x"
    with pytest.raises(DataError, match=r"_matrix\.mtx\.gz is a note of macOS on another file; give matrix\.mtx\.gz"):
        find_files(tmp_path / "._matrix.mtx.gz")


def test_the_unique_counts_win_over_those_with_multiple_mappers(tmp_path: Path) -> None:
    _touch(tmp_path, "matrix.mtx", "features.tsv", "barcodes.tsv", "UniqueAndMult-EM.mtx", "UniqueAndMult-Uniform.mtx")
    files = find_files(tmp_path)
    assert files.matrix.name == "matrix.mtx"
    assert files.not_read == ("UniqueAndMult-EM.mtx", "UniqueAndMult-Uniform.mtx")
    assert _found(tmp_path / "UniqueAndMult-EM.mtx")[0] == "UniqueAndMult-EM.mtx"


@pytest.mark.parametrize(
    "names", [("spliced.mtx", "unspliced.mtx"), ("matrix.mtx", "other.mtx"), ("a_matrix.mtx", "matrix.mtx")]
)
def test_a_folder_with_several_matrices_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    _touch(tmp_path, *names, "features.tsv", "barcodes.tsv")
    with pytest.raises(DataError, match=rf"holds 2 matrices \({', '.join(sorted(names))}\); give one of these files"):
        find_files(tmp_path)
    assert _found(tmp_path / names[0])[0] == names[0]


@pytest.mark.parametrize(
    ("matrix", "genes", "cells"),
    [
        ("matrix.mtx", r"features\.tsv or genes\.tsv", r"barcodes\.tsv or cells\.tsv"),
        ("GSM1_matrix_S1.mtx.gz", r"GSM1_features_S1\.tsv or GSM1_genes_S1\.tsv", r"GSM1_barcodes_S1\.tsv or"),
        ("cells_x_genes.total.mtx", r"cells_x_genes\.genes\.txt", r"cells_x_genes\.barcodes\.txt"),
        ("quants_mat.mtx", r"quants_mat_cols\.txt", r"quants_mat_rows\.txt"),
        ("DGE.mtx", r"all_genes\.csv or genes\.csv", r"cell_metadata\.csv"),
        ("any.mtx", r"features\.tsv or genes\.tsv", r"barcodes\.tsv or cells\.tsv"),
    ],
)
def test_missing_names_say_what_was_looked_for_and_what_is_there(
    tmp_path: Path, matrix: str, genes: str, cells: str
) -> None:
    _touch(tmp_path, matrix)
    with pytest.raises(DataError, match=rf"has no {genes} .*beside .*its genes have no names.*Found: no other file"):
        find_files(tmp_path)
    _touch(tmp_path, "x_features.tsv", *(f"note{i:02}.txt" for i in range(12)))
    with pytest.raises(
        DataError, match=rf"has no {cells} .*its cells have no names.*Found: note00\.txt.*note11\.txt and 1 more"
    ):
        find_files(tmp_path)


def test_a_folder_without_a_matrix_names_those_below_that_have_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no matrix\.mtx nor another \.mtx, gzipped or not; name the folder"):
        find_files(tmp_path)
    _touch(tmp_path, "outs/raw/matrix.mtx.gz", "outs/filtered/matrix.mtx.gz", "Gene/spliced.mtx", "x/._a.mtx")
    with pytest.raises(DataError, match=r"give one of its folders that do: \S+/Gene, \S+/outs/filtered, \S+/outs/raw$"):
        find_files(tmp_path)
    with pytest.raises(
        DataError,
        match=r"folder without one matrix\.mtx or other \.mtx; give one of its folders that have one: \S+/Gene",
    ):
        reader_for(tmp_path)


def _tenx(folder: Path) -> Path:
    for name, text in (("matrix.mtx", MATRIX), ("genes.tsv", "id1\tg1\nid2\tg2\n"), ("barcodes.tsv", "c1\nc2\nc3\n")):
        (folder / name).write_text(text)
    return folder


def test_the_checksum_of_a_tenx_folder_is_that_of_earlier_versions(tmp_path: Path) -> None:
    expected = "bc516608f3a42e6d0a30f6c6f710faa03eb5e9373739a2a67706331457088a73"  # stored in the keys of runs
    assert _path_sha256(_tenx(tmp_path), "mtx_10x") == expected
    assert _path_sha256(tmp_path / "matrix.mtx", "mtx_10x") == expected


def test_only_files_that_are_read_are_part_of_the_checksum(tmp_path: Path) -> None:
    before = _path_sha256(_tenx(tmp_path), "mtx_10x")
    _touch(tmp_path, "._matrix.mtx", "._genes.tsv", "UniqueAndMult-EM.mtx", "notes.txt", "GSM2_barcodes.tsv")
    assert _path_sha256(tmp_path, "mtx_10x") == before
    _touch(tmp_path, "GSM2_matrix.mtx", "other.mtx")
    assert _path_sha256(tmp_path / "matrix.mtx", "mtx_10x") == before
    for name in ("matrix.mtx", "genes.tsv", "barcodes.tsv"):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text + "\n")
        assert _path_sha256(tmp_path / "matrix.mtx", "mtx_10x") != before
        (tmp_path / name).write_text(text)


def test_the_symbols_of_kb_are_part_of_the_checksum(tmp_path: Path) -> None:
    _touch(tmp_path, "cells_x_genes.mtx", "cells_x_genes.barcodes.txt", "cells_x_genes.genes.txt")
    before = _path_sha256(tmp_path, "mtx_10x")
    _touch(tmp_path, "cells_x_genes.genes.names.txt")
    assert _path_sha256(tmp_path, "mtx_10x") != before
