"""Which files make up a Matrix Market export: the matrix, and beside it the names of its genes and of its cells.

Tools agree on one file for each, and on no names: 10x and STARsolo (``matrix.mtx``, ``features.tsv``,
``barcodes.tsv``), kb-python (``cells_x_genes.mtx``, ``cells_x_genes.genes.txt``, ``cells_x_genes.barcodes.txt``),
alevin-fry (``quants_mat.mtx``, ``quants_mat_cols.txt``, ``quants_mat_rows.txt``), Parse (``count_matrix.mtx``,
``all_genes.csv``, ``cell_metadata.csv``), the Expression Atlas (``x.mtx``, ``x.mtx_rows``, ``x.mtx_cols``), and GEO
puts a sample before, behind or around these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scbench.data.readers.matrix_market.file_words import CELL_WORDS, GENE_WORDS, stem_of, tokens, words_in
from scbench.errors import DataError

__all__ = ["MtxFiles", "find_files", "folders_with_matrices", "is_mtx", "matrices_in"]

_LIST_AT_MOST = 12
_MULTIPLE_MAPPERS = "uniqueandmult"


@dataclass(frozen=True)
class MtxFiles:
    """The files of one export.

    Attributes:
        matrix, genes, cells: the three files.
        symbols: names of the genes, one a line, when kb-python wrote them beside their identifiers.
        not_read: names of the other matrices of a folder of which one was taken.
    """

    matrix: Path
    genes: Path
    cells: Path
    symbols: Path | None = None
    not_read: tuple[str, ...] = ()

    @property
    def members(self) -> list[Path]:
        """Return all files that are read, by name."""
        return sorted(path for path in (self.matrix, self.genes, self.cells, self.symbols) if path is not None)


def is_mtx(path: Path) -> bool:
    """Tell whether a name is that of a Matrix Market file, gzipped or not."""
    return path.name.lower().endswith((".mtx", ".mtx.gz"))


def matrices_in(folder: Path) -> list[Path]:
    """Return the Matrix Market files of a folder, by name; of one that is also there gzipped, the plain file."""
    found = {path.name.lower(): path for path in _listed(folder) if is_mtx(path)}
    return [path for name, path in sorted(found.items()) if not (name.endswith(".gz") and name[:-3] in found)]


def folders_with_matrices(folder: Path) -> list[str]:
    """Return the sub-folders, up to two deep, that hold a Matrix Market file."""
    found = (path for pattern in ("*/*.mtx*", "*/*/*.mtx*") for path in folder.glob(pattern))
    holding = (path.parent for path in islice(found, 100) if is_mtx(path) and not path.name.startswith("."))
    return sorted({str(path) for path in holding})[:_LIST_AT_MOST]


def find_files(path: Path) -> MtxFiles:
    """Return the files of the export in a folder, or of a given ``.mtx``.

    The names of genes and cells are those with most in common with the name of the matrix around the word that says
    what they are (``GSM1_features_S1.tsv`` for ``GSM1_matrix_S1.mtx``), plain ones (``features.tsv``) being for any
    matrix of the folder. A single such file of another name is taken too; for names of cells, when there is one matrix
    only. Hidden files are never read.

    Raises:
        DataError: if there is no matrix, more than one to choose from, or no names beside it.
    """
    matrix, not_read = _matrix_of(path)
    others = [file for file in _listed(matrix.parent) if file != matrix and not is_mtx(file)]
    genes = _beside(matrix, others, of_genes=True)
    cells = _beside(matrix, others, of_genes=False)
    symbols = genes.with_name(re.sub(r"(?i)(\.genes)(\.txt)", r"\1.names\2", genes.name))
    has_symbols = symbols != genes and symbols.is_file()
    return MtxFiles(matrix, genes, cells, symbols if has_symbols else None, not_read)


def _matrix_of(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the matrix, and the names of those beside it that were not chosen."""
    if path.name.startswith("._"):
        raise DataError(f"{path} is a note of macOS on another file; give {path.name[2:]}")
    if path.is_file():
        return path, ()
    found = matrices_in(path)
    if not found:
        below = folders_with_matrices(path)
        hint = f"; give one of its folders that do: {', '.join(below)}" if below else "; name the folder of an export"
        raise DataError(f"{path} holds no matrix.mtx nor another .mtx, gzipped or not{hint}")
    usual = [file for file in found if stem_of(file).endswith("matrix")]
    others = [file.name for file in found if file not in usual]
    if len(found) == 1 or (len(usual) == 1 and all(name.lower().startswith(_MULTIPLE_MAPPERS) for name in others)):
        return (usual or found)[0], tuple(others) if usual else ()
    raise DataError(
        f"{path} holds {len(found)} matrices ({_some([file.name for file in found])}); give one of these files as "
        f"dataset.path, for example {path / found[0].name}"
    )


