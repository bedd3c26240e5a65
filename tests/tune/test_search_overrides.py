from __future__ import annotations

from typing import Any

import pytest

from scbench.errors import ConfigError
from scbench.plugins import find
from scbench.tune.search_overrides import space_of
from scbench.tune.space import Parameter


def ranges(name: str, asked: dict[str, Any], *held: str) -> dict[str, Parameter]:
    plugin = find(name)
    space = space_of(plugin, plugin.config_class()(name=name), asked, frozenset(held))
    return {parameter.path: parameter for parameter in space.parameters}


def test_without_wishes_it_is_the_methods_own() -> None:
    assert list(ranges("pca_kmeans", {})) == ["n_components", "n_top_genes"]


def test_another_range_keeps_the_scale() -> None:
    found = ranges("pca_kmeans", {"n_top_genes": [100, 300]})["n_top_genes"]
    assert (found.low, found.high, found.log, found.is_whole) == (100, 300, True, True)
    found = ranges("cicl", {"temperature": [1, 2]})["temperature"]
    assert (found.low, found.high, found.log, found.is_whole) == (1.0, 2.0, True, False)


def test_a_range_in_full_and_one_more_parameter() -> None:
    found = ranges("pca_kmeans", {"n_init": {"low": 1, "high": 9, "log": True}, "n_top_genes": {"choices": [100, 200]}})
    assert list(found) == ["n_components", "n_top_genes", "n_init"]
    assert found["n_init"].log
    assert found["n_top_genes"].choices == (100, 200)
    assert found["n_init"].source == "the command line"
    assert list(ranges("cicl", {"similarity": ["dot", "cosine"]})["similarity"].choices) == ["dot", "cosine"]
    assert ranges("scsamac", {"mask.p_salient": [0, 1]})["mask.p_salient"].high == 1.0


def test_what_is_held_or_left_at_its_default_is_not_searched() -> None:
    assert list(ranges("pca_kmeans", {}, "n_top_genes")) == ["n_components"]
    assert list(ranges("pca_kmeans", {"n_top_genes": "default"})) == ["n_components"]


def test_what_the_configuration_does_not_use_is_not_searched() -> None:
    leiden = find("leiden")
    with pytest.raises(ConfigError, match="search.resolution varies what method.match_k=true does not use; add method"):
        ranges("leiden", {"resolution": [0.2, 4.0]})
    free = leiden.config_class()(name="leiden", match_k=False)  # type: ignore[call-arg]
    (found,) = (p for p in space_of(leiden, free, {"resolution": [0.2, 4]}).parameters if p.path == "resolution")
    assert (found.low, found.high, found.is_whole) == (0.2, 4.0, False)
    assert "resolution" not in ranges("leiden", {"resolution": "default"})


def test_a_method_without_a_file_can_be_given_a_range(toy_installed: None) -> None:
    assert list(ranges("toy", {"seconds": [0.0, 1.0]})) == ["seconds"]


@pytest.mark.parametrize(
    ("asked", "held", "message"),
    [
        (
            {"n_top_gene": [1, 2]},
            (),
            "search.n_top_gene: unknown parameter of method pca_kmeans 'n_top_gene'. Did you mean 'n_top_genes'",
        ),
        (
            {"n_top_genes": [1, 2]},
            ("n_top_genes",),
            "method.n_top_genes and search.n_top_genes are both given; leave one of them out",
        ),
        (
            {"n_top_genes": [1, 2, 3]},
            (),
            r"search.n_top_genes must be \[low,high\], found \[1, 2, 3\]; choices are given as",
        ),
        ({"n_top_genes": 7}, (), r"search.n_top_genes must be \[low,high\], .*found 7"),
        ({"n_top_genes": [1.5, 2.5]}, (), "search.n_top_genes: .*1.5.* correct the value 1.5"),
        ({"n_top_genes": {"choices": ["a", "b"]}}, (), "search.n_top_genes: .*'a'.*correct the value 'a'"),
        ({"n_top_genes": "default", "n_components": "default"}, (), "nothing is left to search of method pca_kmeans"),
    ],
)
def test_what_cannot_be_searched_is_refused(asked: dict[str, Any], held: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ranges("pca_kmeans", asked, *held)
