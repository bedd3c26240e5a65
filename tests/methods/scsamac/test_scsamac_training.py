from __future__ import annotations

from typing import Any

import pytest
import torch
from scbench_methods.scsamac import clustering as clustering_module
from scbench_methods.scsamac import pretraining as pretraining_module
from scbench_methods.scsamac import views as views_module
from scbench_methods.scsamac.cells import Cells
from scbench_methods.scsamac.clustering import ClusterTraining
from scbench_methods.scsamac.config import ScSamacConfig
from scbench_methods.scsamac.evaluation import Evaluation
from scbench_methods.scsamac.inputs import make_inputs
from scbench_methods.scsamac.model import Network
from scbench_methods.scsamac.pretraining import pretrain, pretrain_losses
from scbench_methods.scsamac.views import encode
from scipy.sparse import csr_matrix
from torch.nn.functional import linear

from scbench.method import Counts, RunContext
from scbench.nn import precision as precision_module
from scbench.nn.assignment import soft_assignment
from scbench.run.seeding import seed_process
from scbench.testing import toy_counts

COUNTS = toy_counts(90, 150)


def setting(counts: Counts = COUNTS, **settings: Any) -> tuple[Network, Cells]:
    seed_process(0, uses_torch=True)
    config = ScSamacConfig(**{"n_top_genes": "all", **settings})
    cells = Cells(make_inputs(counts, config, None), config, RunContext(0))
    network = Network(cells.n_genes, config.likelihood, config.n_heads, config.dropout, cells.generator)
    return network.to(cells.dtype), cells


def clustering(counts: Counts = COUNTS, k: int = 4, **settings: Any) -> ClusterTraining:
    network, cells = setting(counts, **settings)
    centroids = torch.randn(k, 32, generator=torch.Generator().manual_seed(3)).numpy()
    training = ClusterTraining(network, Evaluation(network, cells), cells, centroids, RunContext(0))
    training._evaluate(0)
    return training


def test_the_masked_view_is_the_batch_with_zeros_in_masked_genes(monkeypatch: pytest.MonkeyPatch) -> None:
    network, cells = setting(precision="float64")
    x = cells.scaled(cells.batch(torch.arange(20)))
    genes = cells.visible_genes(x)
    monkeypatch.setattr(cells, "visible_genes", lambda _: genes)
    zeroed = torch.zeros_like(x)
    zeroed[:, genes] = x[:, genes]
    found = views_module._first_layer(network, cells, x, "masked")
    expected = linear(zeroed, network.wide.weight, network.wide.bias)
    torch.testing.assert_close(found, expected)
    a, b = (torch.autograd.grad(part.square().sum(), network.wide.weight)[0] for part in (found, expected))
    torch.testing.assert_close(a, b)


def test_stacked_views_are_the_views_one_by_one() -> None:
    network, cells = setting()
    network.eval()
    x = cells.scaled(cells.batch(torch.arange(30)))
    stacked = encode(network, cells, x, ("clean", "clean"))
    (alone,) = encode(network, cells, x, ("clean",))
    torch.testing.assert_close(stacked[0], alone)
    torch.testing.assert_close(stacked[1], alone)
    noisy, clean, masked = encode(network, cells, x, ("noisy", "clean", "masked"))
    assert not torch.allclose(noisy, clean)
    assert not torch.allclose(masked, clean)
    torch.testing.assert_close(clean, alone)


@pytest.mark.parametrize(("variant", "has_gradient"), [("default", True), ("paper_code", False)])
@pytest.mark.parametrize("term", ["wasserstein", "cluster_level"])
def test_only_the_default_learns_from_wasserstein_and_clusters(variant: str, has_gradient: bool, term: str) -> None:
    training = clustering(variant=variant)
    terms = training.losses(torch.arange(40))
    assert terms[term].requires_grad == has_gradient
    if has_gradient:
        terms[term].backward()
        weight = training.network.wide.weight.grad
        assert weight is not None
        assert weight.abs().max() > 0
        if term == "wasserstein":
            assert training.centroids.grad is not None
            assert training.centroids.grad.abs().max() > 0
        else:
            assert training.head is not None
            assert training.head.weight.grad is not None
            assert training.head.weight.grad.abs().max() > 0


