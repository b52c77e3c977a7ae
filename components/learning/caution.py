"""Candidates that a log shows little of are believed less. Shapes: N prompts, M candidates."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from components.tables.groups import design_effect, numbered
from pointsman.model.calibration import Calibration, logit

Floats = NDArray[np.float64]


def cautious(
    calibration: Calibration,
    predicted_NM: Floats,
    quality_NM: Floats,
    fallback: int,
    errors: float,
    group_N: NDArray[np.integer] | None = None,
) -> Calibration:
    """The calibration with each candidate's level lowered by the error of its advantage over the best single one.

    Of candidates that a gateway seldom asked one looks best by luck, in every fold and by every estimate, for all of
    them rest on the same few outcomes. A lower bound in place of the estimate keeps the choice from picking that luck
    (pessimism: Swaminathan and Joachims 2015, arXiv 1502.02362; Jin, Yang, Wang 2021, arXiv 2012.15085). What is
    observed on every prompt is compared prompt by prompt and has no such error, so complete logs are left as they are.

    Args:
        calibration: as it was fitted.
        predicted_NM: uncalibrated quality of parts that hadn't seen the prompts.
        quality_NM: observed; nan where not.
        fallback: index of the best single candidate.
        errors: standard errors to go down by, >= 0.
        group_N: prompts that belong together, such as turns of a conversation, whose luck is shared; None: all are
            independent.
    """
    seen_NM = np.isfinite(quality_NM)
    count_M = seen_NM.sum(axis=0)
    if errors == 0 or seen_NM.all() or not seen_NM.any():
        return calibration
    expected_NM = calibration.apply(predicted_NM)
    rest_NM = quality_NM - expected_NM
    variance = float(np.mean(rest_NM[seen_NM] ** 2))
    # of a mean over all prompts by a sample of them (Cochran 1977, section 2.5)
    square_M = variance / np.maximum(count_M, 1) * (1 - count_M / len(quality_NM))
    if group_N is not None:
        # of all candidates at once: two conversations of one agree by luck just where it looks best
        cell_NM = numbered(group_N)[:, None] * count_M.size + np.arange(count_M.size)
        square_M *= design_effect(rest_NM[seen_NM], cell_NM[seen_NM])
    reach_M = errors * np.sqrt(square_M + square_M[fallback])
    reach_M[fallback] = 0.0
    level_M = expected_NM.mean(axis=0)
    lowered_M = logit(np.maximum(level_M - reach_M, 0.0)) - logit(level_M)
    return replace(calibration, intercept_M=calibration.intercept_M + lowered_M)
