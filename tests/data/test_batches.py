"""Counts, types and batches stay those of the same cells, whichever of them lack one."""

from __future__ import annotations

import logging
from pathlib import Path

import h5py
import numpy as np
import pytest

from scbench.data.batches import read_batches
from scbench.data.config import Corruption, FileDataset

MATRIX = np.random.default_rng(0).poisson(2, (60, 20)).astype(np.float32)


def dataset(folder: Path, without_type: list[int], without_plate: list[int], **given: object) -> FileDataset:
    """Cells whose plate says which row of the file they are; two cells share a type."""
    types = np.array([f"t{i // 2}" for i in range(60)], dtype=object)
    plates = np.array([f"p{i}" for i in range(60)], dtype=object)
    types[without_type], plates[without_plate] = "", ""
    with h5py.File(folder / "x.h5", "w") as file:
        file["X"] = MATRIX
        file["Y"] = types.astype("S")
        file["plate"] = plates.astype("S")
    return FileDataset(name="file", path=str(folder / "x.h5"), unlabelled="drop", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("without_type", "without_plate"), [([], []), ([0], [59]), ([0, 1], [59]), ([5], [5]), ([3], []), ([], [3])]
)
def test_what_is_dropped_is_dropped_everywhere(
    without_type: list[int], without_plate: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        counts, types, batches = read_batches(dataset(tmp_path, without_type, without_plate), "plate")
    rows = [i for i in range(60) if i not in {*without_type, *without_plate}]
    assert types.tolist() == [f"t{i // 2}" for i in rows]
    assert batches.tolist() == [f"p{i}" for i in rows]
    np.testing.assert_array_equal(counts.matrix.toarray(), MATRIX[rows])
    assert (f"{60 - len(rows)} cells without a label were left out" in caplog.text) == (len(rows) < 60)


def test_what_the_description_expects_and_damage_are_those_of_the_dataset(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = dataset(tmp_path, [], [], types=3, corrupt=Corruption(dropout=0.5))
    counts, _, _ = read_batches(damaged, "plate")
    assert "expected 3 types, found 30" in caplog.text
    assert counts.matrix.nnz == (MATRIX > 0).sum() - round(0.5 * (MATRIX > 0).sum())
