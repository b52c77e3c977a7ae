"""How many iterations an implicit layer needs, counted relative to the state and, as in the paper, absolutely."""

import torch
from torch import Tensor

from components.heads.implicit.fixed_point import activate
from components.heads.implicit.layer import ImplicitLayer

LIMIT = 2000


@torch.no_grad()
def iterations(layer: ImplicitLayer, inputs_NF: Tensor, tolerance: float, *, relative: bool) -> float:
    """Mean Picard iterations of a sample until its state moves by at most the tolerance, from a state of zero.

    With absolute tolerance the count of a scale-equivariant layer grows as log(scale) / log(1 / contraction): larger
    states need more iterations to come as near. Relative to the state itself nothing changes.

    Args:
        layer: well-posed, so that states settle.
        inputs_NF: finite.
        tolerance: > 0, in the maximum norm.
        relative: to the largest entry of the sample's state.

    Raises:
        ValueError: the tolerance isn't positive.
    """
    if not tolerance > 0:
        raise ValueError(f"tolerance must be > 0, got {tolerance}")
    # In float64: where states are large, float32 can't tell them apart to a small absolute tolerance.
    feedback_SS = layer.feedback_SS.double()
    drive_NS = inputs_NF.double() @ layer.drive.weight.double().T
    if layer.drive.bias is not None:
        drive_NS = drive_NS + layer.drive.bias.double()
    state_NS = torch.zeros_like(drive_NS)
    count_N = torch.zeros(len(inputs_NF), dtype=torch.float64)
    for _ in range(LIMIT):
        next_NS = activate(layer.config.activation, drive_NS + state_NS @ feedback_SS.T)
        move_N = (next_NS - state_NS).abs().amax(dim=1)
        allowed_N = tolerance * next_NS.abs().amax(dim=1) if relative else torch.full_like(move_N, tolerance)
        moving_N = move_N > allowed_N
        count_N += moving_N
        state_NS = next_NS
        if not bool(moving_N.any()):
            break
    return float(count_N.mean()) + 1
