"""Sizes that are declared and not stored are refused at once; what compression or a fill value explains is read."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read
from scbench.data.readers.r_files.objects import load_r
from scbench.errors import DataError

HUGE = 10**12
X = csr_matrix(np.array([[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 0, 5]], dtype=np.float32))
CELLS, GENES = ["c1", "c2", "c3", "c4"], ["g1", "g2", "g3"]
TEXT = h5py.string_dtype()
COLOURS = h5py.enum_dtype({"red": 0, "blue": 1}, basetype="i1")


def _read(path: Path, reader: str, label: str | None = "none") -> LabelledCounts:
    return read(path, SourceFile(reader=reader), label=label)


def _refused(path: Path, reader: str, entry: str, label: str | None = "none", shape: str = str(HUGE)) -> str:
    """Return the message of a file, which has to come within a second."""
    start = time.process_time()
    with pytest.raises(DataError) as caught:
        _read(path, reader, label)
    assert time.process_time() - start < 1
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    assert entry in message
    assert f"declares {shape}" in message
    assert "bytes of them are stored" in message
    return message


def _sparse(group: h5py.Group, shape: tuple[int, int] = (4, 3), **parts: np.ndarray) -> None:
    group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": shape})
    for name, values in ({"data": X.data, "indices": X.indices, "indptr": X.indptr} | parts).items():
        group[name] = values


def _h5ad(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        _sparse(file.create_group("X"))
        for name, index in (("obs", CELLS), ("var", GENES)):
            table = file.create_group(name)
            table.attrs.update({"_index": "_index", "encoding-type": "dataframe"})
            table["_index"] = index
        kind = file.create_group("obs/kind")
        kind["codes"], kind["categories"] = np.array([0, 0, 1, 1], dtype=np.int8), ["a", "b"]
    return path


def _never_written(path: Path, place: str, dtype: object, *sizes: int, **options: object) -> None:
    with h5py.File(path, "a") as file:
        if place in file:
            del file[place]
        file.create_dataset(place, sizes, dtype=dtype, chunks=(1000, *sizes[1:]), **options)


def test_a_dense_matrix_that_was_never_written(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    _never_written(path, "X", "f8", HUGE, 100)
    assert path.stat().st_size < 5000
    message = _refused(path, "xy_h5", "/X", shape=f"{HUGE} x 100")
    assert f"({HUGE * 800} bytes) and 0 bytes" in message
    assert "fetch it again" in message


@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "shuffle": True}, {"scaleoffset": 0}])
def test_one_written_block_of_a_billion_changes_nothing(tmp_path: Path, options: dict[str, object]) -> None:
    path = tmp_path / "a.h5"
    _never_written(path, "X", "i8", HUGE, 100, **options)
    with h5py.File(path, "a") as file:
        file["X"][:1000] = 1
    _refused(path, "xy_h5", "/X", shape=f"{HUGE} x 100")


def test_a_size_without_values_costs_row_pointers(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("X", (HUGE, 0), dtype="f4")
    _refused(tmp_path / "a.h5", "xy_h5", "/X", shape=f"{HUGE} x 0")


@pytest.mark.parametrize(
    ("place", "dtype"),
    [
        ("X/indptr", "i8"),
        ("X/indices", "i4"),
        ("X/data", "f4"),
        ("obs/_index", TEXT),
        ("var/_index", "S20"),
        ("obs/kind/codes", "i1"),
        ("obs/kind/categories", TEXT),
    ],
)
def test_every_part_of_an_h5ad(tmp_path: Path, place: str, dtype: object) -> None:
    path = _h5ad(tmp_path / "a.h5ad")
    _never_written(path, place, dtype, HUGE)
    _refused(path, "h5ad", place, label="kind")


@pytest.mark.parametrize("dtype", ["i4", TEXT, COLOURS, "S8", "f8"])
def test_plain_columns_of_any_type(tmp_path: Path, dtype: object) -> None:
    path = _h5ad(tmp_path / "a.h5ad")
    _never_written(path, "obs/colour", dtype, HUGE)
    _refused(path, "h5ad", "/obs/colour", label="colour")
    assert _read(path, "h5ad", "kind").labels is not None  # a column that nobody asked for harms nobody


def test_values_and_mask_of_a_nullable_column(tmp_path: Path) -> None:
    path = _h5ad(tmp_path / "a.h5ad")
    for part in ("values", "mask"):
        _never_written(path, f"obs/colour/{part}", "i1", HUGE)
    _refused(path, "h5ad", "/obs/colour/values", label="colour")


def test_a_layer_that_is_only_looked_at(tmp_path: Path) -> None:
    path = _h5ad(tmp_path / "a.h5ad")
    with h5py.File(path, "a") as file:
        file["X/data"][:] = -0.5
        file.create_dataset("layers/counts", (100, HUGE), dtype="f4", chunks=(1, 1000))
    _refused(path, "h5ad", "/layers/counts", shape=f"100 x {HUGE}")


@pytest.mark.parametrize("encoding", ["csr_matrix", "csc_matrix"])
@pytest.mark.parametrize("shape", [(HUGE, 3), (4, HUGE), (HUGE, HUGE)])
def test_the_shape_of_a_sparse_group(tmp_path: Path, encoding: str, shape: tuple[int, int]) -> None:
    path = _h5ad(tmp_path / "a.h5ad")
    with h5py.File(path, "a") as file:
        file["X"].attrs["encoding-type"] = encoding
        file["X"].attrs["shape"] = shape
    start = time.process_time()
    with pytest.raises(DataError, match=r"a\.h5ad: the s.*'/X'.* declares (\d+ x )?\d+.* (indptr|stored)"):
        _read(path, "h5ad")
    assert time.process_time() - start < 1


def _tenx(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name, values in (("data", X.data), ("indices", X.indices), ("indptr", X.indptr), ("shape", [3, 4])):
            group[name] = values
        group["barcodes"] = CELLS
        group["features/name"], group["features/id"], group["features/feature_type"] = GENES, GENES, GENES
    return path


def _loom(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["matrix"] = X.toarray().T
        file["col_attrs/CellID"], file["row_attrs/Gene"], file["col_attrs/kind"] = CELLS, GENES, CELLS
    return path


def _quake(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["exprs"], file["obs_names"], file["var_names"] = X.toarray(), CELLS, GENES
        file["obs/kind"] = CELLS
    return path


def _xy(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["X"], file["kind"], file["gene"] = X.toarray(), CELLS, GENES
    return path


def _old(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["X"] = X.toarray()
        file["obs"] = np.array([(name, 0) for name in "abcd"], dtype=[("index", "S1"), ("kind", "i1")])
        file["var"] = np.array([(name,) for name in "abc"], dtype=[("index", "S1")])
        file["uns/kind_categories"] = ["a", "b"]
    return path


@pytest.mark.parametrize(
    ("write", "reader", "place", "dtype"),
    [
        *[
            (_tenx, "tenx_h5", f"matrix/{name}", kind)
            for name, kind in (
                ("data", "i4"),
                ("indices", "i8"),
                ("indptr", "i8"),
                ("shape", "i4"),
                ("barcodes", "S18"),
                ("features/name", TEXT),
                ("features/feature_type", "S10"),
            )
        ],
        (_loom, "loom", "row_attrs/Gene", TEXT),
        (_loom, "loom", "col_attrs/CellID", "S9"),
        (_loom, "loom", "col_attrs/kind", "i4"),
        (_quake, "quake_h5", "obs_names", "S9"),
        (_quake, "quake_h5", "var_names", TEXT),
        (_quake, "quake_h5", "obs/kind", "i4"),
        (_xy, "xy_h5", "kind", COLOURS),
        (_old, "h5ad_old", "uns/kind_categories", TEXT),
        (_old, "h5ad_old", "obs", np.dtype([("index", "S1"), ("kind", "i1")])),
    ],
)
def test_parts_of_the_other_formats(
    tmp_path: Path, write: Callable[[Path], Path], reader: str, place: str, dtype: object
) -> None:
    path = write(tmp_path / "a.h5")
    label = None if reader == "tenx_h5" else "kind"
    assert _read(path, reader, label).matrix.shape == (4, 3)
    _never_written(path, place, dtype, HUGE)
    _refused(path, reader, place, label)


def test_a_block_that_is_larger_than_its_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        values = file.create_dataset("X", (5, 3), "f8", maxshape=(None, 3), chunks=(10**8, 3), compression="gzip")
        values.id.write_direct_chunk((0, 0), b"0" * 100)
    _refused(tmp_path / "a.h5", "xy_h5", "a block of /X", shape=f"{10**8} x 3")


def test_what_deflate_packs_best_is_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        values = file.create_dataset("X", (40_000, 1000), "f8", chunks=(2000, 1000), compression="gzip")
        for start in range(0, 40_000, 2000):
            values[start : start + 2000] = 0
        values[0, 0] = 1
        ratio = 8 * values.size / values.id.get_storage_size()
    assert ratio > 950
    assert _read(tmp_path / "a.h5", "xy_h5").matrix.nnz == 1


def test_blocks_that_were_not_written_are_the_fill_value(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        values = file.create_dataset("X", (40_000, 1000), "f4", chunks=(100, 1000))
        values[:100] = 1
        file.create_dataset("Y", (40_000,), "i4", chunks=(100,))
    counts = _read(tmp_path / "a.h5", "xy_h5", "Y")
    assert counts.matrix.nnz == 100_000
    assert counts.labels is not None
    assert set(counts.labels) == {"0"}


def test_zarr_arrays(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    path = tmp_path / "a.zarr"
    adata = anndata.AnnData(X.copy())
    adata.obs_names, adata.var_names, adata.obs["kind"] = CELLS, GENES, ["a", "b", "a", "b"]
    adata.write_zarr(path)
    assert _read(path, "zarr", "kind").matrix.nnz == X.nnz
    (path / ".zmetadata").unlink(missing_ok=True)  # says the same once more
    for place in ("X/indptr", "obs/kind/codes", "obs/_index"):
        about = next(name for name in (".zarray", "zarr.json") if (path / place / name).is_file())
        before = (path / place / about).read_text()
        (path / place / about).write_text(json.dumps(json.loads(before) | {"shape": [HUGE]}))
        _refused(path, "zarr", place, "kind")
        (path / place / about).write_text(before)


def _folder(path: Path, header: str, *, packed: bool = False) -> Path:
    path.mkdir()
    text = f"%%MatrixMarket matrix {header}\n1 1 1\n".encode()
    (path / f"matrix.mtx{'.gz' if packed else ''}").write_bytes(gzip.compress(text) if packed else text)
    (path / "barcodes.tsv").write_text("".join(f"{name}\n" for name in CELLS))
    (path / "features.tsv").write_text("".join(f"{name}\n" for name in GENES))
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_entries_of_a_matrix_market_file(tmp_path: Path, packed: bool) -> None:
    path = _folder(tmp_path / "a", f"coordinate integer general\n3 4 {HUGE}", packed=packed)
    start = time.process_time()
    with pytest.raises(DataError, match=rf"matrix\.mtx.* declares {HUGE} values .* stored"):
        _read(path, "mtx_10x")
    assert time.process_time() - start < 1


@pytest.mark.parametrize("symmetry", ["general", "symmetric"])
def test_a_dense_matrix_market_file_of_a_product(tmp_path: Path, symmetry: str) -> None:
    from scbench.data.readers.matrix_market.values import read_values

    path = tmp_path / "a.mtx"
    path.write_text(f"%%MatrixMarket matrix array real {symmetry}\n1000000 1000000\n1\n")
    with pytest.raises(DataError, match=r"a\.mtx: its header declares \d{12,13} values"):
        read_values(path)


def test_rows_and_columns_of_a_matrix_market_file(tmp_path: Path) -> None:
    path = _folder(tmp_path / "a", f"coordinate integer general\n3 {HUGE} 1")
    with pytest.raises(DataError, match=rf"matrix\.mtx is 3 x {HUGE} but there are 3 features and 4 barcodes"):
        _read(path, "mtx_10x")


def test_a_sequence_of_r_that_is_only_declared(tmp_path: Path) -> None:
    pytest.importorskip("rdata")

    def one(*values: int) -> bytes:
        return b"".join(value.to_bytes(4, "big") for value in values)

    def symbol(name: bytes) -> bytes:
        return one(1, 0x00040009, len(name)) + name

    def sequence(length: float) -> bytes:
        about = one(2) + symbol(b"compact_intseq") + one(2) + symbol(b"base") + one(2, 13, 1, 13, 0xFE)
        state = one(14, 3) + np.array([length, 1, 1], dtype=">f8").tobytes()
        return b"X\n" + one(3, 0x040000, 0x030500, 5) + b"UTF-8" + one(238) + about + state + one(0xFE)

    (tmp_path / "a.rds").write_bytes(sequence(5))
    assert load_r(tmp_path / "a.rds")["object"].numbers().tolist() == [1, 2, 3, 4, 5]
    (tmp_path / "a.rds").write_bytes(sequence(HUGE))
    start = time.process_time()
    with pytest.raises(DataError, match=rf"a\.rds: a sequence declares {HUGE} values"):
        load_r(tmp_path / "a.rds")
    assert time.process_time() - start < 1
