"""A router's arrays folded once for evaluation: what a gateway computes beside the encoder, in few passes.

`RouterModel.predict` is the definition; this is the same in another order of operations. One product evaluates
everything linear in the features, so that a lone prompt reads the weights once, in a row: right after the encoder
nothing of them is left in the processor's cache. Rows of task tables end with the row of prompts without a task,
which index -1 reads.

Shapes: N prompts, F features, D embedding, T tasks, M candidates, H hidden units of the trunk, R repeats, C clusters.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.heads.weights import BLOCK
from components.routing.calibrate import FLOOR
from components.routing.folded_cost import FoldedCosts, cost_tables, fold_costs, with_none
from components.routing.guard import doubt
from components.routing.model import RouterModel
from components.routing.prediction import Prediction

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
MOST = 2 * 0.99 - 1
"""Where `log_odds` holds stage 1's quality q, as 2 q - 1."""
WHOLE = 1 - 2 * FLOOR
"""Where `logit` holds it."""
HALF = np.float32(0.5)
NOTHING = 1e-30
"""Less than the length of any embedding but zero."""


def _fixed(array: NDArray[Any]) -> NDArray[Any]:
    """An array that answers may share, since nobody can write into it."""
    array.flags.writeable = False
    return array


NOVEL, KNOWN = _fixed(np.array([True])), _fixed(np.array([False]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Folded:
    """What `fold` makes."""

    linear_FK: Singles
    """Classifier's hidden layer, trunk, centres and cost weights, side by side."""
    ends: tuple[int, int, int]
    """Columns where the hidden layer, the trunk and the centres end."""
    hidden_bias_H: Singles
    """Of the hidden layer and the trunk."""
    task_HT: Singles
    task_bias_T: Singles
    confidence_floor: float
    half_square_RC: Singles
    """Half the squared length of every centre."""
    first_R: NDArray[np.intp]
    """Where each repeat's rows begin in cluster_SM."""
    ones_R: Floats
    cluster_SM: Floats
    """Rows of all cluster tables, of which the sum over repeats is the mean."""
    soft_TM1: Floats
    """The task table less 1, so that with the clusters' mean q it makes 2 q - 1 of their blend, and a column of ones;
    the general row alone where there are no tasks."""
    soft: bool
    task_T1: NDArray[np.int32]
    """Each task, and -1."""
    by_task_TAM: Floats
    """What goes with a prompt's task: the task table less 1, half of the heads' biases, and what `FoldedCosts.usd`
    calls bias, usd and mean."""
    half_general_HM: Singles
    half_special_TMH: Singles | None
    """Heads of each task, zero in the last row; None: no task has a head."""
    alpha: float
    slope_M: Floats
    half_intercept_M: Floats
    costs: FoldedCosts
    centroid_DC: Singles
    floor: float
    """Least cosine to a centroid."""
    guard_margin: float
    doubt_margin: float

    def predict(self, features_NF: Singles, embedding_ND: Singles, input_tokens_N: NDArray[np.integer]) -> Prediction:
        """As `RouterModel.predict`, up to rounding.

        Raises:
            ValueError: shapes differ from the trained ones, or features or embeddings aren't finite.
        """
        rows, features = features_NF.shape
        if features != self.linear_FK.shape[0] or embedding_ND.shape != (rows, self.centroid_DC.shape[0]):
            raise ValueError(
                f"features must be (N, {self.linear_FK.shape[0]}) and embeddings (N, {self.centroid_DC.shape[0]}), "
                f"got {features_NF.shape} and {embedding_ND.shape}"
            )
        if rows == 1:
            return self._one(features_NF[0], embedding_ND[0], int(input_tokens_N[0]))
        length_N, width_N = np.sqrt(np.vecdot(features_NF, features_NF)), np.sqrt(np.vecdot(embedding_ND, embedding_ND))
        _require_finite(float(length_N.sum() + width_N.sum()))
        linear_NK = self._linear(features_NF)
        hidden, trunk, centres = self.ends
        posterior_NT, task_N = self._tasks(np.dot(linear_NK[:, :hidden], self.task_HT))
        nearness_NRC = linear_NK[:, trunk:centres].reshape(rows, *self.half_square_RC.shape)
        # the nearest centre to features / length, with both sides times the length
        nearest_NR = (nearness_NRC - length_N[:, None, None] * self.half_square_RC).argmax(axis=2) + self.first_R
        clusters_NM = self.cluster_SM[nearest_NR].sum(axis=1)
        hard_NM, bias_NM, *of_cost = self.by_task_TAM[task_N].swapaxes(0, 1)
        expected_NM1 = posterior_NT @ self.soft_TM1 if self.task_bias_T.size else self.soft_TM1
        soft_NM = clusters_NM + expected_NM1[:, :-1]
        half_NM = np.dot(linear_NK[:, hidden:trunk], self.half_general_HM) + bias_NM
        if self.half_special_TMH is not None:
            # block by block: see ExpertWeights.logits
            for start in range(0, rows, BLOCK):
                part = slice(start, start + BLOCK)
                trunk_NH1 = linear_NK[part, hidden:trunk, None]
                half_NM[part] += np.matmul(self.half_special_TMH[task_N[part]], trunk_NH1)[:, :, 0]
        input_usd_NM = input_tokens_N[:, None] * self.costs.input_usd_M
        return Prediction(
            quality_NM=self._quality(soft_NM, soft_NM if self.soft else clusters_NM + hard_NM, half_NM),
            cost_usd_NM=self.costs.usd(linear_NK[:, centres:], input_usd_NM, *of_cost),
            task_N=task_N,
            margin_N=self.guard_margin + self.doubt_margin * doubt(posterior_NT),
            novel_N=np.dot(embedding_ND, self.centroid_DC).max(axis=1) < self.floor * np.maximum(width_N, NOTHING),
        )

    def _one(self, feature_F: Singles, embedding_D: Singles, input_tokens: int) -> Prediction:
        """The same of a lone prompt, which is what a gateway asks about: its rows are looked at, not gathered."""
        length, width = math.sqrt(np.dot(feature_F, feature_F)), math.sqrt(np.dot(embedding_D, embedding_D))
        _require_finite(length + width)
        linear_K = self._linear(feature_F)
        hidden, trunk, centres = self.ends
        task, share, expected_M = self._task(np.dot(linear_K[:hidden], self.task_HT))
        nearness_RC = linear_K[trunk:centres].reshape(self.half_square_RC.shape)
        nearest_R = (nearness_RC - length * self.half_square_RC).argmax(axis=1)
        nearest_R += self.first_R
        clusters_M = np.dot(self.ones_R, self.cluster_SM.take(nearest_R, axis=0))
        of_task_AM = self.by_task_TAM[task]
        soft_M = clusters_M + expected_M
        half_M = np.dot(linear_K[hidden:trunk], self.half_general_HM) + of_task_AM[1]
        if self.half_special_TMH is not None and task >= 0:
            half_M += np.dot(self.half_special_TMH[task], linear_K[hidden:trunk])
        quality_M = self._quality(soft_M, soft_M if self.soft else clusters_M + of_task_AM[0], half_M)
        cost_M = self.costs.usd(linear_K[centres:], input_tokens * self.costs.input_usd_M, *of_task_AM[2:])
        cosine_C = np.dot(embedding_D, self.centroid_DC)
        return Prediction(
            quality_NM=quality_M[None],
            cost_usd_NM=cost_M[None],
            task_N=self.task_T1[task],
            margin_N=np.array([self.guard_margin + self.doubt_margin * (1 - share)]),
            novel_N=NOVEL if cosine_C[cosine_C.argmax()] < self.floor * max(width, NOTHING) else KNOWN,
        )

    def _linear(self, features: Singles) -> Singles:
        """All that is linear in the features, shape (..., K), the hidden units rectified."""
        linear: Singles = np.dot(features, self.linear_FK)
        active = linear[..., : self.ends[1]]
        active += self.hidden_bias_H
        np.maximum(active, 0, out=active)
        return linear

    def _tasks(self, logit_NT: Singles) -> tuple[Singles, NDArray[np.int32]]:
        """Posterior and task of each prompt."""
        if not self.task_bias_T.size:
            return logit_NT, np.full(logit_NT.shape[0], -1, dtype=np.int32)
        logit_NT += self.task_bias_T
        logit_NT -= logit_NT.max(axis=1, keepdims=True)
        np.exp(logit_NT, out=logit_NT)
        logit_NT /= logit_NT.sum(axis=1, keepdims=True)
        confident_N = logit_NT.max(axis=1) >= self.confidence_floor
        return logit_NT, np.where(confident_N, logit_NT.argmax(axis=1), -1).astype(np.int32)

    def _task(self, logit_T: Singles) -> tuple[int, float, Floats]:
        """Task of a lone prompt, its probability, and the row of soft_TM1 that its posterior expects, shape (M,)."""
        if not self.task_bias_T.size:
            return -1, 0.0, self.soft_TM1[0, :-1]
        logit_T += self.task_bias_T
        top = int(logit_T.argmax())
        logit_T -= logit_T[top]
        np.exp(logit_T, out=logit_T)
        # a column of ones sums what the highest probability, exp(0), is a share of
        expected_M1 = np.dot(logit_T, self.soft_TM1)
        share = 1 / float(expected_M1[-1])
        expected_M1 *= share
        return top if share >= self.confidence_floor else -1, share, expected_M1[:-1]

    def _quality(self, soft: Floats, stage_one: Floats, half_logit: Floats) -> Floats:
        """Calibrated quality, shape (..., M).

        sigmoid(x) = (1 + tanh(x / 2)) / 2, which never overflows: with 2 q - 1 in place of quality q, half the log odds
        are arctanh.

        Args:
            soft: 2 q - 1 by the soft posterior.
            stage_one: 2 q - 1 by stage 1.
            half_logit: half of what the heads add to the log odds; overwritten.
        """
        mixed = stage_one
        if self.alpha:
            held = np.minimum(np.maximum(soft, -MOST), MOST)
            half_logit += np.arctanh(held, out=held)
            np.tanh(half_logit, out=half_logit)
            half_logit *= self.alpha
            mixed = half_logit
            mixed += (1 - self.alpha) * stage_one
        held = np.minimum(np.maximum(mixed, -WHOLE), WHOLE)
        np.arctanh(held, out=held)
        held *= self.slope_M
        held += self.half_intercept_M
        np.tanh(held, out=held)
        held += 1
        held *= 0.5
        return held


def _require_finite(lengths: float) -> None:
    # not a number compares false with everything: an argmax over it would be the first candidate, silently
    if not math.isfinite(lengths):
        raise ValueError("features and embeddings must be finite")


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
    none_MH = np.zeros((candidates, experts.general_HM.shape[0]), dtype=np.float32)
    by_task = (
        with_none(model.task_quality_TM, model.general_quality_M) - 1,
        (with_none(experts.task_bias_TM, 0) + experts.general_bias_M) / 2,
        *cost_tables(cost),
    )
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
        task_T1=_fixed(np.array([*range(tasks), -1], dtype=np.int32)[:, None]),
        by_task_TAM=np.ascontiguousarray(np.stack(by_task, axis=1)),
        half_general_HM=experts.general_HM * HALF,
        half_special_TMH=np.concatenate([experts.task_TMH, none_MH[None]]) * HALF if special else None,
        alpha=float(model.alpha),
        slope_M=model.calibration.slope_M,
        half_intercept_M=model.calibration.intercept_M / 2,
        costs=fold_costs(cost),
        centroid_DC=np.ascontiguousarray(model.novelty.centroid_CD.T),
        floor=float(model.novelty.floor),
        guard_margin=float(model.guard_margin),
        doubt_margin=float(model.doubt_margin),
    )
