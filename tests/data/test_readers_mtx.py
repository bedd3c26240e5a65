"""Matrix Market exports of the usual tools, and which of their dimensions is the cells."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read, reader_for
from scbench.errors import DataError

X = np.array([[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 0, 5]], dtype=np.float32)
CELLS = ["AAAC", "AAAG", "AACA", "AACC"]
GENES = ["Xkr4", "Sox17", "Lypla1"]
IDS = ["ENS0", "ENS1", "ENS2"]


def mtx(matrix: np.ndarray, *, field: str = "integer") -> str:
    rows, columns = np.nonzero(matrix)
    entries = [f"{i + 1} {j + 1} {matrix[i, j]:g}" for i, j in zip(rows, columns, strict=True)]
    size = f"{matrix.shape[0]} {matrix.shape[1]} {len(rows)}"
    return "\n".join([f"%%MatrixMarket matrix coordinate {field} general", "%", size, *entries]) + "\n"


def lines(*fields: list[str], separator: str = "\t") -> str:
    return "".join(separator.join(row) + "\n" for row in zip(*fields, strict=True))


def write(folder: Path, **texts: str) -> Path:
    """Write files; ``__`` in a name is a dot, and what ends in gz is packed."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return folder


def opened(path: Path, **source: str) -> LabelledCounts:
    assert reader_for(path) == "mtx_10x"
    return read(path, SourceFile(reader="mtx_10x", **source), label="none")  # type: ignore[arg-type]


def names(values: np.ndarray | None) -> list[str]:
    assert values is not None
    return list(values)


def check(counts: LabelledCounts, x: np.ndarray = X, genes: list[str] = GENES, cells: list[str] = CELLS) -> None:
    assert counts.matrix.dtype == np.float32
    np.testing.assert_array_equal(counts.matrix.toarray(), x)
    assert (names(counts.genes), names(counts.cells)) == (genes, cells)


def tenx(folder: Path, **more: str) -> Path:
    files = {"matrix__mtx": mtx(X.T), "features__tsv": lines(IDS, GENES), "barcodes__tsv": lines(CELLS)}
    return write(folder, **(files | more))


@pytest.mark.parametrize("matrix", ["spliced", "unspliced", "ambiguous", "UniqueAndMult-EM"])
@pytest.mark.parametrize("field", ["integer", "float"])
def test_starsolo(tmp_path: Path, matrix: str, field: str) -> None:
    texts = {f"{matrix}__mtx": mtx(X.T, field=field)}
    check(opened(write(tmp_path, features__tsv=lines(IDS, GENES), barcodes__tsv=lines(CELLS), **texts)))


@pytest.mark.parametrize("matrix", ["cells_x_genes", "cells_x_genes.total", "cells_x_genes.nascent"])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_kb_python(tmp_path: Path, matrix: str, end: str) -> None:
    texts = {f"{matrix}.mtx{end}": mtx(X), "cells_x_genes.barcodes.txt": lines(CELLS)}
    write(tmp_path, **texts, **{f"cells_x_genes.genes.txt{end}": lines(IDS)})
    check(opened(tmp_path), genes=IDS)
    write(tmp_path, **{f"cells_x_genes.genes.names.txt{end}": f"{GENES[0]}\n\n{GENES[2]}\n"})
    check(opened(tmp_path), genes=[GENES[0], IDS[1], GENES[2]])


def test_symbols_of_another_length_are_not_used(tmp_path: Path) -> None:
    kb = {"cells_x_genes.mtx": mtx(X), "cells_x_genes.barcodes.txt": lines(CELLS)}
    kb |= {"cells_x_genes.genes.txt": lines(IDS), "cells_x_genes.genes.names.txt": "a\nb\n"}
    counts = opened(write(tmp_path, **kb))
    check(counts, genes=IDS)
    assert counts.warnings == ("cells_x_genes.genes.names.txt has 2 lines for 3 genes and is not used",)


def test_alevin(tmp_path: Path) -> None:
    alevin = {"quants_mat_rows__txt": lines(CELLS), "quants_mat_cols__txt": lines(GENES)}
    check(opened(write(tmp_path, quants_mat__mtx__gz=mtx(X), **alevin)))


PARTS = {"spliced": X, "unspliced": 10 * X, "ambiguous": 100 * X}


