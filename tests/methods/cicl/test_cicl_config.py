"""Configuration: variants fill in what a command leaves open, and wrong values are refused."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from scbench_methods.cicl.config import CiclConfig
from scbench_methods.cicl.training import settled

from scbench.errors import ConfigError


@pytest.mark.parametrize("variant", CiclConfig.VARIANTS)
def test_what_is_left_open_follows_from_the_variant(variant: str) -> None:
    left_open = [name for name, value in asdict(CiclConfig(variant=variant)).items() if value is None]
    assert left_open == ["scale_clip"]


def test_what_is_given_wins_over_the_variant() -> None:
    config = CiclConfig(variant="paper_code", cluster_positive="logsumexp", resample_views=True, epochs=7)
    assert (config.cluster_positive, config.resample_views, config.epochs) == ("logsumexp", True, 7)
    assert config.centroids == "frozen"


def test_writing_a_default_out_gives_the_same_run() -> None:
    assert asdict(CiclConfig()) == asdict(CiclConfig(epochs=1000, stop="labels", head_hidden=2048))


def test_settled_labels_of_a_fast_run_have_withstood_one_round_of_fresh_starts() -> None:
    assert settled(CiclConfig(budget="fast")) == (0.01, CiclConfig().cold_restart_every)
    assert settled(CiclConfig(budget="fast", tol=0.05)) == (0.05, 10)
    assert settled(CiclConfig()) == (0.001, 5)


def test_variants_are_those_of_paper_and_program() -> None:
    default, text, code = (CiclConfig(variant=name) for name in ("default", "paper_text", "paper_code"))
    assert (default.head_hidden, text.head_hidden, code.head_hidden) == (2048, 1024, 2048)
    assert (text.noise, text.attention_residual) == ("unit_interval", "single")
    assert (code.epochs, code.stop, code.resample_views, code.block_init) == (51, "none", False, "copies")
    assert (code.instance_loss, code.cluster_positive, code.cluster_reduction) == (
        "cross_view",
        "own_pair",
        "sum_of_cluster_means",
    )
    assert (code.final_start, code.final_n_init) == ("random", 8)
    for config in (default, text, code):
        assert (config.cluster_weight, config.temperature, config.batch_size, config.n_top_genes) == (
            0.1,
            0.5,
            6000,
            500,
        )


@pytest.mark.parametrize("weight", [0, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0])
def test_the_papers_weights_are_accepted(weight: float) -> None:
    assert CiclConfig(cluster_weight=weight).cluster_weight == weight


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"variant": "papercode"}, "unknown variant of method cicl 'papercode'. Did you mean 'paper_code'?"),
        ({"stop": "label"}, "unknown value of method.stop 'label'. Did you mean 'labels'?"),
        ({"cluster_positive": "supcon"}, "unknown value of method.cluster_positive 'supcon'."),
        ({"similarity": "euclid"}, "unknown value of method.similarity 'euclid'."),
        ({"init_labels": "truth"}, "unknown value of method.init_labels 'truth'."),
        ({"read_out": "kmean"}, "unknown value of method.read_out 'kmean'. Did you mean 'kmeans'?"),
        ({"n_top_genes": 1}, "method.n_top_genes must be at least 2, got 1"),
        ({"batch_size": 1}, "method.batch_size must be at least 2, got 1"),
        ({"patience": 0}, "method.patience must be at least 1, got 0"),
        ({"cold_restart_every": -1}, "method.cold_restart_every must be at least 0, got -1"),
        ({"epochs": -1}, "method.epochs must be at least 0, got -1"),
        ({"warmup_epochs": 4, "epochs": 3}, "method.warmup_epochs must be at most epochs (3), got 4"),
        ({"head_hidden": 0}, "method.head_hidden must be at least 1, got 0"),
        ({"temperature": 0.0}, "method.temperature must be a positive number, got 0.0"),
        ({"lr": float("inf")}, "method.lr must be a positive number, got inf"),
        ({"cluster_weight": -0.1}, "method.cluster_weight must be a number of at least 0, got -0.1"),
        ({"noise_gene_fraction": 1.1}, "method.noise_gene_fraction must be between 0 and 1, got 1.1"),
        ({"tol": -1.0}, "method.tol must be between 0 and 1, got -1.0"),
        ({"dropout": 1.0}, "method.dropout must be in [0, 1), got 1.0"),
        ({"scale_clip": 0.0}, "method.scale_clip must be a positive number, got 0.0"),
        (
            {"centroids": "batch"},
            "method.stop=labels watches the pseudo-labels of all cells, which centroids=batch does not re-estimate; use stop=none or centroids=full",
        ),
    ],
)
def test_wrong_values_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CiclConfig(**given)
    assert message in str(caught.value)
