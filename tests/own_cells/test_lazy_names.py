"""``scbench.cluster`` and its like: real functions, imported when they are first used."""

from __future__ import annotations

import inspect
import pickle
import pkgutil
import subprocess
import sys

import pytest

import scbench


@pytest.mark.parametrize("name", ["cluster", "compare", "estimate_k"])
def test_a_name_is_a_function_with_its_signature_and_docstring(name: str) -> None:
    function = getattr(scbench, name)
    assert inspect.isfunction(function)
    assert [*inspect.signature(function).parameters][:1] == ["data"]
    assert "layer" in inspect.signature(function).parameters
    assert "Args:" in (inspect.getdoc(function) or "")
    assert pickle.loads(pickle.dumps(function)) is function
    assert name in scbench.__all__


def test_names_are_completed_and_array_libraries_wait_until_one_is_used() -> None:
    code = (
        "import sys, scbench; heavy = {'numpy', 'pandas', 'scipy', 'torch', 'scanpy', 'anndata', 'sklearn'};"
        "assert {'cluster', 'compare', 'estimate_k', '__version__'} <= set(dir(scbench));"
        "sys.exit(f'imported {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_import_puts_a_module_in_the_place_of_a_function() -> None:
    """As ``import scbench.cluster`` would if there were such a file."""
    assert not {"cluster", "estimate_k"} & {module.name for module in pkgutil.iter_modules(scbench.__path__)}
    code = (
        "import scbench.own_cells.cluster, scbench.own_cells.estimate_k, inspect; from scbench import *;"
        "assert inspect.isfunction(scbench.cluster) and inspect.isfunction(scbench.estimate_k);"
        "assert cluster is scbench.cluster"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_said() -> None:
    with pytest.raises(AttributeError, match="module 'scbench' has no attribute 'clusters'"):
        scbench.clusters  # noqa: B018


def test_the_import_of_the_module_of_a_command_gives_the_function() -> None:
    """``scbench/compare.py`` is there for ``python -m scbench.compare``."""
    code = (
        "import inspect, sys, scbench.compare; function = scbench.compare;"
        "sys.exit(0 if inspect.isfunction(function) and function.__name__ == 'compare' else 1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
