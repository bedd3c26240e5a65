"""xy_h5, quake_h5, loom and 10x HDF5."""

from __future__ import annotations

import tracemalloc
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csc_matrix, csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read, stacking
from scbench.errors import DataError

X = np.array([[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 0, 5]], dtype=np.float64)


def _read(
    path: Path, reader: str, label: str | None = None, matrix: str | None = None, member: str | None = None
) -> LabelledCounts:
    return read(path, SourceFile(reader=reader, matrix=matrix, member=member), label=label)


def _labels(counts: LabelledCounts) -> list[str | None]:
    assert counts.labels is not None
    assert counts.labels.dtype == object
    return list(counts.labels)


def _xy(path: Path, **datasets: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, value in ({"X": X, "Y": np.array([1, 1, 2, 3])} | datasets).items():
            if value is not None:
                file[name] = value
    return path


def test_xy_gives_float32_csr_and_codes_as_text(tmp_path: Path) -> None:
    counts = _read(_xy(tmp_path / "a.h5"), "xy_h5")
    assert isinstance(counts.matrix, csr_matrix)
    assert counts.matrix.dtype == np.float32
    assert counts.matrix.nnz == 5
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["1", "1", "2", "3"]
    assert counts.genes is None
    assert counts.cells is None


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (np.array([3.0, 0.5, np.nan, 2.0]), ["3", "0.5", None, "2"]),
        (np.array([b"a", b"", b"nan", "b\u00e9".encode()]), ["a", None, None, "bé"]),
        (np.array([[1], [0], [1], [0]], dtype=np.int64), ["1", "0", "1", "0"]),
    ],
)
def test_xy_labels_become_text_and_missing_ones_none(
    tmp_path: Path, stored: np.ndarray, expected: list[str | None]
) -> None:
    assert _labels(_read(_xy(tmp_path / "a.h5", Y=stored), "xy_h5")) == expected


def test_xy_prefers_cell_type_and_takes_names(tmp_path: Path) -> None:
    path = _xy(
        tmp_path / "a.h5",
        cell_type=["a", "b", "a", "b"],
        gene=["g1", "g2", "g3"],
        cell=["c1", "c2", "c3", "c4"],
    )
    counts = _read(path, "xy_h5")
    assert _labels(counts) == ["a", "b", "a", "b"]
    assert counts.genes is not None
    assert counts.cells is not None
    assert list(counts.genes) == ["g1", "g2", "g3"]
    assert list(counts.cells) == ["c1", "c2", "c3", "c4"]
    assert _labels(_read(path, "xy_h5", "Y")) == ["1", "1", "2", "3"]


def test_xy_with_label_none_reads_no_labels(tmp_path: Path) -> None:
    assert _read(_xy(tmp_path / "a.h5", Y=None), "xy_h5", "none").labels is None


def test_missing_label_column_lists_columns_and_nearest(tmp_path: Path) -> None:
    path = _xy(tmp_path / "a.h5", cell_type=["a", "b", "a", "b"])
    with pytest.raises(DataError, match=r"a\.h5 has no label column 'celltype'.*mean 'cell_type'.*X?.*Y, cell_type"):
        _read(path, "xy_h5", "celltype")


def test_missing_usual_label_says_how_to_go_without(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no label column 'cell_type'.*or to none"):
        _read(_xy(tmp_path / "a.h5", Y=None), "xy_h5")


def test_labels_of_another_length_give_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 4 cells but 2 labels") as caught:
        _read(_xy(tmp_path / "a.h5", Y=np.arange(2)), "xy_h5")
    assert "none" not in str(caught.value)  # no cure for parts that do not belong together


def test_missing_matrix_lists_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.h5 has no 'X' in '/'.*Found: Y"):
        _read(_xy(tmp_path / "a.h5", X=None), "xy_h5")


def test_matrix_of_one_dimension_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'X' of 1 dimensions"):
        _read(_xy(tmp_path / "a.h5", X=np.arange(4)), "xy_h5")


def test_damaged_file_is_named_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.h5"
    path.write_bytes(b"not hdf5 at all")
    with pytest.raises(DataError, match=r"broken\.h5 cannot be read as an HDF5 file") as caught:
        _read(path, "xy_h5")
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


def test_truncated_file_is_named(tmp_path: Path) -> None:
    path = _xy(tmp_path / "a.h5", X=np.random.default_rng(0).random((100, 100)))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"a\.h5 cannot be read"):
        _read(path, "xy_h5")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        _read(tmp_path / "a.h5", "xy_h5")


