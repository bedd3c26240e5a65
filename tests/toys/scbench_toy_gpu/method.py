"""A method that runs out of GPU memory at its first attempt."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from scbench.method import Clustering, Counts, RunContext
from scbench_toy_gpu.config import ToyGpuConfig

TORCH_WAS_THERE = "torch" in sys.modules  # when the run's process came to this method
VISIBLE = os.environ.get("CUDA_VISIBLE_DEVICES")


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


class ToyGpu:
    """Note which GPU is visible; run out of its memory when told; notice when a retry has company."""

    def __init__(self, config: ToyGpuConfig) -> None:
        self.config = config

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        folder = Path(self.config.folder)
        mark, tried = folder / f"{run.seed}.running", folder / f"{run.seed}.tried"
        mark.write_text("")
        is_first = not tried.exists()
        tried.write_text("")
        if self.config.always_too_big or (self.config.first_too_big and is_first):
            mark.unlink()
            raise OutOfMemoryError("CUDA out of memory")
        time.sleep(0.3)
        n_running = len(list(folder.glob("*.running")))
        mark.unlink()
        if self.config.first_too_big and n_running > 1:
            raise RuntimeError("the retry is not alone")
        info = {"visible": VISIBLE, "torch_was_there": TORCH_WAS_THERE}
        return Clustering(np.zeros(counts.matrix.shape[0], dtype=np.int64), info=info)