def test_the_gradient_of_the_program_is_that_of_counts_and_soft_k_means() -> None:
    """Leaving the other two terms out changes nothing but the random draws, so the draws are made the same."""
    weights = {}
    for name, more in (("all", {}), ("two", {"wasserstein_weight": 0.0, "cluster_level_weight": 0.0})):
        training = clustering(variant="paper_code", noise_std=0.0, **more)
        training.network.eval()
        training._step(torch.arange(40))
        weights[name] = [p.detach().clone() for p in (*training.network.parameters(), training.centroids)]
    for a, b in zip(weights["all"], weights["two"], strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("settings", "terms"),
    [
        ({}, {"nb", "wasserstein", "soft_kmeans", "cluster_level"}),
        ({"likelihood": "zinb"}, {"zinb", "wasserstein", "soft_kmeans", "cluster_level"}),
        ({"cluster_level_weight": 0.0}, {"nb", "wasserstein", "soft_kmeans"}),
        ({"wasserstein_weight": 0.0, "soft_kmeans_weight": 0.0}, {"nb", "cluster_level"}),
    ],
)
def test_a_term_without_weight_is_left_out_of_clustering(settings: dict[str, Any], terms: set[str]) -> None:
    assert set(clustering(**settings).losses(torch.arange(40))) == terms


def test_without_contrast_only_the_noisy_view_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    network, cells = setting(contrast_weight=0.0)
    monkeypatch.setattr(cells, "visible_genes", lambda _: pytest.fail("a mask was drawn"))
    assert set(pretrain_losses(network, cells, torch.arange(30))) == {"nb"}


def test_contrast_can_compare_directions() -> None:
    values = []
    for normalize in (False, True):
        network, cells = setting(contrast_normalize=normalize)
        values.append(pretrain_losses(network.eval(), cells, torch.arange(30))["contrast"].item())
    assert values[0] != values[1]


@pytest.mark.parametrize("likelihood", ["nb", "zinb"])
def test_float32_loses_little_against_float64(likelihood: str) -> None:
    totals = []
    for precision in ("float32", "float64"):
        network, cells = setting(
            precision=precision, likelihood=likelihood, noise_std=0.0, contrast_weight=0.0, dropout=0.0
        )
        totals.append(pretrain_losses(network, cells, torch.arange(60))[likelihood].item())
    assert totals[0] == pytest.approx(totals[1], rel=1e-4)


def test_bfloat16_is_near_float32() -> None:
    totals = []
    for precision in ("float32", "bfloat16"):
        network, cells = setting(precision=precision)
        assert network.wide.weight.dtype == torch.float32
        terms = pretrain_losses(network, cells, torch.arange(60))
        terms["nb"].backward()
        totals.append(terms["nb"].item())
    assert totals[0] != totals[1]
    assert totals[0] == pytest.approx(totals[1], rel=2e-2)


@pytest.mark.parametrize(
    ("precision", "pays", "said"),
    [
        ("auto", True, "bfloat16 wide products, else float32"),
        ("auto", False, "float32"),
        ("float32", True, "float32"),
        ("float64", True, "float64"),
        ("bfloat16", False, "bfloat16 wide products, else float32"),
    ],
)
def test_auto_is_bfloat16_where_the_processor_gains_from_it(
    precision: str, pays: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision_module, "bfloat16_pays", lambda device: pays)
    network, cells = setting(precision=precision)
    assert cells.precision == said
    assert network.wide.weight.dtype == (torch.float64 if precision == "float64" else torch.float32)
    with cells.wide_products():
        product = torch.rand(2, 3) @ torch.rand(3, 2)
    assert (product.dtype == torch.bfloat16) == ("bfloat16" in said)


def test_labels_and_target_are_those_of_all_cells() -> None:
    training = clustering()
    soft = soft_assignment(training.latent, training.centroids)
    torch.testing.assert_close(training.soft, soft)
    weight = soft**2 / soft.sum(dim=0)
    torch.testing.assert_close(training._target, (weight / weight.sum(dim=1, keepdim=True)).detach())


def test_one_batch_takes_the_rows_of_the_target_that_are_its_own() -> None:
    emptied = COUNTS.matrix.toarray()
    emptied[0] = 0
    training = clustering(Counts(csr_matrix(emptied)), noise_std=0.0, dropout=0.0)
    latent = training._evaluation.latent()
    chosen = torch.tensor([5, 1, 89])
    soft = soft_assignment(latent[chosen], training.centroids)
    expected = (training._target[[4, 0, 88]].flatten().sort().values - soft.flatten().sort().values).abs().mean()
    torch.testing.assert_close(training._wasserstein(latent[chosen], chosen), expected)


def batches_of(training: ClusterTraining) -> list[torch.Tensor]:
    """Return the cells of each step of one epoch."""
    seen: list[torch.Tensor] = []
    losses = training.losses

    def spy(chosen: torch.Tensor) -> dict[str, torch.Tensor]:
        seen.append(chosen)
        return losses(chosen)

    training.losses = spy  # type: ignore[method-assign]
    training._train(0)
    return seen


