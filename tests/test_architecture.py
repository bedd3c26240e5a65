"""ARCHITECTURE.md's floors hold: every import goes down or stays, and no two modules import one another at the top."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parents[1]
# What a folder, or a module beside the folders, may import of scbench. Basics are for all.
BASICS = {"errors", "names", "escape", "messages", "consoles", "arguments", "whole_file", ""}
CONTRACT = BASICS | {"method", "fields", "vocabulary", "renames", "inputs", "clustering_text"}
BLOCKS = CONTRACT | {"preprocessing", "graph", "nn", "kmeans"}
ALLOWED = {
    "nn": CONTRACT,
    "preprocessing": CONTRACT,
    "graph": CONTRACT | {"preprocessing", "kmeans"},
    "metrics": BLOCKS,
    "data": CONTRACT,
    "config": CONTRACT | {"data", "metrics", "plugins"},
    "store": CONTRACT | {"data", "metrics", "config", "plugins"},
    "tables": CONTRACT | {"metrics", "config", "store"},
    "stats": BASICS,
    "report": BLOCKS | {"data", "metrics", "config", "store", "tables", "stats", "plugins"},
    "run": BLOCKS | {"data", "metrics", "config", "store", "tables", "plugins", "result_check"},
    "tune": BLOCKS | {"__main__", "data", "metrics", "config", "store", "tables", "run", "plugins"},
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "scbench").rglob("*.py")):
        if "conf" not in path.relative_to(ROOT).parts:
            yield (
                ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"),
                ast.parse(path.read_text()),
            )


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield what a module imports, now or later; not what only its annotations name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield from imported(node)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def part_of(module: str) -> str:
    return [*module.split("."), ""][1]


@pytest.mark.parametrize("folder", sorted(ALLOWED))
def test_a_folder_imports_only_what_is_below_it(folder: str) -> None:
    wrong = [
        f"{name} imports {other}"
        for name, tree in modules()
        if part_of(name) == folder
        for other in imported(tree)
        if other.startswith("scbench.") and part_of(other) not in ALLOWED[folder] | {folder, "__version__"}
    ]
    assert not wrong


def test_methods_import_blocks_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {other}"
        for path in sorted((ROOT / "methods").rglob("*.py"))
        for other in imported(ast.parse(path.read_text()))
        if other.startswith("scbench.") and part_of(other) not in BLOCKS
    ]
    assert not wrong


def test_nothing_imports_a_method_by_name() -> None:
    assert not [
        name for name, tree in modules() if any(other.startswith("scbench_methods") for other in imported(tree))
    ]


def test_no_modules_import_one_another() -> None:
    trees = dict(modules())
    del trees["scbench"]  # the package itself, whose version is imported and whose functions come late
    place = {name: number for number, name in enumerate(trees)}
    arrows = np.zeros((len(place), len(place)), dtype=bool)
    for name, tree in trees.items():
        for other in imported(tree):
            target = other if other in place else other.rpartition(".")[0]
            if target in place and target != name:
                arrows[place[name], place[target]] = True
    circle = connected_components(csr_matrix(arrows), connection="strong")[1]
    shared = [name for name in trees if (circle == circle[place[name]]).sum() > 1]
    assert not shared
