"""R objects that are not read: says how to convert them, by their class."""

from __future__ import annotations

from pathlib import Path

from scbench.errors import DataError

__all__ = ["not_read"]

_LOAD = {".rds": "x <- readRDS('{file}')"}
_LOAD_RDA = "x <- get(load('{file}'))"
_EXPERIMENT = ("SingleCellExperiment::counts(x)", "SummarizedExperiment::colData(x)")
_PARTS = {
    "cds": ("Biobase::exprs(x)", "Biobase::pData(x)"),
    "sce": _EXPERIMENT,
    "seurat": ("SeuratObject::LayerData(x, layer = 'counts')", "x[[]]"),
    "old_seurat": ("x@raw.data", "x@meta.data"),
}
_FAMILIES = {
    "rda_cds": "cds",
    "rda_sce": "sce",
    "rds_sce": "sce",
    "CellDataSet": "cds",
    "ExpressionSet": "cds",
    "SCESet": "cds",
    "Seurat": "seurat",
    "seurat": "old_seurat",
}


def not_read(path: Path, kind: str, why: str) -> DataError:
    """Return the error for an object that is not read; it holds the R commands that write a 10x folder with labels.

    Args:
        path: the file.
        kind: class of the object, or the name of a reader that says which class a file holds.
        why: what was found, as the end of a sentence.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    load = _LOAD.get(".rds" if ".rds" in suffixes else "", _LOAD_RDA).format(file=path.name)
    counts, cells = _PARTS[_FAMILIES.get(kind, "sce")]
    return DataError(
        f"{path.name} holds an R object that is not read here: {why}. Convert it in R: {load}; "
        f"dir.create('out'); m <- as({counts}, 'CsparseMatrix'); Matrix::writeMM(m, 'out/matrix.mtx'); "
        "writeLines(rownames(m), 'out/genes.tsv'); writeLines(colnames(m), 'out/barcodes.tsv'); "
        f"write.csv(as.data.frame({cells}), 'out/labels.csv'). Then: dataset=file dataset.path=out "
        "dataset.label_path=out/labels.csv dataset.label=<column>"
    )
