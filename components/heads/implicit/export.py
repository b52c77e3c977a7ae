"""A trained implicit head outside Python: unrolled to a fixed number of iterations. Shapes: N prompts, S states."""

import io
import math
import warnings

import numpy as np
import torch
from torch import Tensor, nn

from components.heads.implicit.head import ImplicitHead
from components.heads.implicit.layer import ImplicitConfig, ImplicitLayer

OPSET = 17


def iterations_for(head: ImplicitHead, accuracy: float) -> int:
    """Picard iterations after which every state is within `accuracy` of its fixed point, relative to the first step.

    Each shrinks the error by ||A||_inf at least, in the maximum norm: ||A||^k / (1 - ||A||) <= accuracy (Banach).

    Raises:
        ValueError: accuracy isn't in (0, 1).
    """
    if not 0 < accuracy < 1:
        raise ValueError(f"accuracy must be in (0, 1), got {accuracy}")
    norm = float(np.abs(head.feedback_SS).sum(axis=1, dtype=np.float64).max())
    return 1 if norm == 0 else max(1, math.ceil(math.log(accuracy * (1 - norm)) / math.log(norm)))


def to_layer(head: ImplicitHead) -> ImplicitLayer:
    """The head as a module again, in eval mode."""
    states, inputs = head.drive_SF.shape
    layer = ImplicitLayer(
        inputs, head.output_MS.shape[0], ImplicitConfig(states=states, activation=head.activation, solver=head.solver)
    )
    weights = {
        "feedback_SS": head.feedback_SS,
        "drive.weight": head.drive_SF,
        "drive.bias": head.drive_bias_S,
        "output.weight": head.output_MS,
        "output.bias": head.output_bias_M,
        "skip.weight": head.skip_MF,
    }
    layer.load_state_dict({name: torch.tensor(weight) for name, weight in weights.items()})
    return layer.eval()


def unrolled(head: ImplicitHead, iterations: int) -> nn.Module:
    """Features (N, F) to quality (N, M) by that many Picard iterations, for torch.export and ONNX.

    Raises:
        ValueError: iterations < 1.
    """
    if iterations < 1:
        raise ValueError(f"iterations must be >= 1, got {iterations}")
    layer = to_layer(head)
    layer.fixed_iterations = iterations
    return nn.Sequential(layer, nn.Sigmoid()).eval()


def to_onnx(head: ImplicitHead, iterations: int | None = None) -> bytes:
    """An ONNX model from `features` (N, F) to `quality` (N, M), both float32, any N.

    Args:
        head: a trained head.
        iterations: unrolled; as many as single precision needs (1e-7) if not given.

    Raises:
        ValueError: iterations < 1.
    """
    module = unrolled(head, iterations_for(head, 1e-7) if iterations is None else iterations)
    example_NF: Tensor = torch.zeros(2, head.drive_SF.shape[1])
    target = io.BytesIO()
    with warnings.catch_warnings():
        # torch says that this exporter is the older one; the newer needs a package that nothing else here needs.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(
            module,
            (example_NF,),
            target,  # type: ignore[arg-type]  # the older exporter takes files in memory
            dynamo=False,
            opset_version=OPSET,
            input_names=["features"],
            output_names=["quality"],
            dynamic_axes={"features": {0: "n"}, "quality": {0: "n"}},
        )
    return target.getvalue()
