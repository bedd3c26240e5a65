"""Features that are no genes, in 10x folders and HDF5 files, and the names of the genes there."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read
from scbench.data.readers.feature_types import gene_features
from scbench.errors import DataError

X = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], dtype=np.float32)
EXPRESSION, ANTIBODY = "Gene Expression", "Antibody Capture"


def _types(*types: str) -> np.ndarray:
    return np.array(types, dtype=object)


@pytest.mark.parametrize(
    "spelled", ["Gene Expression", "gene expression", "Gene_Expression", "GENE-EXPRESSION", "Gene  Expression "]
)
def test_gene_expression_is_known_in_any_spelling(spelled: str) -> None:
    is_gene, said = gene_features(_types(spelled, EXPRESSION, ANTIBODY), "x")
    assert is_gene.tolist() == [True, True, False]
    assert said == ("x: 1 feature that is no gene is left out: 1 Antibody Capture",)


def test_a_line_counts_what_is_left_out() -> None:
    others = ["Multiplexing Capture"] * 3 + [ANTIBODY] * 6 + ["antibody_capture"]
    is_gene, said = gene_features(_types(*others, EXPRESSION), "x")
    assert is_gene.sum() == 1
    assert said == ("x: 10 features that are no genes are left out: 7 Antibody Capture, 3 Multiplexing Capture",)


def test_a_feature_without_a_type_is_a_gene() -> None:
    for types in (("", "NA", ANTIBODY), ("", EXPRESSION, ANTIBODY), (EXPRESSION, "nan", "Any Other")):
        assert gene_features(_types(*types), "x")[0].tolist() == [True, True, False]


@pytest.mark.parametrize(
    "types",
    [("1", "MT", "X"), ("hg38", "mm10", "hg38"), ("", "", ""), ("protein_coding", "lncRNA", ""), (EXPRESSION,) * 3],
)
def test_words_that_are_no_types_leave_all_in(types: tuple[str, ...]) -> None:
    is_gene, said = gene_features(_types(*types), "x")
    assert is_gene.all()
    assert said == ()


def test_a_known_type_is_left_out_whatever_genes_are_called() -> None:
    for others in ("Transcript", "RNA", "Gene"):
        assert gene_features(_types(others, others, "CRISPR Guide Capture"), "x")[0].tolist() == [True, True, False]


@pytest.mark.parametrize(
    "word", [ANTIBODY, "CRISPR Guide Capture", "Multiplexing Capture", "Peaks", "Custom", "Antigen Capture"]
)
def test_a_file_without_genes_is_refused(word: str) -> None:
    with pytest.raises(
        DataError, match=rf"x holds no gene expression; found 2 {word}, 1 ADT\. Give the matrix of the genes"
    ):
        gene_features(_types(word, word.lower(), "ADT"), "x")


def _folder(path: Path, rows: list[str]) -> LabelledCounts:
    entries = "".join(f"{j + 1} {i + 1} {X[i, j]:g}\n" for i in range(2) for j in range(4))
    (path / "matrix.mtx").write_text(f"%%MatrixMarket matrix coordinate integer general\n4 2 8\n{entries}")
    (path / "features.tsv").write_text("".join(f"{row}\n" for row in rows))
    (path / "barcodes.tsv").write_text("c1\nc2\n")
    return read(path, SourceFile(reader="mtx_10x"), label="none")


def test_a_folder_is_judged_row_by_row(tmp_path: Path) -> None:
    rows = ["E1\tg1\tGene Expression", "E2\tg2", "A1\tCD3\tantibody capture", "E3\t\tgene_expression"]
    counts = _folder(tmp_path, rows)
    np.testing.assert_array_equal(counts.matrix.toarray(), X[:, [0, 1, 3]])
    assert counts.genes is not None
    assert list(counts.genes) == ["g1", "g2", "E3"]
    assert counts.warnings == (f"{tmp_path.name}: 1 feature that is no gene is left out: 1 antibody capture",)


def test_a_folder_of_antibodies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no gene expression; found 4 Antibody Capture"):
        _folder(tmp_path, [f"A{i}\tCD{i}\tAntibody Capture" for i in range(4)])


def test_a_third_column_with_chromosomes_is_no_type(tmp_path: Path) -> None:
    assert _folder(tmp_path, [f"E{i}\tg{i}\tchr{i}" for i in range(4)]).matrix.shape == (2, 4)


def _h5(path: Path, group: str = "matrix", **parts: list[str]) -> LabelledCounts:
    with h5py.File(path, "w") as file:
        stored = file.create_group(group)
        stored["data"], stored["indices"] = X.ravel().astype("i4"), np.tile(np.arange(4), 2)
        stored["indptr"], stored["shape"] = [0, 4, 8], [4, 2]
        stored["barcodes"] = [b"c1", b"c2"]
        for name, values in parts.items():
            stored[name.replace("__", "/")] = [value.encode() for value in values]
    return read(path, SourceFile(reader="tenx_h5"), label="none")


def _genes(counts: LabelledCounts) -> list[str]:
    assert counts.genes is not None
    return list(counts.genes)


def test_an_hdf5_file_says_what_is_left_out(tmp_path: Path) -> None:
    types = [EXPRESSION, "", ANTIBODY, EXPRESSION]
    counts = _h5(tmp_path / "a.h5", features__name=["g1", "g1", "CD3", "g2"], features__feature_type=types)
    np.testing.assert_array_equal(counts.matrix.toarray(), X[:, [0, 1, 3]])
    assert _genes(counts) == ["g1", "g1", "g2"]
    assert counts.warnings == ("a.h5: 1 feature that is no gene is left out: 1 Antibody Capture",)


def test_identifiers_stand_in_for_missing_symbols(tmp_path: Path) -> None:
    ids = ["E1", "E2", "E3", "E4"]
    assert _genes(_h5(tmp_path / "a.h5", features__id=ids)) == ids
    assert _genes(_h5(tmp_path / "a.h5", features__id=ids, features__name=["g1", "", "g3", ""])) == [
        "g1",
        "E2",
        "g3",
        "E4",
    ]
    assert _genes(_h5(tmp_path / "a.h5", "hg19", genes=ids)) == ids
    assert _genes(_h5(tmp_path / "a.h5", "hg19", genes=ids, gene_names=["g1", "g2", "g3", "g4"])) == [
        "g1",
        "g2",
        "g3",
        "g4",
    ]


def test_an_hdf5_file_without_names_of_genes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no 'name' in '/matrix/features'"):
        _h5(tmp_path / "a.h5", features__genome=["hg38"] * 4)
