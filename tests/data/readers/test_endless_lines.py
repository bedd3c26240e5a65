"""A line without an end costs little memory and gets one line that names its file; long lines of real tables pass."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.readers import read
from scbench.data.readers.bounded_lines import LONGEST_LINE, bounded_lines
from scbench.errors import DataError

ENDLESS_BYTES = 2 * 10**9
MEMORY_BYTES = 200 * 10**6
REFUSED = "has a line of more than"

READ = """
import re, sys, time
from pathlib import Path
from scbench.data.config import SourceFile
from scbench.data.readers import read, {modules}
from scbench.errors import DataError

def peak():  # of this process alone: ru_maxrss begins with that of its parent
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

path, labels = Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None
before, start = peak(), time.monotonic()
try:
    read(path, SourceFile(reader=sys.argv[3]), label="kind" if labels else "none", label_path=labels)
    message = "nothing"
except DataError as error:
    message = str(error)
print(peak() - before, time.monotonic() - start, message)
""".format(
    modules="table, annotation, csv_genes_rows, tsv_genes_rows_gz; import scbench.data.readers.matrix_market.reader"
)


def _packed(path: Path, start: bytes, unit: bytes) -> Path:
    """Write a gzip file of a start and then one unit for two gigabytes, as pieces of one deflate stream."""
    n_units = 2**20 // len(unit)
    piece = unit * n_units
    first = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = first.compress(start) + first.flush(zlib.Z_FULL_FLUSH)
    again = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = again.compress(piece) + again.flush(zlib.Z_FULL_FLUSH)  # independent of what stands before it
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    with path.open("wb") as file:
        file.write(header + head)
        for _ in range(ENDLESS_BYTES // len(piece)):
            file.write(body)
    assert path.stat().st_size < 4 * 10**6
    return path


def _costs(path: Path, reader: str, labels: Path | None = None) -> tuple[int, float, str]:
    """Return bytes of memory, seconds and the message of reading files in a process of its own."""
    words = [sys.executable, "-c", READ, str(path), "" if labels is None else str(labels), reader]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    n_bytes, seconds, message = done.stdout.strip().split(" ", 2)
    return int(n_bytes), float(seconds), message


def _refused(path: Path, reader: str, named: str, labels: Path | None = None) -> None:
    n_bytes, seconds, message = _costs(path, reader, labels)
    assert named in message
    assert REFUSED in message
    assert "\n" not in message
    assert n_bytes < MEMORY_BYTES
    assert seconds < 10


@pytest.mark.parametrize(
    ("start", "unit"), [(b"", b"1,"), (b"", b"a"), (b"c,g1,g2\n", b"1,"), (b'c,g1\n"', b"a"), (b"#x\n", b"1\t")]
)
@pytest.mark.parametrize("reader", ["table", "csv_genes_rows"])
def test_a_table(tmp_path: Path, start: bytes, unit: bytes, reader: str) -> None:
    if reader == "csv_genes_rows" and start:
        pytest.skip("read by the same lines of code")
    _refused(_packed(tmp_path / "a.csv.gz", start, unit), reader, "a.csv.gz")


def test_a_table_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as file:
        for _ in range(300):
            file.write(b"1," * 2**19)
    _refused(tmp_path / "a.zip", "table", "a.zip")


def _table(path: Path) -> Path:
    path.write_text("cell,g1,g2\n" + "".join(f"c{i},{i},1\n" for i in range(4)))
    return path


@pytest.mark.parametrize("start", [b"", b"cell,kind\n"])
def test_labels(tmp_path: Path, start: bytes) -> None:
    labels = _packed(tmp_path / "labels.csv.gz", start, b"a,")
    _refused(_table(tmp_path / "a.csv"), "table", "labels.csv.gz", labels)


@pytest.mark.parametrize(
    ("name", "start"), [("barcodes.tsv.gz", b""), ("features.tsv.gz", b"g1\n"), ("matrix.mtx.gz", b"")]
)
def test_the_files_of_a_matrix_market_folder(tmp_path: Path, name: str, start: bytes) -> None:
    _mtx_folder(tmp_path)
    (tmp_path / name.removesuffix(".gz")).unlink()
    _packed(tmp_path / name, start, b"1 ")
    n_bytes, seconds, message = _costs(tmp_path, "mtx_10x")
    assert name in message
    assert n_bytes < MEMORY_BYTES
    assert seconds < 10


@pytest.mark.parametrize(
    "start", [b"%", b"%\n3 4 1\n", b"%\n3 4 1\n1 1 ", b"%\n3 4 4\n1 1 1\n2 2 2\n3 3 3\n"], ids=["%", "size", "1", "4"]
)
def test_a_line_within_a_matrix_market_file(tmp_path: Path, start: bytes) -> None:
    _mtx_folder(tmp_path)
    (tmp_path / "matrix.mtx").unlink()
    header = b"%%MatrixMarket matrix coordinate integer general\n"
    _refused(_packed(tmp_path / "matrix.mtx.gz", header + start, b"1"), "mtx_10x", "matrix.mtx.gz")


def test_comments_without_an_end(tmp_path: Path) -> None:
    _mtx_folder(tmp_path)
    (tmp_path / "matrix.mtx").unlink()
    _packed(tmp_path / "matrix.mtx.gz", b"%%MatrixMarket matrix coordinate integer general\n", b"%\n")
    n_bytes, _, message = _costs(tmp_path, "mtx_10x")
    assert "lines of comments" in message
    assert n_bytes < MEMORY_BYTES


def _mtx_folder(path: Path) -> None:
    (path / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n3 4 1\n1 1 1\n")
    (path / "barcodes.tsv").write_text("c1\nc2\nc3\nc4\n")
    (path / "features.tsv").write_text("g1\ng2\ng3\n")


def test_rows_of_200000_cells_are_read(tmp_path: Path) -> None:
    n_cells = 200_000
    with gzip.open(tmp_path / "a.csv.gz", "wt", compresslevel=1) as file:
        file.write("," + ",".join(f"sample-{i % 7}_AAACCTGAGAAACCAT-{i:06d}" for i in range(n_cells)) + "\n")
        for i in range(3):
            file.write(f"GENE{i}," + ",".join(["0.12345678901234567"] * n_cells) + "\n")
    counts = read(tmp_path / "a.csv.gz", SourceFile(reader="table", orientation="genes_by_cells"), label="none")
    assert counts.matrix.shape == (n_cells, 3)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_line_of_the_longest_length_passes_and_one_longer_does_not(end: bytes) -> None:
    def lines(extra: int) -> Iterator[bytes]:
        yield from (b"a" * (LONGEST_LINE + extra) + end for _ in range(2))

    stream = bounded_lines(io.BytesIO(b"".join(lines(-len(end)))), "a.csv")
    assert sum(1 for _ in io.TextIOWrapper(stream, newline="")) == 2
    with pytest.raises(DataError, match=r"^a\.csv has a line of more than 33554432 bytes"):
        bounded_lines(io.BytesIO(b"".join(lines(2**20))), "a.csv").read()


def test_comments_in_front_of_a_table_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("#x\n\n!y\n" * 3 + "\n#cell,g1\n\nc1,1\nc2,2\n")
    counts = read(tmp_path / "a.csv", SourceFile(reader="table"), label="none")
    assert counts.genes is not None
    assert counts.genes.tolist() == ["g1"]
    np.testing.assert_array_equal(counts.matrix.toarray(), [[1], [2]])
    with gzip.open(tmp_path / "b.csv.gz", "wb") as file:
        for _ in range(40):
            file.write((b"#" + b"x" * 10**6 + b"\n") * 10)
        file.write(b"#\ncell,g1\nc1,1\nc2,2\n")
    n_bytes, _, message = _costs(tmp_path / "b.csv.gz", "table")
    assert message == "nothing"
    assert n_bytes < MEMORY_BYTES // 2
