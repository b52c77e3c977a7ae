"""What logs show of each prompt, and the stand-ins by which choices and verdicts are made where they show little.

Models are fitted on what was observed. What is chosen between them, and every judgement, reads pseudo-outcomes
(`components.evaluation.off_policy.pseudo`): the outcomes themselves on complete logs, so that nothing changes there.
Shapes: N prompts, M candidates.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.evaluation.off_policy.estimators import Chosen, effective_sample_size
from components.evaluation.off_policy.judge import GAMMA
from components.evaluation.off_policy.propensity import check_logged, estimated_inclusion
from components.evaluation.off_policy.pseudo import FLOOR, cell_weights, pseudo_outcomes
from components.evaluation.off_policy.sensitivity import sensitivity
from components.tables.board import Board

Floats = NDArray[np.float64]
Kind = Literal["complete", "one_answer", "mixed"]
Source = Literal["none needed", "logged", "estimated", "logged and estimated"]
_LEAST = 1e-6
"""Probability of what was observed though a rule says never."""
_FEW = 0.01
"""Share of prompts with two outcomes or more below which logs count as of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """How the outcomes of N prompts came to be observed."""

    inclusion_NM: Floats
    """Probability that a cell's quality is observed, in [0, 1]; 0: never, by rule."""
    kind: Kind
    propensities: Source

    def take(self, rows_K: NDArray[np.intp]) -> "Evidence":
        """The same of a choice of prompts."""
        return Evidence(inclusion_NM=self.inclusion_NM[rows_K], kind=self.kind, propensities=self.propensities)


def kind_of(observed_NM: NDArray[np.bool_]) -> Kind:
    """complete: all of every prompt; one_answer: hardly a prompt has two; mixed: anything else.

    >>> kind_of(np.array([[True, True], [True, False]]))
    'mixed'
    """
    if observed_NM.all():
        return "complete"
    return "one_answer" if (observed_NM.sum(axis=1) >= 2).mean() < _FEW else "mixed"


def evidence_of(board: Board, seed: int) -> Evidence:
    """Propensities as logged where they are, else estimated from features and label; 1 on fully observed prompts.

    A logged propensity says which candidate was asked; where only some answers are graded it is multiplied by the share
    of the candidate's answers that are.

    Raises:
        ValueError: logged propensities that can't be.
    """
    observed_NM = board.observed_NM
    kind = kind_of(observed_NM)
    if kind == "complete":
        return Evidence(inclusion_NM=np.ones(observed_NM.shape), kind=kind, propensities="none needed")
    check_propensities(board)
    whole_N = _whole(board)
    needed_NM = observed_NM & ~whole_N[:, None]
    logged_NM = needed_NM & np.isfinite(board.propensity_NM)
    labelled = bool((board.benchmark_N != "").any())
    features = board.features_NF if board.features_NF.shape[1] else None
    inclusion_NM = board.inclusion_NM
    if np.isnan(inclusion_NM).any():
        labels = board.benchmark_N if labelled else None
        inclusion_NM = estimated_inclusion(
            observed_NM, features, labels, seed, whole_N=whole_N, together_N=board.group_N
        )
        # answers with a logged propensity may be others than those without, such as bought ones, graded all
        asked_NM = board.answered_NM & np.isfinite(board.propensity_NM)
        graded_M = (observed_NM & asked_NM).sum(axis=0) / np.maximum(asked_NM.sum(axis=0), 1)
        inclusion_NM = np.where(logged_NM, board.propensity_NM * graded_M, inclusion_NM)
    source: Source = "logged" if (logged_NM == needed_NM).all() else "estimated"
    if source == "estimated" and logged_NM.any():
        source = "logged and estimated"
    return Evidence(inclusion_NM=inclusion_NM, kind=kind, propensities=source)


def judged_outcomes(outcome_NM: Floats, predicted_NM: Floats, evidence: Evidence) -> Floats:
    """Pseudo-outcomes; nan where a candidate is never observed by rule: nothing supports a choice of it there.

    Args:
        outcome_NM: observed quality, or cost; nan where not.
        predicted_NM: the same as predicted without the prompts' own outcomes.
        evidence: how outcomes came to be observed.
    """
    if evidence.kind == "complete":
        return outcome_NM
    # an outcome whose other column is unknown, such as a cost, has the quality's propensity
    inclusion_NM = np.where(np.isfinite(outcome_NM), np.maximum(evidence.inclusion_NM, _LEAST), evidence.inclusion_NM)
    judged_NM = pseudo_outcomes(outcome_NM, predicted_NM, inclusion_NM)
    return np.where(evidence.inclusion_NM > 0, judged_NM, np.nan)


