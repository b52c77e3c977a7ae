"""The implicit layer, x = phi(A x + B u), y = C x + D u.

El Ghaoui et al. 2021 (arXiv 1908.06315); Decugis et al. 2024 (arXiv 2407.14430).
Shapes: N samples, F inputs, S states, M outputs.
"""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from components.heads.implicit.fixed_point import (
    Activation,
    Equilibrium,
    Solution,
    SolverConfig,
    activate,
    project_rows_l1,
)
from components.heads.training import FitConfig

Feedback = Literal["full", "triangular", "none"]
"""A as it is, strictly upper triangular (a feed-forward network of any depth), or A = 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitConfig:
    """The layer and its training."""

    states: int = 64
    """S, >= 1."""
    v: float = 0.95
    """Bound on ||A||_inf, in (0, 1): below 1 the fixed point exists and is unique."""
    feedback: Feedback = "full"
    bias: bool = True
    """Whether states and outputs have a bias; without, a relu layer is scale-equivariant."""
    skip: bool = True
    """Whether D is there."""
    activation: Activation = "relu"
    solver: SolverConfig = field(default_factory=lambda: SolverConfig(tolerance=1e-4))
    fit: FitConfig = field(default_factory=lambda: FitConfig(weight_decay=0.05))

    def __post_init__(self) -> None:
        if self.states < 1 or not 0 < self.v < 1:
            raise ValueError(f"states must be >= 1 and v in (0, 1), got states={self.states}, v={self.v}")
        if self.feedback not in ("full", "triangular", "none") or self.activation not in ("relu", "tanh"):
            raise ValueError(f"unknown feedback {self.feedback!r} or activation {self.activation!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitStatistics:
    """How well-posed a trained layer is and how hard its fixed points were to find."""

    residual: float
    """Largest relative residual."""
    iterations_mean: float
    iterations_max: int
    norm_inf: float
    """||A||_inf."""
    spectral_radius: float
    """Largest absolute eigenvalue of A; at most ||A||_inf."""


class ImplicitLayer(nn.Module):
    """x = phi(A x + B u + b), y = C x + D u + c, solved to a relative tolerance for each sample.

    Call `project()` after each optimiser step: it keeps ||A||_inf <= v. Set `fixed_iterations` to unroll that many
    Picard iterations instead of solving, for torch.export and ONNX.
    """

    def __init__(self, inputs: int, outputs: int, config: ImplicitConfig) -> None:
        super().__init__()
        self.config = config
        self.fixed_iterations: int | None = None
        states = config.states
        # Small at the start: the layer begins as a plain two-layer network and grows feedback only where it helps.
        self.feedback_SS = nn.Parameter(torch.randn(states, states) * (0.1 / states))
        self.drive = nn.Linear(inputs, states, bias=config.bias)
        self.output = nn.Linear(states, outputs, bias=config.bias)
        self.skip = nn.Linear(inputs, outputs, bias=False) if config.skip else None
        if self.skip is not None:
            nn.init.zeros_(self.skip.weight)
        self.feedback_SS.requires_grad_(config.feedback != "none")
        self.project()

    @torch.no_grad()
    def project(self) -> None:
        """Puts A back where it may be: its pattern, then ||A||_inf <= v by exact row projection."""
        if self.config.feedback == "none":
            self.feedback_SS.zero_()
        elif self.config.feedback == "triangular":
            self.feedback_SS.triu_(diagonal=1)
        self.feedback_SS.copy_(project_rows_l1(self.feedback_SS, self.config.v))

    def forward(self, inputs_NF: Tensor, start_NS: Tensor | None = None) -> Tensor:
        """Outputs, shape (N, M).

        Args:
            inputs_NF: finite.
            start_NS: states to start from, e.g. those of the last call on the same samples; zero if not given.

        Raises:
            NotConverged: a sample's state didn't settle.
        """
        return self.solved(inputs_NF, start_NS)[0]

    def solved(self, inputs_NF: Tensor, start_NS: Tensor | None = None) -> tuple[Tensor, Solution]:
        """The outputs and the states they come from."""
        drive_NS = self.drive(inputs_NF)
        if self.fixed_iterations is not None:
            solution = self._unrolled(drive_NS, start_NS, self.fixed_iterations)
        elif self.config.feedback == "none":
            state_NS = activate(self.config.activation, drive_NS)
            residual_N = state_NS.new_zeros(state_NS.shape[0])
            solution = Solution(
                state_NS=state_NS, residual_N=residual_N, iterations_N=torch.ones_like(residual_N, dtype=torch.int64)
            )
        else:
            start_NS = activate(self.config.activation, drive_NS.detach()) if start_NS is None else start_NS
            state_NS, residual_N, iterations_N = Equilibrium.apply(  # type: ignore[no-untyped-call]
                self.feedback_SS, drive_NS, start_NS, self.config.activation, self.config.solver
            )
            solution = Solution(state_NS=state_NS, residual_N=residual_N, iterations_N=iterations_N)
        output_NM = self.output(solution.state_NS)
        return (output_NM if self.skip is None else torch.addmm(output_NM, inputs_NF, self.skip.weight.T)), solution

    def _unrolled(self, drive_NS: Tensor, start_NS: Tensor | None, iterations: int) -> Solution:
        state_NS = activate(self.config.activation, drive_NS) if start_NS is None else start_NS
        before_NS = state_NS
        for _ in range(iterations):
            before_NS = state_NS
            state_NS = activate(self.config.activation, drive_NS + before_NS @ self.feedback_SS.T)
        residual_N = (state_NS - before_NS).abs().amax(dim=1) / state_NS.abs().amax(dim=1).clamp(min=1e-30)
        counts_N = torch.full_like(residual_N, iterations).to(torch.int64)
        return Solution(state_NS=state_NS, residual_N=residual_N, iterations_N=counts_N)

    @torch.no_grad()
    def statistics(self, inputs_NF: Tensor) -> ImplicitStatistics:
        """Residual and iterations on some inputs, and the norms of A."""
        solution = self.solved(inputs_NF)[1]
        return statistics_of(self.feedback_SS, solution.residual_N, solution.iterations_N)


@torch.no_grad()
def statistics_of(feedback_SS: Tensor, residual_K: Tensor, iterations_K: Tensor) -> ImplicitStatistics:
    """Statistics of K solved fixed points of one A, zero where K is 0."""
    count, feedback_SS = iterations_K.to(torch.float64), feedback_SS.to(torch.float64)
    return ImplicitStatistics(
        residual=float(residual_K.max()) if count.numel() else 0.0,
        iterations_mean=float(count.mean()) if count.numel() else 0.0,
        iterations_max=int(count.max()) if count.numel() else 0,
        norm_inf=float(feedback_SS.abs().sum(dim=1).max()),
        spectral_radius=float(torch.linalg.eigvals(feedback_SS).abs().max()),
    )