@pytest.mark.parametrize(("variant", "shuffled"), [("default", True), ("paper_code", False)])
def test_clustering_sees_the_cells_in_order_only_in_the_program(variant: str, shuffled: bool) -> None:
    seen = batches_of(clustering(variant=variant, batch_size=32, least_batch=1))
    assert [len(piece) for piece in seen] == [32, 32, 26]
    everything = torch.cat(seen)
    assert sorted(everything.tolist()) == list(range(90))
    assert torch.equal(everything, torch.arange(90)) != shuffled


@pytest.mark.parametrize(("variant", "is_on"), [("default", True), ("paper_code", False)])
def test_the_dropout_of_clustering_follows_the_variant(variant: str, is_on: bool) -> None:
    training = clustering(variant=variant, epochs=1)
    training.fit(0)
    assert training.network.training == is_on


def test_clustering_ends_when_labels_settle() -> None:
    training = clustering(cluster_lr=1e-12, epochs=50)
    training.fit(7)
    assert (training.epochs, training.stop_reason, training.changed) == (1, "labels settled", 0.0)


def test_a_tolerance_of_zero_never_ends_clustering() -> None:
    training = clustering(cluster_lr=1e-12, epochs=3, tol=0.0)
    training.fit(0)
    assert (training.epochs, training.stop_reason) == (3, "epochs")


@pytest.mark.parametrize(
    ("variant", "batch_size", "sizes"),
    [("default", 40, [40, 50]), ("paper_code", 40, [40, 40, 10]), ("default", 15, [15] * 6)],
)
def test_a_small_last_batch_joins_the_one_before_it_by_default(variant: str, batch_size: int, sizes: list[int]) -> None:
    """But a full one never does, however small all of them are."""
    assert [len(batch) for batch in batches_of(clustering(variant=variant, batch_size=batch_size))] == sizes


class _Held:
    """Stands for an optimiser: keeps what it is given and each gradient, and changes nothing."""

    def __init__(self, parameters: Any, *settings: Any, **options: Any) -> None:
        self.parameters, self.settings, self.options = list(parameters), settings, options
        self.gradients: list[torch.Tensor] = []
        made.append(self)

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        self.gradients = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in self.parameters]


made: list[_Held] = []


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[_Held]:
    made.clear()
    monkeypatch.setattr(pretraining_module, "Adam", _Held)
    monkeypatch.setattr(clustering_module, "Adadelta", _Held)
    return made


def slopes(total: torch.Tensor, parameters: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return slopes and keep the graph, which the terms of one batch share."""
    found = torch.autograd.grad(total, parameters, allow_unused=True, retain_graph=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]


def test_pretraining_follows_the_likelihood_and_mu_times_the_contrast(held: list[_Held]) -> None:
    settings = {"precision": "float64", "contrast_weight": 0.3, "pretrain_epochs": 1, "batch_size": 90, "lr": 2e-3}
    network, cells = setting(**settings)
    state = cells.generator.get_state()
    pretrain(network, cells, RunContext(0))
    (optimiser,) = held
    assert [id(p) for p in optimiser.parameters] == [id(p) for p in network.parameters()]
    assert optimiser.settings == (2e-3,)
    assert optimiser.options == {"amsgrad": True}
    cells.generator.set_state(state)
    terms = pretrain_losses(network, cells, cells.taught[torch.randperm(90, generator=cells.order)])
    expected = slopes(terms["nb"] + 0.3 * terms["contrast"], optimiser.parameters)
    for found, slope in zip(optimiser.gradients, expected, strict=True):
        torch.testing.assert_close(found, slope)
    assert any(slope.abs().max() > 1e-6 for slope in slopes(terms["contrast"], optimiser.parameters))


def test_clustering_follows_all_four_terms_by_their_weights(held: list[_Held]) -> None:
    training = clustering(
        precision="float64",
        clustering_weight=0.7,
        wasserstein_weight=0.5,
        soft_kmeans_weight=0.03,
        cluster_level_weight=0.2,
        cluster_lr=0.4,
        rho=0.8,
    )
    (optimiser,) = held
    assert training.head is not None
    trained = [*training.network.parameters(), training.centroids, *training.head.parameters()]
    assert [id(p) for p in optimiser.parameters] == [id(p) for p in trained]
    assert optimiser.settings == (0.4,)
    assert optimiser.options == {"rho": 0.8, "eps": 1e-6}
    training.network.train()
    state = training.cells.generator.get_state()
    training._step(torch.arange(90))
    training.cells.generator.set_state(state)
    terms = training.losses(training.cells.taught)
    assert all(max(s.abs().max() for s in slopes(term, trained)) > 1e-7 for term in terms.values())
    weights = {"nb": 1.0, "wasserstein": 0.35, "soft_kmeans": 0.021, "cluster_level": 0.14}
    total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
    for found, slope in zip(optimiser.gradients, slopes(total, trained), strict=True):
        torch.testing.assert_close(found, slope)
