"""Fits expected output tokens and costs of candidates. Shapes: N prompts, F features, T tasks, M candidates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from components.baselines.linear import ridges
from components.tasks.partition import members
from pointsman.model.cost import TOKENS_PER_MTOK, CostHead, CostSource

Floats = NDArray[np.float64]
Tasks = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostConfig:
    """How expected tokens are learnt."""

    minimum_prompts: int = 200
    """Prompts with known output tokens that a candidate's regression needs, >= 2."""
    task_strength: float = 10.0
    """Prompts of evidence that weigh as much as the candidate's mean, > 0."""
    price_strength: float = 10.0
    """Calls whose charge is known that weigh as much as the candidate's prices, > 0."""
    assumed_tokens: float = 256.0
    """Output tokens of every answer where prices are known and no candidate has a token count, > 0."""
    ridges: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
    """Ridge penalties to choose from by leave-one-out error, each > 0."""

    def __post_init__(self) -> None:
        if self.minimum_prompts < 2:
            raise ValueError(f"minimum_prompts must be >= 2, got {self.minimum_prompts}")
        if not self.task_strength > 0:
            raise ValueError(f"task_strength must be > 0 prompts, got {self.task_strength}")
        if not self.price_strength > 0:
            raise ValueError(f"price_strength must be > 0 calls, got {self.price_strength}")
        if not 0 < self.assumed_tokens < float("inf"):
            raise ValueError(f"assumed_tokens must be > 0 and finite, got {self.assumed_tokens}")
        if not self.ridges or min(self.ridges) <= 0:
            raise ValueError(f"ridges must all be > 0 and at least one, got {self.ridges}")


def fit_cost_head(
    *,
    features_NF: NDArray[np.float32],
    input_tokens_NM: Floats,
    output_tokens_NM: Floats,
    cost_usd_NM: Floats,
    task_N: Tasks,
    tasks: int,
    input_usd_per_mtok_M: Floats,
    output_usd_per_mtok_M: Floats,
    config: CostConfig,
) -> CostHead:
    """Learns expected output tokens of each candidate where they are known, and what to fall back to where not.

    The log of tokens is the candidate's mean, plus its task's shrunken difference, plus a ridge regression of the rest
    on the features, its penalty chosen by leave-one-out error. Prices are those given times what calls were charged
    against tokens x price: caches and batches make calls cheaper than the list says.

    Args:
        features_NF: prompt features, shape (N, F).
        input_tokens_NM: >= 0, nan where unknown, shape (N, M).
        output_tokens_NM: >= 0, nan where unknown, shape (N, M).
        cost_usd_NM: USD per call >= 0, nan where unknown, shape (N, M).
        task_N: task of each prompt in [-1, tasks), -1: none, shape (N,).
        tasks: T.
        input_usd_per_mtok_M: USD per million input tokens, nan where unknown.
        output_usd_per_mtok_M: USD per million output tokens, nan where unknown.
        config: shrinkage and penalties.

    Raises:
        ValueError: shapes differ, or tokens or costs are negative.
    """
    shape = output_tokens_NM.shape
    if not shape == input_tokens_NM.shape == cost_usd_NM.shape or shape[0] != features_NF.shape[0]:
        raise ValueError(
            f"features {features_NF.shape}, tokens {input_tokens_NM.shape} and {shape} and costs {cost_usd_NM.shape} "
            "don't match"
        )
    if any((value_NM < 0).any() for value_NM in (input_tokens_NM, output_tokens_NM, cost_usd_NM)):
        raise ValueError("tokens and costs must be >= 0")
    log_NM = np.log1p(output_tokens_NM)
    known_NM = np.isfinite(log_NM)
    member_TN = members(task_N, tasks)
    mean_M = _mean(log_NM)
    task_TM = _shrink(log_NM - mean_M, member_TN, np.zeros(mean_M.size), config.task_strength)
    task_NM = member_TN.T @ task_TM
    residual_NM = log_NM - np.nan_to_num(mean_M) - task_NM
    regressed_M = known_NM.sum(axis=0) >= config.minimum_prompts
    weights_FM, shift_M = ridges(features_NF, residual_NM, regressed_M, config.ridges)
    bias_M = np.nan_to_num(mean_M) + shift_M
    low_M = np.where(known_NM, log_NM, np.inf).min(axis=0, initial=np.inf)
    high_M = np.where(known_NM, log_NM, -np.inf).max(axis=0, initial=-np.inf)
    low_M, high_M = np.where(np.isfinite(low_M), low_M, 0.0), np.where(np.isfinite(high_M), high_M, 0.0)
    fitted_NM = np.clip(features_NF @ weights_FM + bias_M + task_NM, low_M, high_M)
    excess_NM = np.exp(log_NM - fitted_NM)
    smear_M = np.where(known_NM.any(axis=0), _mean(excess_NM), 1.0)
    mean_cost_M = _mean(cost_usd_NM)
    tokens_M = np.asarray(known_NM.any(axis=0), dtype=np.bool_)
    prices_M = np.isfinite(input_usd_per_mtok_M) & np.isfinite(output_usd_per_mtok_M)
    listed_NM = (input_tokens_NM * input_usd_per_mtok_M + output_tokens_NM * output_usd_per_mtok_M) / TOKENS_PER_MTOK
    factor_M = _charged(cost_usd_NM, listed_NM, config.price_strength)
    # no factor makes a charge of prices that are 0
    priced_M = prices_M & tokens_M & np.isfinite(factor_M)
    assumed_M = prices_M & ~tokens_M & np.isnan(mean_cost_M)
    smear_TM = _shrink(excess_NM, member_TN, smear_M, config.task_strength)
    # Prices without a token count still tell cheap from expensive, if all are thought to answer at the same length.
    usual = np.log1p(config.assumed_tokens)
    bias_M = np.where(assumed_M, _others(bias_M, tokens_M, usual), bias_M)
    low_M, high_M = (np.where(assumed_M, _others(end_M, tokens_M, usual), end_M) for end_M in (low_M, high_M))
    smear_M = np.where(assumed_M, _others(smear_M, tokens_M, 1.0), smear_M)
    if tokens_M.any():
        task_TM = np.where(assumed_M, task_TM[:, tokens_M].mean(axis=1, keepdims=True), task_TM)
        smear_TM = np.where(assumed_M, smear_TM[:, tokens_M].mean(axis=1, keepdims=True), smear_TM)
    else:
        task_TM, smear_TM = np.where(assumed_M, 0.0, task_TM), np.where(assumed_M, 1.0, smear_TM)
    return CostHead(
        weights_FM=weights_FM.astype(np.float32),
        bias_M=bias_M,
        task_TM=task_TM,
        low_M=low_M,
        high_M=high_M,
        smear_M=smear_M,
        smear_TM=smear_TM,
        mean_cost_M=mean_cost_M,
        mean_cost_TM=_shrink(cost_usd_NM, member_TN, mean_cost_M, config.task_strength),
        input_usd_per_mtok_M=np.where(priced_M, factor_M, 1.0) * input_usd_per_mtok_M,
        output_usd_per_mtok_M=np.where(priced_M, factor_M, 1.0) * output_usd_per_mtok_M,
        source_M=np.where(
            priced_M,
            np.where(regressed_M, CostSource.REGRESSION, CostSource.MEAN_TOKENS),
            np.where(
                np.isfinite(mean_cost_M),
                CostSource.MEAN_COST,
                np.where(assumed_M, CostSource.ASSUMED_TOKENS, CostSource.UNKNOWN),
            ),
        ).astype(np.int64),
    )


