"""A method that crashes, hangs and diverges on request."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np

from scbench.method import Clustering, Counts, Diverged, RunContext, check_n_clusters
from scbench_toy.config import ToyConfig


class Toy:
    """Give cells a cluster by their library size; misbehave for the chosen seed."""

    def __init__(self, config: ToyConfig | None = None) -> None:
        self.config = config or ToyConfig()

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        config = self.config
        check_n_clusters(n_clusters, counts.matrix.shape[0])
        if config.trace:
            with open(config.trace, "a") as file:
                file.write(f"{run.seed} {os.getpid()}\n")
        run.log(0, loss=1.0)
        if config.bad_seed in (-1, run.seed):
            _misbehave(config.behaviour)
        time.sleep(config.seconds)
        library = np.asarray(counts.matrix.sum(axis=1)).ravel()
        ranks = np.argsort(np.argsort(library))
        labels = (ranks * n_clusters // len(ranks)).astype(np.int64)
        for epoch in range(3):
            run.snapshot(epoch, (labels + epoch) % n_clusters if epoch < 2 else labels)
        run.log(1, loss=0.5, extra=2.0)
        print("the toy is done")
        return Clustering(
            labels,
            embedding=library[:, None].astype(np.float32),
            info={"epochs": 2, **({"odd": _misbehave} if config.behaviour == "odd_info" else {})},
        )


def _misbehave(behaviour: str) -> None:
    if behaviour == "raise":
        raise RuntimeError("the toy broke")
    if behaviour == "nan":
        raise Diverged(3, {"loss": float("nan")})
    if behaviour == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    if behaviour == "abort":
        os.abort()
    if behaviour == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "exit":
        os._exit(3)
    if behaviour == "memory_error":
        raise MemoryError("cannot allocate")
    if behaviour == "blank_message":
        raise RuntimeError("\n")
    if behaviour == "close_pipes":
        os.closerange(3, 256)
    if behaviour == "thread":
        threading.Thread(target=time.sleep, args=(600,)).start()
    if behaviour == "eat_memory":
        eaten = []
        while True:
            eaten.append(np.ones(4_000_000))
            time.sleep(0.01)
