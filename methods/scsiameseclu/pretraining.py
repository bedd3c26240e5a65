"""Three stages before the main training: the autoencoder, the graph autoencoder, both fused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scbench_methods.scsiameseclu.model import Network
from scbench_methods.scsiameseclu.phases import Phase
from scbench_methods.scsiameseclu.setting import Setting, Stage
from torch import Tensor
from torch.nn.functional import mse_loss

from scbench.nn.optimisers import Adam
from scbench.nn.train import run_epochs

__all__ = ["initial_codes", "pretrain"]

_LR_SEPARATE = 5e-4
_LR_JOINT = 1e-4


def pretrain(network: Network, setting: Setting, igae_stage: Stage) -> dict[str, Phase]:
    """Train the parts of the network one after the other; return how long each stage lasted, by its name.

    Args:
        network: changed in place.
        setting: inputs, configuration, randomness.
        igae_stage: the graph of the second stage.

    Raises:
        Diverged: when a loss is not finite.
    """
    config = setting.config
    phases = {"ae": _train_autoencoder(network, setting)}
    phases["igae"] = _full_batch(
        setting,
        [*network.graph_encoder.parameters(), *network.graph_decoder.parameters()],
        _LR_SEPARATE,
        lambda: _igae_losses(network, setting, igae_stage),
        epochs=config.pretrain_graph_epochs,
        first_epoch=phases["ae"].epochs,
    )
    joint = [p for name, p in network.named_parameters() if not name.startswith("heads.")]
    phases["joint"] = _full_batch(
        setting,
        joint,
        _LR_JOINT,
        lambda: _joint_losses(network, setting),
        epochs=config.pretrain_joint_epochs,
        first_epoch=phases["ae"].epochs + phases["igae"].epochs,
    )
    return phases


def _train_autoencoder(network: Network, setting: Setting) -> Phase:
    """Train the autoencoder on batches."""
    config, phase = setting.config, Phase(setting.config.budget)
    modules = (network.encoder, network.decoder, network.output)
    optimiser = Adam([p for module in modules for p in module.parameters()], _LR_SEPARATE)

    def step(indices: Tensor) -> dict[str, Tensor]:
        x = setting.x[indices.to(setting.x.device)]
        loss = 10 * mse_loss(network.decode(network.encode_features(x))[0], x)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return {"ae": loss}

    def on_epoch(epoch: int, terms: dict[str, float]) -> bool:
        setting.run.log(epoch, **terms)
        return phase.is_over(terms)

    run_epochs(
        step,
        setting.n_cells,
        config.batch_size,
        config.pretrain_epochs,
        setting.run.generator,
        min_batch=1,
        on_epoch=on_epoch,
    )
    return phase


def _full_batch(
    setting: Setting,
    parameters: list[torch.nn.Parameter],
    lr: float,
    losses: Callable[[], dict[str, Tensor]],
    *,
    epochs: int,
    first_epoch: int,
) -> Phase:
    """Take one step an epoch on the sum of ``losses``."""
    optimiser, phase = Adam(parameters, lr), Phase(setting.config.budget)

    def step(_: Tensor) -> dict[str, Tensor]:
        terms = losses()
        optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
        return terms

    def on_epoch(epoch: int, terms: dict[str, float]) -> bool:
        setting.run.log(epoch, **terms)
        return phase.is_over(terms)

    generator = setting.run.generator
    run_epochs(step, 1, None, epochs, generator, shuffle=False, on_epoch=on_epoch, first_epoch=first_epoch)
    return phase


def _igae_losses(network: Network, setting: Setting, stage: Stage) -> dict[str, Tensor]:
    """Return the losses of the graph autoencoder alone."""
    (code,) = network.encode_graph([(setting.x, stage.graph)]).codes
    (decoded,) = network.decode_graph(code, stage.graph).codes
    return {
        "igae_features": mse_loss(decoded, stage.smoothed),
        "igae_graph": 0.5 * setting.adjacency_error(stage.error, [code], decoded),
    }


def _joint_losses(network: Network, setting: Setting) -> dict[str, Tensor]:
    """Return the losses of both autoencoders behind one fused code."""
    stage = setting.normalised
    codes = network.encode([(setting.x, stage.graph)])
    latent = network.fuse(codes, stage.graph, setting.attention)
    reconstructed, _ = network.decode(latent)
    (decoded,) = network.decode_graph(latent, stage.graph).codes
    return {
        "joint_features": mse_loss(reconstructed, setting.x),
        "joint_smoothed": 0.9 * mse_loss(decoded, stage.smoothed),
        "joint_graph": 0.1 * setting.adjacency_error(stage.error, codes.graph.codes, decoded),
        "joint_agreement": 0.1 * mse_loss(codes.ae[0], codes.graph.codes[0]),
    }


@torch.no_grad()
def initial_codes(network: Network, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Return the noise-free embedding and graph codes of the pre-trained network, (n_cells, 20) float32 each."""
    graph = setting.normalised.graph
    codes = network.encode([(setting.x, graph)])
    latent = network.fuse(codes, graph, setting.attention)
    return latent.cpu().numpy(), codes.graph.codes[0].cpu().numpy()
