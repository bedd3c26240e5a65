"""Pseudo-labels: names are kept, restarts win only when they are better, frozen centroids stay."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from scbench_methods.cicl.lloyd import Partition, cold_start
from scbench_methods.cicl.pseudo_labels import PseudoLabels, keep_names

ORACLES = Path(__file__).parents[2] / "oracles" / "cicl"


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def groups(n_each: int = 20, k: int = 4) -> torch.Tensor:
    truth = torch.arange(k).repeat(n_each)
    return 20 * torch.eye(k)[truth] + torch.randn(n_each * k, k, generator=generator())


@pytest.mark.parametrize("alpha", [1, 2])
def test_labels_are_those_of_the_oracles_memberships_for_every_alpha(alpha: int) -> None:
    with np.load(ORACLES / f"student_t_alpha{alpha}.npz") as o:
        points, centroids, labels = (torch.from_numpy(o[name]) for name in ("H", "centers", "labels"))
    pseudo = PseudoLabels(4, 1, 0, generator())
    pseudo.partition = Partition(labels, centroids, torch.zeros(()))
    assert torch.equal(pseudo.of(points), labels)


def test_renaming_keeps_the_most_cells_and_moves_the_centroids_along() -> None:
    rng = np.random.default_rng(0)
    new, old = (torch.from_numpy(rng.integers(4, size=60)) for _ in range(2))
    centroids = torch.arange(4.0)[:, None]
    found = keep_names(Partition(new, centroids, torch.zeros(())), old)
    best = max(float((torch.tensor(names)[new] == old).double().mean()) for names in permutations(range(4)))
    assert float((found.labels == old).double().mean()) == pytest.approx(best)
    for cell in range(60):
        assert float(found.centroids[found.labels[cell]]) == float(centroids[new[cell]])


def test_the_same_partition_under_other_names_is_no_change() -> None:
    old = torch.tensor([0, 0, 1, 2, 2, 2])
    renamed = Partition(torch.tensor([2, 1, 0])[old], torch.zeros(3, 1), torch.zeros(()))
    assert torch.equal(keep_names(renamed, old).labels, old)


def test_following_keeps_the_names_of_clusters() -> None:
    points = groups()
    pseudo = PseudoLabels(4, 10, 0, generator())
    first = pseudo.start(points, points).labels
    moved = 1.5 * points + 3
    assert torch.equal(pseudo.follow(moved).labels, first)


def test_a_cold_restart_leaves_a_poor_partition_only_when_it_is_due() -> None:
    points = groups()
    best = float(cold_start(points, 4, 10, generator()).inertia)
    pseudo = PseudoLabels(4, 10, 3, generator())
    poor = torch.stack([points[0::4].mean(0), points[0], points[4], points[1::4].mean(0) + points[2::4].mean(0)])
    pseudo.partition = Partition(torch.zeros(80, dtype=torch.int64), poor, torch.zeros(()))
    inertias = [float(pseudo.follow(points).inertia) for _ in range(3)]
    assert inertias[0] == inertias[1] > 2 * best
    assert inertias[2] == pytest.approx(best)
    assert pseudo.n_cold_wins == 1


def test_a_restart_that_is_not_better_changes_nothing() -> None:
    points = groups()
    pseudo = PseudoLabels(4, 10, 1, generator())
    first = pseudo.start(points, points)
    assert torch.equal(pseudo.follow(points).labels, first.labels)


def test_labels_of_another_source_come_with_centroids_of_the_points() -> None:
    points = groups()
    source = points[:, [1, 0, 2, 3]] * 100
    pseudo = PseudoLabels(4, 10, 0, generator())
    found = pseudo.start(points, source)
    for label in range(4):
        torch.testing.assert_close(found.centroids[label], points[found.labels == label].mean(dim=0))


def test_batches_go_on_from_the_batch_before() -> None:
    points = groups()
    pseudo = PseudoLabels(4, 10, 0, generator())
    first = pseudo.start(points, points).labels
    for batch in torch.randperm(80, generator=generator(1)).split(40):
        assert torch.equal(pseudo.follow_batch(points[batch]), first[batch])
        for label in range(4):
            members = points[batch][first[batch] == label]
            torch.testing.assert_close(pseudo.partition.centroids[label], members.mean(dim=0))