@pytest.mark.parametrize(
    ("wanted", "x"), [(None, 101 * X), *PARTS.items(), ("all", 111 * X)], ids=["S+A", "S", "U", "A", "S+U+A"]
)
def test_alevin_in_usa_mode_gives_spliced_and_ambiguous_or_the_part_asked_for(
    tmp_path: Path, wanted: str | None, x: np.ndarray
) -> None:
    columns = [f"{gene}{mark}" for mark in ("", "-U", "-A") for gene in GENES]
    write(tmp_path, quants_mat__mtx=mtx(np.hstack(list(PARTS.values()))), quants_mat_rows__txt=lines(CELLS))
    write(tmp_path, quants_mat_cols__txt=lines(columns))
    counts = opened(tmp_path, **({} if wanted is None else {"matrix": wanted}))
    check(counts, x=x)
    if wanted is None:
        (line,) = counts.warnings
        assert "spliced + ambiguous are taken" in line
        assert "dataset.matrix=spliced|unspliced|ambiguous takes another" in line
    else:
        assert counts.warnings == ()
    with pytest.raises(
        DataError, match="no part 'Spliced'; set dataset.matrix to one of spliced, unspliced, ambiguous"
    ):
        opened(tmp_path, matrix="Spliced")


def test_columns_that_are_not_three_parts_stay(tmp_path: Path) -> None:
    columns = ["a", "a-U", "b-A"]
    alevin = {"quants_mat_rows__txt": lines(CELLS), "quants_mat_cols__txt": lines(columns)}
    check(opened(write(tmp_path, quants_mat__mtx=mtx(X), **alevin)), genes=columns)


def test_a_matrix_asked_for_of_a_file_with_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"matrix\.mtx holds one matrix; leave out dataset\.matrix=spliced"):
        opened(tenx(tmp_path), matrix="spliced")


@pytest.mark.parametrize("matrix", ["DGE", "count_matrix"])
@pytest.mark.parametrize("genes", ["genes", "all_genes"])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_parse(tmp_path: Path, matrix: str, genes: str, end: str) -> None:
    table = lines(["gene_id", *IDS], ["gene_name", *GENES[:2], ""], ["genome", "hg", "hg", "mm"], separator=",")
    cells = lines(["bc_wells", *CELLS], ["sample", "s1", "s1", "s2", "s2"], separator=",")
    write(tmp_path, **{f"{matrix}.mtx{end}": mtx(X), f"{genes}.csv{end}": table, f"cell_metadata.csv{end}": cells})
    counts = opened(tmp_path)
    check(counts, genes=[*GENES[:2], IDS[2]])
    assert counts.warnings == ()


def test_expression_atlas(tmp_path: Path) -> None:
    name = "E-CURD-1.aggregated_filtered_counts.mtx"
    texts = {name: mtx(X.T), f"{name}_rows": lines(IDS, IDS), f"{name}_cols": lines(CELLS)}
    check(opened(write(tmp_path, **texts)), genes=IDS)


def test_human_cell_atlas(tmp_path: Path) -> None:
    genes = lines(["featurekey", *IDS], ["featurename", *GENES], ["featuretype", "g", "g", "g"])
    cells = lines(["cellkey", *CELLS], ["genes_detected", "1", "1", "1", "2"])
    check(opened(write(tmp_path, matrix__mtx__gz=mtx(X.T), genes__tsv__gz=genes, cells__tsv__gz=cells)))


@pytest.mark.parametrize(
    "quoted", ['"x"\n"1" "{0}"\n"2" "{1}"\n"3" "{2}"\n', '"","x"\n"1","{0}"\n"2","{1}"\n"3","{2}"\n']
)
def test_names_as_r_writes_them(tmp_path: Path, quoted: str) -> None:
    end = "csv" if "," in quoted else "txt"
    genes = {f"genes.{end}": quoted.format(*GENES), "barcodes.txt": "".join(f'"{cell}"\n' for cell in CELLS)}
    check(opened(write(tmp_path, counts__mtx=mtx(X.T), **genes)))


def test_quotes_in_the_names_of_a_tenx_export_are_part_of_them(tmp_path: Path) -> None:
    genes = ["5'-a", '3"', 'b"c']
    check(opened(tenx(tmp_path, features__tsv=lines(IDS, genes))), genes=genes)


def test_double_symbols_are_legal(tmp_path: Path) -> None:
    genes = ["TBCE", "TBCE", "a"]
    check(opened(tenx(tmp_path, features__tsv=lines(IDS, genes))), genes=genes)


@pytest.mark.parametrize("matrix", [X, X.T], ids=["cells_by_genes", "genes_by_cells"])
@pytest.mark.parametrize("name", ["matrix", "cells_x_genes", "any"])
def test_lengths_tell_the_orientation(tmp_path: Path, matrix: np.ndarray, name: str) -> None:
    texts = {f"{name}.mtx": mtx(matrix)}
    check(opened(write(tmp_path, genes__txt=lines(GENES), barcodes__txt=lines(CELLS), **texts)))