def _listed(folder: Path) -> list[Path]:
    """Return the files of a folder that are not hidden, by name."""
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.is_file())


def _beside(matrix: Path, others: Sequence[Path], *, of_genes: bool) -> Path:
    """Return the names of genes or cells that belong to a matrix.

    Raises:
        DataError: if there are none; lists what was looked for and what is there.
    """
    words = GENE_WORDS if of_genes else CELL_WORDS
    of_matrix = tokens(matrix)
    ranked = []
    for file in others:
        for word, before, after in words_in(file, words):
            rest = of_matrix[len(before) :]
            if of_matrix[: len(before)] == before and (not after or rest[-len(after) :] == after):
                suffix = _suffix_rank(file)
                ranked.append((-len(before) - len(after), words.index(word), suffix, file.name, file))
    if ranked:
        return min(ranked)[-1]
    named = [file for file in others if _names_genes(file) is of_genes]
    if len(named) == 1 and (of_genes or len(matrices_in(matrix.parent)) == 1):
        return named[0]
    there = _some([file.name for file in others])
    raise DataError(
        f"{matrix.parent} has no {_looked_for(matrix, of_genes=of_genes)} (.tsv, .txt or .csv, gzipped or not) beside "
        f"{matrix.name}, so its {'genes' if of_genes else 'cells'} have no names; put them there, one a line. "
        f"Found: {there or 'no other file'}"
    )


def _suffix_rank(file: Path) -> tuple[int, bool]:
    """Return what orders files of one stem: tab-separated, plain, comma-separated; not gzipped before gzipped."""
    name = file.name.lower()
    suffix = name.removesuffix(".gz").rpartition(".")[2]
    return ("tsv", "txt", "csv").index(suffix) if suffix in ("tsv", "txt", "csv") else 3, name.endswith(".gz")


def _names_genes(file: Path) -> bool | None:
    """Return whether the last word in a name that tells is one for genes; None when there is none."""
    found = [
        (-len(after), words is GENE_WORDS)
        for words in (GENE_WORDS, CELL_WORDS)
        for _, _, after in words_in(file, words)
    ]
    return max(found)[1] if found else None


def _looked_for(matrix: Path, *, of_genes: bool) -> str:
    """Return the usual names of the missing file, in the spelling of the matrix."""
    stem = re.sub(r"(?i)\.mtx(\.gz)?$", "", matrix.name)
    if stem.lower().endswith("quants_mat"):
        return f"{stem}_{'cols' if of_genes else 'rows'}.txt"
    if stem.lower().startswith("cells_x_"):
        return f"{'.'.join(stem.split('.')[:1])}.{'genes' if of_genes else 'barcodes'}.txt"
    if stem.lower() in ("dge", "count_matrix"):
        return "all_genes.csv or genes.csv" if of_genes else "cell_metadata.csv"
    usual = ("features", "genes") if of_genes else ("barcodes", "cells")
    around = stem if "matrix" in stem.lower() else "matrix"
    return " or ".join(re.sub("(?i)matrix", word, around) + ".tsv" for word in usual)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LIST_AT_MOST} more" if len(names) > _LIST_AT_MOST else ""
    return ", ".join(names[:_LIST_AT_MOST]) + more
