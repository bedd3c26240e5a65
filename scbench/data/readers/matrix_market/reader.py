"""Matrix Market files with names of genes and cells beside them: 10x, STARsolo, kb-python, alevin-fry, Parse, GEO."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers.labels import text_names
from scbench.data.readers.matrix_market.files import MtxFiles, find_files
from scbench.data.readers.matrix_market.layout import convention, layout_of
from scbench.data.readers.matrix_market.names import cell_names, gene_names, gene_types, read_names, read_symbols
from scbench.data.readers.matrix_market.parts import is_usa, take_parts
from scbench.data.readers.matrix_market.values import read_shape, read_values
from scbench.data.readers.orientation import CELLS_BY_GENES, GENES_BY_CELLS
from scbench.data.readers.tenx import keep_expression, refuse_label
from scbench.errors import DataError

__all__ = ["read"]


def read(path: Path, source: SourceFile, *, label: str | None, label_path: Path | None = None) -> LabelledCounts:
    """Return the export in a folder, or that of a given ``.mtx``, as cells x genes; labels come from a second file.

    Symbols name the genes where there are any, and features that are no genes (antibodies, guides) are left out. Of a
    matrix in alevin-fry's USA mode, ``source.matrix`` takes a part.

    Raises:
        DataError: if a file is missing or damaged, their lengths do not fit or do not tell the orientation, the matrix
            holds no counts, or a label column, or a matrix that is not there, is asked for.
    """
    files = find_files(path)
    name = path.name or files.matrix.name
    is_tenx = convention(files) == GENES_BY_CELLS
    refuse_label(label, name, "a 10x export" if is_tenx else "a Matrix Market file")
    shape = read_shape(files.matrix)
    gene_table, cell_table = read_names(files.genes), read_names(files.cells)
    layout = layout_of(shape, gene_table, cell_table, files, source.orientation)
    stored = read_values(files.matrix)
    matrix = csr_matrix(stored if layout.orientation == CELLS_BY_GENES else stored.T, dtype=np.float32)
    del stored
    genes, said = gene_names(gene_table, layout.genes_headed), _not_read(files)
    kinds = gene_types(gene_table, layout.genes_headed)
    if is_usa(genes):
        matrix, genes, part = take_parts(matrix, genes, source.matrix, name)
        kinds, said = None, (*said, *part)
    elif source.matrix is not None:
        raise DataError(f"{files.matrix.name} holds one matrix; leave out dataset.matrix={source.matrix}")
    if files.symbols is not None:
        genes, line = _with_symbols(genes, files.symbols)
        said = (*said, *line)
    counts = keep_expression(matrix, genes, cell_names(cell_table, layout.cells_headed), kinds, name)
    return dataclasses.replace(counts, warnings=(*said, *counts.warnings))


def _with_symbols(genes: np.ndarray, symbols: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the symbols of genes, identifiers where there is none; a line when the file is of another length."""
    names = read_symbols(symbols)
    if len(names) != len(genes):
        return genes, (f"{symbols.name} has {len(names)} lines for {len(genes)} genes and is not used",)
    return text_names(symbol or gene for symbol, gene in zip(names, genes, strict=True)), ()


def _not_read(files: MtxFiles) -> tuple[str, ...]:
    if not files.not_read:
        return ()
    others = ", ".join(files.not_read)
    return (f"{files.matrix.name} is read and not {others}, also there; give such a file as dataset.path to read it",)
