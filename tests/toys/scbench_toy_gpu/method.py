"""A method that runs out of GPU memory unless it is alone."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from scbench.method import Clustering, Counts, RunContext
from scbench_toy_gpu.config import ToyGpuConfig


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


class ToyGpu:
    """Note which GPU is visible; fail when another run is on it."""

    def __init__(self, config: ToyGpuConfig) -> None:
        self.config = config

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        mark = Path(self.config.folder) / f"{run.seed}.running"
        mark.write_text("")
        time.sleep(0.5)
        n_running = len(list(Path(self.config.folder).glob("*.running")))
        time.sleep(0.5)
        mark.unlink()
        if self.config.always_too_big or n_running > 1:
            raise OutOfMemoryError("CUDA out of memory")
        info = {"visible": os.environ["CUDA_VISIBLE_DEVICES"], "torch_was_there": "torch" in sys.modules}
        return Clustering(np.zeros(counts.matrix.shape[0], dtype=np.int64), info=info)
