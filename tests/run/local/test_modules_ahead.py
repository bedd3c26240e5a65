"""The server that runs are forked from never knows torch where a GPU is used: CUDA does not survive a fork."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scbench.plugins import find
from scbench.run.local.modules_ahead import modules_ahead

# Says whether torch is known once the server has imported what is ahead, by the way the server takes.
SERVER = """
import sys
import scbench.run.local.preload
print("torch" in sys.modules)
"""


def runs(*methods: str) -> Any:
    return cast(Any, [SimpleNamespace(config=find(name).config_class()()) for name in methods])


def test_torch_is_imported_ahead_on_the_cpu_only() -> None:
    planned = runs("leiden", "sccagn")
    assert "torch" in modules_ahead(planned, has_gpus=False)
    assert modules_ahead(planned, has_gpus=True) == ["scbench_methods.leiden.method"]


@pytest.mark.parametrize(("has_gpus", "knows_torch"), [(True, "False"), (False, "True")])
def test_the_server_of_a_gpu_does_not_know_torch(has_gpus: bool, knows_torch: str) -> None:
    ahead = modules_ahead(runs("pca_kmeans", "leiden", "louvain", "random", "cicl"), has_gpus=has_gpus)
    path = {"PYTHONPATH": ":".join(sys.path), "SCBENCH_WARM_MODULES": " ".join(ahead)}
    done = subprocess.run([sys.executable, "-c", SERVER], env=path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [knows_torch]
