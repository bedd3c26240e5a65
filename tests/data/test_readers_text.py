"""Tables in text, their label files, and the 10x folder."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import mmwrite
from scipy.sparse import coo_matrix, csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read, stacking
from scbench.errors import DataError

X = np.array([[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 0, 5]], dtype=np.float32)
CELLS = ["c1", "c2", "c3", "c4"]


def _read(
    path: Path,
    reader: str = "table",
    label: str | None = None,
    label_path: Path | None = None,
    member: str | None = None,
) -> LabelledCounts:
    return read(path, SourceFile(reader=reader, member=member), label=label, label_path=label_path)


def _labels(counts: LabelledCounts) -> list[str | None]:
    assert counts.labels is not None
    assert counts.labels.dtype == object
    return list(counts.labels)


def _names(names: np.ndarray | None) -> list[str]:
    assert names is not None
    return list(names)


def _write(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def _genes_rows(separator: str = ",", *, short_header: bool = True) -> str:
    """Return X as R writes it: genes in rows, quoted names, one header field fewer than fields."""
    head = [f'"{cell}"' for cell in CELLS]
    lines = [separator.join(head if short_header else ['""', *head])]
    lines += [separator.join([f'"g{j + 1}"', *(f"{v:g}" for v in X[:, j])]) for j in range(3)]
    return "\n".join(lines) + "\n"


TABLE = "cell,g1,g2,batch,cell_type,g3\nc1,0,2,x,a,0\nc2,1,0,x,b,0\nc3,0,0,y,,3\nc4,4,0,y,a,5\n"


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_table_has_cells_in_rows_and_skips_text(tmp_path: Path, name: str) -> None:
    counts = _read(_write(tmp_path / name, TABLE))
    assert isinstance(counts.matrix, csr_matrix)
    assert counts.matrix.dtype == np.float32
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["a", "b", None, "a"]
    assert _names(counts.genes) == ["g1", "g2", "g3"]
    assert _names(counts.cells) == CELLS


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_table_separator_is_told_from_the_text(tmp_path: Path, separator: str) -> None:
    counts = _read(_write(tmp_path / "t.txt", TABLE.replace(",", separator)), label="batch")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["x", "x", "y", "y"]


def test_table_blocks_join_to_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "BLOCK_BYTES", 1)
    counts = _read(_write(tmp_path / "t.csv", TABLE))
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _names(counts.cells) == CELLS


def test_table_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.csv", TABLE)
    np.testing.assert_array_equal(_read(path).matrix.toarray(), X)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("read_me.txt", "no")
    with pytest.raises(DataError, match=r"t\.zip holds 2 files \(t\.csv, read_me\.txt\); set the member"):
        _read(path)
    with pytest.raises(DataError, match=r"no member 'u\.csv'. Did you mean 't\.csv'\?"):
        _read(path, member="u.csv")
    np.testing.assert_array_equal(_read(path, member="t.csv").matrix.toarray(), X)


def test_member_of_a_plain_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.csv is not a zip archive, so it has no member 'x'"):
        _read(_write(tmp_path / "t.csv", TABLE), member="x")


@pytest.mark.parametrize("header", ["label,g1,g2,g3", "g1,g2,g3,label"])
def test_table_without_names_of_cells(tmp_path: Path, header: str) -> None:
    rows = [["7", "0", "2", "0"], ["8", "1", "0", "0"]]
    if header.endswith("label"):
        rows = [[*row[1:], row[0]] for row in rows]
    text = "\n".join([header, *(",".join(row) for row in rows)]) + "\n"
    counts = _read(_write(tmp_path / "t.csv", text))
    np.testing.assert_array_equal(counts.matrix.toarray(), X[:2])
    assert _labels(counts) == ["7", "8"]
    assert counts.cells is None


def test_table_without_labels(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", ",g1,g2\n1,0,2\n2,1,0\n")
    counts = _read(path, label="none")
    np.testing.assert_array_equal(counts.matrix.toarray(), X[:2, :2])
    assert counts.labels is None
    assert _names(counts.cells) == ["1", "2"]
    with pytest.raises(DataError, match=r"t\.csv has no label column 'cell_type'.*Columns there: g1, g2\. Set"):
        _read(path)


def test_a_long_list_of_columns_is_cut(tmp_path: Path) -> None:
    text = ",".join(["", *(f"g{j}" for j in range(30))]) + "\n" + ",".join(["c1", *["0"] * 30]) + "\n"
    with pytest.raises(DataError, match=r"g19 and 10 more. Set"):
        _read(_write(tmp_path / "t.csv", text), label="kind")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cell,g1\n", "no rows below its header"),
        ("cell,g1\nc1,0,1,2\n", "2 names in its header but 4 fields"),
        ("cell,g1\nc1,0\nc2,many\n", r"t\.csv, line 3: 'many' in column 'g1' is not a number"),
        ("cell,g1\nc1,0\nc2\n", r"t\.csv, line 3: 1 fields where 2"),
        ('cell,g1\nc1,0\n"' + "c" * 200000, r"t\.csv cannot be read as a table: field larger"),
        ("cell,g1\nc1,0\nc2,0,1,2\n", r"t\.csv, line 3: 4 fields where 2 are expected"),
    ],
)
def test_broken_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        _read(_write(tmp_path / "t.csv", text), label="none")
    assert "\n" not in str(caught.value)


def test_truncated_gzip_and_zip_are_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv.gz", TABLE + "c5,1,2,x,a,3\n" * 2000)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"t\.csv\.gz cannot be read"):
        _read(path)
    (tmp_path / "t.zip").write_bytes(b"PK\x03\x04 rubbish")
    with pytest.raises(DataError, match=r"t\.zip cannot be read as a text table"):
        _read(tmp_path / "t.zip")


@pytest.mark.parametrize(("encoding", "byte", "advice"), [("utf-16", "0xff", "UTF-16"), ("latin-1", "0xe9", "Latin-1")])
@pytest.mark.parametrize("reader", ["table", "csv_genes_rows"])
def test_bytes_that_are_not_utf8_are_named(tmp_path: Path, encoding: str, byte: str, advice: str, reader: str) -> None:
    (tmp_path / "t.csv").write_bytes(TABLE.replace("b,0", "b\u00e9,0").encode(encoding))
    found = rf"t\.csv cannot be read as .*: its text is not UTF-8 \(byte {byte}; .*{advice}.*\)\. Convert it to UTF-8"
    with pytest.raises(DataError, match=found) as caught:
        _read(tmp_path / "t.csv", reader)
    assert "Fetch" not in str(caught.value)


def test_label_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes("cell,kind\nc1,\u00e9\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"l\.csv cannot be read as .*not UTF-8"):
        _read(_write(tmp_path / "t.csv", TABLE), label_path=tmp_path / "l.csv")


def test_table_with_genes_in_rows_points_to_the_label_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no label column 'cell_type'.*genes in rows.*dataset\.label_path"):
        _read(_write(tmp_path / "t.csv", _genes_rows()))


def test_missing_value_stays_nan_for_the_loader(tmp_path: Path) -> None:
    counts = _read(_write(tmp_path / "t.csv", "cell,g1,g2\nc1,NA,2\nc2,1,\n"), label="none")
    assert np.isnan(counts.matrix.toarray()).sum() == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=1, max_size=9),
    st.integers(1, 400),
    st.sampled_from([",", "\t", ";"]),
)
def test_any_table_survives(tmp_path: Path, rows: list[list[int]], block_bytes: int, mark: str) -> None:
    lines = [mark.join(["cell", "a", "b", "c", "label"])]
    lines += [mark.join([f"c{i}", *map(str, row), f"t{sum(row) % 3}"]) for i, row in enumerate(rows)]
    path = _write(tmp_path / "t.csv", "\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacking, "BLOCK_BYTES", block_bytes)
        counts = _read(path)
    np.testing.assert_array_equal(counts.matrix.toarray(), rows)
    assert _labels(counts) == [f"t{sum(row) % 3}" for row in rows]


def test_label_file_is_matched_by_name(tmp_path: Path) -> None:
    table = _write(tmp_path / "t.csv", TABLE)
    labels = _write(tmp_path / "l.tsv", "cell\tkind\nc3\tz\nc1\tx\nc9\tq\nc4\tw\n")
    assert _labels(_read(table, label_path=labels)) == ["x", None, "z", "w"]


def test_label_file_without_header_is_matched_by_position(tmp_path: Path) -> None:
    table = _write(tmp_path / "t.csv", TABLE)
    assert _labels(_read(table, label_path=_write(tmp_path / "l.txt", "p\nq\nq\nNA\n"))) == ["p", "q", "q", None]
    assert _labels(_read(table, label_path=_write(tmp_path / "m.txt", "kind\np\nq\nq\np\n"))) == list("pqqp")


@pytest.mark.parametrize("table", [TABLE, _genes_rows()])
def test_label_file_that_lacks_one_cell_keeps_its_header(tmp_path: Path, table: str) -> None:
    labels = _write(tmp_path / "l.csv", "cell,kind\nc3,c\nc1,a\nc2,b\n")
    counts = _read(_write(tmp_path / "t.csv", table), label="kind", label_path=labels)
    assert _labels(counts) == ["a", "b", "c", None]
    assert _labels(_read(tmp_path / "t.csv", label_path=labels)) == ["a", "b", "c", None]


def test_usual_header_is_never_a_label(tmp_path: Path) -> None:
    (folder := tmp_path / "10x").mkdir()
    with pytest.raises(DataError, match=r"l\.txt has 3 labels for 4 cells"):
        _read(_tenx(folder), "mtx_10x", label_path=_write(tmp_path / "l.txt", "cell_type\na\nb\na\n"))


def test_label_that_is_the_name_of_a_gene_is_no_cell(tmp_path: Path) -> None:
    table = _write(tmp_path / "t.csv", TABLE)
    labels = _write(tmp_path / "l.txt", "kind\ng1\ng2\ng1\ng1\n")
    assert _labels(_read(table, label_path=labels)) == ["g1", "g2", "g1", "g1"]


def test_label_file_turns_the_table(tmp_path: Path) -> None:
    table = _write(tmp_path / "t.csv", _genes_rows())
    by_name = _write(tmp_path / "l.csv", "cell,kind\nc2,b\nc1,a\nc4,d\nc3,c\n")
    headless = _write(tmp_path / "h.csv", "c1,a\nc2,b\nc3,c\nc4,d\n")
    by_length = _write(tmp_path / "m.txt", "kind\na\nb\nc\nd\n")
    for labels in (by_name, headless, by_length):
        counts = _read(table, label_path=labels)
        np.testing.assert_array_equal(counts.matrix.toarray(), X)
        assert _labels(counts) == ["a", "b", "c", "d"]
        assert _names(counts.genes) == ["g1", "g2", "g3"]
        assert _names(counts.cells) == CELLS


def test_label_file_without_names_or_header_turns_the_table(tmp_path: Path) -> None:
    table = _write(tmp_path / "t.csv", _genes_rows() + "g4,0,0,0,0\ng5,0,0,0,0\n")
    counts = _read(table, label_path=_write(tmp_path / "b.txt", "a\nb\nc\nd\n"))
    np.testing.assert_array_equal(counts.matrix.toarray()[:, :3], X)
    assert _labels(counts) == ["a", "b", "c", "d"]


def test_label_file_that_fits_neither_way_is_refused(tmp_path: Path) -> None:
    table = _write(tmp_path / "t.csv", _genes_rows())
    with pytest.raises(DataError, match=r"l\.txt has 6 labels for 4 cells"):  # names of rows tell that they are genes
        _read(table, label_path=_write(tmp_path / "l.txt", "kind\n" + "a\n" * 6))
    unnamed = _write(tmp_path / "u.csv", _genes_rows().replace("g", "y").replace("c", "z"))
    with pytest.raises(DataError, match=r"u\.csv is 3 x 4 and l\.txt has 6 labels.*rows or columns"):
        _read(unnamed, label_path=tmp_path / "l.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"l\.csv is empty"),
        ("cell,kind\nc1,a\nc2\nc3,a\nc4,b\n", r"l\.csv: row 2 has 1 fields where 2"),
        ("cell,kind\nc1,a,1,2\n", r"l\.csv has 2 names in its header but 4 fields"),
        ("cell,kind\nc1,a\nc1,b\nc2,a\n", r"l\.csv names 1 cells twice"),
        ("cell,kind,batch\nc1,a,x\nc2,b,x\n", r"l\.csv has no label column 'cell_type'.*cell, kind, batch"),
    ],
)
def test_broken_label_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _read(_write(tmp_path / "t.csv", TABLE), label_path=_write(tmp_path / "l.csv", text))


def test_label_file_of_another_length_gives_both_numbers(tmp_path: Path) -> None:
    (folder := tmp_path / "10x").mkdir()
    _tenx(folder)
    with pytest.raises(DataError, match=r"l\.txt has 2 labels for 4 cells and shares no cell name"):
        _read(folder, "mtx_10x", label_path=_write(tmp_path / "l.txt", "kind\na\nb\n"))


BARON = '"",barcode,assigned_cluster,g1,g2,g3\nc1,AC,beta,0,2,0\nc2,CG,alpha,1,0,0\n'


def test_baron_member_of_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mouse.csv", BARON)
        archive.writestr("__MACOSX/._mouse.csv", "x")
    for member in (None, "mouse.csv"):
        counts = _read(path, "csv_baron", member=member)
        np.testing.assert_array_equal(counts.matrix.toarray(), X[:2])
        assert _labels(counts) == ["beta", "alpha"]
        assert _names(counts.cells) == ["c1", "c2"]
        assert _names(counts.genes) == ["g1", "g2", "g3"]
    assert _read(path, "csv_baron", "none").labels is None
    with pytest.raises(DataError, match=r"no label column 'cluster'.*'assigned_cluster'.*barcode, assigned_cluster"):
        _read(path, "csv_baron", "cluster")


METADATA = (
    '"cell_line","demuxlet_cls","n"\n"c2","H1","SNG",1\n"c1","H2","SNG",2\n"c4","H1","DBL",3\n"c3","H2","SNG",4\n'
)


def test_mixology_drops_doublets_and_matches_by_name(tmp_path: Path) -> None:
    counts_file = _write(tmp_path / "c.csv.gz", _genes_rows())
    metadata = _write(tmp_path / "m.csv.gz", METADATA)
    counts = _read(counts_file, "csv_mixology", label_path=metadata)
    np.testing.assert_array_equal(counts.matrix.toarray(), X[:3])
    assert _labels(counts) == ["H2", "H1", "H2"]
    assert _names(counts.cells) == ["c1", "c2", "c3"]
    assert _names(counts.genes) == ["g1", "g2", "g3"]
    assert _read(counts_file, "csv_mixology", "none", metadata).matrix.shape == (3, 3)
    assert _read(counts_file, "csv_mixology", "none").matrix.shape == (4, 3)
    with pytest.raises(DataError, match="holds no labels; give the metadata csv"):
        _read(counts_file, "csv_mixology")
    with pytest.raises(DataError, match=r"no label column 'line'.*'cell_line'"):
        _read(counts_file, "csv_mixology", "line", metadata)


def test_mixology_falls_back_to_demuxlet(tmp_path: Path) -> None:
    metadata = _write(tmp_path / "m.csv", METADATA.replace("cell_line", "cell_line_demuxlet"))
    counts = _read(_write(tmp_path / "c.csv", _genes_rows()), "csv_mixology", label_path=metadata)
    assert _labels(counts) == ["H2", "H1", "H2"]


def test_mixology_rna_mixture_joins_the_proportions(tmp_path: Path) -> None:
    text = '"H2228_prop","H1975_prop","x"\n"c1",0,1,9\n"c2",0.16,0.84,9\n"c3",1,0,9\n"c4",0,1,9\n'
    counts = _read(
        _write(tmp_path / "c.csv", _genes_rows()), "csv_mixology", label_path=_write(tmp_path / "m.csv", text)
    )
    assert _labels(counts) == ["0.0_1.0", "0.16_0.84", "1.0_0.0", "0.0_1.0"]


GRAPHSCC = "sample_labels,s1,s2\ncell_label,0,1.0\ncluster_labels,1,1\ng1,0.5,0\ng2,0,2.25\ng3,0,0\n"


def test_graphscc_layout(tmp_path: Path) -> None:
    path = _write(tmp_path / "g.csv", GRAPHSCC)
    counts = _read(path, "csv_genes_rows")
    np.testing.assert_array_equal(counts.matrix.toarray(), [[0.5, 0, 0], [0, 2.25, 0]])
    assert _labels(counts) == ["0", "1"]
    assert _names(counts.genes) == ["g1", "g2", "g3"]
    assert counts.cells is None
    assert _labels(_read(path, "csv_genes_rows", "cluster_labels")) == ["1", "1"]
    assert _read(path, "csv_genes_rows", "none").labels is None
    other = _write(tmp_path / "l.csv", "kind\nx\ny\n")
    assert _labels(_read(path, "csv_genes_rows", label_path=other)) == ["x", "y"]
    with pytest.raises(DataError, match=r"no label column 'truth'.*sample_labels, cell_label, cluster_labels"):
        _read(path, "csv_genes_rows", "truth")


@pytest.mark.parametrize("genes_in_rows", [True, False])
def test_yan_pair_is_turned_by_the_number_of_labels(tmp_path: Path, genes_in_rows: bool) -> None:
    stored = X.T if genes_in_rows else X
    lines = [",".join(["", *(f"k{j}" for j in range(stored.shape[1]))])]
    lines += [",".join([f"r{i}", *(f"{v:g}" for v in row)]) for i, row in enumerate(stored)]
    data = _write(tmp_path / "data.csv", "\n".join(lines))
    labels = _write(tmp_path / "label.csv", "Barcode,Cluster\na,z\nb,2cell\nc,2cell\nd,blast\n")
    in_order = SourceFile(reader="csv_genes_rows", label_order="file")
    counts = read(data, in_order, label=None, label_path=labels)
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["z", "2cell", "2cell", "blast"]
    with pytest.raises(
        DataError, match=r"both name the cells and share no name \(the first is 'a' there, '[kr]0' here"
    ):
        _read(data, "csv_genes_rows", label_path=labels)
    with pytest.raises(DataError, match=r"data\.csv holds no labels"):
        _read(data, "csv_genes_rows")
    assert _read(data, "csv_genes_rows", "none").matrix.shape == stored.T.shape


def test_tsv_with_sample_file(tmp_path: Path) -> None:
    data = _write(tmp_path / "d.txt.gz", _genes_rows("\t"))
    sample = _write(
        tmp_path / "s.txt.gz",
        '"cell"\t"celltype"\t"batch"\n' + "".join(f'"{c}"\t"{c}"\t"t{c}"\t"b"\n' for c in CELLS),
    )
    counts = _read(data, "tsv_genes_rows_gz", label_path=sample)
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["tc1", "tc2", "tc3", "tc4"]
    assert _read(data, "tsv_genes_rows_gz", "none").labels is None
    with pytest.raises(DataError, match="give its sample file"):
        _read(data, "tsv_genes_rows_gz")


def _tenx(folder: Path, *, prefix: str = "", zipped: bool = False, kinds: bool = False) -> Path:
    mmwrite(folder / "m.mtx", coo_matrix(X.T.astype(int)))
    ends = ["\tGene Expression", "\tGene Expression", "\tAntibody Capture"] if kinds else ["", "", ""]
    files = {
        "matrix.mtx": (folder / "m.mtx").read_text(),
        ("features.tsv" if kinds else "genes.tsv"): "".join(f"ENS{j}\tg{j}{end}\n" for j, end in enumerate(ends)),
        "barcodes.tsv": "".join(f"{cell}\n" for cell in CELLS),
    }
    (folder / "m.mtx").unlink()
    for name, text in files.items():
        _write(folder / f"{prefix}{name}{'.gz' if zipped else ''}", text)
    return folder


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("prefix", ["", "GSM1_"])
def test_tenx_folder(tmp_path: Path, zipped: bool, prefix: str) -> None:
    folder = _tenx(tmp_path, prefix=prefix, zipped=zipped)
    for path in (folder, next(folder.glob("*matrix*"))):
        counts = _read(path, "mtx_10x")
        assert counts.matrix.dtype == np.float32
        np.testing.assert_array_equal(counts.matrix.toarray(), X)
        assert counts.labels is None
        assert _names(counts.genes) == ["g0", "g1", "g2"]
        assert _names(counts.cells) == CELLS


def test_tenx_folder_keeps_gene_expression_only(tmp_path: Path) -> None:
    counts = _read(_tenx(tmp_path, kinds=True), "mtx_10x")
    np.testing.assert_array_equal(counts.matrix.toarray(), X[:, :2])


def test_tenx_folder_with_label_file(tmp_path: Path) -> None:
    (folder := tmp_path / "10x").mkdir()
    labels = _write(tmp_path / "l.csv", "c1,a\nc2,b\nc3,a\nc4,b\n")
    assert _labels(_read(_tenx(folder), "mtx_10x", label_path=labels)) == ["a", "b", "a", "b"]
    with pytest.raises(DataError, match="is a 10x export and holds no labels"):
        _read(folder, "mtx_10x", "kind")


def test_incomplete_tenx_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no matrix\.mtx"):
        _read(tmp_path, "mtx_10x")
    _tenx(tmp_path)
    (tmp_path / "barcodes.tsv").write_text("c1\n")
    with pytest.raises(DataError, match="3 x 4 but there are 3 features and 1 barcodes"):
        _read(tmp_path, "mtx_10x")
    (tmp_path / "genes.tsv").unlink()
    with pytest.raises(DataError, match=r"has no features\.tsv or genes\.tsv"):
        _read(tmp_path, "mtx_10x")
    _tenx(tmp_path)
    (tmp_path / "matrix.mtx").write_text("rubbish\n")
    with pytest.raises(DataError, match=r"matrix\.mtx cannot be read as a Matrix Market file"):
        _read(tmp_path, "mtx_10x")
