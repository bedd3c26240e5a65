"""Every preset that a method ships can be used: it parses, the method takes it, and its datasets exist."""

from __future__ import annotations

from collections import Counter

import pytest

from scbench.config.preset import shipped_preset, shipped_presets
from scbench.config.preset_choice import check_params
from scbench.data.registry import dataset_names
from scbench.plugins import Plugin, discover, find


def problems(plugin: Plugin, name: str) -> list[str]:
    """Return what is wrong with one preset; a file that is damaged or does not fit the method raises."""
    preset = shipped_preset(plugin, name)
    check_params(preset, plugin)
    return [f"no dataset is called {name}" for name in preset.datasets if name not in dataset_names()]


@pytest.mark.parametrize("method", sorted(discover()))
def test_every_shipped_preset_is_whole_and_names_datasets_of_the_registry(method: str) -> None:
    plugin = find(method)
    presets = shipped_presets(plugin)
    found = {preset.name: problems(plugin, preset.name) for preset in presets}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    claimed = Counter(dataset for preset in presets for dataset in preset.datasets)
    assert [dataset for dataset, n in claimed.items() if n > 1] == [], "auto could not choose"


def test_the_check_sees_a_dataset_that_is_not_there(toy_installed: None) -> None:
    wrong = ["no dataset is called kidney", "no dataset is called kidney_top2000"]
    assert problems(find("toy"), "kidney") == wrong
    assert problems(find("toy"), "quick") == []
