"""A method that is as good as its parameters are near to the best ones."""

from __future__ import annotations

import time

from scbench.kmeans import kmeans
from scbench.method import Clustering, Counts, Diverged, RunContext
from scbench.preprocessing.prepare import STANDARD_RECIPE, principal_components
from scbench_parabola.config import ParabolaConfig


class Parabola:
    """Cluster the components by k-means and spoil the labels."""

    def __init__(self, config: ParabolaConfig | None = None) -> None:
        self.config = config or ParabolaConfig()

    def fit_predict(self, counts: Counts, n_clusters: int, run: RunContext) -> Clustering:
        config = self.config
        if config.trace:
            with open(config.trace, "a") as file:
                file.write(f"{run.seed} {config.x}\n")
        if config.x > config.diverge_above:
            raise Diverged(1, {"loss": float("nan")})
        components = principal_components(counts, STANDARD_RECIPE, 20, run.cache)
        labels, _, _ = kmeans(components, n_clusters, run.seed, n_init=2)
        order = run.rng.permutation(len(labels))
        n_wrong = int(min(1.0, config.noise * abs(config.x - 0.3)) * len(labels))
        labels[order[:n_wrong]] = run.rng.integers(0, n_clusters, n_wrong)
        if config.x > config.collapse_above:
            labels[:] = 0
        loss = (config.x - 0.3) ** 2 + (config.inner.y + 0.5) ** 2 + (0.0 if config.kind == "round" else 0.1)
        for epoch in range(config.epochs):
            time.sleep(config.seconds)
            run.log(epoch, loss=loss + 1 / (epoch + 1), other=5.0)
            run.report(epoch, labels)
        while run.seed == config.hang_seed:
            time.sleep(0.1)
        run.log(config.epochs, loss=loss)
        return Clustering(labels, embedding=components)
