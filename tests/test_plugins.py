from __future__ import annotations

from pathlib import Path

import pytest

from scbench.errors import ConfigError
from scbench.method import Method
from scbench.plugins import Plugin, discover, find


def test_in_tree_methods_are_found() -> None:
    assert {"leiden", "louvain", "pca_kmeans", "random"} <= set(discover())


def test_a_method_of_another_distribution_is_found(toy_installed: None) -> None:
    toy = find("toy")
    assert toy.package == "scbench_toy"
    assert toy.config_class().__name__ == "ToyConfig"
    assert isinstance(toy.create(toy.config_class()()), Method)


@pytest.mark.parametrize("name", sorted(discover()))
def test_every_method_has_config_yaml_and_readme(name: str) -> None:
    plugin = find(name)
    assert plugin.config_class()(name=name).name == name
    folder = Path(__import__(plugin.package, fromlist=["_"]).__file__).parent
    assert (folder / "conf" / "method" / f"{name}.yaml").exists()
    assert (folder / "README.md").exists()


def test_unknown_method_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown method 'lovain'. Did you mean 'louvain'"):
        find("lovain")


def test_a_method_installed_later_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "late" not in discover()
    info = tmp_path / "late-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[scbench.methods]\nlate = late_package\n")
    assert find("late").package == "late_package"


def test_two_packages_cannot_share_a_name(toy_installed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    info = tmp_path / "thief-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thief\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[scbench.methods]\nleiden = thief\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="'leiden' is announced by .*scbench_methods.leiden.* and by .*thief"):
        discover()


def test_a_package_without_its_parts_says_what_is_missing() -> None:
    with pytest.raises(ConfigError, match="package 'json' has no module 'config'"):
        Plugin("broken", "json").config_class()


def test_a_module_with_several_classes_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "two_configs"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "config.py").write_text(
        "from scbench.method import MethodConfig\nclass A(MethodConfig): ...\nclass B(MethodConfig): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match="exactly one public class .* found A, B"):
        Plugin("two", "two_configs").config_class()
