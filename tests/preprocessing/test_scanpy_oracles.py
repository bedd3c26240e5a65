"""The stored results of scanpy are those of the scanpy that is installed."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "oracles" / "scanpy"

pytestmark = pytest.mark.slow  # scanpy and what it compiles take half a minute


@pytest.fixture(scope="module")
def make() -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / "make.py"))


def test_neighbours(make: dict[str, Any]) -> None:
    stored = np.load(FOLDER / "neighbours.npz")
    for n_neighbors in make["N_NEIGHBORS"]:
        found = make["connectivities"](stored["x"], n_neighbors)
        np.testing.assert_allclose(stored[f"connectivities_{n_neighbors}"], found, rtol=1e-5, atol=1e-7)


def test_variable_genes(make: dict[str, Any]) -> None:
    stored = np.load(FOLDER / "genes.npz")
    for flavor in make["FLAVORS"]:
        np.testing.assert_array_equal(stored[flavor], make["variable_genes"](stored["counts"], flavor))


def test_standard_matrix(make: dict[str, Any]) -> None:
    stored = np.load(FOLDER / "standard.npz")
    np.testing.assert_allclose(stored["z_scores"], make["standard_matrix"](stored["counts"]), rtol=1e-5, atol=1e-6)
