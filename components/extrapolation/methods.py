"""Every model of the study by name, from training samples to a function that answers for unseen inputs.

Shapes: N samples, F inputs, T steps, P values a step, M outputs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from components.extrapolation.linear import har, least_squares
from components.extrapolation.networks import Lstm, Mlp, Nalu, Transformer
from components.extrapolation.problem import Array, Problem
from components.heads.implicit.fixed_point import SolverConfig
from components.heads.implicit.layer import Feedback, ImplicitConfig, ImplicitLayer
from components.heads.implicit.rnn import ImplicitRNN
from components.heads.training import FitConfig, fit, seeded

Predict = Callable[[Array], Array]
_CHUNK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large a problem's models are; the paper's numbers where it gives them."""

    implicit_states: int
    mlp_hidden: tuple[int, ...]
    rnn_states: int = 20
    lstm_hidden: int = 20
    width: int = 16
    """Of the transformers, even."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How long every network trains, first fast, then slowly."""

    epochs: int = 40
    """Passes over the samples, >= 2; a third of them at a tenth of the learning rate."""
    batch_size: int = 256
    """>= 1."""
    learning_rate: float = 5e-3
    """Of Adam, > 0."""

    def __post_init__(self) -> None:
        if self.epochs < 2:
            raise ValueError(f"epochs must be >= 2, got {self.epochs}")
        FitConfig(batch_size=self.batch_size, learning_rate=self.learning_rate)

    def phases(self) -> tuple[FitConfig, FitConfig]:
        """The two parts; neither stops early, so that every network gets the same number of steps."""
        slow = max(1, self.epochs // 3)
        return tuple(  # type: ignore[return-value]
            FitConfig(epochs=epochs, batch_size=self.batch_size, learning_rate=rate, patience=epochs)
            for epochs, rate in ((self.epochs - slow, self.learning_rate), (slow, self.learning_rate / 10))
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A model that has learnt a problem."""

    predict: Predict
    """Inputs (N, F) to outputs (N, M) in the target's unit; scores for classes."""
    module: nn.Module | None = None
    scale: float = 1.0
    """What inputs are divided by before the module sees them; of problems that aren't centred."""


def train(name: str, problem: Problem, sizes: Sizes, config: TrainingConfig, seed: int) -> Fitted:
    """Trains the model of that name.

    Raises:
        KeyError: there is no such model.
        Diverged: a loss isn't finite.
        NotConverged: an implicit model's state didn't settle.
    """
    scaling = _Scaling(problem)
    inputs_NF, targets_NM = scaling.inputs(problem.train_inputs_NF), scaling.targets(problem.train_targets_NM)
    if name in _LINEAR:
        answer = _LINEAR[name](inputs_NF, targets_NM)
        return Fitted(predict=lambda unseen_NF: scaling.answers(answer(scaling.inputs(unseen_NF))))
    with seeded(seed):
        module = _NETWORKS[name](problem, sizes)
    series = not isinstance(module, Mlp | ImplicitLayer | Nalu)
    _fit(
        module,
        _shaped(inputs_NF, problem, series),
        torch.tensor(targets_NM, dtype=torch.float32),
        problem,
        config,
        seed,
    )

    @torch.no_grad()
    def predict(unseen_NF: Array) -> Array:
        unseen = _shaped(scaling.inputs(unseen_NF), problem, series)
        return scaling.answers(
            torch.cat([_last(module(part)) for part in torch.split(unseen, _CHUNK)]).double().numpy()
        )

    return Fitted(predict=predict, module=module, scale=scaling.scale)


def _fit(
    module: nn.Module, inputs: Tensor, targets_NM: Tensor, problem: Problem, config: TrainingConfig, seed: int
) -> None:
    """A tenth of the samples chooses the epoch."""
    order_N = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(seed))
    held = max(1, len(inputs) // 10)
    learnt_K, judged_K = order_N[held:], order_N[:held]

    def loss(batch: tuple[Tensor, ...]) -> Tensor:
        output_NM = _last(module(batch[0]))
        if problem.classes:
            return nn.functional.cross_entropy(output_NM, batch[1].argmax(dim=1))
        return nn.functional.mse_loss(output_NM, batch[1])

    project = module.project if isinstance(module, ImplicitLayer | ImplicitRNN) else lambda: None
    for phase in config.phases():
        fit(
            module,
            loss,
            (inputs[learnt_K], targets_NM[learnt_K]),
            (inputs[judged_K], targets_NM[judged_K]),
            phase,
            seed,
            after_step=project,
        )


def _last(output: Tensor) -> Tensor:
    return output[:, -1] if output.ndim == 3 else output


def _shaped(inputs_NF: Array, problem: Problem, series: bool) -> Tensor:
    inputs = torch.tensor(inputs_NF, dtype=torch.float32)
    return inputs.reshape(len(inputs), problem.series_steps, -1) if series else inputs


class _Scaling:
    """Training's scale, and centre where the problem is centred; classes become one-hot."""

    def __init__(self, problem: Problem) -> None:
        self._classes = problem.classes
        inputs_NF, targets_NM = problem.train_inputs_NF, problem.train_targets_NM
        self.scale = float(np.sqrt(np.square(inputs_NF).mean())) or 1.0
        self._centre_F, self._spread_F = _columns(inputs_NF) if problem.centred else _whole(self.scale)
        rms = float(np.sqrt(np.square(targets_NM).mean())) or 1.0
        self._centre_M, self._spread_M = _columns(targets_NM) if problem.centred else _whole(rms)

    def inputs(self, inputs_NF: Array) -> Array:
        return np.asarray((inputs_NF - self._centre_F) / self._spread_F)

    def targets(self, targets_NM: Array) -> Array:
        if self._classes:
            return np.asarray(np.eye(self._classes)[targets_NM[:, 0].astype(int)])
        return np.asarray((targets_NM - self._centre_M) / self._spread_M)

    def answers(self, output_NM: Array) -> Array:
        return output_NM if self._classes else np.asarray(output_NM * self._spread_M + self._centre_M)


def _columns(values_NK: Array) -> tuple[Array, Array]:
    spread_K = values_NK.std(axis=0)
    return values_NK.mean(axis=0), np.where(spread_K > 0, spread_K, 1.0)


def _whole(spread: float) -> tuple[Array, Array]:
    return np.zeros(1), np.full(1, spread)


def _har(inputs_NF: Array, targets_NM: Array) -> Predict:
    answer = least_squares(har(inputs_NF), targets_NM)
    return lambda unseen_NF: answer(har(unseen_NF))


def _implicit(feedback: Feedback = "full", skip: bool = True) -> Callable[[Problem, Sizes], nn.Module]:
    # The paper's layer has no biases.
    return lambda problem, sizes: ImplicitLayer(
        problem.train_inputs_NF.shape[1],
        problem.outputs,
        ImplicitConfig(states=sizes.implicit_states, feedback=feedback, skip=skip, bias=False, solver=_SOLVER),
    )


def _mlp(*, bias: bool = True, skip: bool = False) -> Callable[[Problem, Sizes], nn.Module]:
    return lambda problem, sizes: Mlp(
        problem.train_inputs_NF.shape[1], sizes.mlp_hidden, problem.outputs, bias=bias, skip=skip
    )


def _lstm(*, normalise: bool) -> Callable[[Problem, Sizes], nn.Module]:
    return lambda problem, sizes: Lstm(
        problem.train_inputs_NF.shape[1] // problem.series_steps,
        sizes.lstm_hidden,
        problem.outputs,
        normalise=normalise,
        # Only what grows with its inputs is worth rescaling: neither classes nor standardised columns do.
        rescale=not problem.classes and not problem.centred,
    )


def _transformer(*, positions: bool) -> Callable[[Problem, Sizes], nn.Module]:
    return lambda problem, sizes: Transformer(
        problem.series_steps,
        problem.train_inputs_NF.shape[1] // problem.series_steps,
        sizes.width,
        problem.outputs,
        positions=positions,
    )


def _implicit_rnn(problem: Problem, sizes: Sizes) -> nn.Module:
    values = problem.train_inputs_NF.shape[1] // problem.series_steps
    config = ImplicitConfig(solver=_SOLVER)
    return ImplicitRNN(values, sizes.rnn_states, problem.outputs, sizes.rnn_states, config=config, bias=False)


_SOLVER = SolverConfig(tolerance=1e-4)
_LINEAR: dict[str, Callable[[Array, Array], Predict]] = {
    "least_squares": least_squares,
    "ridge": lambda inputs_NF, targets_NM: least_squares(inputs_NF, targets_NM, ridge=1e-2),
    "har": _har,
}
_NETWORKS: dict[str, Callable[[Problem, Sizes], nn.Module]] = {
    "implicit": _implicit(),
    "implicit_no_feedback": _implicit(feedback="none"),
    "implicit_triangular": _implicit(feedback="triangular"),
    "implicit_no_skip": _implicit(skip=False),
    "implicit_rnn": _implicit_rnn,
    "mlp": _mlp(),
    "mlp_no_bias": _mlp(bias=False),
    "mlp_skip": _mlp(skip=True),
    "lstm": _lstm(normalise=False),
    "lstm_normalised": _lstm(normalise=True),
    "transformer": _transformer(positions=True),
    "transformer_no_positions": _transformer(positions=False),
    "nalu": lambda problem, sizes: Nalu(problem.train_inputs_NF.shape[1], sizes.mlp_hidden[-1], problem.outputs),
}
