"""One step against the oracle, the schedule, and the switches."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scbench_methods.cicl import training as training_module
from scbench_methods.cicl.config import CiclConfig
from scbench_methods.cicl.lloyd import Partition
from scbench_methods.cicl.losses import Contrast, contrast
from scbench_methods.cicl.training import Training
from torch.nn.functional import layer_norm, linear, normalize

from scbench.method import Diverged, RunContext
from scbench.nn.plateau import Plateau

ORACLES = Path(__file__).parents[2] / "oracles" / "cicl"
PARTS = {"v": "values", "o": "output", "ffn1": "hidden", "ffn2": "back", "ln1": "norm_attention", "ln2": "norm_ffn"}
SMALL: dict[str, Any] = {
    "n_layers": 1,
    "n_heads": 1,
    "value_width": 8,
    "ffn_width": 8,
    "head_hidden": 16,
    "projection_width": 8,
    "epochs": 3,
    "min_epochs": 0,
}


def cells(n: int = 60, n_genes: int = 12, k: int = 3) -> torch.Tensor:
    gen = torch.Generator().manual_seed(0)
    centres = 3 * torch.randn(k, n_genes, generator=gen)
    return centres[torch.arange(n) % k] + torch.randn(n, n_genes, generator=gen)


def small(seed: int = 0, x: torch.Tensor | None = None, **given: Any) -> Training:
    torch.manual_seed(seed)
    x = cells() if x is None else x
    logged: list[dict[str, float]] = []
    run = RunContext(seed, on_log=lambda _, values: logged.append(values))
    training = Training(CiclConfig(**(SMALL | given)), x, torch.arange(len(x)), 3, run)
    training.logged = logged  # type: ignore[attr-defined]
    return training


def fitted(**given: Any) -> Any:
    training = small(**given)
    training.fit(lambda _: None)
    return training


def oracle_step() -> tuple[dict[str, torch.Tensor], Training]:
    with np.load(ORACLES / "train_step.npz") as file:
        o = {key: torch.from_numpy(np.asarray(file[key])) for key in file.files}
    config = CiclConfig(
        variant="paper_code",
        n_layers=2,
        n_heads=int(o["heads"]),
        value_width=int(o["v_dim"]),
        ffn_width=16,
        head_hidden=20,
        projection_width=10,
        dropout=0.0,
        temperature=float(o["tau"]),
        cluster_weight=float(o["lam"]),
    )
    training = Training(config, o["x"][:, 0], torch.arange(24), 4, RunContext(0))
    for name, parameter in named(training).items():
        parameter.data.copy_(o[f"w0::{name}"])
    training.fixed_views = (o["x_aug1"][:, 0], o["x_aug2"][:, 0])
    training.pseudo.partition = Partition(o["labels"], o["centers"], torch.zeros(()))
    return o, training


def named(training: Training) -> dict[str, torch.nn.Parameter]:
    """The parameters by their names in the oracle; it also has queries and keys, which are dead there."""
    head, encoder = training.head, training.encoder
    found = {f"head.fc{i + 1}.{kind}": getattr(head[2 * i], kind) for i in (0, 1) for kind in ("weight", "bias")}
    found |= {f"enc.final_ln.{kind}": getattr(encoder.norm, kind) for kind in ("weight", "bias")}
    for layer, block in enumerate(encoder.blocks):
        for theirs, ours in PARTS.items():
            for kind, parameter in getattr(block, ours).named_parameters():
                found[f"enc.layer{layer}.{theirs}.{kind}"] = parameter
    return found


def test_one_step_of_the_released_program_is_that_of_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    o, training = oracle_step()
    parameters, gradients = named(training), {}

    def keep(*_: object) -> None:
        gradients.update({name: parameter.grad.clone() for name, parameter in parameters.items()})

    change = training.optimiser.step
    monkeypatch.setattr(training.optimiser, "step", lambda: (keep(), change()))
    terms = training.step(torch.arange(24))
    for name, key in (("instance", "instance"), ("cluster", "cluster"), ("loss", "total")):
        torch.testing.assert_close(terms[name].double(), o[key], rtol=1e-5, atol=0, check_dtype=False)
    alive = {key.removeprefix("g::") for key in o if key.startswith("g::") and ".q." not in key and ".k." not in key}
    assert set(parameters) == alive
    for name, parameter in parameters.items():
        expected = o[f"g::{name}"]
        torch.testing.assert_close(gradients[name], expected, rtol=0, atol=1e-5)
        clear = expected.abs() > 1e-6
        torch.testing.assert_close(parameter.detach()[clear], o[f"w1::{name}"][clear], rtol=0, atol=2e-6)
    assert torch.equal(training.pseudo.partition.centroids, o["centers"])


def test_queries_and_keys_are_dead_in_the_oracle() -> None:
    o, _ = oracle_step()
    dead = [key for key in o if key.startswith("g::") and (".q." in key or ".k." in key)]
    assert len(dead) == 4
    assert all(bool((o[key] == 0).all()) for key in dead)


def test_pseudo_labels_of_a_frozen_step_are_those_of_the_oracle() -> None:
    o, training = oracle_step()
    training.encoder.eval()
    assert torch.equal(training.pseudo.of(training.encoder(o["x"][:, 0])), o["labels"])


def test_frozen_centroids_are_the_same_bits_before_and_after_training() -> None:
    training = small(variant="paper_code", epochs=4)
    seen: list[torch.Tensor] = []
    training.fit(lambda _: seen.append(training.pseudo.partition.centroids.clone()))
    assert len(seen) == 4
    assert all(torch.equal(centroids, seen[0]) for centroids in seen)


def test_the_loss_falls_and_centroids_follow() -> None:
    training = fitted(epochs=30, stop="none", lr=1e-3, head_lr=1e-3)
    losses = [row["loss"] for row in training.logged]
    assert len(losses) == training.epochs_run == 30
    assert losses[-1] < losses[0] - 0.2
    points = training.represent(training.x)
    for label in range(3):
        members = points[training.labels == label]
        torch.testing.assert_close(
            training.pseudo.partition.centroids[label], members.mean(dim=0), rtol=1e-3, atol=1e-3
        )


def test_total_is_instance_plus_weighted_cluster_loss_in_the_log() -> None:
    for row in fitted(cluster_weight=0.3).logged:
        assert row["loss"] == pytest.approx(row["instance"] + 0.3 * row["cluster"], rel=1e-5)


def test_settled_labels_end_the_training_and_stop_none_does_not() -> None:
    settled = fitted(epochs=40, patience=4)
    assert (settled.stop_reason, settled.epochs_run < 40) == ("labels settled", True)
    assert [row["changed"] for row in settled.logged[-4:]] == [0.0] * 4
    assert fitted(epochs=40, stop="none").epochs_run == 40


def test_the_stop_waits_for_the_least_epochs() -> None:
    assert fitted(epochs=40, patience=4, min_epochs=25).epochs_run >= 25


def test_change_is_the_share_of_cells_that_moved() -> None:
    training = small(epochs=5, stop="none", lr=0.01)
    seen: list[torch.Tensor] = []
    training.fit(lambda _: seen.append(training.labels.clone()))
    for before, after, row in zip(seen, seen[1:], training.logged[1:], strict=False):  # type: ignore[attr-defined]
        assert row["changed"] == pytest.approx(float((before != after).double().mean()))


def test_batches_hold_every_cell_once_and_none_is_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    training = small(batch_size=28, epochs=2, stop="none")
    seen: list[torch.Tensor] = []
    step = training.step
    monkeypatch.setattr(training, "step", lambda indices: (seen.append(indices), step(indices))[1])
    training.fit(lambda _: None)
    assert [len(indices) for indices in seen] == [28, 32] * 2  # 60 = 28 + 28 + 4, and 4 is below 2 K
    for epoch in (seen[:2], seen[2:]):
        assert sorted(torch.cat(epoch).tolist()) == list(range(60))
    assert not torch.equal(seen[0], seen[2])


def test_views_are_fresh_in_each_step_or_fixed() -> None:
    everyone = torch.arange(60)
    fresh, fixed = small(), small(resample_views=False)
    assert not torch.equal(fresh._views(everyone), fresh._views(everyone))
    both = fixed._views(everyone)
    assert torch.equal(both, fixed._views(everyone))
    assert not torch.equal(both[:60], both[60:])
    assert ((both[:60] != fixed.x).sum(dim=1) == int(0.8 * 12)).all()


def test_unit_interval_noise_only_adds() -> None:
    training = small(noise="unit_interval")
    added = training._views(torch.arange(60)) - training.x.repeat(2, 1)
    assert float(added.min()) == pytest.approx(0, abs=1e-5)
    assert float(added.max()) == pytest.approx(1, abs=1e-5)


def plain_step(training: Training, indices: torch.Tensor) -> dict[str, torch.Tensor]:
    """One step in float32 with torch's own layers and an explicit mask, from the same draws."""
    x, encoder, head, labels = training.x[indices], training.encoder, training.head, training.labels[indices]

    def drop(values: torch.Tensor) -> torch.Tensor:
        words = torch.empty((values.numel() + 3) // 4, dtype=torch.int64)
        words.random_(-(2**63), None, generator=training.run.generator)
        lots = words.view(torch.int16)[: values.numel()].view(values.shape)
        return values * (lots >= round(0.2 * 2**16) - 2**15) * (1 / (1 - 0.2))

    token = torch.cat([training._noisy(x), training._noisy(x)])
    for block in encoder.blocks:
        attended = linear(token, block.output.weight @ block.values.weight)
        u = block.norm_attention(token + drop(layer_norm(attended + token, token.shape[1:])))
        token = block.norm_ffn(u + drop(block.back(drop(block.hidden(u)).relu())))
    projected = normalize(head[2](head[0](encoder.norm(token)).relu()))
    losses = contrast(projected, labels, training._form)
    losses.total.backward()
    training.optimiser.step()
    training.optimiser.zero_grad()
    return {"loss": losses.total, "instance": losses.instance, "cluster": losses.cluster}


@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_a_float32_step_is_the_plain_one_to_the_last_bit(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scbench.nn.precision.bfloat16_pays", lambda device: False)
    ours, plain = (small(precision=precision, n_layers=2, epochs=4, stop="none", batch_size=30) for _ in range(2))
    monkeypatch.setattr(plain, "step", lambda indices: plain_step(plain, indices))
    for training in (ours, plain):
        training.fit(lambda _: None)
    assert ours.logged == plain.logged  # type: ignore[attr-defined]
    assert torch.equal(ours.labels, plain.labels)
    for name, parameter in named(ours).items():
        assert torch.equal(parameter, named(plain)[name])


def test_only_products_of_the_step_are_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.dtype] = []
    training = small(precision="bfloat16")
    represented = training.represent(training.x)
    training.encoder.blocks[0].hidden.register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    training.encoder.norm.register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    training._start_labels()
    terms = training.step(torch.arange(60))
    assert seen == [torch.float32] * 2 + [torch.bfloat16, torch.float32]
    assert all(value.dtype == torch.float32 for value in terms.values())
    assert all(parameter.dtype == torch.float32 for parameter in training.encoder.parameters())
    exact = small(precision="float32")
    assert torch.equal(exact.represent(exact.x), represented)
    exact._start_labels()
    exact_terms = exact.step(torch.arange(60))
    assert not torch.equal(terms["loss"], exact_terms["loss"])
    torch.testing.assert_close(terms["loss"], exact_terms["loss"], rtol=2e-2, atol=0)


def test_the_processor_decides_what_auto_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for pays, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr("scbench.nn.precision.bfloat16_pays", lambda device, pays=pays: pays)
        assert small().product_type == expected


@pytest.mark.parametrize("warmup_epochs", [0, 5])
def test_the_fast_budget_ends_where_the_rule_says_and_changes_nothing_before(warmup_epochs: int) -> None:
    options: dict[str, Any] = {"epochs": 90, "stop": "none", "lr": 3e-3, "head_lr": 3e-3, "n_init": 2}
    paper, fast = (fitted(budget=budget, warmup_epochs=warmup_epochs, **options) for budget in ("paper", "fast"))
    rule = Plateau()
    end = next(n for n, row in enumerate(paper.logged[warmup_epochs:], 1) if rule.update(row["loss"])) + warmup_epochs
    assert 20 + warmup_epochs <= end < 90
    assert (fast.epochs_run, fast.stop_reason) == (end, "plateau")
    assert fast.logged == paper.logged[:end]
    until = fitted(**(options | {"epochs": end}), warmup_epochs=warmup_epochs)
    assert (paper.stop_reason, until.stop_reason) == ("epochs", "epochs")
    assert torch.equal(fast.represent(fast.x), until.represent(until.x))


def test_the_fast_budget_leaves_the_stop_by_labels_on() -> None:
    settled = fitted(epochs=40, budget="fast")
    assert settled.stop_reason == "labels settled"
    assert settled.epochs_run == fitted(epochs=40, tol=0.01, patience=10).epochs_run


def test_warmup_leaves_the_cluster_loss_out_and_then_makes_the_first_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    weights: list[float] = []

    def spy(projected: torch.Tensor, labels: torch.Tensor, form: Any, **given: Any) -> Contrast:
        weights.append(form.cluster_weight)
        return contrast(projected, labels, form, **given)

    monkeypatch.setattr(training_module, "contrast", spy)
    training = small(warmup_epochs=2, epochs=4, stop="none")
    labels: list[torch.Tensor] = []
    training.fit(lambda _: labels.append(training.labels.clone()))
    assert weights == [0.0, 0.0, 0.1, 0.1]
    assert [len(found.unique()) for found in labels] == [1, 3, 3, 3]


def test_first_labels_may_come_from_the_input() -> None:
    training = small(init_labels="input", epochs=0)
    training.fit(lambda _: None)
    groups = torch.stack([training.x[training.labels == label].mean(dim=0) for label in range(3)])
    assert torch.equal(torch.cdist(training.x, groups).argmin(dim=1), training.labels)


@pytest.mark.parametrize("centroids", ["full", "batch", "frozen"])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_every_source_of_labels_and_similarity_trains(centroids: str, similarity: str) -> None:
    training = fitted(centroids=centroids, similarity=similarity, stop="none", batch_size=20)
    assert training.epochs_run == 3
    assert all(math.isfinite(value) for row in training.logged for value in row.values())


def test_centroids_move_every_so_many_epochs() -> None:
    training = fitted(centroid_every=2, epochs=5, stop="none")
    assert ["changed" in row for row in training.logged] == [False, True, False, True, False]


def test_cells_that_are_not_taught_are_labelled_but_never_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    x, taught = cells(), torch.arange(5, 60)
    training = Training(CiclConfig(**SMALL), x, taught, 3, RunContext(0))
    seen: list[torch.Tensor] = []
    views = training._views
    monkeypatch.setattr(training, "_views", lambda chosen: (seen.append(chosen), views(chosen))[1])
    training.fit(lambda _: None)
    assert sorted(torch.cat(seen).unique().tolist()) == taught.tolist()
    assert training.labels.shape == (60,)


def test_a_loss_that_is_not_finite_is_told() -> None:
    with pytest.raises(Diverged, match="loss is not finite at epoch"):
        fitted(lr=1e30, epochs=20, stop="none")


def test_the_seed_decides_everything() -> None:
    first, again, other = (fitted(seed=seed, epochs=4) for seed in (1, 1, 2))
    assert first.logged == again.logged
    assert torch.equal(first.represent(first.x), again.represent(again.x))
    assert not torch.equal(first.represent(first.x), other.represent(other.x))


def test_optimiser_settings_are_those_of_the_configuration() -> None:
    encoder, head = small().optimiser.groups
    assert (encoder.lr, encoder.weight_decay) == (1e-4, 1e-3)
    assert (head.lr, head.weight_decay) == (1e-5, 0)
    n_parameters = [sum(parameter.numel() for parameter in group.parameters) for group in (encoder, head)]
    training = small()
    assert n_parameters == [sum(p.numel() for p in net.parameters()) for net in (training.encoder, training.head)]
