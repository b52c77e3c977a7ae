"""A small world whose tasks, qualities and token laws are known, with heads that see the tasks exactly."""

from collections.abc import Callable

import numpy as np
import pytest

from components.heads.weights import ClassifierWeights, ExpertWeights
from components.routing.aggregate import levels
from components.routing.fit import FitReport, HeldOut, Observations, RouterConfig, fit_router
from components.routing.granular import ClusterTables
from components.routing.guard import doubt
from components.routing.model import RouterModel

TASKS, CANDIDATES, DIMENSION = 3, 4, 12
TRUTH_TM = np.array([[0.9, 0.3, 0.5, 0.6], [0.2, 0.9, 0.5, 0.6], [0.4, 0.4, 0.5, 0.9]])
PRICES_M = np.array([1.0, 2.0, 4.0, 8.0])


def _heads(tasks: int, hidden: int = 6) -> tuple[ClassifierWeights, ExpertWeights]:
    generator = np.random.default_rng(5)

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, dtype=np.float32)

    see_FH = zeros(DIMENSION, hidden)
    see_FH[:hidden, :hidden] = np.eye(hidden)
    task_HT = zeros(hidden, tasks)
    task_HT[:tasks, :tasks] = 12 * np.eye(tasks)
    classifier = ClassifierWeights(
        hidden_FH=see_FH,
        hidden_bias_H=zeros(hidden),
        task_HT=task_HT,
        task_bias_T=zeros(tasks),
        temperature=np.array(1, dtype=np.float32),
        confidence_floor=np.array(0.5, dtype=np.float32),
    )
    experts = ExpertWeights(
        trunk_FH=see_FH,
        trunk_bias_H=zeros(hidden),
        general_HM=generator.normal(size=(hidden, CANDIDATES)).astype(np.float32),
        general_bias_M=zeros(CANDIDATES),
        task_TMH=generator.normal(size=(tasks, CANDIDATES, hidden)).astype(np.float32),
        task_bias_TM=zeros(tasks, CANDIDATES),
        head_TM=np.ones((tasks, CANDIDATES), dtype=np.bool_),
    )
    return classifier, experts


def _clusters(tasks: int) -> ClusterTables:
    """The tasks again, at their centres; without tasks, one cluster of everything."""
    centre_CF = np.eye(DIMENSION, dtype=np.float32)[: max(tasks, 1)]
    quality_CM = TRUTH_TM[:tasks] if tasks else TRUTH_TM.mean(axis=0, keepdims=True)
    return ClusterTables(centre_RCF=centre_CF[None], quality_RCM=quality_CM[None])


def _observe(rows: int, seed: int, *, tasks: int, costs: bool, missing: float) -> Observations:
    generator = np.random.default_rng(seed)
    task_N = generator.integers(TASKS, size=rows).astype(np.int32)
    embedding_ND = 0.1 * generator.normal(size=(rows, DIMENSION)) + np.eye(DIMENSION)[task_N]
    embedding_ND = (embedding_ND / np.linalg.norm(embedding_ND, axis=1, keepdims=True)).astype(np.float32)
    quality_NM = (generator.random((rows, CANDIDATES)) < TRUTH_TM[task_N]).astype(np.float64)
    tokens_NM = np.round(np.exp(4 + task_N[:, None] + 0.5 * generator.normal(size=(rows, CANDIDATES))))
    input_N = generator.integers(20, 200, size=rows).astype(np.float64)
    cost_NM = (input_N[:, None] * PRICES_M + tokens_NM * 4 * PRICES_M) / 1e6
    hidden_NM = generator.random((rows, CANDIDATES)) < missing
    for value_NM in (quality_NM, tokens_NM, cost_NM):
        value_NM[hidden_NM] = np.nan
    return Observations(
        features_NF=embedding_ND,
        embedding_ND=embedding_ND,
        quality_NM=quality_NM,
        output_tokens_NM=tokens_NM if costs else np.full_like(tokens_NM, np.nan),
        cost_usd_NM=cost_NM if costs else np.full_like(cost_NM, np.nan),
        input_tokens_N=input_N,
        task_N=task_N if tasks else np.full(rows, -1, dtype=np.int32),
    )


Fitted = tuple[RouterModel, FitReport, Observations]


@pytest.fixture(scope="session")
def fit_world() -> Callable[..., Fitted]:
    """Fits a router on the world; returns it with its report and fresh prompts."""

    def fit(
        *, tasks: int = TASKS, costs: bool = True, missing: float = 0.0, config: RouterConfig | None = None
    ) -> Fitted:
        classifier, experts = _heads(tasks)
        seen, fresh = (
            _observe(rows, seed, tasks=tasks, costs=costs, missing=missing) for seed, rows in ((0, 900), (3, 300))
        )
        # Heads and table were given, not learnt from these prompts: what they say of them is held out as it is.
        table_TM, general_M = TRUTH_TM[:tasks], TRUTH_TM.mean(axis=0)
        clusters = _clusters(tasks)
        soft, hard = (
            levels(classifier, experts, table_TM, general_M, clusters, seen.features_NF, posterior)
            for posterior in ("soft", "hard")
        )
        held = HeldOut(
            task_N=soft.task_N,
            doubt_N=doubt(soft.posterior_NT),
            soft_NM=soft.task_NM,
            hard_NM=hard.task_NM,
            prompt_NM=soft.prompt_NM,
        )
        model, report = fit_router(
            classifier=classifier,
            experts=experts,
            table_quality_TM=table_TM,
            general_quality_M=general_M,
            clusters=clusters,
            seen=seen,
            held=held,
            input_usd_per_mtok_M=PRICES_M,
            output_usd_per_mtok_M=4 * PRICES_M,
            config=config or RouterConfig(),
            seed=0,
        )
        return model, report, fresh

    return fit


@pytest.fixture(scope="session")
def fitted(fit_world: Callable[..., Fitted]) -> Fitted:
    return fit_world()
