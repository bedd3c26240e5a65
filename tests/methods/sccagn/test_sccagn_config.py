from __future__ import annotations

from typing import Any

import pytest
from scbench_methods.sccagn.config import ScCagnConfig

from scbench.config.compose import run_with_config
from scbench.config.schema import RunConfig
from scbench.errors import ConfigError


def test_variants_are_those_of_the_specification() -> None:
    default, program = ScCagnConfig(), ScCagnConfig(variant="paper_code")
    for name, ours, theirs in (
        ("min_cell_share", 0.01, 0.0),
        ("input_transform", "minmax_l2", "ceil_minmax_l2"),
        ("norm", "sym", "row"),
        ("head_relu", False, True),
        ("adversarial_weight", 1e-4, 0.5),
        ("adv_loss", "mse", "bce"),
        ("prior_is_real", True, False),
        ("live_latent", True, False),
        ("discriminator_norm", "none", "batch"),
        ("batch_size", 16, 1),
        ("pretrain_least_steps", 2500, 0),
        ("restarts", 3, 20),
        ("trial_epochs", 0, 0),
        ("centroids_from", "fused", "autoencoder"),
    ):
        assert getattr(default, name) == ours, name
        assert getattr(program, name) == theirs, name
    for config in (default, program):
        weights = config.assignment_weight, config.graph_head_weight, config.reconstruction_weight
        assert (config.target_temperature, *weights, config.n_heads) == (0.5, 1e-4, 1e-3, 0.5, 4)
        assert config.pretrain_adversarial_weight == 0.0
        assert (config.pretrain_epochs, config.epochs, config.n_init) == (50, 30, 20)
        assert (config.n_neighbors, config.prune) == (10, True)


def test_a_setting_wins_over_its_variant() -> None:
    config = ScCagnConfig(variant="paper_code", restarts=2, head_relu=False)
    assert (config.restarts, config.head_relu, config.batch_size) == (2, False, 1)


def test_without_a_discriminator_both_weights_are_set_aside() -> None:
    config = ScCagnConfig(adversarial=False, adversarial_weight=0.5, pretrain_adversarial_weight=0.1)
    assert (config.main_theta, config.pretrain_theta) == (0.0, 0.0)
    assert ScCagnConfig(adversarial_weight=0.5, pretrain_adversarial_weight=0.1).main_theta == 0.5


def test_no_heads_means_no_fusion() -> None:
    assert ScCagnConfig(n_heads=0).join == "none"
    assert ScCagnConfig(n_heads=0, fusion="concat").join == "concat"
    assert ScCagnConfig().join == "ca"


@pytest.mark.parametrize(
    ("overrides", "name", "value"),
    [
        (["method.gnn=sage"], "gnn", "sage"),
        (["method.fusion=multiply", "method.n_heads=0"], "fusion", "multiply"),
        (["method.graph.k=5"], "n_neighbors", 5),
        (["method.variant=paper_code", "method.restarts=2"], "restarts", 2),
        (["preset=paper_text"], "adversarial_weight", 0.5),
        (["preset=paper_text"], "pretrain_adversarial_weight", 1e-4),
    ],
)
def test_the_command_line_sets_what_it_names(overrides: list[str], name: str, value: Any) -> None:
    seen: list[RunConfig] = []
    run_with_config(["method=sccagn", *overrides], lambda jobs: seen.extend(jobs) or 0)  # type: ignore[func-returns-value]
    assert getattr(seen[0].method, name) == value


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variant": "paper"}, "unknown variant of method sccagn 'paper'. Did you mean 'paper_code'?"),
        ({"gnn": "gin"}, "unknown value of method.gnn 'gin'"),
        ({"fusion": "sum"}, "unknown value of method.fusion 'sum'"),
        ({"attention": "all"}, "unknown value of method.attention 'all'"),
        ({"gene_selection": "seurat"}, "unknown value of method.gene_selection 'seurat'. Did you mean 'seurat_hvg'?"),
        ({"input_transform": "minmax"}, "unknown value of method.input_transform 'minmax'"),
        ({"norm": "symmetric"}, "unknown value of method.norm 'symmetric'"),
        ({"adv_loss": "hinge"}, "unknown value of method.adv_loss 'hinge'"),
        ({"discriminator_norm": "layer"}, "unknown value of method.discriminator_norm 'layer'"),
        ({"centroids_from": "ae"}, "unknown value of method.centroids_from 'ae'"),
        ({"n_heads": 3}, "method.n_heads must be 0 or a divisor of 8, the latent size, got 3"),
        ({"n_heads": -1}, "method.n_heads must be 0 or a divisor of 8, the latent size, got -1"),
        ({"phi": 1.5}, "method.phi must be a share in [0, 1], got 1.5"),
        ({"target_temperature": 0.0}, "method.target_temperature must be a positive number, got 0.0"),
        ({"lr": float("nan")}, "method.lr must be a positive number, got nan"),
        ({"assignment_weight": -1e-4}, "method.assignment_weight must be a number of at least 0, got -0.0001"),
        (
            {"reconstruction_weight": float("inf")},
            "method.reconstruction_weight must be a number of at least 0, got inf",
        ),
        ({"adversarial_weight": -1.0}, "method.adversarial_weight must be a number of at least 0, got -1.0"),
        ({"min_cell_share": 1.0}, "method.min_cell_share must be a share of cells in [0, 1), got 1.0"),
        ({"n_neighbors": 0}, "method.n_neighbors must be at least 1, got 0"),
        ({"restarts": 0}, "method.restarts must be at least 1, got 0"),
        ({"trial_epochs": -1}, "method.trial_epochs must be at least 0, got -1"),
        ({"budget": "slow"}, "unknown value of method.budget 'slow'"),
        ({"batch_size": 0}, "method.batch_size must be at least 1, got 0"),
        ({"pretrain_least_steps": -1}, "method.pretrain_least_steps must be at least 0, got -1"),
        ({"n_top_genes": 0}, "method.n_top_genes must be at least 1, got 0"),
        ({"tol": 2.0}, "method.tol must be between 0 and 1, got 2.0"),
        (
            {"variant": "paper_code", "pretrain_adversarial_weight": 0.1},
            "method.batch_size must be at least 2 for a batch norm with pretrain_adversarial_weight, got 1",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ScCagnConfig(**settings)
    assert str(caught.value).startswith(message)