def test_hdf5_is_read_from_a_zip_member(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(_xy(tmp_path / "a.h5"), "inside/a.h5")
    np.testing.assert_array_equal(_read(path, "xy_h5", member="inside/a.h5").matrix.toarray(), X)


def test_unknown_reader_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unknown reader 'xy_h6'.*'xy_h5'"):
        _read(tmp_path / "a.h5", "xy_h6")


@pytest.mark.parametrize("chunks", [None, (7, 20), (50, 2), (50, 20), (50, 7), (1, 20), (3, 3)])
@pytest.mark.parametrize("block_bytes", [1, 640, 2**20])
def test_blocks_join_to_the_whole(
    tmp_path: Path, chunks: tuple[int, int] | None, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacking, "BLOCK_BYTES", block_bytes)
    whole = np.random.default_rng(1).poisson(0.5, (50, 20)).astype(float)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("X", data=whole, chunks=chunks)
    np.testing.assert_array_equal(_read(tmp_path / "a.h5", "xy_h5", "none").matrix.toarray(), whole)


@pytest.mark.parametrize("chunks", [None, (64, 2000), (2000, 8)])
def test_dense_matrix_is_never_held_whole(
    tmp_path: Path, chunks: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacking, "BLOCK_BYTES", 2**20)
    whole = np.zeros((2000, 2000))
    whole[::7, ::11] = 1.5
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("X", data=whole, chunks=chunks)
    dense_bytes = whole.nbytes
    del whole
    tracemalloc.start()
    counts = _read(tmp_path / "a.h5", "xy_h5", "none")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counts.matrix.nnz == 286 * 182
    assert peak < dense_bytes / 4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=8), elements=st.floats(0, 9, width=32)
    ),
    st.integers(1, 200),
)
def test_any_dense_matrix_survives(tmp_path: Path, whole: np.ndarray, block_bytes: int) -> None:
    path = tmp_path / "any.h5"
    with h5py.File(path, "w") as file:
        file["X"] = whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacking, "BLOCK_BYTES", block_bytes)
        np.testing.assert_array_equal(_read(path, "xy_h5", "none").matrix.toarray(), whole)


def _quake(path: Path, *, sparse: bool = True) -> Path:
    with h5py.File(path, "w") as file:
        if sparse:
            stored = csr_matrix(X + 0.25 * (X > 0))
            group = file.create_group("exprs")
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(stored, part)
            group["shape"] = stored.shape
        else:
            file["exprs"] = X
        file["obs/cell_type1"] = np.array([b"T cell", b"B cell", b"T cell", b""])
        file["obs/donor"] = np.array([b"d1", b"d1", b"d2", b"d2"])
        file["obs/nested/inner"] = np.arange(4)
        file["obs_names"] = np.array([b"c1", b"c2", b"c3", b"c4"])
        file["var_names"] = np.array([b"g1", b"g2", b"g3"])
    return path


def test_quake_group_keeps_non_integer_values(tmp_path: Path) -> None:
    counts = _read(_quake(tmp_path / "q.h5"), "quake_h5")
    np.testing.assert_array_equal(counts.matrix.toarray(), X + 0.25 * (X > 0))
    assert counts.matrix.dtype == np.float32
    assert _labels(counts) == ["T cell", "B cell", "T cell", None]
    assert counts.cells is not None
    assert counts.cells[3] == "c4"
    assert counts.genes is not None
    assert counts.genes[0] == "g1"


def test_quake_dense_and_other_column(tmp_path: Path) -> None:
    counts = _read(_quake(tmp_path / "q.h5", sparse=False), "quake_h5", "donor")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["d1", "d1", "d2", "d2"]


def test_quake_subgroup_is_not_a_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Columns there: cell_type1, donor. Set"):
        _read(_quake(tmp_path / "q.h5"), "quake_h5", "nested")


def test_quake_inconsistent_csr_is_refused(tmp_path: Path) -> None:
    path = _quake(tmp_path / "q.h5")
    with h5py.File(path, "a") as file:
        file["exprs/indices"][0] = 99
    with pytest.raises(DataError, match=r"q\.h5 cannot be read as a sparse matrix"):
        _read(path, "quake_h5")


def test_quake_csr_without_indptr_is_refused(tmp_path: Path) -> None:
    path = _quake(tmp_path / "q.h5")
    with h5py.File(path, "a") as file:
        del file["exprs/indptr"]
    with pytest.raises(DataError, match=r"q\.h5 has no 'indptr' in '/exprs'"):
        _read(path, "quake_h5")