def _charged(cost_usd_NM: Floats, listed_NM: Floats, strength: float) -> Floats:
    """What calls were charged over tokens x price, drawn to 1 by `strength` pseudo-calls of the usual price.

    Of totals: choices are judged by sums of charges. inf where calls were charged that cost nothing by their prices.
    """
    known_NM = np.isfinite(cost_usd_NM) & np.isfinite(listed_NM)
    count_M = known_NM.sum(axis=0)
    charged_M = np.where(known_NM, cost_usd_NM, 0).sum(axis=0)
    listed_M = np.where(known_NM, listed_NM, 0).sum(axis=0)
    prior_M = strength * listed_M / np.maximum(count_M, 1)
    factor_M = (charged_M + prior_M) / np.where(listed_M > 0, listed_M + prior_M, 1.0)
    factor_M = np.where(listed_M > 0, factor_M, np.where(charged_M > 0, np.inf, 1.0))
    # a sum's rounding is no discount
    return np.where(np.abs(charged_M - listed_M) <= 1e-9 * listed_M, 1.0, factor_M)


def _others(value_M: Floats, known_M: NDArray[np.bool_], otherwise: float) -> float:
    """Mean over the candidates of which tokens are known."""
    return float(value_M[known_M].mean()) if known_M.any() else otherwise


def _mean(value_NM: Floats) -> Floats:
    """Mean of each column over what is known, shape (M,); nan where nothing is."""
    known_NM = np.isfinite(value_NM)
    count_M = known_NM.sum(axis=0)
    total_M: Floats = np.where(known_NM, value_NM, 0).sum(axis=0)
    return total_M / np.where(count_M > 0, count_M, np.nan)


def _shrink(value_NM: Floats, member_TN: csr_array, centre_M: Floats, strength: float) -> Floats:
    """Task means drawn to a centre by `strength` pseudo-prompts, shape (T, M)."""
    known_NM = np.isfinite(value_NM)
    total_TM, count_TM = member_TN @ np.where(known_NM, value_NM, 0), member_TN @ known_NM
    return np.asarray((total_TM + strength * centre_M) / (count_TM + strength), dtype=np.float64)
