"""The training of CICL: views, steps, and pseudo-labels that follow the representation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from scbench_methods.cicl.config import CiclConfig
from scbench_methods.cicl.encoder import Encoder
from scbench_methods.cicl.head import ProjectionHead
from scbench_methods.cicl.losses import LossForm, contrast
from scbench_methods.cicl.pseudo_labels import PseudoLabels
from scbench_methods.cicl.sending import send
from scbench_methods.cicl.workspace import Workspace
from torch import Tensor
from torch.nn.functional import normalize

from scbench.method import RunContext
from scbench.nn.augment import noise_on_some_genes, unit_interval_noise
from scbench.nn.optimisers import Adam, ParameterGroup
from scbench.nn.plateau import Plateau
from scbench.nn.precision import product_type, wide_products
from scbench.nn.train import LabelChangeStop, predict_batches, run_epochs

__all__ = ["Training", "settled"]

_CELLS_AT_ONCE = 16_384  # represented at a time, without gradients


# Chosen on simulated counts: twelve runs end after 645 epochs, not the 860 of tol=0.001 patience=5; their labels agree
# with those of much longer runs as well as two seeds do, within 0.01 (README, "The stop of budget=fast"). Ten updates
# hold one cold restart, so labels that have settled have withstood fresh starts.
_FAST_TOL, _FAST_PATIENCE = 0.01, 10


def settled(config: CiclConfig) -> tuple[float, int]:
    """Return tolerance and patience of the stop by labels."""
    if config.budget == "paper":
        return config.tol, config.patience
    return max(config.tol, _FAST_TOL), _FAST_PATIENCE


class Training:
    """Encoder, head, optimiser and pseudo-labels of one run.

    Args:
        config: the configuration.
        x: (n_cells, n_genes) float32 input on the device.
        taught: (n,) int64 on the device, the cells to learn from: those that are not empty.
        n_clusters: between 1 and n.
        run: source of randomness, and listener. Initial weights come from torch's process-wide generator.

    Attributes:
        epochs_run: so far.
        stop_reason: "epochs", "labels settled" or "plateau".
        product_type: that of the products of a step, bfloat16 or float32.
        labels: (n_cells,) int64 pseudo-labels.
        pseudo: where they come from.
        fixed_views: the two views of all cells when they are not drawn anew in each step, else None.
    """

    def __init__(self, config: CiclConfig, x: Tensor, taught: Tensor, n_clusters: int, run: RunContext) -> None:
        n_genes = x.shape[1]
        self.config, self.run = config, run
        self.x, self.taught = x, taught
        self._taught_on_host = taught.cpu()
        self.product_type = product_type(config.precision, x.device)
        value_width = config.n_heads * config.value_width
        shape = (n_genes, config.n_layers, value_width, config.ffn_width, config.dropout)
        self.encoder = Encoder(*shape, run.generator, config.attention_residual, config.block_init).to(x.device)
        self._workspace = Workspace()
        head = ProjectionHead(n_genes, config.head_hidden, config.projection_width, self._workspace)
        self.head = head.to(x.device)
        encoder = ParameterGroup([*self.encoder.parameters()], config.lr, config.weight_decay)
        self.optimiser = Adam([encoder, ParameterGroup([*self.head.parameters()], config.head_lr)])
        self._noise = torch.Generator(x.device)
        self._noise.manual_seed(int(torch.randint(2**62, (), generator=run.generator)))
        self.fixed_views = None if config.resample_views else (self._noisy(x), self._noisy(x))
        self._form = LossForm(
            config.temperature,
            config.cluster_weight,
            config.instance_loss,
            config.cluster_positive,
            config.cluster_reduction,
        )
        self.pseudo = PseudoLabels(n_clusters, config.n_init, config.cold_restart_every, run.generator)
        self._stop = LabelChangeStop(*settled(config))
        self._plateau = Plateau() if config.budget == "fast" else None
        self._use_labels(torch.zeros(len(x), dtype=torch.int64, device=x.device))
        self.epochs_run = 0
        self.stop_reason = "epochs"

    def fit(self, watch: Callable[[int], None]) -> None:
        """Train until the pseudo-labels or, with ``budget=fast``, the loss have settled, or the epochs are over.

        Args:
            watch: called after each epoch with its number.

        Raises:
            Diverged: when a loss is not finite.
        """
        self._watch = watch
        if self.config.warmup_epochs == 0:
            self._start_labels()
        run_epochs(
            self.step,
            len(self.taught),
            self.config.batch_size,
            self.config.epochs,
            self.run.generator,
            min_batch=2 * self.pseudo.n_clusters,
            on_epoch=self._after_epoch,
        )

    def represent(self, x: Tensor) -> Tensor:
        """Return the representations (n, n_genes) of ``x`` in evaluation mode, in float32 on every device."""
        return predict_batches(self.encoder, x, batch_size=_CELLS_AT_ONCE)

    def _represent_training(self, x: Tensor) -> Tensor:
        """Return the representations of ``x`` with dropout, as the released program assigns its pseudo-labels."""
        with torch.no_grad():
            return torch.cat([self.encoder(piece) for piece in x.split(_CELLS_AT_ONCE)])

    def _start_labels(self) -> None:
        """Make the first centroids and pseudo-labels."""
        is_frozen = self.config.centroids == "frozen"
        points = self._represent_training(self.x) if is_frozen else self.represent(self.x)
        source = self.x if self.config.init_labels == "input" else points
        taught = points[self.taught]
        found = self.pseudo.start(taught, taught if source is points else source[self.taught])
        labels = self.pseudo.of(points)
        labels[self.taught] = found.labels
        self._use_labels(labels)
        self._stop.update(self.labels)

    def _use_labels(self, labels: Tensor) -> None:
        """Take the pseudo-labels of the next steps, and copy them to the host once for all of these."""
        self.labels, self._labels_on_host = labels, labels.cpu()

    def step(self, indices: Tensor) -> dict[str, Tensor]:
        """Update encoder and head on the cells ``taught[indices]``; return the loss terms."""
        on_host = self._taught_on_host[indices]
        cells = send(on_host, self.x.device)
        form = self._form
        if self.epochs_run < self.config.warmup_epochs:
            form = replace(form, cluster_weight=0.0)
        views, labels = self._views(cells), self._labels_of(cells, on_host)
        with wide_products(self.x.device, self.product_type):
            projected = self.head(self.encoder(views)).float()
            if self.config.similarity == "cosine":
                projected = normalize(projected)
            losses = contrast(projected, labels, form, workspace=self._workspace)
        losses.total.backward()
        self.optimiser.step()
        self.optimiser.zero_grad()  # at once: the next step's activations take the place of the gradients
        return {"loss": losses.total, "instance": losses.instance, "cluster": losses.cluster}

    def _views(self, cells: Tensor) -> Tensor:
        """Return both views of the cells, one below the other."""
        if self.fixed_views is not None:
            return torch.cat([view[cells] for view in self.fixed_views])
        clean = self.x[cells]
        return torch.cat([self._noisy(clean), self._noisy(clean)])

    def _noisy(self, x: Tensor) -> Tensor:
        """Return one view of ``x``."""
        if self.config.noise == "unit_interval":
            return unit_interval_noise(x, self._noise)
        return noise_on_some_genes(x, self.config.noise_std, self.config.noise_gene_fraction, self._noise)

    def _labels_of(self, cells: Tensor, on_host: Tensor) -> Tensor:
        """Return the pseudo-labels to use for the cells of a batch, whose numbers are given on the device and here."""
        if self.config.centroids == "full" or self.epochs_run < self.config.warmup_epochs:
            return self._labels_on_host[on_host]
        if self.config.centroids == "frozen":
            return self.pseudo.of(self._represent_training(self.x[cells]))
        return self.pseudo.follow_batch(self.represent(self.x[cells]))

    def _after_epoch(self, epoch: int, terms: dict[str, float]) -> bool:
        """Re-estimate the pseudo-labels, report, and return whether to stop."""
        self.epochs_run = epoch + 1
        since_warmup = self.epochs_run - self.config.warmup_epochs
        has_settled = False
        if since_warmup == 0:
            self._start_labels()
        elif since_warmup > 0 and self.config.centroids == "full" and since_warmup % self.config.centroid_every == 0:
            points = self.represent(self.x)
            terms["inertia"] = float(self.pseudo.follow(points[self.taught]).inertia) / len(self.taught)
            self._use_labels(self.pseudo.of(points))
            has_settled = self._stop.update(self.labels)
            terms["changed"] = self._stop.changed or 0.0
            self.run.report(epoch, self._labels_on_host.numpy())
        is_learnt = since_warmup > 0 and self._plateau is not None and self._plateau.update(terms["loss"])
        self.run.log(epoch, **terms)
        self._watch(epoch)
        if has_settled and self.config.stop == "labels" and self.epochs_run >= self.config.min_epochs:
            self.stop_reason = "labels settled"
        elif is_learnt:
            self.stop_reason = "plateau"
        return self.stop_reason != "epochs"
