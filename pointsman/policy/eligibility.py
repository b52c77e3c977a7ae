"""Choosing among some of a router's candidates only, for a gateway's quotas and outages.

Shapes: N prompts, M candidates, C of them available.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pointsman.model.prediction import Decision, Prediction
from pointsman.policy.policy import Policy, decide


def columns_of(models: Sequence[str], among: Sequence[str]) -> NDArray[np.intp]:
    """Where the named candidates are, ascending.

    Raises:
        ValueError: no name, or one that the router doesn't know.

    >>> columns_of(("small", "middle", "large"), ["large", "small"]).tolist()
    [0, 2]
    """
    if isinstance(among, str) or not among:
        raise ValueError("choosing among candidates needs at least one name, as a sequence")
    unknown = sorted(set(among) - set(models))
    if unknown:
        raise ValueError(
            f"the router doesn't know {', '.join(map(repr, unknown))}: it was trained on {', '.join(models)}. "
            "Retrain with outcomes of a new candidate before routing to it"
        )
    return np.array([column for column, model in enumerate(models) if model in set(among)], dtype=np.intp)


def decide_among(
    prediction: Prediction,
    policy: Policy,
    columns_C: NDArray[np.intp],
    *,
    fallback: int,
    general_quality_M: NDArray[np.float64],
    models: Sequence[str],
) -> Decision:
    """As `decide`, as if the other candidates didn't exist; the choice indexes all M.

    Where the fallback isn't among them, the available candidate of best general quality stands in.

    Raises:
        ValueError: as `decide`; costs need to be known of the available candidates only.
    """
    held = np.flatnonzero(columns_C == fallback)
    part = Prediction(
        quality_NM=prediction.quality_NM[:, columns_C],
        cost_usd_NM=prediction.cost_usd_NM[:, columns_C],
        task_N=prediction.task_N,
        margin_N=prediction.margin_N,
        novel_N=prediction.novel_N,
        supported_NM=None if prediction.supported_NM is None else prediction.supported_NM[:, columns_C],
    )
    decision = decide(
        part,
        policy,
        fallback=int(held[0]) if held.size else int(general_quality_M[columns_C].argmax()),
        models=[models[column] for column in columns_C],
    )
    return Decision(candidate_N=columns_C[decision.candidate_N], reason_N=decision.reason_N)
