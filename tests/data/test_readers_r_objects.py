"""Seurat's and Bioconductor's objects in R files (``r_files/make.R``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read
from scbench.errors import DataError

pytest.importorskip("rdata", reason="rdata is not installed")

FILES = Path(__file__).parent / "r_files"
GENES = ["ACTB", "CD3D", "MT-CO1", "GNLY"]
CELLS = ["AAACCTGA-1", "AAACGGGA-1", "AAAGATGC-1", "AAATGCCC-1", "AACCATGA-1"]
TYPES = ["T", "B", "T", "NK", "B"]
X = np.array([[0, 2, 0, 1], [0, 0, 3, 0], [0, 4, 0, 5], [7, 0, 0, 0], [1, 1, 0, 9]], dtype=np.float32)


def _read(name: str, label: str | None = None, *, matrix: str | None = None, **more: str) -> LabelledCounts:
    source = SourceFile(reader=more.pop("reader", "r_file"), matrix=matrix, orientation=more.pop("orientation", None))
    return read(FILES / name, source, label=label, label_path=FILES / more["label_path"] if more else None)


def _check(counts: LabelledCounts, expected: np.ndarray = X, labels: list[str | None] | list[str] = TYPES) -> None:
    np.testing.assert_allclose(counts.matrix.toarray(), expected, rtol=1e-6)
    assert counts.cells is not None
    assert counts.genes is not None
    assert counts.labels is not None
    assert list(counts.cells) == CELLS
    assert list(counts.genes) == GENES[: expected.shape[1]]
    assert list(counts.labels) == labels


def test_seurat_gives_the_counts_of_the_active_assay() -> None:
    counts = _read("seurat.rds")
    _check(counts)
    assert counts.labels_from == "'cell_type'"
    assert counts.warnings == (
        "seurat.rds: the assay RNA (counts) is read; left out: ADT, HTO (dataset.matrix=ADT reads that one)",
    )


def test_seurat_labels_are_metadata_or_ident() -> None:
    _check(_read("seurat.rds", "ident"), labels=["zero", "one", "zero", "one", "two"])
    _check(_read("seurat.rds", "stage"), labels=["1", None, "2", "2", "1"])
    with pytest.raises(DataError, match="no label column 'celltype'.*mean 'cell_type'.*nFeature_HTO, ident"):
        _read("seurat.rds", "celltype")
    assert _read("seurat.rds", "none").labels is None


@pytest.mark.parametrize("matrix", ["ADT", "ADT/counts", "ADT/data"])
def test_seurat_gives_another_assay_when_asked(matrix: str) -> None:
    _check(_read("seurat.rds", matrix=matrix), 2 * X[:, :2])


@pytest.mark.parametrize("matrix", ["data", "RNA/data"])
def test_seurat_gives_another_layer_when_asked(matrix: str) -> None:
    _check(_read("seurat.rds", matrix=matrix), np.log1p(X))


def test_seurat_lists_its_assays_and_layers() -> None:
    with pytest.raises(DataError, match="no assay or layer 'ADT/dat'.*mean 'ADT/data'.*RNA, ADT, HTO, RNA/counts"):
        _read("seurat.rds", matrix="ADT/dat")


def test_seurat_after_integration_gives_the_counts_of_rna() -> None:
    counts = _read("seurat_integrated.rds")
    _check(counts)
    assert "the active assay integrated has no counts; the assay RNA (counts) is read" in counts.warnings[0]


def test_seurat_without_counts_gives_what_there_is_and_says_so() -> None:
    counts = _read("seurat_data.rds")
    _check(counts, np.log1p(X))
    assert counts.warnings == ("seurat_data.rds: the assay RNA has no counts; data is read",)


def test_labels_may_lie_beside_an_object() -> None:
    _check(_read("seurat.RData", "other_types"))
    _check(_read("seurat.RData"))


def test_one_of_several_objects_is_named() -> None:
    with pytest.raises(DataError, match=r"2 objects: first \(Seurat\), second \(Seurat\); set dataset.matrix"):
        _read("seurats.rds")
    counts = _read("seurats.rds", matrix="first")
    _check(counts)
    assert "(dataset.matrix=first/ADT reads that one)" in counts.warnings[0]
    _check(_read("seurats.rds", matrix="first/ADT"), 2 * X[:, :2])


def test_seurat_5_takes_names_from_its_maps() -> None:
    _check(_read("seurat5.rds"))
    _check(_read("seurat5.rds", matrix="data"), X / 2)


def test_seurat_5_with_split_layers_is_not_guessed() -> None:
    with pytest.raises(
        DataError, match=r"in 2 layers \(counts.1, counts.2\); join them in R: .*dataset.matrix=RNA/counts.1"
    ):
        _read("seurat5_split.rds")
    counts = _read("seurat5_split.rds", matrix="counts.1")
    np.testing.assert_array_equal(counts.matrix.toarray(), X[[0, 1, 4]])
    assert counts.cells is not None
    assert counts.labels is not None
    assert list(counts.cells) == [CELLS[i] for i in (0, 1, 4)]
    assert list(counts.labels) == ["T", "B", "B"]


def test_seurat_5_refuses_names_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="names in the assay do not fit its layer 'counts'; read and write"):
        _read("seurat5_unfit.rds")


def test_an_assay_without_a_matrix_is_said() -> None:
    with pytest.raises(DataError, match="active assay RNA holds no counts; there are no matrices; set dataset.matrix"):
        _read("seurat5_empty.rds")
    with pytest.raises(DataError, match="assay RNA holds no counts; set dataset.matrix to another assay"):
        _read("seurat5_empty.rds", matrix="RNA")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "seurat5_disk.rds",
            r"counts of the assay RNA is of class MatrixDir\. .*LayerData\(x, layer = 'counts'\).*x\[\[\]\]",
        ),
        ("seurat2.rds", r"an object of Seurat 2\. Convert .*x@raw.data.*x@meta.data"),
        ("sce_waiting.rds", r"the assay counts is of class DelayedSubset\. .*readRDS.*counts\(x\).*colData\(x\)"),
    ],
)
def test_what_is_not_in_the_file_says_how_to_convert(name: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        _read(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "reader"), [("sce.rds", "r_file"), ("sce.rds", "rds_sce"), ("sce.rda", "rda_sce")])
def test_single_cell_experiment_gives_its_counts(name: str, reader: str) -> None:
    counts = _read(name, reader=reader)
    _check(counts)
    assert counts.warnings == (f"{name}: alternative experiments left out: ERCC, ADT",)


def test_single_cell_experiment_gives_another_assay_when_asked() -> None:
    _check(_read("sce.rds", "stage", matrix="logcounts"), np.log1p(X), ["1", "1", "2", "2", None])
    with pytest.raises(DataError, match="has no assay 'foo'. There: counts, logcounts. Set dataset.matrix"):
        _read("sce.rds", matrix="foo")


def test_an_experiment_without_counts_says_what_is_read() -> None:
    counts = _read("sce_log.rds")
    _check(counts, np.log1p(X))
    assert counts.warnings == ("sce_log.rds has no assay 'counts'; 'logcounts' is read, the only one there",)
    with pytest.raises(DataError, match="no assay 'counts'; assays there: norm, logcounts. Set dataset.matrix"):
        _read("sce_norm.rds")
    plain = _read("summarized.rds")
    np.testing.assert_array_equal(plain.matrix.toarray(), X)
    assert plain.cells is None
    assert plain.warnings == ("summarized.rds has no assay 'counts'; 'matrix' is read; others there: more",)


@pytest.mark.parametrize("name", ["sce_delayed.rds", "ranged.rds"])
def test_experiments_of_other_make_are_read(name: str) -> None:
    _check(_read(name))


@pytest.mark.parametrize(("name", "reader"), [("eset.rda", "r_file"), ("cds.rda", "rda_cds")])
def test_expression_sets_are_read(name: str, reader: str) -> None:
    counts = _read(name, "FACS_type", reader=reader)
    _check(counts)
    assert counts.warnings == (f"{name} has no assay 'counts'; 'exprs' is read, the only one there",)


def test_a_second_file_labels_an_object() -> None:
    _check(_read("sce.rds", label_path="coldata.csv"))
    _check(_read("seurat5.rds", "Condition", label_path="coldata.rda"))


def test_objects_have_genes_in_rows() -> None:
    with pytest.raises(
        DataError, match="holds a SingleCellExperiment object, whose rows are genes; leave dataset.orientation"
    ):
        _read("sce.rds", orientation="cells_by_genes")
