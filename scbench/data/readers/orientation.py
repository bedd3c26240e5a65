"""Whether the rows of a table are genes or cells, told from its names: a wrong guess would cluster the genes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from scbench.data.readers.descriptions import is_description, is_gene_description, name_column_of
from scbench.data.readers.labels import shown
from scbench.errors import DataError

__all__ = ["CELLS_BY_GENES", "GENES_BY_CELLS", "genes_in_rows", "kind_of", "looks_turned", "refuse_untold"]

CELLS_BY_GENES = "cells_by_genes"
GENES_BY_CELLS = "genes_by_cells"

_IDENTIFIER = re.compile(
    r"""
    (?: ENS[A-Z]*[GT]\d{6,} (?:[._]\w+)* | FBgn\d{7} | WBGene\d{8} | AT[1-5CM]G\d{5} | Y[A-P][LR]\d{3}[WC] (?:-[A-Z])?
      | PF3D7_\d+ | P[A-Z]{3,5}_\d{6,} | [NX][MR]_\d+ | LOC\d+ | \d{7}[A-Z]\d{2}Rik\d? | Gm\d{3,} | LINC\d+
      | ERCC[-.]\d{5} | A[CLP]\d{6}(?:\.\d+)? | RP\d+-\d+[A-Z]\d+(?:\.\d+)? | (?:si|zgc|wu):\w+
      | gene[-_. ]?\d+ | g\d+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Large families of symbols, and what every tissue expresses: some of them are in any list of genes.
_SYMBOL = re.compile(
    r"""
    (?: MT-\w+ | M?RP[LS]\d+[A-Z]?\d? | SLC\d+A\d+ | ZNF\d+ | ZFP\d+ | TMEM\d+[A-Z]? | KRT\d+ | HLA-[A-Z]+\d*
      | H2-[A-Z]+\d* | HSP[A-Z]+\d+[A-Z]? | CCL\d+ | CXCL\d+ | EIF\d[A-Z]*\d? | NDUF[A-Z]+\d+ | COX\d[A-Z]\d?
      | PSM[A-Z]\d+ | RAB\d+[A-Z]?
      | IG[HKL]V\d\S* | TR[ABDG]V\d\S* | FOX[A-Z]\d+ | SOX\d+ | HOX[A-D]\d+ | FAM\d+[A-Z] | CCDC\d+ | OR\d+[A-Z]+\d+
      | COL\d+A\d+ | UBE2[A-Z]\d? | ATP\d\w+ | LRRC\d+ | KIF\d+[A-Z]? | POLR\d[A-Z] | MAPK\d+ | MAP\dK\d+ | DNAJ[A-C]\d+
      | CDK\d+ | IFI[T]?\d+\w* | IL\d+[A-Z]*\d* | CD\d+[A-Z]? | HMG[A-Z]\d | TUB[ABG]\d?[A-Z]? | ACT[ABG]\d? | ADAM\d+
      | SERPIN[A-Z]\d+ | FGF\d+ | WNT\d+[A-Z]? | BMP\d+ | TGFB\d | S100A\d+ | GAPDH | B2M | MALAT1 | XIST | EEF1A1 | FTL
      | FTH1 | TMSB4X | TMSB10 | VIM | LYZ | GNLY | NKG7 | PPBP | MS4A1 | ALB | INS | GCG )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_RUNNING_NUMBER = re.compile(r"[-._ ]\d+$")
_CELL = re.compile(
    r"""
    (?: .*?(?<![A-Za-z])[ACGTN]{8,}(?![A-Za-z]).* | .*cells?[-_. ]?\d+.* | c\d+ | [SED]RR\d+.* | GSM\d+.*
      | SAM[NED]A?\d+.* | .*[-_. ][A-P]\d{1,2} | .*_S\d+
      | .*(?:sample|spot|nucleus|nuclei|well)[-_. ]?\d+.* )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WELL = re.compile(r"[A-P](?:0[1-9]|1\d|2[0-4])")
_SOME_WELLS = 24  # with fewer, names such as H19, K18 and C10 may be genes
_LOOKED_AT = 2000
_ENOUGH = {"genes": 0.05, "cells": 0.5}
_FEW_STEMS = 0.5  # of the names are different when running numbers are taken off
_TOO_MANY = 0.2  # of the names look like the other kind


def kind_of(names: Iterable[str] | None) -> str | None:
    """Return ``genes``, ``cells``, or None where the names do not tell.

    At least a twentieth of the names of genes is of a known kind: most symbols look like any other word. Names of cells
    are all alike, so half of them has to be.
    """
    some = [] if names is None else list(islice(names, _LOOKED_AT))
    if not some:
        return None
    n_genes = sum(_IDENTIFIER.fullmatch(name) is not None for name in some)
    # CD4-1, CD4-2, ... or Colon.1, Colon.2, ...: a few words with a running number are names of cells, if anything.
    stems = {_RUNNING_NUMBER.sub("", name) for name in some}
    if len(stems) > _FEW_STEMS * len(some):
        n_genes += sum(_SYMBOL.fullmatch(name) is not None for name in some)
    share = {
        "genes": n_genes / len(some),
        "cells": sum(_CELL.fullmatch(name) is not None for name in some) / len(some),
    }
    if len(some) >= _SOME_WELLS:
        share["cells"] += sum(_WELL.fullmatch(name) is not None for name in some) / len(some)
    for kind, other in (("cells", "genes"), ("genes", "cells")):
        if share[kind] >= _ENOUGH[kind] and share[other] <= _TOO_MANY:
            return kind
    return None


def genes_in_rows(
    rows: np.ndarray | None, columns: Sequence[str], *, rows_header: str = "", beside: Iterable[str] = ()
) -> bool | None:
    """Return whether rows are genes; None where names do not tell, or say both.

    Evidence: the header of the row names (``gene``, ``barcode``), the names of rows and of columns, and columns that
    describe genes (``gene_name``, ``chromosome``) or cells (``cell_type``, ``batch``).

    Args:
        rows: (n_rows,) names, or None.
        columns: names of the columns of numbers.
        rows_header: header of ``rows``.
        beside: names of the other columns.
    """
    others = [name for name in (*beside, *columns) if name]
    said = [
        {"genes": True, "cells": False}.get(name_column_of(rows_header) or ""),
        {"genes": True, "cells": False}.get(kind_of(rows) or ""),
        {"genes": False, "cells": True}.get(kind_of(columns) or ""),
        True if any(is_gene_description(name) for name in beside) else None,
        False if any(is_description(name) and not is_gene_description(name) for name in others) else None,
    ]
    told = {answer for answer in said if answer is not None}
    return told.pop() if len(told) == 1 else None


def looks_turned(file: str, cells: np.ndarray | None, genes: np.ndarray | None) -> DataError:
    """Return the error for a matrix whose cells have names of genes and whose genes have names of cells."""
    cell, gene = (shown(str(names[0])) if names is not None and len(names) else "" for names in (cells, genes))
    return DataError(
        f"{file} looks turned: its cells are called as genes are (the first {cell!r}) and its genes as cells "
        f"({gene!r}); transpose it, or pass dataset.orientation={GENES_BY_CELLS} to turn it, {CELLS_BY_GENES} to read "
        "it as it is"
    )


def refuse_untold(file: str, shape: tuple[int, int], rows: np.ndarray | None, columns: Sequence[str]) -> DataError:
    """Return the error for a table whose orientation cannot be told."""
    first_row = "no names of rows" if rows is None or not len(rows) else f"its first row {shown(rows[0])!r}"
    first_column = f"its first column {shown(columns[0])!r}" if len(columns) else "no names of columns"
    return DataError(
        f"{file} is {shape[0]} x {shape[1]} and does not tell whether its rows are cells or genes ({first_row}, "
        f"{first_column}); pass dataset.orientation={CELLS_BY_GENES} or dataset.orientation={GENES_BY_CELLS}"
    )