def _loom(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["matrix"] = X.T
        file["row_attrs/Gene"] = np.array([b"g1", b"g2", b"g3"])
        file["col_attrs/CellID"] = np.array([b"c1", b"c2", b"c3", b"c4"])
        file["col_attrs/CellType"] = np.array([b"1", b"2", b"1", b"2"])
        file["layers/spliced"] = 2 * X.T
    return path


def test_loom_is_transposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "BLOCK_BYTES", 40)
    counts = _read(_loom(tmp_path / "l.loom"), "loom")
    np.testing.assert_array_equal(counts.matrix.toarray(), X)
    assert _labels(counts) == ["1", "2", "1", "2"]
    assert counts.genes is not None
    assert list(counts.genes) == ["g1", "g2", "g3"]
    assert counts.cells is not None
    assert counts.cells[0] == "c1"
    layer = _read(_loom(tmp_path / "l.loom"), "loom", "none", matrix="spliced")
    np.testing.assert_array_equal(layer.matrix.toarray(), 2 * X)


@pytest.mark.parametrize(
    ("reader", "place", "message"),
    [
        ("loom", "col_attrs/CellID", r"4 cells but 2 names of cells"),
        ("loom", "row_attrs/Gene", r"3 genes but 2 names of genes"),
        ("quake_h5", "obs_names", r"4 cells but 2 names of cells"),
        ("quake_h5", "var_names", r"3 genes but 2 names of genes"),
        ("tenx_h5", "matrix/barcodes", r"4 cells but 2 names of cells"),
        ("tenx_h5", "matrix/features/name", r"3 genes but 2 names of genes"),
        ("tenx_h5", "matrix/features/feature_type", r"3 genes but 2 types of features"),
    ],
)
def test_names_of_another_length_give_both_numbers(tmp_path: Path, reader: str, place: str, message: str) -> None:
    path = {"loom": _loom, "quake_h5": _quake, "tenx_h5": _tenx}[reader](tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file[place]
        file[place] = np.array([b"Gene Expression", b"b"])
    with pytest.raises(DataError, match=rf"a\.h5 has {message}"):
        _read(path, reader, "none")


def _tenx(path: Path, *, version: int = 3) -> Path:
    stored = csc_matrix(X.T)  # genes x cells
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if version == 3 else "hg19")
        for part in ("data", "indices", "indptr"):
            group[part] = getattr(stored, part)
        group["shape"] = stored.shape
        group["barcodes"] = np.array([b"c1", b"c2", b"c3", b"c4"])
        if version == 3:
            group["features/name"] = np.array([b"g1", b"g2", b"CD3"])
            kinds = [b"Gene Expression", b"Gene Expression", b"Antibody Capture"]
            group["features/feature_type"] = np.array(kinds)
        else:
            group["gene_names"] = np.array([b"g1", b"g2", b"g3"])
    return path


def test_tenx_version_3_keeps_gene_expression_only(tmp_path: Path) -> None:
    counts = _read(_tenx(tmp_path / "t.h5"), "tenx_h5")
    np.testing.assert_array_equal(counts.matrix.toarray(), X[:, :2])
    assert counts.labels is None
    assert counts.genes is not None
    assert list(counts.genes) == ["g1", "g2"]


def test_tenx_version_2_has_one_group_per_genome(tmp_path: Path) -> None:
    path = _tenx(tmp_path / "t.h5", version=2)
    np.testing.assert_array_equal(_read(path, "tenx_h5").matrix.toarray(), X)
    with h5py.File(path, "a") as file:
        file.copy("hg19", "mm10")
    with pytest.raises(DataError, match=r"2 matrices \(hg19, mm10\), none called None"):
        _read(path, "tenx_h5")
    np.testing.assert_array_equal(_read(path, "tenx_h5", matrix="mm10").matrix.toarray(), X)


def test_tenx_refuses_a_label_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no labels, so there is no column 'type'.*label_path"):
        _read(_tenx(tmp_path / "t.h5"), "tenx_h5", "type")


def test_tenx_refuses_another_layout(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no Cell Ranger matrix. Found: X, Y"):
        _read(_xy(tmp_path / "t.h5"), "tenx_h5")


def test_label_file_serves_every_format(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("barcode,type\nc4,d\nc2,b\nc1,a\nc9,z\n")
    counts = read(_tenx(tmp_path / "t.h5"), SourceFile(reader="tenx_h5"), label="type", label_path=labels)
    assert _labels(counts) == ["a", "b", None, "d"]
    plain = read(_xy(tmp_path / "a.h5"), SourceFile(reader="xy_h5"), label="none", label_path=labels)
    assert plain.labels is None
