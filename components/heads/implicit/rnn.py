"""A recurrent network whose hidden update is an implicit layer over (u_t, h_{t-1}).

Decugis et al. 2024 (arXiv 2407.14430), implicitRNN:
x_t = phi(A x_t + B (u_t, h_{t-1}) + b), h_t = C x_t + D (u_t, h_{t-1}) + c, y_t = E h_t + e, h_0 = 0.
Shapes: N series, T steps, P inputs, H hidden units, S states, O outputs.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from components.heads.implicit.fixed_point import Solution
from components.heads.implicit.layer import ImplicitConfig, ImplicitLayer, ImplicitStatistics, statistics_of


class ImplicitRNN(nn.Module):
    """Maps each step of a series to an output that depends on this step and the ones before it.

    The fixed point of a step starts from that of the step before. Call `project()` after each optimiser step: it keeps
    ||A||_inf <= v. Every single step is then well-posed; as in any recurrent network, h_t may still grow with t.

    Args:
        inputs: P, >= 1.
        hidden: H, what passes from step to step, >= 1.
        outputs: O, >= 1.
        state: S, states of the implicit layer, >= 1; takes the place of `config.states`.
        config: of the implicit layer.
        bias: whether b, c and e are there; takes the place of `config.bias`. Without, a relu network is
            scale-equivariant.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        state: int,
        config: ImplicitConfig = ImplicitConfig(),  # noqa: B008  frozen
        bias: bool = True,
    ) -> None:
        super().__init__()
        if min(inputs, hidden, outputs) < 1:
            raise ValueError(f"inputs, hidden and outputs must be >= 1, got {inputs}, {hidden} and {outputs}")
        self.inputs, self.hidden = inputs, hidden
        self.cell = ImplicitLayer(inputs + hidden, hidden, replace(config, states=state, bias=bias))
        self.readout = nn.Linear(hidden, outputs, bias=bias)

    def project(self) -> None:
        """Puts A back where it may be: ||A||_inf <= v."""
        self.cell.project()

    def forward(self, u_NTP: Tensor) -> Tensor:
        """Outputs of all steps, shape (N, T, O).

        Args:
            u_NTP: finite, T >= 1.

        Raises:
            ValueError: the shape is another one.
            NotConverged: a state didn't settle.
        """
        return self._run(u_NTP)[0]

    def _run(self, u_NTP: Tensor) -> tuple[Tensor, list[Solution]]:
        if u_NTP.ndim != 3 or u_NTP.shape[1] < 1 or u_NTP.shape[2] != self.inputs:
            raise ValueError(f"series must have shape (N, T >= 1, {self.inputs}), got {tuple(u_NTP.shape)}")
        hidden_NH = u_NTP.new_zeros(u_NTP.shape[0], self.hidden)
        hidden_TNH: list[Tensor] = []
        solutions: list[Solution] = []
        start_NS: Tensor | None = None
        for u_NP in u_NTP.unbind(dim=1):
            hidden_NH, solution = self.cell.solved(torch.cat((u_NP, hidden_NH), dim=1), start_NS)
            start_NS = solution.state_NS.detach()
            hidden_TNH.append(hidden_NH)
            solutions.append(solution)
        output_NTO: Tensor = self.readout(torch.stack(hidden_TNH, dim=1))
        return output_NTO, solutions

    @torch.no_grad()
    def statistics(self, u_NTP: Tensor) -> ImplicitStatistics:
        """Residual and iterations over all steps of some series, and the norms of A."""
        solutions = self._run(u_NTP)[1]
        residual_K = torch.cat([solution.residual_N for solution in solutions])
        iterations_K = torch.cat([solution.iterations_N for solution in solutions])
        return statistics_of(self.cell.feedback_SS, residual_K, iterations_K)
