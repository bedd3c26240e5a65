"""What is fitted on the GPU: parameters for the comparison with the CPU, and the large sets with their targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["LARGE", "SHORT", "TINY", "Large"]

BASELINES = ("pca_kmeans", "leiden", "louvain")
SHORT: dict[str, dict[str, Any]] = {
    "scsiameseclu": {"epochs": 20, "pretrain_joint_epochs": 80},
    "scsamac": {"pretrain_epochs": 60, "epochs": 10},
    "sccagn": {"pretrain_epochs": 15, "restarts": 1},
    "cicl": {"epochs": 30},
    **{name: {} for name in BASELINES},
}
TINY: dict[str, dict[str, Any]] = {
    "scsiameseclu": {"epochs": 1, "pretrain_epochs": 1, "pretrain_graph_epochs": 1, "pretrain_joint_epochs": 1},
    "scsamac": {"pretrain_epochs": 1, "epochs": 1},
    "sccagn": {"pretrain_epochs": 1, "restarts": 1, "pretrain_least_steps": 0, "epochs": 1},
    "cicl": {"epochs": 1},
    **{name: {} for name in BASELINES},
}


@dataclass(frozen=True)
class Large:
    """A fit of one method on a large set.

    Attributes:
        data: as of ``comparison.make_counts``.
        seconds, gpu_bytes: what must be reached; None is no target.
        limit: seconds that it may take.
    """

    method: str
    data: str
    seconds: float
    gpu_bytes: float | None
    limit: float


LARGE = {
    "scsiameseclu_large": Large("scsiameseclu", "27499x13166x19", 60, 8e9, 90),
    "scsamac_large": Large("scsamac", "27499x13166x19", 120, None, 150),
    "cicl_large": Large("cicl", "48266x25187x8", 360, None, 380),
}