def check_propensities(board: Board) -> None:
    """Refuses logged propensities that can't be what the log was drawn with; see `check_logged`.

    Raises:
        ValueError: they can't be.
    """
    partly_N1 = ~_whole(board)[:, None]
    logged_NM = np.where(partly_N1, board.propensity_NM, np.nan)
    check_logged(logged_NM, board.answered_NM & partly_N1, board.models, board.group_N)


def _whole(board: Board) -> NDArray[np.bool_]:
    """Fully observed prompts, all of whose answers were asked for on purpose.

    What one of them was logged with says nothing of that, unless each has its chance, as where answers were bought by a
    plan.
    """
    return np.asarray(board.observed_NM.all(axis=1) & ~np.isfinite(board.propensity_NM).all(axis=1))


def stand_in_variance(predicted_NM: Floats, evidence: Evidence) -> Floats:
    """Variance of pseudo-outcomes beyond the outcomes', q (1 - q) (1 / p - 1): as if outcomes were right or wrong.

    0 where everything was observed; nothing where a candidate is never observed, which has no stand-in.

    >>> observed = Evidence(inclusion_NM=np.array([[0.5, 1.0]]), kind="mixed", propensities="logged")
    >>> stand_in_variance(np.array([[0.5, 0.5]]), observed)
    array([[0.25, 0.  ]])
    """
    chance_NM = np.clip(predicted_NM, 0.0, 1.0)
    inclusion_NM = evidence.inclusion_NM
    odds_NM = 1 / np.maximum(inclusion_NM, FLOOR) - 1
    return np.asarray(np.where(inclusion_NM > 0, chance_NM * (1 - chance_NM) * odds_NM, 0.0), dtype=np.float64)


def with_inclusion(board: Board, seed: int) -> Board:
    """The board with the probability of each cell, so that later steps needn't estimate it again.

    Raises:
        ValueError: logged propensities that can't be.
    """
    return replace(board, inclusion_NM=evidence_of(board, seed).inclusion_NM)


def judged_board(board: Board, predicted_quality_NM: Floats, predicted_cost_usd_NM: Floats, seed: int) -> Board:
    """The board with quality and cost as choices on it are judged; the board itself where all was observed.

    Args:
        board: prompts that choices are judged on.
        predicted_quality_NM: by parts that hadn't seen the prompts' outcomes.
        predicted_cost_usd_NM: the same of USD per call.
        seed: of the propensities' folds, where the board has none yet.
    """
    evidence = evidence_of(board, seed)
    return replace(
        board,
        quality_NM=judged_outcomes(board.worth_NM, predicted_quality_NM, evidence),
        corrected_NM=np.array(np.nan),
        cost_usd_NM=judged_outcomes(board.cost_usd_NM, predicted_cost_usd_NM, evidence),
    )


def support_of(
    board: Board, evidence: Evidence, judged_quality_NM: Floats, choice_N: NDArray[np.intp], gamma: float = GAMMA
) -> dict[str, Any]:
    """What a judgement of these choices rests on, for the report.

    Args:
        board: the prompts judged, their quality as observed.
        evidence: how it came to be observed.
        judged_quality_NM: as `judged_outcomes` gives it.
        choice_N: column chosen on each.
        gamma: by what factor the odds of logged choices may be wrong, >= 1.

    Returns:
        evidence, propensities; effective_sample_size: complete prompts that would say as much; support: share of
        prompts on which the choice could have been observed; observed_share: on which it was; sensitivity: least and
        greatest value if the odds of logged choices are wrong by the factor gamma.
    """
    place = np.arange(choice_N.size), choice_N
    observed_N, judged_N = board.observed_NM[place], judged_quality_NM[place]
    inclusion_N = np.where(observed_N, np.maximum(evidence.inclusion_NM[place], _LEAST), evidence.inclusion_NM[place])
    weight_N = cell_weights(observed_N[:, None], inclusion_N[:, None])[:, 0]
    outcome_N = np.where(observed_N, board.worth_NM[place], 0.0)
    # the prediction that the stand-in was made with: g = q + w (y - q)
    divisor_N = np.where(observed_N & (weight_N != 1.0), 1 - weight_N, 1.0)
    predicted_N = np.where(divisor_N == 1.0, judged_N, (judged_N - weight_N * outcome_N) / divisor_N)
    chosen = Chosen(weight_N=weight_N, outcome_N=outcome_N, predicted_N=predicted_N)
    return {
        "evidence": evidence.kind,
        "propensities": evidence.propensities,
        "effective_sample_size": effective_sample_size(weight_N),
        "support": float((inclusion_N > 0).mean()),
        "observed_share": float(observed_N.mean()),
        "sensitivity": {"gamma": gamma, "quality": list(sensitivity(chosen, gamma))},
    }
