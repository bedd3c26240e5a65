"""The two contrastive losses: oracles, a slow loop, gradients, and what must not change them."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.cicl.losses import LossForm, contrast
from scbench_methods.cicl.workspace import Workspace

from scbench.nn.contrast import nt_xent

ORACLES = Path(__file__).parents[2] / "oracles" / "cicl"
CASES = ("mixed", "singleton", "onecluster")
DEFAULT: dict[str, Any] = {
    "tau": 0.5,
    "cluster_weight": 0.1,
    "instance_loss": "both_views",
    "cluster_positive": "logsumexp",
    "cluster_reduction": "mean",
}
CODE = {"instance_loss": "cross_view", "cluster_positive": "own_pair", "cluster_reduction": "sum_of_cluster_means"}
FORMS = [
    {"instance_loss": instance, "cluster_positive": positive, "cluster_reduction": reduction}
    for instance, positive, reduction in product(
        ("both_views", "cross_view"), ("logsumexp", "mean_log", "own_pair"), ("mean", "sum_of_cluster_means")
    )
]


def form_of(**given: Any) -> LossForm:
    return LossForm(**(DEFAULT | given))


def oracle(case: str) -> dict[str, Any]:
    with np.load(ORACLES / f"losses_{case}.npz") as file:
        return {name: torch.from_numpy(np.asarray(file[name])) for name in file.files}


def views(n_cells: int = 7, n_features: int = 5) -> torch.Tensor:
    gen = torch.Generator().manual_seed(0)
    z = torch.randn(2 * n_cells, n_features, generator=gen, dtype=torch.float64)
    return torch.nn.functional.normalize(z)


LABELS = torch.tensor([2, 0, 2, 1, 0, 2, 5])  # one cluster of one cell, some numbers absent


def by_loop(z: torch.Tensor, labels: torch.Tensor, form: LossForm) -> tuple[torch.Tensor, torch.Tensor]:
    """Both losses, written out term by term with autograd underneath."""
    n_cells, both = len(labels), labels.repeat(2)
    n = 2 * n_cells
    instance, cluster = [], {int(label): [] for label in labels}
    for i in range(n):
        s = [z[i] @ z[k] / form.tau for k in range(n)]
        own = (i + n_cells) % n
        everyone = [k for k in range(n) if k != i]
        same = [k for k in everyone if both[k] == both[i]]
        log_all = torch.stack([s[k] for k in everyone]).logsumexp(0)
        if form.instance_loss == "both_views":
            instance.append(log_all - s[own])
        elif i < n_cells:
            instance.append(torch.stack(s[n_cells:]).logsumexp(0) - s[own])
        if form.cluster_positive == "logsumexp":
            term = log_all - torch.stack([s[k] for k in same]).logsumexp(0)
        elif form.cluster_positive == "mean_log":
            term = log_all - torch.stack([s[k] for k in same]).mean()
        else:
            others = [k for k in everyone if both[k] != both[i]]
            term = torch.stack([s[k] for k in [own, *others]]).logsumexp(0) - s[own]
        cluster[int(both[i])].append(term)
    if form.cluster_reduction == "mean":
        total = torch.stack([term for terms in cluster.values() for term in terms]).mean()
    else:
        total = torch.stack([torch.stack(terms).mean() for terms in cluster.values()]).sum()
    return torch.stack(instance).mean(), total


@pytest.mark.parametrize("case", CASES)
def test_default_losses_are_those_of_the_oracle(case: str) -> None:
    o = oracle(case)
    form = form_of(tau=float(o["tau"]), cluster_weight=float(o["lam"]))
    found = contrast(torch.cat([o["z1"], o["z2"]]), o["labels"], form)
    torch.testing.assert_close(found.instance, o["spec_instance_ntxent"], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.cluster, o["spec_cluster_possum"], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.total, o["spec_total"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_own_pairs_averaged_over_cells_are_those_of_the_oracle(case: str) -> None:
    o = oracle(case)
    form = form_of(tau=float(o["tau"]), cluster_positive="own_pair")
    found = contrast(torch.cat([o["z1"], o["z2"]]), o["labels"], form)
    torch.testing.assert_close(found.cluster, o["spec_cluster_ownpair_mean"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_losses_and_gradients_of_the_released_program_are_those_of_the_oracle(case: str) -> None:
    o = oracle(case)
    gradients = {}
    for weight in (0.0, 1.0):
        z1, z2 = o["z1"].clone().requires_grad_(), o["z2"].clone().requires_grad_()
        form = form_of(tau=float(o["tau"]), cluster_weight=weight, **CODE)
        found = contrast(torch.cat([z1, z2]), o["labels"], form)
        gradients[weight] = torch.autograd.grad(found.total, (z1, z2))
    torch.testing.assert_close(found.instance, o["official_instance"], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.cluster, o["official_cluster"], rtol=1e-6, atol=1e-12)
    for view, name in enumerate(("z1", "z2")):
        alone = gradients[0.0][view]
        torch.testing.assert_close(alone, o[f"official_instance_grad_{name}"], rtol=1e-9, atol=1e-12)
        cluster = gradients[1.0][view] - alone
        torch.testing.assert_close(cluster, o[f"official_cluster_grad_{name}"], rtol=1e-9, atol=1e-12)


def test_total_of_the_released_program_is_that_of_the_oracle() -> None:
    o = oracle("mixed")
    form = form_of(tau=float(o["tau"]), cluster_weight=float(o["lam"]), **CODE)
    found = contrast(torch.cat([o["z1"], o["z2"]]), o["labels"], form)
    torch.testing.assert_close(found.total, o["official_total"], rtol=1e-6, atol=0)


@pytest.mark.parametrize("switches", FORMS, ids=lambda form: "-".join(form.values()))
def test_losses_and_gradients_are_those_of_a_loop(switches: dict[str, str]) -> None:
    form = form_of(tau=0.3, cluster_weight=0.7, **switches)
    z = views().requires_grad_()
    slow_instance, slow_cluster = by_loop(z, LABELS, form)
    (slow,) = torch.autograd.grad(slow_instance + 0.7 * slow_cluster, z)
    found = contrast(z, LABELS, form)
    (gradient,) = torch.autograd.grad(found.total, z)
    torch.testing.assert_close(found.instance, slow_instance, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.cluster, slow_cluster, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.total, slow_instance + 0.7 * slow_cluster, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradient, slow, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("switches", FORMS, ids=lambda form: "-".join(form.values()))
def test_gradients_are_those_of_finite_differences(switches: dict[str, str]) -> None:
    form = form_of(tau=0.5, cluster_weight=1.5, **switches)
    assert torch.autograd.gradcheck(lambda z: contrast(z, LABELS, form).total, (views().requires_grad_(),))


@pytest.mark.parametrize("n_rows", [0, 1, 3, 5])
@pytest.mark.parametrize("switches", FORMS[::3], ids=lambda form: "-".join(form.values()))
def test_chunks_of_rows_change_nothing(switches: dict[str, str], n_rows: int) -> None:
    results = []
    for entries in (14 * n_rows + 3, 1000):
        z = views().requires_grad_()
        found = contrast(z, LABELS, form_of(**switches), entries_at_once=entries)
        found.total.backward()
        results.append((*(term.detach() for term in found), z.grad))
    torch.testing.assert_close(results[0], results[1], rtol=1e-10, atol=1e-14)


def test_memory_of_earlier_calls_changes_no_bit() -> None:
    workspace = Workspace()
    for n_cells in (7, 5, 7):
        found: list[torch.Tensor] = []
        for memory in (None, workspace):
            z = views(n_cells).requires_grad_()
            losses = contrast(z, LABELS[:n_cells], form_of(), workspace=memory)
            found += [*losses, *torch.autograd.grad(losses.total, z)]
        for fresh, used in zip(found[:4], found[4:], strict=True):
            assert torch.equal(fresh, used)


def test_instance_loss_of_both_views_is_nt_xent() -> None:
    z = views()
    found = contrast(z, LABELS, form_of(tau=0.4)).instance
    torch.testing.assert_close(found, nt_xent(z[:7], z[7:], 0.4), rtol=1e-12, atol=0)


@pytest.mark.parametrize("switches", FORMS, ids=lambda form: "-".join(form.values()))
def test_names_of_clusters_order_of_cells_and_of_views_do_not_matter(switches: dict[str, str]) -> None:
    form, z = form_of(**switches), views()
    order = torch.tensor([3, 1, 0, 5, 6, 2, 4])
    expected = contrast(z, LABELS, form)
    renamed = contrast(z, 9 - LABELS, form)
    reordered = contrast(torch.cat([z[:7][order], z[7:][order]]), LABELS[order], form)
    torch.testing.assert_close(tuple(renamed), tuple(expected))
    torch.testing.assert_close(tuple(reordered), tuple(expected))
    if form.instance_loss == "both_views":
        torch.testing.assert_close(tuple(contrast(z.roll(7, dims=0), LABELS, form)), tuple(expected))


@pytest.mark.parametrize("positive", ["logsumexp", "own_pair"])
@pytest.mark.parametrize("reduction", ["mean", "sum_of_cluster_means"])
def test_one_pseudo_cluster_in_the_batch_gives_zero_and_no_gradient(positive: str, reduction: str) -> None:
    labels = torch.full((7,), 3)
    gradients = []
    for weight in (0.0, 1.0):
        z = views().requires_grad_()
        form = form_of(cluster_weight=weight, cluster_positive=positive, cluster_reduction=reduction)
        found = contrast(z, labels, form)
        gradients.append(torch.autograd.grad(found.total, z)[0])
    assert float(found.cluster) == 0
    torch.testing.assert_close(gradients[0], gradients[1], rtol=0, atol=1e-16)


@pytest.mark.parametrize("switches", FORMS, ids=lambda form: "-".join(form.values()))
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_far_apart_products_stay_finite(switches: dict[str, str], scale: float) -> None:
    z = (views().float() * scale).requires_grad_()
    found = contrast(z, LABELS, form_of(tau=0.05, **switches))
    found.total.backward()
    assert z.grad is not None
    assert torch.isfinite(torch.stack([*found])).all()
    assert torch.isfinite(z.grad).all()


def test_without_weight_the_cluster_loss_has_no_gradient_but_a_value() -> None:
    z = views().requires_grad_()
    found = contrast(z, LABELS, form_of(cluster_weight=0.0))
    torch.testing.assert_close(found.total, found.instance)
    (gradient,) = torch.autograd.grad(found.total, z)
    (expected,) = torch.autograd.grad(nt_xent(z[:7], z[7:], 0.5, normalize=False), z)
    torch.testing.assert_close(gradient, expected)
    assert float(found.cluster) > 0


def test_half_precision_is_summed_in_float32() -> None:
    z = views()
    half = z.to(torch.bfloat16).requires_grad_()
    found = contrast(half, LABELS, form_of())
    found.total.backward()
    assert found.total.dtype == torch.float32
    assert half.grad is not None
    assert half.grad.dtype == torch.bfloat16
    assert float(found.total.detach()) == pytest.approx(float(contrast(z, LABELS, form_of()).total), rel=0.02)


def test_under_autocast_products_are_in_half_precision_and_sums_in_float32() -> None:
    z = views().float()
    expected = contrast(z, LABELS, form_of())
    with torch.autocast("cpu", torch.bfloat16):
        z.requires_grad_()
        found = contrast(z, LABELS, form_of())
    found.total.backward()
    assert found.total.dtype == torch.float32
    assert z.grad is not None
    assert z.grad.dtype == torch.float32
    assert float(found.total.detach()) != float(expected.total)
    assert float(found.total.detach()) == pytest.approx(float(expected.total), rel=0.02)


def test_rows_must_be_two_for_each_label() -> None:
    with pytest.raises(ValueError, match="7 labels need 14 rows, two views each; got 13"):
        contrast(views()[1:], LABELS, form_of())
