"""Fixed points of contractions, sample by sample, and gradients through them. Shapes: N samples, S states."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Method = Literal["picard", "anderson"]
Step = Callable[[Tensor, tuple[Tensor, ...]], Tensor]
"""(states (K, S), each sample's own constants (K, ...)) -> next states (K, S)."""

PERIOD = 3
"""Iterations from one turn, where convergence is checked and Anderson's method steps in, to the next; the first is
the second iteration. The turns are the same for all samples, so that no answer depends on the samples beside it."""

LEAVE = 0.5
"""Converged samples are cut out of the batch once at most this share still moves: each cut costs copies."""

LONGEST = 1000.0
"""How far Anderson's method looks ahead, in steps: as far as a contraction by 0.999 needs."""


class NotConverged(ArithmeticError):
    """The iteration limit was reached first."""

    def __init__(self, residual: float, iterations: int, samples: int) -> None:
        cause = "" if math.isfinite(residual) else ": an input or a weight is nan or infinite"
        super().__init__(
            f"{samples} samples at relative residual up to {residual:.3g} after {iterations} iterations{cause}"
        )
        self.residual = residual
        self.iterations = iterations
        self.samples = samples


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverConfig:
    """When to stop."""

    method: Method = "anderson"
    tolerance: float = 1e-5
    """Largest change of a sample's state in one iteration relative to the state itself, both in the maximum norm, in
    (0, 1). Relative and per sample: an absolute or batch-wide one stops large samples late and small ones early."""
    max_iterations: int = 500
    """>= 1."""

    def __post_init__(self) -> None:
        if self.method not in ("picard", "anderson"):
            raise ValueError(f"method must be picard or anderson, got {self.method!r}")
        if not 0 < self.tolerance < 1 or self.max_iterations < 1:
            raise ValueError(f"tolerance must be in (0, 1) and max_iterations >= 1, got {self}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """The fixed point of each sample."""

    state_NS: Tensor
    residual_N: Tensor
    """Relative change in the last iteration."""
    iterations_N: Tensor
    """Iterations until the sample converged, int64."""


def solve(step: Step, start_NS: Tensor, constants: tuple[Tensor, ...], config: SolverConfig) -> Solution:
    """The fixed point of `step` for each sample; samples leave the batch as they converge.

    Args:
        step: a contraction that treats samples independently; returns new tensors.
        start_NS: where to start.
        constants: tensors with N rows that `step` gets, cut down to the samples still in the batch.
        config: see SolverConfig.

    Raises:
        NotConverged: a sample is still moving after max_iterations, or its state isn't finite.
    """
    left = start_NS.shape[0]
    if left == 0:
        return _stored(start_NS)
    found: Solution | None = None
    before_KS = current_KS = start_NS
    for iteration in range(1, config.max_iterations + 1):
        next_KS = step(current_KS, constants)
        if iteration % PERIOD != 2 and iteration < config.max_iterations:
            before_KS, current_KS = current_KS, next_KS
            continue
        move_KS = next_KS - current_KS
        scale_K = next_KS.abs().amax(dim=1).clamp_(min=torch.finfo(next_KS.dtype).tiny)
        residual_K = move_KS.abs().amax(dim=1).div_(scale_K)
        done_K = residual_K <= config.tolerance  # False for nan
        if found is None:
            if bool(done_K.all()):
                return Solution(state_NS=next_KS, residual_N=residual_K, iterations_N=torch.full((left,), iteration))
            found, rows_K = _stored(start_NS), torch.arange(left)
            moving_K, best_K = torch.ones_like(done_K), torch.full_like(residual_K, torch.inf)
        done_K &= moving_K
        at = done_K.nonzero()[:, 0]
        if at.numel():
            rows = rows_K.index_select(0, at)
            found.state_NS.index_copy_(0, rows, next_KS.index_select(0, at))
            found.residual_N.index_copy_(0, rows, residual_K.index_select(0, at))
            found.iterations_N.index_fill_(0, rows, iteration)
            moving_K ^= done_K
            left -= at.numel()
            if left == 0:
                return found
        if iteration == config.max_iterations:
            break
        if config.method == "anderson":
            next_KS = _extrapolated(before_KS, current_KS, next_KS, move_KS, residual_K < best_K)
            best_K = torch.minimum(best_K, residual_K)
        if left <= LEAVE * moving_K.shape[0]:
            keep = moving_K.nonzero()[:, 0]
            rows_K, moving_K, best_K, next_KS = (
                part.index_select(0, keep) for part in (rows_K, moving_K, best_K, next_KS)
            )
            constants = tuple(constant.index_select(0, keep) for constant in constants)
        current_KS = next_KS
    raise NotConverged(float(residual_K[moving_K].max()), config.max_iterations, left)


def _stored(start_NS: Tensor) -> Solution:
    """Room for a solution of these samples."""
    samples = start_NS.shape[0]
    return Solution(
        state_NS=torch.empty_like(start_NS),
        residual_N=start_NS.new_empty(samples),
        iterations_N=torch.empty(samples, dtype=torch.int64),
    )


def _extrapolated(before_KS: Tensor, current_KS: Tensor, next_KS: Tensor, move_KS: Tensor, closer_K: Tensor) -> Tensor:
    """One step of Anderson's method with a memory of one (Walker & Ni 2011, SIAM J. Numer. Anal. 49(4), eq. 2.2).

    Taken every few Picard iterations (Pratapa et al. 2016, J. Comput. Phys. 306, section 2), each sample by itself. A
    sample that isn't closer than at every turn before, or whose moves grow, goes on with plain Picard iterations, so a
    contraction still converges.
    """
    change_KS = move_KS + before_KS - current_KS
    share_K = (change_KS * move_KS).sum(dim=1) / change_KS.square().sum(dim=1)
    # The last move is the shorter of the two where the share is below a half; nan, of moves that underflow, isn't.
    share_K = torch.where((share_K <= 0.5).logical_and_(closer_K), share_K, 0.0).clamp_(min=-LONGEST)
    return torch.lerp(next_KS, current_KS, share_K[:, None])


Activation = Literal["relu", "tanh"]


def activate(name: Activation, z: Tensor) -> Tensor:
    """The activation, which must not stretch (Lipschitz constant 1) for the layer to be well-posed."""
    return torch.relu(z) if name == "relu" else torch.tanh(z)


def slope(name: Activation, x: Tensor) -> Tensor:
    """Its derivative, from its value."""
    return torch.sign(x) if name == "relu" else 1 - x.square()


def layer_step(feedback_SS: Tensor, name: Activation) -> Step:
    """x -> phi(x A' + b), the samples' b as the one constant; not differentiable."""
    transposed_SS, activate_ = feedback_SS.T, torch.relu_ if name == "relu" else torch.tanh_
    return lambda state_KS, constants: activate_(torch.addmm(constants[0], state_KS, transposed_SS))


class Equilibrium(torch.autograd.Function):
    """x = phi(x A' + b) for each sample, with gradients by the implicit function theorem: memory is that of one step.

    Adjoint: w = phi' * (g + w A), a fixed point with the same contraction, solved to the same relative tolerance; then
    dL/db = w and dL/dA = w' x (El Ghaoui et al. 2021, arXiv 1908.06315, section 4).
    Returns the state (N, S), and, without gradient, residual and iterations of each sample.
    """

    @staticmethod
    def forward(
        context: Any, feedback_SS: Tensor, drive_NS: Tensor, start_NS: Tensor, name: Activation, config: SolverConfig
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Solves for the state."""
        found = solve(layer_step(feedback_SS, name), start_NS, (drive_NS,), config)
        context.save_for_backward(feedback_SS, found.state_NS)
        context.name, context.config = name, config
        context.mark_non_differentiable(found.residual_N, found.iterations_N)
        return found.state_NS, found.residual_N, found.iterations_N

    @staticmethod
    @once_differentiable
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Solves for the adjoint."""
        feedback_SS, state_NS = context.saved_tensors
        gradient_NS, slope_NS = gradients[0], slope(context.name, state_NS)
        found = solve(
            lambda adjoint_KS, constants: torch.addmm(constants[0], adjoint_KS, feedback_SS).mul_(constants[1]),
            gradient_NS * slope_NS,
            (gradient_NS, slope_NS),
            context.config,
        )
        return found.state_NS.T @ state_NS, found.state_NS, None, None, None


def project_rows_l1(matrix_RS: Tensor, radius: float) -> Tensor:
    """The nearest matrix (Frobenius) whose rows lie in the l1 ball, so that its infinity norm is <= radius.

    Exact: Newton's method on each row's threshold, which climbs to the answer in finitely many steps (Michelot's
    algorithm; Condat 2016, Math. Program. 158, section 3). Rows already inside are returned as they are.

    Args:
        matrix_RS: finite.
        radius: > 0.

    Raises:
        ValueError: the radius isn't positive or a value isn't finite.

    >>> project_rows_l1(torch.tensor([[1.2, -0.6], [0.2, 0.3]]), 1.0)
    tensor([[ 0.8000, -0.2000],
            [ 0.2000,  0.3000]])
    """
    if not radius > 0:
        raise ValueError(f"radius must be > 0, got {radius}")
    size_RS = matrix_RS.abs()
    norm_R = size_RS.sum(dim=1)
    if bool((norm_R <= radius).all()):
        return matrix_RS
    if not bool(torch.isfinite(norm_R).all()):
        raise ValueError("matrix holds nan or infinite values")
    outside_K = (norm_R > radius).nonzero()[:, 0]
    size_KS, states = size_RS.index_select(0, outside_K), matrix_RS.shape[1]
    threshold_K1 = (norm_R[outside_K, None] - radius) / states
    for _ in range(states):  # each step but the last drops an entry from some row, and rounding can't go on for longer
        left_KS = torch.relu_(size_KS - threshold_K1)
        climb_K1 = (left_KS.sum(dim=1, keepdim=True) - radius) / left_KS.sign().sum(dim=1, keepdim=True).clamp_(min=1)
        higher_K1 = threshold_K1 + climb_K1
        if not bool((higher_K1 > threshold_K1).any()):
            break
        threshold_K1 = torch.maximum(threshold_K1, higher_K1)
    signed_KS = matrix_RS.index_select(0, outside_K).sign_().mul_(torch.relu_(size_KS - threshold_K1))
    return matrix_RS.index_copy(0, outside_K, signed_KS)