@pytest.mark.parametrize(
    ("matrix", "genes", "cells", "turned"),
    [
        ("matrix.mtx", "features.tsv", "barcodes.tsv", True),
        ("GSM1_matrix_S1.mtx.gz", "GSM1_genes_S1.tsv.gz", "GSM1_barcodes_S1.tsv", True),
        ("spliced.mtx", "features.tsv", "barcodes.tsv", True),
        ("UniqueAndMult-EM.mtx", "features.tsv", "barcodes.tsv", True),
        ("x.mtx", "x.mtx_rows", "x.mtx_cols", True),
        ("cells_x_genes.mtx", "cells_x_genes.genes.txt", "cells_x_genes.barcodes.txt", False),
        ("spliced.mtx", "spliced.genes.txt", "spliced.barcodes.txt", False),
        ("quants_mat.mtx", "quants_mat_cols.txt", "quants_mat_rows.txt", False),
        ("DGE.mtx", "genes.csv", "cell_metadata.csv", False),
        ("count_matrix.mtx", "all_genes.csv", "cell_metadata.csv", False),
    ],
)
def test_a_square_matrix_is_read_as_its_tool_writes_it(
    tmp_path: Path, matrix: str, genes: str, cells: str, turned: bool
) -> None:
    square = X[:3]
    heads = ("gene_id\n", "bc_wells\n") if genes.endswith("csv") else ("", "")
    texts = {genes: heads[0] + lines(GENES), cells: heads[1] + lines(CELLS[:3])}
    write(tmp_path, **texts, **{matrix: mtx(square.T if turned else square)})
    check(opened(tmp_path), x=square, cells=CELLS[:3])
    for orientation, x in (("cells_by_genes", square.T if turned else square), ("genes_by_cells", square)):
        if orientation == "cells_by_genes" or turned:
            check(opened(tmp_path, orientation=orientation), x=x, cells=CELLS[:3])


@pytest.mark.parametrize("matrix", ["counts.mtx", "matrix.mtx"])
def test_a_square_matrix_of_no_known_tool_needs_the_orientation(tmp_path: Path, matrix: str) -> None:
    texts = {matrix: mtx(X[:3])}
    write(tmp_path, genes__txt=lines(GENES), cells__txt=lines(CELLS[:3]), **texts)
    with pytest.raises(
        DataError, match=r"is 3 x 3, .*do not tell whether its rows.*dataset\.orientation=cells_by_genes"
    ):
        opened(tmp_path)
    check(opened(tmp_path, orientation="cells_by_genes"), x=X[:3], cells=CELLS[:3])
    check(opened(tmp_path, orientation="genes_by_cells"), x=X[:3].T, cells=CELLS[:3])


def test_an_orientation_that_contradicts_the_lengths_is_refused(tmp_path: Path) -> None:
    check(opened(tenx(tmp_path), orientation="genes_by_cells"))
    message = (
        r"matrix\.mtx is 3 x 4, which with 3 lines in features\.tsv and 4 in barcodes\.tsv is genes_by_cells; leave out"
    )
    with pytest.raises(DataError, match=message):
        opened(tmp_path, orientation="cells_by_genes")


def test_lengths_that_fit_no_way_are_refused(tmp_path: Path) -> None:
    message = r"3 x 4 but there are 3 features and 2 barcodes \(features\.tsv and barcodes\.tsv\); take the three files"
    with pytest.raises(DataError, match=message):
        opened(tenx(tmp_path, barcodes__tsv="a\nb\n"))


def test_a_line_too_many_is_a_header_or_refused_since_it_would_shift_all_names(tmp_path: Path) -> None:
    check(opened(tenx(tmp_path, barcodes__tsv="barcode\n" + lines(CELLS))))
    with pytest.raises(DataError, match=r"3 features and 5 barcodes.*only a header may be a line more"):
        opened(tenx(tmp_path, barcodes__tsv="run7\n" + lines(CELLS)))


def test_a_header_tells_between_lengths_that_fit_both_ways(tmp_path: Path) -> None:
    square = X[:3]  # 3 genes and 3 cells, one file with a header: 4 lines and 3
    write(tmp_path, counts__mtx=mtx(np.vstack([square, [[7, 0, 0]]])))
    write(tmp_path, genes__txt="gene\n" + lines(GENES), barcodes__txt=lines(CELLS))
    check(opened(tmp_path), x=np.vstack([square, [[7, 0, 0]]]))


def test_other_files_have_no_labels(tmp_path: Path) -> None:
    write(tmp_path, counts__mtx=mtx(X), genes__txt=lines(GENES), barcodes__txt=lines(CELLS))
    with pytest.raises(DataError, match="is a Matrix Market file and holds no labels, so there is no column 'type'"):
        read(tmp_path, SourceFile(reader="mtx_10x"), label="type")
