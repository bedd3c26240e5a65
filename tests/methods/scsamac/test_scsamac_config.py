from __future__ import annotations

from typing import Any

import pytest
from scbench_methods.scsamac.config import MaskConfig, ScSamacConfig

from scbench.config.compose import run_with_config
from scbench.config.schema import RunConfig
from scbench.errors import ConfigError


def test_defaults_are_those_of_the_paper_and_of_the_program() -> None:
    default, program = ScSamacConfig(), ScSamacConfig(variant="paper_code")
    for name, ours, theirs in (
        ("contrast_weight", 0.001, 0.01),
        ("cluster_level_weight", 0.01, 0.002),
        ("pretrain_epochs", 400, 300),
        ("epochs", 200, 2000),
        ("saliency", "log_norm", "scaled_batch"),
        ("attention_scope", "all", "blocks"),
        ("wasserstein", "sorted", "detached"),
        ("cluster_head", "trained", "random"),
        ("shuffle_clustering", True, False),
        ("clustering_dropout", True, False),
        ("n_top_genes", 2000, "all"),
        ("gene_selection", "hvg", "zero_rate"),
        ("least_batch", 32, 1),
    ):
        assert getattr(default, name) == ours, name
        assert getattr(program, name) == theirs, name


def test_a_setting_wins_over_its_variant() -> None:
    config = ScSamacConfig(variant="paper_code", pretrain_epochs=7, shuffle_clustering=True, contrast_weight=0.0)
    assert (config.pretrain_epochs, config.shuffle_clustering, config.contrast_weight) == (7, True, 0.0)
    assert config.saliency == "scaled_batch"


def test_naming_the_programs_filter_keeps_2000_genes() -> None:
    assert ScSamacConfig(variant="paper_code", gene_selection="zero_rate").n_top_genes == 2000
    assert ScSamacConfig(variant="paper_code", n_top_genes=300).n_top_genes == 300


@pytest.mark.parametrize(
    ("overrides", "name", "value"),
    [
        (["method.n_top_genes=all"], "n_top_genes", "all"),
        (["method.n_top_genes=500"], "n_top_genes", 500),
        (["method.mask.p_other=0.5"], "mask", MaskConfig(p_other=0.5)),
        (["method.variant=paper_code", "method.saliency=counts"], "saliency", "counts"),
    ],
)
def test_the_command_line_sets_what_it_names(overrides: list[str], name: str, value: Any) -> None:
    seen: list[RunConfig] = []
    run_with_config(["method=scsamac", *overrides], lambda jobs: seen.extend(jobs) or 0)  # type: ignore[func-returns-value]
    assert getattr(seen[0].method, name) == value


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variant": "published"}, "unknown variant of method scsamac 'published'"),
        ({"likelihood": "gaussian"}, "unknown value of method.likelihood 'gaussian'"),
        ({"estimate_k": "yes"}, "unknown value of method.estimate_k 'yes'"),
        ({"precision": "half"}, "unknown value of method.precision 'half'"),
        ({"budget": "slow"}, "unknown value of method.budget 'slow'"),
        ({"saliency": "lognorm"}, "unknown value of method.saliency 'lognorm'. Did you mean 'log_norm'?"),
        ({"gene_selection": "none"}, "unknown value of method.gene_selection 'none'"),
        ({"wasserstein": "exact"}, "unknown value of method.wasserstein 'exact'"),
        ({"cluster_head": "fixed"}, "unknown value of method.cluster_head 'fixed'"),
        ({"attention_scope": "none"}, "unknown value of method.attention_scope 'none'"),
        ({"n_top_genes": 0}, "method.n_top_genes must be a number of at least 1, or all, got 0"),
        ({"n_top_genes": "most"}, "method.n_top_genes must be a number of at least 1, or all, got most"),
        ({"batch_size": 0}, "method.batch_size must be at least 1, got 0"),
        ({"temperature": 0.0}, "method.temperature must be a positive number, got 0.0"),
        ({"lr": float("nan")}, "method.lr must be a positive number, got nan"),
        ({"noise_std": -1.0}, "method.noise_std must be a number of at least 0, got -1.0"),
        ({"n_heads": 6}, "method.n_heads must be a divisor of 32, the width of the latent, got 6"),
        ({"n_neighbors": 1}, "method.n_neighbors must be at least 2, the cell itself counted, got 1"),
        ({"dropout": 1.0}, "method.dropout must be in [0, 1), got 1.0"),
        ({"rho": 1.0}, "method.rho must be in [0, 1), got 1.0"),
        ({"contrast_weight": -0.1}, "method.contrast_weight must be a number of at least 0, got -0.1"),
        ({"pretrain_epochs": -1}, "method.pretrain_epochs must be at least 0, got -1"),
        ({"least_batch": 0}, "method.least_batch must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_run_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ScSamacConfig(**settings)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"p_salient": 1.5}, "method.mask.p_salient must be between 0 and 1, got 1.5"),
        ({"moderate_from": 0.5}, "0 < moderate_from <= salient_from <= 1, got 0.5 and 0.3"),
    ],
)
def test_a_mask_that_means_nothing_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MaskConfig(**settings)
