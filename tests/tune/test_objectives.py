"""What trials are judged by, on runs made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import adjusted_rand_score

from scbench.data.subsample import kept_cells
from scbench.errors import ConfigError
from scbench.method import Counts
from scbench.metrics.fixed_space import FixedSpace
from scbench.metrics.registry import SCORES
from scbench.tune.objectives import OBJECTIVES, NoValue, TrialRun, find_objective

TRUTH = np.repeat([0, 1, 2], 20)


@pytest.fixture(scope="module")
def space() -> FixedSpace:
    rng = np.random.default_rng(0)
    means = rng.gamma(0.5, 2.0, size=(3, 80))[TRUTH]
    return FixedSpace(Counts(csr_matrix(rng.poisson(means).astype(np.float32))))


def run(folder: Path, labels: np.ndarray, seed: int = 0, history: str = "", **metrics: float | None) -> TrialRun:
    folder = folder / str(seed)
    folder.mkdir()
    np.save(folder / "labels.npy", labels)
    if history:
        (folder / "history.csv").write_text(history)
    record: dict[str, Any] = {"seed": seed, "n_clusters_found": len(np.unique(labels)), "metrics": metrics}
    return TrialRun(record, folder)


@pytest.mark.parametrize("name", ["modularity", "silhouette_pca"])
def test_the_fixed_space_prefers_the_types_to_chance(name: str, tmp_path: Path, space: FixedSpace) -> None:
    objective = find_objective(name)
    shuffled = np.random.default_rng(1).permutation(TRUTH)
    good, bad = run(tmp_path, TRUTH, 0), run(tmp_path, shuffled, 1)
    assert objective.value([good], space, []) > objective.value([bad], space, []) + 0.2
    mean = (objective.value([good], space, []) + objective.value([bad], space, [])) / 2
    assert objective.value([good, bad], space, []) == pytest.approx(mean)


def test_stability_is_the_agreement_of_the_seeds(tmp_path: Path, space: FixedSpace) -> None:
    same = [run(tmp_path, TRUTH, 0), run(tmp_path, (TRUTH + 1) % 3, 1)]
    assert find_objective("stability").value(same, space, []) == pytest.approx(1)


def test_the_loss_is_that_of_the_last_line_that_has_one(tmp_path: Path, space: FixedSpace) -> None:
    history = "epoch,a,b,change\n0,9,9,\n1,1.5,2,0.1\n2,,,0.05\n"
    objective = find_objective("loss")
    assert not objective.maximize
    assert objective.value([run(tmp_path, TRUTH, 0, history)], space, ["a", "b", "c"]) == 3.5
    assert objective.value([run(tmp_path, TRUTH, 1, history)], space, ["b"]) == 2
    with pytest.raises(NoValue, match=r"the run logged no loss \(z\)"):
        objective.value([run(tmp_path, TRUTH, 2, history)], space, ["z"])
    with pytest.raises(NoValue, match=r"the run logged no loss \(search.yaml names no column for it\)"):
        objective.value([run(tmp_path, TRUTH, 3)], space, [])
    with pytest.raises(NoValue, match=r"loss is not finite \(nan\)"):
        objective.value([run(tmp_path, TRUTH, 4, "epoch,a\n0,nan\n")], space, ["a"])


def test_fits_to_subsamples_are_compared_on_the_cells_that_they_share(tmp_path: Path, space: FixedSpace) -> None:
    runs = []
    for seed, labels in enumerate((TRUTH, TRUTH, (TRUTH + (np.arange(60) % 7 == 0)) % 3)):
        cells = kept_cells(60, 0.7, seed)
        found = run(tmp_path, (labels[cells] + seed) % 3, seed)
        data = {"preprocessing": {"subsample": {"share": 0.7, "seed": seed}}, "part_of": {"n_cells": 60}}
        runs.append(TrialRun({**found.record, "data": data}, found.folder))
    objective = find_objective("stability_subsamples")
    assert objective.value(runs[:2], space, []) == pytest.approx(1)
    (a, in_a), (b, in_b) = [
        (dict(zip(each.cells(), each.labels(), strict=True)), set(each.cells())) for each in runs[1:]
    ]
    shared = sorted(in_a & in_b)
    expected = adjusted_rand_score([a[cell] for cell in shared], [b[cell] for cell in shared])
    assert 0 < expected < 1
    assert objective.value(runs[1:], space, []) == pytest.approx(expected)


def test_scores_with_labels_are_means_over_seeds(tmp_path: Path, space: FixedSpace) -> None:
    runs = [run(tmp_path, TRUTH, 0, ari=0.2), run(tmp_path, TRUTH, 1, ari=0.4)]
    assert find_objective("ari").value(runs, space, []) == pytest.approx(0.3)
    with pytest.raises(NoValue, match="there is no nmi: the dataset has no labels"):
        find_objective("nmi").value([run(tmp_path, TRUTH, 2, nmi=None)], space, [])


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_a_collapse_has_no_value_by_any_objective(name: str, tmp_path: Path, space: FixedSpace) -> None:
    collapsed = run(tmp_path, np.zeros(60, dtype=np.int64), 7, "epoch,a\n0,-1000\n", acc=1.0, nmi=1.0, ari=1.0)
    good = run(tmp_path, TRUTH, 8, "epoch,a\n0,1\n", acc=1.0, nmi=1.0, ari=1.0)
    with pytest.raises(NoValue, match=r"collapsed: all cells are in one cluster \(seed 7\)"):
        find_objective(name).value([good, collapsed], space, ["a"])


def test_only_those_asked_for_by_name_use_labels() -> None:
    assert {name for name, objective in OBJECTIVES.items() if objective.uses_labels} == set(SCORES)
    with pytest.raises(ConfigError, match="unknown objective 'arri'. Did you mean 'ari'"):
        find_objective("arri")


def test_a_run_without_labels_has_no_value(tmp_path: Path, space: FixedSpace) -> None:
    one = run(tmp_path, TRUTH, seed=3)
    for damage in (b"junk", None):
        (one.folder / "labels.npy").unlink(missing_ok=True)
        if damage:
            (one.folder / "labels.npy").write_bytes(damage)
        with pytest.raises(NoValue, match="the labels of seed 3 cannot be read"):
            find_objective("modularity").value([one], space, ())
