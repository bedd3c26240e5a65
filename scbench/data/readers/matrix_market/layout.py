"""Which dimension of a Matrix Market file is the cells, and which file of names has a header: told from the lengths."""

from __future__ import annotations

from dataclasses import dataclass

from scbench.data.readers.matrix_market.file_words import stem_of, tokens
from scbench.data.readers.matrix_market.files import MtxFiles
from scbench.data.readers.matrix_market.names import NameTable
from scbench.data.readers.orientation import CELLS_BY_GENES, GENES_BY_CELLS
from scbench.errors import DataError

__all__ = ["MtxLayout", "convention", "layout_of"]

_STARSOLO = ("spliced", "unspliced", "ambiguous")


@dataclass(frozen=True)
class MtxLayout:
    """How the parts of an export fit together.

    Attributes:
        orientation: ``cells_by_genes`` or ``genes_by_cells``.
        genes_headed, cells_headed: whether the first line of a file of names is a header.
    """

    orientation: str
    genes_headed: bool
    cells_headed: bool


def layout_of(
    shape: tuple[int, int], genes: NameTable, cells: NameTable, files: MtxFiles, given: str | None = None
) -> MtxLayout:
    """Return the layout that fits the lengths, and where several do, the one of the tool whose files these are.

    Args:
        shape: of the matrix in the file.
        genes, cells: the files of names; each may have a header.
        files: their names tell the tool.
        given: ``dataset.orientation``.

    Raises:
        DataError: if no layout fits, ``given`` does not, or several do and neither files nor ``given`` tell.
    """
    fits: list[tuple[int, MtxLayout]] = []
    for orientation in (GENES_BY_CELLS, CELLS_BY_GENES):
        n_genes, n_cells = shape if orientation == GENES_BY_CELLS else shape[::-1]
        more = (len(genes.lines) - n_genes, len(cells.lines) - n_cells)
        headed = (more[0] == 1, more[1] == 1)
        # A line more than there are names that is no header would shift every name by one.
        is_shifted = any(
            has_header and not table.looks_headed for has_header, table in zip(headed, (genes, cells), strict=True)
        )
        if set(more) <= {0, 1} and not is_shifted:
            n_odd = (headed[0] != genes.looks_headed) + (headed[1] != cells.looks_headed)
            fits.append((n_odd, MtxLayout(orientation, *headed)))
    name = files.matrix.name
    if not fits:
        raise DataError(
            f"{name} is {shape[0]} x {shape[1]} but there are {len(genes.lines)} features and {len(cells.lines)} "
            f"barcodes ({genes.file} and {cells.file}); take the three files from one export; only "
            "a header may be a line more"
        )
    if given is not None:
        told = [fit for fit in fits if fit[1].orientation == given]
        if not told:
            raise DataError(
                f"{name} is {shape[0]} x {shape[1]}, which with {len(genes.lines)} lines in {genes.file} and "
                f"{len(cells.lines)} in {cells.file} is {fits[0][1].orientation}; leave out dataset.orientation={given}"
            )
        return told[0][1]
    best = [layout for n_odd, layout in fits if n_odd == min(fits, key=lambda fit: fit[0])[0]]
    usual = convention(files)
    chosen = best if len(best) == 1 else [layout for layout in best if layout.orientation == usual]
    if not chosen:
        raise DataError(
            f"{name} is {shape[0]} x {shape[1]}, and the {len(genes.lines)} lines of {genes.file} and "
            f"{len(cells.lines)} of {cells.file} do not tell whether its rows are cells or genes; "
            f"pass dataset.orientation={CELLS_BY_GENES} or dataset.orientation={GENES_BY_CELLS}"
        )
    return chosen[0]


def convention(files: MtxFiles) -> str | None:
    """Return the orientation in which the tool that names files so writes them; None for files of no known tool."""
    matrix, genes, cells = (stem_of(file) for file in (files.matrix, files.genes, files.cells))
    suffixes = {file.name.lower().removesuffix(".gz").rpartition(".")[2] for file in (files.genes, files.cells)}
    if genes.endswith(".mtx_rows") and cells.endswith(".mtx_cols"):  # Expression Atlas
        return GENES_BY_CELLS
    is_tenx = "matrix" in tokens(files.matrix) or matrix in _STARSOLO or matrix.startswith("uniqueandmult")
    if suffixes == {"tsv"} and is_tenx and "barcodes" in tokens(files.cells):
        return GENES_BY_CELLS
    is_alevin = genes.endswith("quants_mat_cols") and cells.endswith("quants_mat_rows")
    is_kb = suffixes == {"txt"} and genes.endswith(".genes") and cells.endswith(".barcodes")
    is_parse = suffixes == {"csv"} and cells.endswith("cell_metadata")
    return CELLS_BY_GENES if is_alevin or is_kb or is_parse else None
