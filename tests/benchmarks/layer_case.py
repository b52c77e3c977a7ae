"""The step benchmark's child: ROUNDS; prints JSON. Shapes: N samples, F inputs, S states, M outputs."""

import json
import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn

from components.heads.implicit.fixed_point import SolverConfig
from components.heads.implicit.layer import ImplicitConfig, ImplicitLayer
from components.heads.losses import masked_bce
from tests.benchmarks.child import medians

BATCH, INPUTS, STATES, OUTPUTS = 256, 384, 128, 11
CONFIG = ImplicitConfig(states=STATES, solver=SolverConfig(tolerance=1e-4))


def problem(rows: int = BATCH) -> tuple[Tensor, Tensor]:
    """Unit inputs and a quality that depends on them by planted features and their products."""
    inputs_NF = nn.functional.normalize(torch.randn(rows, INPUTS))
    feature_NM = inputs_NF @ torch.randn(INPUTS, 2 * OUTPUTS)
    odds_NM = 4 * feature_NM[:, :OUTPUTS] * feature_NM[:, OUTPUTS:]
    return inputs_NF, torch.bernoulli(torch.sigmoid(odds_NM))


def step(network: nn.Module, inputs_NF: Tensor, quality_NM: Tensor, rate: float = 0.0) -> Callable[[], None]:
    """One optimiser step, the layer's projection included; at rate 0, so that every step is of the same network."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
    layers = [module for module in network.modules() if isinstance(module, ImplicitLayer)]

    def once() -> None:
        optimiser.zero_grad(set_to_none=True)
        masked_bce(network(inputs_NF), quality_NM).backward()
        optimiser.step()
        for layer in layers:
            layer.project()

    return once


def at_the_bound() -> ImplicitLayer:
    """A layer whose ||A||_inf and spectral radius are both v."""
    layer = ImplicitLayer(INPUTS, OUTPUTS, CONFIG)
    with torch.no_grad():
        layer.feedback_SS.copy_(torch.rand(STATES, STATES))
        layer.feedback_SS.mul_(CONFIG.v / layer.feedback_SS.sum(dim=1, keepdim=True))
    return layer


def trained(inputs_NF: Tensor, quality_NM: Tensor, steps: int = 150) -> ImplicitLayer:
    """A layer that has fitted these rows: its feedback has grown to where training takes it."""
    layer = ImplicitLayer(INPUTS, OUTPUTS, CONFIG)
    once = step(layer, inputs_NF, quality_NM, rate=2e-3)
    for _ in range(steps):
        once()
    return layer


def main(rounds: int) -> None:
    """Measures the two-layer network and the layer in three states."""
    torch.set_num_threads(2)
    torch.manual_seed(0)
    inputs_NF, quality_NM = problem()
    networks: dict[str, nn.Module] = {
        "two layers": nn.Sequential(nn.Linear(INPUTS, STATES), nn.ReLU(), nn.Linear(STATES, OUTPUTS)),
        "implicit, as initialised": ImplicitLayer(INPUTS, OUTPUTS, CONFIG),
        "implicit, trained": trained(inputs_NF, quality_NM),
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
                "norm of A": found and found.norm_inf,
                "spectral radius": found and found.spectral_radius,
            }
        )
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
