from __future__ import annotations

from typing import Any

import pytest
from scbench_methods.sccagn.config import GraphConfig, ScCagnConfig
from scbench_methods.sccagn.variants import Settings

from scbench.config.compose import run_with_config
from scbench.config.schema import RunConfig
from scbench.errors import ConfigError


def test_variants_are_those_of_the_specification() -> None:
    default, program = ScCagnConfig(), ScCagnConfig(variant="paper_code")
    assert default.settings == Settings()
    for name, ours, theirs in (
        ("gene_filter", 0.01, 0.0),
        ("input_transform", "minmax_l2", "ceil_minmax_l2"),
        ("norm", "sym", "row"),
        ("head_relu", False, True),
        ("theta", 1e-4, 0.5),
        ("adv_loss", "mse", "bce"),
        ("prior_is_real", True, False),
        ("live_latent", True, False),
        ("discriminator_norm", "none", "batch"),
        ("pretrain_batch", 16, 1),
        ("pretrain_least_steps", 2500, 0),
        ("restarts", 3, 20),
        ("centroids_from", "fused", "autoencoder"),
    ):
        assert getattr(default, name) == ours, name
        assert getattr(program, name) == theirs, name
    for config in (default, program):
        assert (config.tau, config.eps_q, config.eps_r, config.mu, config.heads) == (0.5, 1e-4, 1e-3, 0.5, 4)
        assert (config.pretrain_epochs, config.epochs, config.n_init, config.theta_pre) == (50, 30, 20, 0.0)
        assert config.graph == GraphConfig(k=10, prune=True)


def test_a_setting_wins_over_its_variant() -> None:
    config = ScCagnConfig(variant="paper_code", restarts=2, head_relu=False)
    assert (config.restarts, config.head_relu, config.pretrain_batch) == (2, False, 1)


def test_without_a_discriminator_both_weights_are_set_aside() -> None:
    config = ScCagnConfig(adversarial=False, theta=0.5, theta_pre=0.1)
    assert (config.main_theta, config.pretrain_theta) == (0.0, 0.0)
    assert ScCagnConfig(theta=0.5, theta_pre=0.1).main_theta == 0.5


def test_no_heads_means_no_fusion() -> None:
    assert ScCagnConfig(heads=0).join == "none"
    assert ScCagnConfig(heads=0, fusion="concat").join == "concat"
    assert ScCagnConfig().join == "ca"


@pytest.mark.parametrize(
    ("overrides", "name", "value"),
    [
        (["method.gnn=sage"], "gnn", "sage"),
        (["method.fusion=multiply", "method.heads=0"], "fusion", "multiply"),
        (["method.graph.k=5"], "graph", GraphConfig(k=5)),
        (["method.variant=paper_code", "method.restarts=2"], "restarts", 2),
        (["preset=paper_text"], "theta", 0.5),
        (["preset=paper_text"], "theta_pre", 1e-4),
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
        ({"heads": 3}, "method.heads must be 0 or a divisor of 8, the latent size, got 3"),
        ({"heads": -1}, "method.heads must be a number of at least 0, got -1"),
        ({"phi": 1.5}, "method.phi must be a share in [0, 1], got 1.5"),
        ({"tau": 0.0}, "method.tau must be a positive number, got 0.0"),
        ({"lr": float("nan")}, "method.lr must be a positive number, got nan"),
        ({"eps_q": -1e-4}, "method.eps_q must be a number of at least 0, got -0.0001"),
        ({"mu": float("inf")}, "method.mu must be a number of at least 0, got inf"),
        ({"theta": -1.0}, "method.theta must be a number of at least 0, got -1.0"),
        ({"gene_filter": 1.0}, "method.gene_filter is a share of cells in [0, 1), got 1.0"),
        ({"restarts": 0}, "method.restarts must be at least 1, got 0"),
        ({"pretrain_batch": 0}, "method.pretrain_batch must be at least 1, got 0"),
        ({"pretrain_least_steps": -1}, "method.pretrain_least_steps must be at least 0, got -1"),
        ({"n_genes": 0}, "method.n_genes must be at least 1, got 0"),
        ({"tol": 2.0}, "method.tol must be a share of the cells in [0, 1], or null, got 2.0"),
        (
            {"variant": "paper_code", "theta_pre": 0.1},
            "method.pretrain_batch must be at least 2 for a batch norm with theta_pre, got 1",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ScCagnConfig(**settings)
    assert str(caught.value).startswith(message)


def test_a_graph_without_neighbours_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"method.graph.k must be at least 1, got 0"):
        GraphConfig(k=0)
