"""R objects that are not read (SingleCellExperiment, CellDataSet): says how to convert them."""

from __future__ import annotations

from pathlib import Path

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.errors import DataError

__all__ = ["read"]

_LOAD = {".rds": "x <- readRDS('{file}')"}
_LOAD_RDA = "x <- get(load('{file}'))"
_PARTS = {
    "rda_cds": ("Biobase::exprs(x)", "Biobase::pData(x)"),
    "rda_sce": ("SingleCellExperiment::counts(x)", "SummarizedExperiment::colData(x)"),
    "rds_sce": ("SingleCellExperiment::counts(x)", "SummarizedExperiment::colData(x)"),
}


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Refuse an S4 object: its classes live in Bioconductor packages.

    Raises:
        DataError: always; holds the R commands that write a 10x folder with a label file.
    """
    load = _LOAD.get(path.suffix.lower(), _LOAD_RDA).format(file=path.name)
    counts, cells = _PARTS[source.reader]
    raise DataError(
        f"{path.name} holds an R S4 object, which is not read here. Convert it in R: {load}; "
        f"dir.create('out'); m <- as({counts}, 'CsparseMatrix'); Matrix::writeMM(m, 'out/matrix.mtx'); "
        "writeLines(rownames(m), 'out/genes.tsv'); writeLines(colnames(m), 'out/barcodes.tsv'); "
        f"write.csv(as.data.frame({cells}), 'out/labels.csv'). Then: dataset=file dataset.path=out "
        "dataset.label_path=out/labels.csv dataset.label=<column>"
    )
