from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from scbench.data.config import FileDataset, RegisteredDataset, SimulatedDataset, SourceFile
from scbench.data.load import Dataset, open_dataset
from scbench.data.registry import load_dataset
from scbench.errors import DataError


def write(path: Path, x: np.ndarray, labels: list[str]) -> Path:
    with h5py.File(path, "w") as file:
        file["X"] = x
        file["Y"] = np.array(labels, dtype="S")
        file["gene"] = np.array([f"g{i}" for i in range(x.shape[1])], dtype="S")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "my cells.h5", np.array([[1, 0, 2], [0, 3, 0]], dtype=np.int32), ["b", "a"])


def test_a_file_is_parsed_once_and_served_from_the_cache(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_dataset(FileDataset(name="file", path=str(path)))
    monkeypatch.setattr("scbench.data.origin.read", None)  # a second parse would fail
    again = open_dataset(FileDataset(name="file", path=str(path)))
    assert again == first
    assert (again.name, again.n_cells, again.n_genes, again.n_types) == ("my_cells", 2, 3, 2)
    counts = again.counts()
    assert counts.matrix.dtype == np.float32
    np.testing.assert_array_equal(counts.matrix.toarray(), [[1, 0, 2], [0, 3, 0]])
    assert counts.genes is not None
    assert counts.genes.tolist() == ["g0", "g1", "g2"]
    labels = again.labels()
    assert labels is not None
    assert labels.tolist() == ["b", "a"]


def test_other_bytes_or_options_are_another_dataset(path: Path, tmp_path: Path) -> None:
    first = open_dataset(FileDataset(name="file", path=str(path)))
    no_labels = open_dataset(FileDataset(name="file", path=str(path), label="none"))
    assert no_labels.n_types is None
    assert no_labels.labels() is None
    assert no_labels.sha256 == first.sha256
    write(path, np.array([[1, 0, 2], [0, 4, 0]], dtype=np.int32), ["b", "a"])
    assert open_dataset(FileDataset(name="file", path=str(path))).sha256 != first.sha256


def test_a_damaged_cache_is_read_again(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = open_dataset(FileDataset(name="file", path=str(path)))
    (first.folder / "meta.json").write_text("{")
    assert open_dataset(FileDataset(name="file", path=str(path))) == first
    assert first.labels_path is not None
    first.labels_path.unlink()
    assert open_dataset(FileDataset(name="file", path=str(path))) == first
    data = first.folder / "arrays" / "counts.data.npy"
    data.write_bytes(data.read_bytes()[:-4])
    assert open_dataset(FileDataset(name="file", path=str(path))).counts().matrix.sum() == 6
    assert caplog.text.count("is damaged; reading the file again") == 3
    data.unlink()
    with pytest.raises(DataError, match="the cached counts in .* are damaged .*; delete that folder"):
        first.counts()


def test_nothing_that_names_a_cell_is_kept_with_the_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "x.h5", np.ones((2, 3), dtype=np.int32), ["b", "a"])
    with h5py.File(path, "a") as file:
        file["cell"] = np.array(["typeA_1", "typeB_1"], dtype="S")
    dataset = open_dataset(FileDataset(name="file", path=str(path)))
    assert {p.name.split(".")[0] for p in (dataset.folder / "arrays").iterdir()} == {"counts", "genes"}


def test_every_file_of_a_10x_export_is_part_of_its_checksum(tmp_path: Path) -> None:
    matrix = "%%MatrixMarket matrix coordinate integer general\n2 3 3\n1 1 4\n2 2 5\n1 3 6\n"
    (tmp_path / "matrix.mtx").write_text(matrix)
    (tmp_path / "genes.tsv").write_text("id1\tg1\nid2\tg2\n")
    (tmp_path / "barcodes.tsv").write_text("c1\nc2\nc3\n")
    (tmp_path / "labels.csv").write_text("cell,type\nc1,A\nc2,B\nc3,B\n")

    def opened(given: Path) -> tuple[str, list[str]]:
        dataset = open_dataset(FileDataset(name="file", path=str(given), label_path=str(tmp_path / "labels.csv")))
        labels = dataset.labels()
        assert labels is not None
        return dataset.sha256, labels.tolist()

    by_folder, by_file = opened(tmp_path), opened(tmp_path / "matrix.mtx")
    assert by_folder[1] == by_file[1] == ["A", "B", "B"]
    (tmp_path / "notes.txt").write_text("not part of the export")
    assert opened(tmp_path) == by_folder
    (tmp_path / "barcodes.tsv").write_text("c3\nc2\nc1\n")
    assert opened(tmp_path / "matrix.mtx")[1] == ["B", "B", "A"]
    assert opened(tmp_path)[0] != by_folder[0]


def test_another_label_file_is_another_dataset(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("g1,g2\n1,2\n3,4\n")
    (tmp_path / "labels.csv").write_text("type\nA\nB\n")
    config = FileDataset(name="file", path=str(tmp_path / "x.csv"), label_path=str(tmp_path / "labels.csv"))
    first = open_dataset(config)
    (tmp_path / "labels.csv").write_text("type\nB\nA\n")
    second = open_dataset(config)
    assert first.sha256 != second.sha256
    labels = second.labels()
    assert labels is not None
    assert labels.tolist() == ["B", "A"]


def test_a_change_of_the_reading_code_reads_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_dataset(FileDataset(name="file", path=str(path)))
    monkeypatch.setattr("scbench.data.parsed_copy.reading_code", lambda: "changed")
    assert open_dataset(FileDataset(name="file", path=str(path))).folder != first.folder


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for reader in ("table", "xy_h5"):
        with pytest.raises(DataError, match="/dev/null is no regular file"):
            open_dataset(FileDataset(name="file", path="/dev/null", reader=reader))


def test_a_file_without_permission_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scbench.data.origin.os.access", lambda *_: False)
    with pytest.raises(DataError, match="cannot be read; check its permissions"):
        open_dataset(FileDataset(name="file", path=str(path)))


def test_labels_lie_apart_from_what_a_method_reads(path: Path) -> None:
    dataset = open_dataset(FileDataset(name="file", path=str(path)))
    assert dataset.labels_path is not None
    assert dataset.folder not in dataset.labels_path.parents
    assert not any("label" in p.name for p in dataset.folder.rglob("*"))


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCBENCH_CACHE", str(tmp_path / "file" / "cache"))
    assert open_dataset(FileDataset(name="file", path=str(path))).counts().matrix.sum() == 6
    assert "cannot be used" in caplog.text


def test_a_simulation_is_known_by_its_parameters() -> None:
    def simulated(**settings: float) -> Dataset:
        return open_dataset(SimulatedDataset(name="simulated", n_cells=30, n_genes=20, n_types=2, **settings))

    assert simulated(seed=1).sha256 == simulated(seed=1).sha256
    assert simulated(seed=1).sha256 != simulated(seed=2).sha256
    assert simulated(seed=1).sha256 != simulated(seed=1, dropout=0.3).sha256


def test_the_embedded_dataset_has_its_known_size() -> None:
    dataset = open_dataset(load_dataset("pbmc68k_reduced"))
    assert (dataset.n_cells, dataset.n_genes, dataset.n_types) == (700, 765, 10)
    assert dataset.warnings == ()
    matrix = dataset.counts().matrix
    np.testing.assert_array_equal(matrix.data, np.rint(matrix.data))


def test_a_dataset_without_a_source_says_so() -> None:
    nowhere = RegisteredDataset(name="nowhere", note="lost in a fire", files=[SourceFile(reader="xy_h5")])
    with pytest.raises(DataError, match="nowhere"):
        open_dataset(nowhere, progress=False)


@pytest.mark.parametrize("name", ["mouse_pancreas_1", "worm_neuron", "goolam", "yan", "mix_celseq2_5cl", "paul15"])
def test_real_files_are_what_the_registry_says(name: str, real_data: Path) -> None:
    config = load_dataset(name)
    dataset = open_dataset(config, progress=False)
    assert [line for line in dataset.warnings if "are spike-ins" not in line] == []
    assert bool(dataset.warnings) == (name in ("goolam", "mix_celseq2_5cl"))  # whose spike-ins are said
    assert (dataset.n_cells, dataset.n_types) == (config.cells, config.types)
    assert dataset.is_counts == (name != "yan")
