"""What is in the rows of a table, told from names."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.data.readers.orientation import genes_in_rows, kind_of, refuse_untold
from scbench.data.readers.turning import turned_to_fit

BARCODES = ["AAACCTGAGAAACCAT-1", "AAACCTGAGAAACCGC-1", "AAACCTGAGAAACGAG-1"]
HUMAN = ["CD3E", "MS4A1", "RPL13A", "MT-CO1", "LYZ", "FOXP3", "AIF1", "TREM2"]
MOUSE = ["Cd3e", "Rpl13a", "mt-Co1", "Gm10076", "1110008P14Rik", "Trem2"]


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (BARCODES, "cells"),
        ([f"s1_{b}" for b in BARCODES], "cells"),
        ([b.replace("-", ".") for b in BARCODES], "cells"),
        (["1772071015_C02", "1772071017_G12"], "cells"),
        (["human1_lib1.final_cell_0001", "human1_lib1.final_cell_0002"], "cells"),
        (["SRR1548811", "SRR1548812"], "cells"),
        (HUMAN, "genes"),
        (MOUSE, "genes"),
        (["ENSG00000141510.17", "ENSMUSG00000059552"], "genes"),
        (["WBGene00000001", "WBGene00000002"], "genes"),
        (["YAL001C", "YBR020W"], "genes"),
        ([f"Gene{i}" for i in range(9)], "genes"),
        (["a", "b", "c"], None),
        (["1", "2", "3"], None),
        ([], None),
        (None, None),
    ],
)
def test_kinds_of_names(names: list[str] | None, kind: str | None) -> None:
    assert kind_of(names) == kind


@pytest.mark.parametrize(
    ("rows", "columns", "header", "beside", "expected"),
    [
        (HUMAN, ["s1", "s2"], "", (), True),
        (["x1", "x2"], BARCODES, "", (), True),
        (["x1", "x2"], ["y1", "y2"], "GENE", (), True),
        (["x1", "x2"], ["y1", "y2"], "gene_id", (), True),
        (["x1", "x2"], ["y1", "y2"], "Barcode", (), False),
        (["x1", "x2"], HUMAN, "", (), False),
        (BARCODES, ["y1", "y2"], "", (), False),
        (["x1", "x2"], ["y1", "cell_type"], "", (), False),
        (["x1", "x2"], ["y1", "y2"], "", ("gene_name",), True),
        (["x1", "x2"], ["y1", "y2"], "", (), None),
        (None, ["y1", "y2"], "", (), None),
        (HUMAN, MOUSE, "", (), None),
        (BARCODES, ["y1", "y2"], "gene", (), None),
    ],
)
def test_rows_are_told_by_any_evidence_and_not_by_contradictions(
    rows: list[str] | None, columns: list[str], header: str, beside: tuple[str, ...], expected: bool | None
) -> None:
    names = None if rows is None else np.array(rows, dtype=object)
    assert genes_in_rows(names, columns, rows_header=header, beside=beside) is expected


def test_the_refusal_shows_both_sides_and_the_cure() -> None:
    error = refuse_untold("t.csv", (2, 3), np.array(["r0"], dtype=object), ["s" * 200])
    assert "t.csv is 2 x 3" in str(error)
    assert "'r0'" in str(error)
    assert "dataset.orientation=cells_by_genes or dataset.orientation=genes_by_cells" in str(error)
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    ("n_cells", "n_genes", "is_turned"),
    [(2, 3, False), (3, 2, True), (None, 2, True), (3, None, True), (None, None, False), (5, 2, False), (3, 9, False)],
)
def test_a_matrix_is_turned_only_where_all_names_fit(n_cells: int | None, n_genes: int | None, is_turned: bool) -> None:
    matrix = csr_matrix(np.arange(6).reshape(2, 3))
    names = [None if n is None else np.array([str(i) for i in range(n)], dtype=object) for n in (n_cells, n_genes)]
    turned, said = turned_to_fit(matrix, *names, "a.h5: X")
    assert turned.shape == ((3, 2) if is_turned else (2, 3))
    assert bool(said) is is_turned
    if is_turned:
        np.testing.assert_array_equal(turned.toarray(), np.arange(6).reshape(2, 3).T)
