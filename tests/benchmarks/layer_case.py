"""The step benchmark's child: ROUNDS; prints JSON. Shapes: N samples, F inputs, S states, M outputs."""

import json
import sys
from collections.abc import Callable

import torch
from torch import nn

from components.heads.fixed_point import SolverConfig
from components.heads.implicit_layer import ImplicitConfig, ImplicitLayer
from components.heads.losses import masked_bce
from tests.benchmarks.child import medians

BATCH, INPUTS, STATES, OUTPUTS = 256, 384, 128, 11
CONFIG = ImplicitConfig(states=STATES, solver=SolverConfig(tolerance=1e-4))


def step(network: nn.Module, inputs_NF: torch.Tensor, quality_NM: torch.Tensor) -> Callable[[], None]:
    """One optimiser step, the layer's projection included; at rate 0, so that every step is of the same network."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.0)

    def once() -> None:
        optimiser.zero_grad(set_to_none=True)
        masked_bce(network(inputs_NF), quality_NM).backward()
        optimiser.step()
        if isinstance(network, ImplicitLayer):
            network.project()

    return once


def at_the_bound() -> ImplicitLayer:
    """A layer whose ||A||_inf and spectral radius are both v."""
    layer = ImplicitLayer(INPUTS, OUTPUTS, CONFIG)
    with torch.no_grad():
        layer.feedback_SS.copy_(torch.rand(STATES, STATES))
        layer.feedback_SS.mul_(CONFIG.v / layer.feedback_SS.sum(dim=1, keepdim=True))
    return layer


def main(rounds: int) -> None:
    """Measures the two-layer network and both layers."""
    torch.set_num_threads(2)
    torch.manual_seed(0)
    inputs_NF = nn.functional.normalize(torch.randn(BATCH, INPUTS))
    quality_NM = (torch.rand(BATCH, OUTPUTS) < 0.5).to(torch.float32)
    networks: dict[str, nn.Module] = {
        "two layers": nn.Sequential(nn.Linear(INPUTS, STATES), nn.ReLU(), nn.Linear(STATES, OUTPUTS)),
        "implicit, as initialised": ImplicitLayer(INPUTS, OUTPUTS, CONFIG),
        "implicit, at the bound": at_the_bound(),
    }
    seconds = medians([step(network, inputs_NF, quality_NM) for network in networks.values()], rounds=rounds)
    rows = []
    for (name, network), taken in zip(networks.items(), seconds, strict=True):
        found = network.statistics(inputs_NF) if isinstance(network, ImplicitLayer) else None
        rows.append(
            {
                "network": name,
                "ms a step": 1000 * taken,
                "ratio": taken / seconds[0],
                "iterations, mean": found and found.iterations_mean,
                "spectral radius": found and found.spectral_radius,
            }
        )
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
