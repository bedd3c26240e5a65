"""Every method's search.yaml, and what is wrong with a file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from scbench.errors import ConfigError
from scbench.plugins import discover, find
from scbench.tune import space_file
from scbench.tune.space import value_at
from scbench.tune.space_file import read_space

NOTHING_TO_SEARCH = {"random"}


@pytest.mark.parametrize("name", sorted(discover().keys() - NOTHING_TO_SEARCH))
def test_every_method_has_a_space_with_sources_around_its_defaults(name: str) -> None:
    plugin = find(name)
    config = plugin.config_class()(name=name)
    space = read_space(plugin, config)
    assert space.parameters
    assert all(len(parameter.source) > 10 for parameter in space.parameters)
    assert space.holds({p.path: value_at(config, p.path) for p in space.parameters})


def test_columns_of_the_loss_are_what_the_method_logs() -> None:
    for name in ("cicl", "sccagn", "scsamac", "scsiameseclu"):
        folder = Path(str(files(find(name).package)))
        source = "".join(path.read_text() for path in folder.glob("*.py"))
        for column in read_space(find(name), find(name).config_class()(name=name)).loss:
            assert f'"{column}"' in source


def test_an_entry_counts_only_where_its_condition_holds() -> None:
    leiden = find("leiden")
    searched = [p.path for p in read_space(leiden, leiden.config_class()(name="leiden")).parameters]
    assert "resolution" not in searched  # match_k searches it itself
    free = leiden.config_class()(name="leiden", match_k=False)  # type: ignore[call-arg]
    assert "resolution" in [p.path for p in read_space(leiden, free).parameters]


def test_a_method_without_a_file_has_nothing_to_search() -> None:
    with pytest.raises(ConfigError, match="method random has no search.yaml, so it has nothing to search; add one"):
        read_space(find("random"), find("random").config_class()(name="random"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "must hold 'space:' with one entry"),
        ("space: 3", "must hold 'space:' with one entry"),
        ("space: {a: 1", "cannot be read"),
        ("space: {}\nlos: [x]", "unknown key 'los'. Did you mean 'loss'"),
        ("space: {}\nloss: x", "loss must be a list of columns of history.csv, found 'x'"),
        (
            "space:\n  n_top_gene: {low: 1, high: 2, source: x}",
            "unknown parameter .* 'n_top_gene'. Did you mean 'n_top_genes'",
        ),
        ("space:\n  name: {low: 1, high: 2, source: x}", "unknown parameter of method pca_kmeans 'name'"),
        (
            "space:\n  n_top_genes: {low: 1, high: 9000}",
            "space.n_top_genes has no source; say where the range comes from",
        ),
        ("space:\n  n_top_genes: 3", "space.n_top_genes has no source"),
        ("space:\n  n_top_genes: {low: 1, hi: 2, source: x}", "unknown key 'hi'"),
        ("space:\n  n_top_genes: {low: 1, source: x}", "high must be a number, found None; or give choices"),
        ("space:\n  n_top_genes: {low: true, high: 2, source: x}", "low must be a number, found True"),
        ("space:\n  n_top_genes: {low: 1, high: 2, log: 3, source: x}", "log must be true or false, found 3"),
        ("space:\n  n_top_genes: {low: 1, choices: [1], source: x}", "choices must be a list, without low and high"),
        (
            "space:\n  n_top_genes: {low: 1, high: 9, source: x}",
            "the default 2000 is not within 1 to 9; widen the range",
        ),
        ("space:\n  n_top_genes: {low: 1, high: 9000, when: 3, source: x}", "when must be key: value pairs, found 3"),
        ("space:\n  n_top_genes: {low: 1, high: 9000, when: {a: 3}, source: x}", "when: unknown parameter"),
    ],
)
def test_a_file_that_is_wrong_is_named(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "search.yaml"
    file.write_text(text)
    monkeypatch.setattr(space_file, "search_file", lambda _: file)
    plugin = find("pca_kmeans")
    with pytest.raises(ConfigError, match=message):
        read_space(plugin, plugin.config_class()(name="pca_kmeans"))
