"""The published files themselves, where they lie in SCBENCH_DATA_PATH."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scbench.data.config import SourceFile
from scbench.data.readers import read
from scbench.data.registry import load_dataset

FILES = (
    "cite_cbmc",
    "goolam",
    "mix_celseq2_5cl",
    "mix_dropseq",
    "mouse_pancreas_1",
    "paul15",
    "pbmc_4k_top2000",
    "worm_neuron",
    "yan",
    "young_top2000",
)


def _find(name: str) -> Path:
    folders = os.environ.get("SCBENCH_DATA_PATH", "")
    if not folders:
        pytest.skip("SCBENCH_DATA_PATH is not set")
    for folder in folders.split(os.pathsep):
        path = Path(folder) / f"{name}.h5"
        if path.is_file():
            return path
    pytest.skip(f"{name}.h5 is in no folder of SCBENCH_DATA_PATH")


@pytest.mark.parametrize("name", FILES)
def test_file_holds_what_its_description_says(name: str) -> None:
    path = _find(name)
    dataset = load_dataset(name)
    source = next(file for file in dataset.files if file.size_bytes == path.stat().st_size)
    counts = read(path, source, label=dataset.label)
    assert counts.labels is not None
    assert None not in counts.labels
    assert counts.matrix.shape == (dataset.cells, dataset.genes)
    assert len(set(counts.labels)) == dataset.types
    assert counts.matrix.data.min() >= 0
    is_whole = bool((counts.matrix.data == np.rint(counts.matrix.data)).all())
    assert is_whole == (dataset.values == "counts")


def test_names_are_those_of_the_original() -> None:
    counts = read(_find("goolam"), SourceFile(reader="xy_h5"), label=None)
    assert counts.labels is not None
    assert counts.genes is not None
    assert set(counts.labels) == {"2cell", "4cell", "8cell", "16cell", "blast"}
    assert counts.genes[0].startswith("ENSMUSG")
