"""The implicit layer against torchidl and torchdeq on the same weights; see README.md beside this file.

`python -m tests.benchmarks.references.compare [--rounds N]`: same fixed points and gradients, then a training step of
each, side by side. Shapes: N samples, F inputs, S states, M outputs.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

import torch
import torchidl
from torch import Tensor, nn
from torchdeq import get_deq

from components.heads.implicit.fixed_point import NotConverged, SolverConfig
from components.heads.implicit.layer import ImplicitLayer
from tests.benchmarks.child import medians
from tests.benchmarks.layer_case import CONFIG, INPUTS, OUTPUTS, STATES, at_the_bound, problem, step, trained
from tests.benchmarks.table import Table, markdown

AGREE = 1e-5
"""Largest relative difference of fixed points, and of gradients, in double precision."""


class TorchDeq(nn.Module):
    """torchdeq's implicit-gradient mode around the layer's own weights; relative stopping, as it has it built in."""

    def __init__(self, layer: ImplicitLayer, tolerance: float, iterations: int = 500) -> None:
        super().__init__()
        self.layer = layer
        self.deq = get_deq(
            ift=True,
            f_solver="fixed_point_iter",
            b_solver="fixed_point_iter",
            f_stop_mode="rel",
            b_stop_mode="rel",
            f_tol=tolerance,
            b_tol=tolerance,
            f_max_iter=iterations,
            b_max_iter=iterations,
        )

    def forward(self, inputs_NF: Tensor) -> Tensor:
        drive_NS = self.layer.drive(inputs_NF)
        states, _ = self.deq(
            lambda state_NS: torch.relu(torch.addmm(drive_NS, state_NS, self.layer.feedback_SS.T)),
            torch.relu(drive_NS.detach()),
        )
        output_NM: Tensor = self.layer.output(states[-1]) + self.layer.skip(inputs_NF)
        return output_NM


def torchidl_twin(
    layer: ImplicitLayer, tolerance: float, gradient_tolerance: float, iterations: int = 500
) -> nn.Module:
    """torchidl's model with the layer's weights; its biases are columns of B and D, its tolerances absolute."""
    twin = torchidl.ImplicitModel(
        INPUTS,
        OUTPUTS,
        STATES,
        bias=True,
        mitr=iterations,
        grad_mitr=iterations,
        tol=tolerance,
        grad_tol=gradient_tolerance,
        kappa=layer.config.v + 1e-6,
    ).to(layer.feedback_SS.dtype)
    with torch.no_grad():
        twin.A.copy_(layer.feedback_SS)
        twin.B.copy_(torch.cat([layer.drive.weight, layer.drive.bias[:, None]], dim=1))
        twin.C.copy_(layer.output.weight)
        twin.D.copy_(torch.cat([layer.skip.weight, layer.output.bias[:, None]], dim=1))
    return twin


def gradients(network: nn.Module, layer: ImplicitLayer, inputs_NF: Tensor) -> dict[str, Tensor]:
    """The outputs, and the gradients of the mean squared output by the inputs and every weight."""
    inputs_NF = inputs_NF.clone().requires_grad_()
    output_NM = network(inputs_NF)
    network.zero_grad()
    output_NM.square().mean().backward()
    found = {"outputs": output_NM.detach(), "by inputs": inputs_NF.grad}
    if isinstance(network, torchidl.ImplicitModel):
        joint = {"A": network.A.grad, "B, b": network.B.grad, "C": network.C.grad, "D, c": network.D.grad}
    else:
        joint = {
            "A": layer.feedback_SS.grad,
            "B, b": torch.cat([layer.drive.weight.grad, layer.drive.bias.grad[:, None]], dim=1),
            "C": layer.output.weight.grad,
            "D, c": torch.cat([layer.skip.weight.grad, layer.output.bias.grad[:, None]], dim=1),
        }
    return found | {f"by {name}": gradient.clone() for name, gradient in joint.items()}


def differences(layer: ImplicitLayer, inputs_NF: Tensor) -> dict[str, dict[str, float]]:
    """Largest difference to each reference, relative to the largest value, in double precision at tolerance 1e-12."""
    exact = ImplicitLayer(INPUTS, OUTPUTS, replace(CONFIG, solver=SolverConfig(tolerance=1e-12, max_iterations=5000)))
    exact = exact.double()
    exact.load_state_dict(layer.state_dict())
    # Their absolute tolerances: of small gradients, so that theirs is the tighter stop.
    references = {"torchidl": torchidl_twin(exact, 1e-12, 1e-16, 5000), "torchdeq": TorchDeq(exact, 1e-12, 5000)}
    ours = gradients(exact, exact, inputs_NF.double())
    return {
        name: {
            part: float((theirs - ours[part]).abs().max() / ours[part].abs().max())
            for part, theirs in gradients(network, exact, inputs_NF.double()).items()
        }
        for name, network in references.items()
    }


def timed(
    layer: ImplicitLayer, inputs_NF: Tensor, quality_NM: Tensor, rounds: int, clock: Callable[[], float]
) -> list[float]:
    """Median seconds of a step of two layers, the layer, torchidl and torchdeq, at relative tolerance 1e-4."""
    tolerance = CONFIG.solver.tolerance
    state_NS = layer.solved(inputs_NF)[1].state_NS.detach()
    output_NM = (layer.output(state_NS) + layer.skip(inputs_NF)).detach().requires_grad_()
    nn.functional.binary_cross_entropy_with_logits(output_NM, quality_NM).backward()
    adjoint_NS = (output_NM.grad @ layer.output.weight.detach()) * (state_NS > 0)
    # torchidl knows only absolute tolerances. Those of the largest sample are the loosest that could count as equal:
    # any other choice would make it slower.
    twin = torchidl_twin(layer, tolerance * float(state_NS.max()), tolerance * float(adjoint_NS.abs().max()))
    networks = [
        nn.Sequential(nn.Linear(INPUTS, STATES), nn.ReLU(), nn.Linear(STATES, OUTPUTS)),
        layer,
        twin,
        TorchDeq(layer, tolerance),
    ]
    return medians([step(network, inputs_NF, quality_NM) for network in networks], rounds=rounds, clock=clock)


def at_the_limit(layer: ImplicitLayer, inputs_NF: Tensor) -> dict[str, str]:
    """What each does when three iterations aren't enough."""
    hasty = ImplicitLayer(INPUTS, OUTPUTS, replace(CONFIG, solver=SolverConfig(tolerance=1e-6, max_iterations=3)))
    hasty.load_state_dict(layer.state_dict())
    found = {}
    for name, network in (
        ("pointsman", hasty),
        ("torchidl", torchidl_twin(layer, 1e-6, 1e-6, iterations=3)),
        ("torchdeq", TorchDeq(layer, 1e-6, iterations=3)),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                network(inputs_NF)
            except NotConverged as error:
                found[name] = f"error: {error}"
            else:
                found[name] = f"warning: {caught[0].message}" if caught else "nothing said"
    return found


def main(arguments: list[str] | None = None) -> int:
    """Prints the comparison; 1 where a fixed point or gradient differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.references.compare", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="steps timed of each")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="CPU time of all threads, for a machine that isn't idle")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    clock = time.process_time if asked.cpu else time.perf_counter
    torch.manual_seed(0)
    inputs_NF, quality_NM = problem()
    layers = {
        "as initialised": ImplicitLayer(INPUTS, OUTPUTS, CONFIG),
        "trained": trained(inputs_NF, quality_NM),
        "at the bound": at_the_bound(),
    }
    worst, agreement, speed = 0.0, [], []
    for state, layer in layers.items():
        for name, parts in differences(layer, inputs_NF).items():
            worst = max(worst, *parts.values())
            agreement.append(
                {"layer": state, "reference": name, **{part: f"{value:.1e}" for part, value in parts.items()}}
            )
        base, *seconds = timed(layer, inputs_NF, quality_NM, asked.rounds, clock)
        for name, taken in zip(("pointsman", "torchidl", "torchdeq"), seconds, strict=True):
            speed.append(
                {
                    "layer": state,
                    "implementation": name,
                    "ms a step": 1000 * taken,
                    "times two layers": taken / base,
                    "times pointsman": taken / seconds[0],
                }
            )
    unit = f"{asked.threads} threads, {'CPU' if asked.cpu else 'wall'} time"
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchidl", "torchdeq"))
    print(
        markdown(
            Table(
                name="agreement",
                claim=f"Largest relative difference of outputs and gradients in double precision; {versions}.",
                rows=agreement,
                summary={"largest": f"{worst:.1e}", "allowed": f"{AGREE:.0e}"},
            )
        )
    )
    print(
        markdown(
            Table(
                name="speed",
                claim=(
                    "Forward, backward and AdamW step with projection, batch 256, 384 inputs, 128 states, 11 outputs, "
                    f"relative tolerance 1e-4, {unit}; median of steps taken in turn."
                ),
                rows=speed,
                summary={
                    f"three iterations, {name}": said
                    for name, said in at_the_limit(layers["trained"], inputs_NF).items()
                },
            )
        )
    )
    return int(worst > AGREE)


if __name__ == "__main__":
    sys.exit(main())
