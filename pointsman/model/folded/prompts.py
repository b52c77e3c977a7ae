"""What a gateway computes beside the encoder, in few passes over a router's folded arrays.

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

from pointsman.model.calibration import FLOOR
from pointsman.model.folded.costs import FoldedCosts
from pointsman.model.guard import doubt, excess
from pointsman.model.prediction import Prediction
from pointsman.model.unit import SMALLEST
from pointsman.model.weights import BLOCK

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
MOST = 2 * 0.99 - 1
"""Where `log_odds` holds stage 1's quality q, as 2 q - 1."""
WHOLE = 1 - 2 * FLOOR
"""Where `logit` holds it."""
LEAST = float(SMALLEST)
NOTHING = 1e-30
"""Less than the length of any embedding but zero."""


def fixed(array: NDArray[Any]) -> NDArray[Any]:
    """An array that answers may share, since nobody can write into it."""
    array.flags.writeable = False
    return array


NOVEL, KNOWN = fixed(np.array([True])), fixed(np.array([False]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Folded:
    """What `fold` makes of a router."""

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
    half_TMH: Singles
    """Half of the general heads and each task's own; where no task has any, the general ones alone."""
    special: bool
    """Whether a task has heads of its own."""
    alpha: float
    slope_M: Floats
    half_intercept_M: Floats
    costs: FoldedCosts
    centroids: tuple[Singles, ...]
    """Reference points of novelty, shapes (D, C): the first few are mostly enough to see that a prompt isn't novel."""
    floor: float
    """Least cosine to a centroid."""
    guard_margin: float
    doubt_margin: float
    distance_margin: float
    usual_distance: float
    longest_tokens: float
    """Of a prompt that isn't novel for its length; inf: none is."""

    def predict(self, features_NF: Singles, embedding_ND: Singles, input_tokens_N: NDArray[np.integer]) -> Prediction:
        """As `RouterModel.predict`, up to rounding.

        Raises:
            ValueError: shapes differ from the trained ones, or features or embeddings aren't finite.
        """
        rows, features = features_NF.shape
        if features != self.linear_FK.shape[0] or embedding_ND.shape != (rows, self.centroids[0].shape[0]):
            raise ValueError(
                f"features must be (N, {self.linear_FK.shape[0]}) and embeddings (N, {self.centroids[0].shape[0]}), "
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
        scale_N = np.maximum(length_N, SMALLEST)
        nearness_NRC -= scale_N[:, None, None] * self.half_square_RC
        clusters_NM = self.cluster_SM[nearness_NRC.argmax(axis=2) + self.first_R].sum(axis=1)
        distance_N = (length_N / scale_N) ** 2 - 2 * nearness_NRC.max(axis=2).mean(axis=1, dtype=np.float64) / scale_N
        farther_N = excess(distance_N, self.usual_distance)
        hard_NM, bias_NM, *of_cost = self.by_task_TAM[task_N].swapaxes(0, 1)
        expected_NM1 = posterior_NT @ self.soft_TM1 if self.task_bias_T.size else self.soft_TM1
        soft_NM = clusters_NM + expected_NM1[:, :-1]
        half_NM = bias_NM + self._heads(linear_NK[:, hidden:trunk], task_N)
        nearest_N = np.max([np.dot(embedding_ND, few_DC).max(axis=1) for few_DC in self.centroids], axis=0)
        input_usd_NM = input_tokens_N[:, None] * self.costs.input_usd_M
        return Prediction(
            quality_NM=self._quality(soft_NM, soft_NM if self.soft else clusters_NM + hard_NM, half_NM),
            cost_usd_NM=self.costs.usd(linear_NK[:, centres:], input_usd_NM, *of_cost),
            task_N=task_N,
            margin_N=self.guard_margin + self.doubt_margin * doubt(posterior_NT) + self.distance_margin * farther_N,
            novel_N=(nearest_N < self.floor * np.maximum(width_N, NOTHING)) | (input_tokens_N > self.longest_tokens),
        )

    def _one(self, feature_F: Singles, embedding_D: Singles, input_tokens: int) -> Prediction:
        """The same of a lone prompt, which is what a gateway asks about: its rows are looked at, not gathered."""
        length, width = math.sqrt(np.dot(feature_F, feature_F)), math.sqrt(np.dot(embedding_D, embedding_D))
        _require_finite(length + width)
        linear_K = self._linear(feature_F)
        hidden, trunk, centres = self.ends
        task, share, expected_M = self._task(np.dot(linear_K[:hidden], self.task_HT))
        nearness_RC = linear_K[trunk:centres].reshape(self.half_square_RC.shape)
        scale = max(length, LEAST)
        nearness_RC -= scale * self.half_square_RC
        nearest_R = nearness_RC.argmax(axis=1)
        nearest_R += self.first_R
        margin = self.guard_margin + self.doubt_margin * (1 - share)
        if self.distance_margin:
            nearness = float(np.dot(self.ones_R, nearness_RC.max(axis=1))) / self.ones_R.size
            distance = (length / scale) ** 2 - 2 * nearness / scale
            margin += self.distance_margin * max(distance - self.usual_distance, 0.0)
        clusters_M = np.dot(self.ones_R, self.cluster_SM.take(nearest_R, axis=0))
        of_task_AM = self.by_task_TAM[task]
        soft_M = clusters_M + expected_M
        half_M = np.dot(self.half_TMH[task if self.special else -1], linear_K[hidden:trunk]) + of_task_AM[1]
        quality_M = self._quality(soft_M, soft_M if self.soft else clusters_M + of_task_AM[0], half_M)
        cost_M = self.costs.usd(linear_K[centres:], input_tokens * self.costs.input_usd_M, *of_task_AM[2:])
        return Prediction(
            quality_NM=quality_M[None],
            cost_usd_NM=cost_M[None],
            task_N=self.task_T1[task],
            margin_N=np.array([margin]),
            novel_N=NOVEL
            if input_tokens > self.longest_tokens
            else self._novel(embedding_D, self.floor * max(width, NOTHING)),
        )

    def _novel(self, embedding_D: Singles, bar: float) -> NDArray[np.bool_]:
        """Whether no reference point is as near as the bar, shape (1,)."""
        for few_DC in self.centroids:
            cosine_C = np.dot(embedding_D, few_DC)
            if cosine_C[cosine_C.argmax()] >= bar:
                return KNOWN
        return NOVEL

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

    def _heads(self, trunk_NH: Singles, task_N: NDArray[np.int32]) -> Singles:
        """Half of what the heads' weights add to the log odds, shape (N, M)."""
        if not self.special:
            return np.asarray(np.dot(trunk_NH, self.half_TMH[0].T))
        half_NM = np.empty((task_N.shape[0], self.half_TMH.shape[1]), dtype=np.float32)
        # block by block: see ExpertWeights.logits
        for start in range(0, task_N.shape[0], BLOCK):
            rows = slice(start, start + BLOCK)
            half_NM[rows] = np.matmul(self.half_TMH[task_N[rows]], trunk_NH[rows, :, None])[:, :, 0]
        return half_NM

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
