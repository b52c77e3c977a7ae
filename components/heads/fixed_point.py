"""Fixed points of contractions, sample by sample, and gradients through them. Shapes: N samples, S states."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Method = Literal["picard", "anderson"]
Step = Callable[[Tensor, tuple[Tensor, ...]], Tensor]
"""(states (K, S), each sample's own constants (K, ...)) -> next states (K, S)."""

MEMORY = 5
"""States that Anderson's method combines."""

LEAVE = 0.75
"""Converged samples are cut out of the batch once at most this share still moves: each cut costs copies."""


class NotConverged(ArithmeticError):
    """The iteration limit was reached first."""

    def __init__(self, residual: float, iterations: int, samples: int) -> None:
        super().__init__(f"{samples} samples at relative residual up to {residual:.3g} after {iterations} iterations")
        self.residual = residual
        self.iterations = iterations
        self.samples = samples


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverConfig:
    """When to stop."""

    method: Method = "picard"
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
        step: a contraction that treats samples independently.
        start_NS: where to start.
        constants: tensors with N rows that `step` gets, cut down to the samples still in the batch.
        config: see SolverConfig.

    Raises:
        NotConverged: a sample is still moving after max_iterations, or its state isn't finite.
    """
    state_NS = start_NS.clone()
    residual_N = start_NS.new_zeros(start_NS.shape[0])
    iterations_N = torch.zeros(start_NS.shape[0], dtype=torch.int64)
    rows_K = torch.arange(start_NS.shape[0])
    moving_K = torch.ones_like(rows_K, dtype=torch.bool)
    current_KS = start_NS
    mixer = _Anderson() if config.method == "anderson" else None
    for iteration in range(1, config.max_iterations + 1):
        next_KS = step(current_KS, constants)
        if next_KS.shape[0] == 0:
            break
        scale_K = next_KS.abs().amax(dim=1).clamp(min=torch.finfo(next_KS.dtype).tiny)
        residual_K = (next_KS - current_KS).abs_().amax(dim=1).div_(scale_K)
        done_K = (residual_K <= config.tolerance) & moving_K  # False for nan
        if bool(done_K.any()):
            ended = rows_K[done_K]
            state_NS[ended], residual_N[ended], iterations_N[ended] = next_KS[done_K], residual_K[done_K], iteration
            moving_K &= ~done_K
            left = int(moving_K.sum())
            if left == 0:
                break
            if left <= LEAVE * moving_K.shape[0]:
                rows_K, next_KS, current_KS, residual_K = (
                    part[moving_K] for part in (rows_K, next_KS, current_KS, residual_K)
                )
                constants = tuple(constant[moving_K] for constant in constants)
                if mixer is not None:
                    mixer.keep(moving_K)
                moving_K = torch.ones_like(rows_K, dtype=torch.bool)
        if iteration == config.max_iterations:
            raise NotConverged(float(residual_K[moving_K].max()), iteration, int(moving_K.sum()))
        current_KS = next_KS if mixer is None else mixer.mix(current_KS, next_KS, residual_K)
    return Solution(state_NS=state_NS, residual_N=residual_N, iterations_N=iterations_N)


class _Anderson:
    """Anderson acceleration (Walker & Ni 2011, SIAM J. Numer. Anal. 49(4), eq. 2.2), sample by sample.

    A sample whose residual grew takes a plain Picard step, so a contraction still converges.
    """

    def __init__(self) -> None:
        self._states: list[Tensor] = []
        self._images: list[Tensor] = []
        self._best_K: Tensor | None = None

    def keep(self, left_K: Tensor) -> None:
        self._states = [state[left_K] for state in self._states]
        self._images = [image[left_K] for image in self._images]
        if self._best_K is not None:
            self._best_K = self._best_K[left_K]

    def mix(self, state_KS: Tensor, image_KS: Tensor, residual_K: Tensor) -> Tensor:
        self._states = [*self._states[-MEMORY + 1 :], state_KS]
        self._images = [*self._images[-MEMORY + 1 :], image_KS]
        best_K = residual_K if self._best_K is None else self._best_K
        grew_K = residual_K > best_K
        self._best_K = torch.minimum(best_K, residual_K)
        if len(self._states) == 1:
            return image_KS
        image_KLS = torch.stack(self._images, dim=1)
        move_KLS = image_KLS - torch.stack(self._states, dim=1)
        # Unit scale first: the products of the small moves near the fixed point would underflow in float32.
        move_KLS = move_KLS / move_KLS.abs().amax(dim=(1, 2), keepdim=True).clamp(min=torch.finfo(move_KLS.dtype).tiny)
        gram_KLL = move_KLS @ move_KLS.mT
        diagonal_K11 = gram_KLL.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None]
        ridge = 1e-10 if gram_KLL.dtype == torch.float64 else 1e-6
        gram_KLL = gram_KLL + (ridge * diagonal_K11 + ridge) * torch.eye(gram_KLL.shape[1], dtype=gram_KLL.dtype)
        share_KL = torch.linalg.solve(gram_KLL, torch.ones_like(gram_KLL[:, :, 0]))
        share_KL = share_KL / share_KL.sum(dim=1, keepdim=True)
        mixed_KS = (share_KL[:, None, :] @ image_KLS)[:, 0]
        usable_K = ~grew_K & torch.isfinite(mixed_KS).all(dim=1)
        return torch.where(usable_K[:, None], mixed_KS, image_KS)


Activation = Literal["relu", "tanh"]


def activate(name: Activation, z: Tensor) -> Tensor:
    """The activation, which must not stretch (Lipschitz constant 1) for the layer to be well-posed."""
    return torch.relu(z) if name == "relu" else torch.tanh(z)


def slope(name: Activation, x: Tensor) -> Tensor:
    """Its derivative, from its value."""
    return (x > 0).to(x.dtype) if name == "relu" else 1 - x.square()


class Equilibrium(torch.autograd.Function):
    """x = phi(x A' + b) for each sample, with gradients by the implicit function theorem: memory is that of one step.

    Adjoint: w = g + (w * phi') A, a fixed point with the same contraction, solved to the same relative tolerance; then
    dL/db = w * phi' and dL/dA = (w * phi')' x (El Ghaoui et al. 2021, arXiv 1908.06315, section 4).
    Returns the state (N, S), and, without gradient, residual and iterations of each sample.
    """

    @staticmethod
    def forward(
        context: Any, feedback_SS: Tensor, drive_NS: Tensor, start_NS: Tensor, name: Activation, config: SolverConfig
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Solves for the state."""
        found = solve(
            lambda state_KS, constants: activate(name, torch.addmm(constants[0], state_KS, feedback_SS.T)),
            start_NS,
            (drive_NS,),
            config,
        )
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
            lambda adjoint_KS, constants: torch.addmm(constants[0], adjoint_KS * constants[1], feedback_SS),
            gradient_NS,
            (gradient_NS, slope_NS),
            context.config,
        )
        drive_NS = found.state_NS * slope_NS
        return drive_NS.T @ state_NS, drive_NS, None, None, None


def project_rows_l1(matrix_RS: Tensor, radius: float) -> Tensor:
    """The nearest matrix (Frobenius) whose rows lie in the l1 ball, so that its infinity norm is <= radius.

    Exact, by sorting each row (Duchi et al. 2008, ICML, figure 1); rows already inside are returned as they are.

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
    if not bool(torch.isfinite(matrix_RS).all()):
        raise ValueError("matrix holds nan or infinite values")
    size_RS = matrix_RS.abs()
    outside_R = size_RS.sum(dim=1) > radius
    if not bool(outside_R.any()):
        return matrix_RS
    sorted_KS = size_RS[outside_R].sort(dim=1, descending=True).values
    excess_KS = sorted_KS.cumsum(dim=1) - radius
    count_S = torch.arange(1, matrix_RS.shape[1] + 1, dtype=matrix_RS.dtype)
    # The last place where the sorted value still exceeds the threshold it would set.
    last_K1 = (sorted_KS * count_S > excess_KS).sum(dim=1, keepdim=True) - 1
    threshold_K1 = excess_KS.gather(1, last_K1) / (last_K1 + 1)
    projected_RS = matrix_RS.clone()
    projected_RS[outside_R] = matrix_RS[outside_R].sign() * (size_RS[outside_R] - threshold_K1).clamp(min=0)
    return projected_RS
