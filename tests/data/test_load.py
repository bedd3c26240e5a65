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
    monkeypatch.setattr("scbench.data.load.read", None)  # a second parse would fail
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
    assert "is damaged; reading the file again" in caplog.text
    (first.folder / "arrays" / "counts.data.npy").unlink()
    with pytest.raises(FileNotFoundError):
        first.counts()


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
    assert dataset.warnings == ()
    assert (dataset.n_cells, dataset.n_types) == (config.cells, config.types)
    assert dataset.is_counts == (name != "yan")
