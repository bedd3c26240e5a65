"""What leads to other files is refused; links within a file are followed, and loops of them end."""

from __future__ import annotations

import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.labelled import LabelledCounts
from scbench.data.readers import read, reader_for
from scbench.errors import DataError

X = np.array([[0, 2, 0], [1, 0, 0], [0, 0, 3], [4, 0, 5]], dtype=np.float32)


def _read(path: Path, label: str = "Y") -> LabelledCounts:
    return read(path, SourceFile(reader=reader_for(path)), label=label)


def _other(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["X"], file["Y"] = X, [0, 0, 1, 1]
    return path


@pytest.mark.parametrize("place", ["X", "Y", "deep/er/one"])
def test_an_external_link_is_refused_wherever_it_is(tmp_path: Path, place: str) -> None:
    _other(tmp_path / "other.h5")
    with h5py.File(_other(tmp_path / "a.h5"), "a") as file:
        if place in file:
            del file[place]
        file[place] = h5py.ExternalLink("other.h5", "/X")
    with pytest.raises(DataError, match=rf"a\.h5: '{place}' is a link to another file \(other\.h5\)"):
        _read(tmp_path / "a.h5")


def test_an_external_link_to_what_never_answers_is_not_opened(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    with h5py.File(_other(tmp_path / "a.h5"), "a") as file:
        file["elsewhere"] = h5py.ExternalLink(str(tmp_path / "pipe"), "/X")
    with pytest.raises(DataError, match="'elsewhere' is a link to another file"):
        _read(tmp_path / "a.h5")


def test_a_soft_link_through_an_external_one_is_refused(tmp_path: Path) -> None:
    _other(tmp_path / "other.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["door"] = h5py.ExternalLink("other.h5", "/")
        file["X"], file["Y"] = h5py.SoftLink("/door/X"), [0, 0, 1, 1]
    with pytest.raises(DataError, match=r"a\.h5: 'door' is a link to another file"):
        _read(tmp_path / "a.h5")


def test_links_within_the_file_are_followed(tmp_path: Path) -> None:
    with h5py.File(_other(tmp_path / "a.h5"), "a") as file:
        file.move("X", "values")
        file["X"] = h5py.SoftLink("/values")
        file["hard"] = file["Y"]
        file["loop"] = file["/"]
        file["group/loop"] = file["/"]
    np.testing.assert_array_equal(_read(tmp_path / "a.h5", "hard").matrix.toarray(), X)


@pytest.mark.parametrize("target", ["/X", "/loop", "/nowhere"])
def test_a_soft_link_that_leads_nowhere_is_one_line(tmp_path: Path, target: str) -> None:
    with h5py.File(_other(tmp_path / "a.h5"), "a") as file:
        del file["X"]
        file["X"], file["loop"] = h5py.SoftLink(target), h5py.SoftLink("/X")
    with pytest.raises(DataError, match=r"^a\.h5 [^\n]*$"):
        _read(tmp_path / "a.h5")


@pytest.mark.parametrize("place", ["X", "Y"])
def test_a_virtual_dataset_is_refused(tmp_path: Path, place: str) -> None:
    _other(tmp_path / "other.h5")
    with h5py.File(_other(tmp_path / "a.h5"), "a") as file:
        shape = file[place].shape
        del file[place]
        layout = h5py.VirtualLayout(shape, dtype="f4")
        layout[...] = h5py.VirtualSource(str(tmp_path / "other.h5"), place, shape=shape)
        file.create_virtual_dataset(place, layout)
    with pytest.raises(DataError, match=rf"a\.h5: /{place} is a virtual dataset, whose values are in other files"):
        _read(tmp_path / "a.h5")


@pytest.mark.parametrize("place", ["X", "Y"])
def test_external_storage_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "values.bin").write_bytes(X.tobytes())
    with h5py.File(_other(tmp_path / "a.h5"), "a") as file:
        shape = file[place].shape
        del file[place]
        file.create_dataset(place, shape, "f4", external=[(str(tmp_path / "values.bin"), 0, 4 * int(np.prod(shape)))])
    with pytest.raises(DataError, match=rf"a\.h5: /{place} is a dataset of external storage"):
        _read(tmp_path / "a.h5")


def test_a_linked_folder_of_a_zarr_store_is_refused(tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    anndata.AnnData(X).write_zarr(tmp_path / "a.zarr")
    (tmp_path / "a.zarr/X").rename(tmp_path / "X")
    (tmp_path / "a.zarr/X").symlink_to(tmp_path / "X")
    with pytest.raises(DataError, match=r"a\.zarr: X is a link to another folder"):
        _read(tmp_path / "a.zarr", "none")


def test_ten_thousand_members_are_looked_through_at_once(tmp_path: Path) -> None:
    with h5py.File(_other(tmp_path / "a.h5"), "a") as file:
        for i in range(10_000):
            file.create_group(f"uns/{i % 100}/{i}")
    start = time.process_time()
    assert _read(tmp_path / "a.h5").matrix.shape == (4, 3)
    assert time.process_time() - start < 2
