"""Folding a trained router for evaluation: once, when it is loaded.

Shapes: F features, T tasks, M candidates, H hidden units of the trunk, R repeats, C clusters, S = R x C.
"""

import numpy as np

from pointsman.model.folded.costs import cost_tables, fold_costs, with_none
from pointsman.model.folded.prompts import Folded, fixed
from pointsman.model.router_model import RouterModel

FIRST = 64
"""Reference points that a lone prompt is compared with first."""
HALF = np.float32(0.5)


def fold(model: RouterModel) -> Folded:
    """A router's arrays, rearranged and multiplied out where they are constant."""
    classifier, experts, clusters, cost = model.classifier, model.experts, model.clusters, model.cost
    repeats, per, width = clusters.centre_RCF.shape
    flat_SF = clusters.centre_RCF.reshape(repeats * per, width)
    parts = (classifier.hidden_FH, experts.trunk_FH, flat_SF.T, cost.weights_FM)
    hidden, trunk, centres, _ = np.cumsum([part.shape[1] for part in parts]).tolist()
    tasks, candidates = model.task_quality_TM.shape
    special = bool(experts.task_TMH.any())
    soft_TM = (model.task_quality_TM if tasks else model.general_quality_M[None]) - 1
    general_1MH = experts.general_HM.T[None]
    by_task = (
        with_none(model.task_quality_TM, model.general_quality_M) - 1,
        (with_none(experts.task_bias_TM, 0) + experts.general_bias_M) / 2,
        *cost_tables(cost),
    )
    centroid_CD = model.novelty.centroid_CD
    parts_CD = [centroid_CD[:FIRST], centroid_CD[FIRST:]] if centroid_CD.shape[0] > FIRST else [centroid_CD]
    return Folded(
        linear_FK=np.ascontiguousarray(np.concatenate(parts, axis=1), dtype=np.float32),
        ends=(hidden, trunk, centres),
        hidden_bias_H=np.concatenate([classifier.hidden_bias_H, experts.trunk_bias_H]),
        task_HT=np.ascontiguousarray(classifier.task_HT / classifier.temperature, dtype=np.float32),
        task_bias_T=np.asarray(classifier.task_bias_T / classifier.temperature, dtype=np.float32),
        confidence_floor=float(classifier.confidence_floor),
        half_square_RC=np.asarray((clusters.centre_RCF**2).sum(axis=2) / 2, dtype=np.float32),
        first_R=np.arange(repeats, dtype=np.intp) * per,
        ones_R=np.ones(repeats),
        cluster_SM=clusters.quality_RCM.reshape(repeats * per, candidates) / repeats,
        soft_TM1=np.concatenate([soft_TM, np.ones((soft_TM.shape[0], 1))], axis=1),
        soft=bool(model.soft) or not tasks,
        task_T1=fixed(np.array([*range(tasks), -1], dtype=np.int32)[:, None]),
        by_task_TAM=np.ascontiguousarray(np.stack(by_task, axis=1)),
        half_TMH=(np.concatenate([experts.task_TMH, 0 * general_1MH]) + general_1MH if special else general_1MH) * HALF,
        special=special,
        alpha=float(model.alpha),
        slope_M=model.calibration.slope_M,
        half_intercept_M=model.calibration.intercept_M / 2,
        costs=fold_costs(cost),
        centroids=tuple(np.ascontiguousarray(few_CD.T) for few_CD in parts_CD),
        floor=float(model.novelty.floor),
        guard_margin=float(model.guard_margin),
        doubt_margin=float(model.doubt_margin),
        distance_margin=float(model.distance_margin),
        usual_distance=float(model.usual_distance),
        longest_tokens=float(model.longest_tokens) or float("inf"),
    )
