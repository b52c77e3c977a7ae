"""One problem, one seed: every model's error on every test, and how deep the implicit model went."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from components.extrapolation.catalogue import CATALOGUE
from components.extrapolation.depth import iterations
from components.extrapolation.methods import Fitted, TrainingConfig, train
from components.extrapolation.problem import Problem, error
from components.heads.implicit.layer import ImplicitLayer

TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyConfig:
    """How much is learnt."""

    train: int = 10_000
    """Training samples at most, >= 100."""
    test: int = 3_000
    """Samples of each test at most, >= 30."""
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        if self.train < 100 or self.test < 30:
            raise ValueError(f"train must be >= 100 and test >= 30, got {self.train} and {self.test}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One model's error on one test."""

    problem: str
    method: str
    seed: int
    family: str
    at: float
    inside: bool
    """Whether the test comes from the training distribution."""
    error: float
    """Infinite: a prediction wasn't finite."""
    target_rms: float
    """Root mean square of the test's targets."""
    relative_iterations: float | None = None
    """Of the implicit layer, mean over the samples, at tolerance 1e-4 relative to the state."""
    absolute_iterations: float | None = None
    """The same at tolerance 1e-4 in the state's own unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemRun:
    """All of one problem and seed."""

    problem: str
    metric: str
    source: str
    measured: tuple[Measured, ...]


def run_problem(name: str, seed: int, config: StudyConfig, folder: Path | None = None) -> ProblemRun:
    """Trains every model that the catalogue lists for a problem, and tests it under every shift.

    Args:
        name: of the problem, see CATALOGUE.
        seed: of the samples and of every model.
        config: see StudyConfig.
        folder: of real data; what it lacks is generated.

    Raises:
        ValueError: there is no such problem.
        ProblemError: data can't be used.
        NotConverged: an implicit model's state didn't settle.
    """
    if name not in CATALOGUE:
        raise ValueError(f"unknown problem {name!r}; known: {', '.join(CATALOGUE)}")
    entry = CATALOGUE[name]
    problem = entry.make(seed, config.train, config.test, folder)
    measured: list[Measured] = []
    for method in entry.methods:
        fitted = train(method, problem, entry.sizes, config.training, seed)
        measured += _tested(problem, method, fitted, seed)
    return ProblemRun(problem=name, metric=problem.metric, source=problem.source, measured=tuple(measured))


def _tested(problem: Problem, method: str, fitted: Fitted, seed: int) -> list[Measured]:
    rows = []
    for test in problem.tests:
        depths: list[float | None] = [None, None]
        if method == "implicit" and isinstance(fitted.module, ImplicitLayer) and not problem.centred:
            inputs_NF = torch.tensor(test.inputs_NF / fitted.scale, dtype=torch.float32)
            depths = [iterations(fitted.module, inputs_NF, TOLERANCE, relative=relative) for relative in (True, False)]
        rows.append(
            Measured(
                problem=problem.name,
                method=method,
                seed=seed,
                family=test.family,
                at=test.at,
                inside=test.inside,
                target_rms=float(np.sqrt(np.square(test.targets_NM).mean())),
                error=error(problem, fitted.predict(test.inputs_NF), test.targets_NM),
                relative_iterations=depths[0],
                absolute_iterations=depths[1],
            )
        )
    return rows


def write_run(run: ProblemRun, path: Path) -> None:
    """Keeps a run as JSON."""
    path.write_text(json.dumps(asdict(run)), encoding="utf-8")


def read_run(path: Path) -> ProblemRun:
    """A run as it was written."""
    held = json.loads(path.read_text(encoding="utf-8"))
    return ProblemRun(**{**held, "measured": tuple(Measured(**row) for row in held["measured"])})
