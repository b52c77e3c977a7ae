"""A new candidate from few probes, beside what the router knows already; and a candidate taken out.

Nothing else is trained again: trunk, tasks, clusters, tables and calibration of the others stay as they are, byte for
byte. With few answers a newcomer is described by how its quality goes with what the router predicts of the others: it
is like some of them, better or worse on the whole, and on some tasks more so. Shapes: K probes, F features, T tasks,
M candidates, H hidden units, R x C cluster centres.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from sklearn.linear_model import RidgeCV

from components.learning.cost_fit import CostConfig, fit_cost_head
from components.tasks.table import shrink
from pointsman.model.calibration import logit
from pointsman.model.router_model import RouterModel
from pointsman.model.unit import unit_rows
from pointsman.model.weights import sigmoid

Floats = NDArray[np.float64]
_RIDGES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
LEAST = 10
"""Graded probes below which nothing is fitted."""
_VARIANCE_PROBES = 10.0
"""Probes that weigh as much as the spread of all of them, in a task's own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NewcomerProbes:
    """What was observed of the newcomer and, where known, of the others on the same K prompts."""

    features_KF: NDArray[np.float32]
    quality_K: Floats
    """The newcomer's, in [0, 1]."""
    others_KM: Floats
    """The incumbents' observed quality; nan where not observed."""
    weight_K: Floats
    """How many prompts of the traffic each stands for, > 0."""
    input_tokens_K: Floats
    """As logged, else as the encoder reads the prompt; nan where unknown."""
    output_tokens_K: Floats
    """Nan where unknown."""
    cost_usd_K: Floats
    """Nan where unknown."""
    input_usd_per_mtok: float = float("nan")
    output_usd_per_mtok: float = float("nan")
    group_K: NDArray[np.int32] | None = None
    """Probes that belong together, such as turns of a conversation; below 0: to nothing. None: all are independent."""

    def take(self, rows: NDArray[np.intp]) -> "NewcomerProbes":
        """The same of a choice of probes."""
        names = ("features_KF", "quality_K", "others_KM", "weight_K", "input_tokens_K", "output_tokens_K", "cost_usd_K")
        part = {name: getattr(self, name)[rows] for name in names}
        return replace(self, **part, group_K=None if self.group_K is None else self.group_K[rows])


def add_candidate(model: RouterModel, probes: NewcomerProbes) -> RouterModel:
    """The router with one candidate more, in the last column.

    Args:
        model: in service.
        probes: graded answers of the newcomer.

    Raises:
        ValueError: fewer than ten probes.
    """
    if probes.quality_K.size < LEAST:
        raise ValueError(f"a newcomer needs at least {LEAST} graded answers, has {probes.quality_K.size}")
    expected_KM = model.stage_one(probes.features_KF)
    mix_M, level = _likeness(expected_KM, probes)
    rest_K = probes.quality_K - expected_KM @ mix_M - level
    task_N, cluster_RK = model.tasks(probes.features_KF), _nearest(model, probes.features_KF)
    clusters = model.clusters.quality_RCM
    by_task_T = _departures(rest_K, task_N, model.task_quality_TM.shape[0])
    by_centre_RC = np.stack([_departures(rest_K, row_K, clusters.shape[1]) for row_K in cluster_RK])

    def like(table: Floats) -> Floats:
        return np.asarray(np.clip(table @ mix_M + level, 0.0, 1.0))

    columns: dict[str, NDArray[Any]] = {
        "task_quality_TM": np.clip(like(model.task_quality_TM) + by_task_T, 0, 1),
        "general_quality_M": like(model.general_quality_M),
        "clusters.quality_RCM": np.clip(like(clusters) + by_centre_RC, 0, 1),
        "experts.general_HM": model.experts.general_HM @ mix_M,
        "experts.general_bias_M": model.experts.general_bias_M @ mix_M,
        **{f"cost.{name}": value for name, value in _cost(model, probes, task_N).items()},
    }
    columns["calibration.slope_M"] = np.asarray(np.median(model.calibration.slope_M))
    columns["calibration.intercept_M"] = np.asarray(np.median(model.calibration.intercept_M))
    grown = _grow(model, columns)
    return _levelled(grown, probes)


def remove_candidate(model: RouterModel, column: int) -> RouterModel:
    """The router without one candidate; the fallback, if it was that one, is the best of the others on the whole.

    Raises:
        ValueError: no such column, or only one candidate.
    """
    candidates = model.general_quality_M.size
    if not 0 <= column < candidates or candidates < 2:
        raise ValueError(f"no candidate {column} to take out of {candidates}")
    kept = np.delete(np.arange(candidates), column)
    arrays = model.to_arrays()
    for name, array in arrays.items():
        if "M" in _letters(name):
            arrays[name] = np.ascontiguousarray(np.take(array, kept, axis=_letters(name).index("M")))
    fallback = int(model.fallback)
    best = int(model.general_quality_M[kept].argmax()) if fallback == column else fallback - (fallback > column)
    arrays["fallback"] = np.array(best, dtype=np.int64)
    return RouterModel.from_arrays(arrays)


def _likeness(expected_KM: Floats, probes: NewcomerProbes) -> tuple[Floats, float]:
    """Weights of the others' expected quality, and a level: a ridge towards the mean of all, by cross-validation.

    The level is corrected for how the others fared on these prompts against what was expected of them: luck that they
    share with the newcomer.
    """
    candidates = expected_KM.shape[1]
    weight_K = probes.weight_K / probes.weight_K.mean()
    mean_K = expected_KM.mean(axis=1)
    design_KM = np.concatenate([mean_K[:, None], expected_KM - mean_K[:, None]], axis=1)
    centre_M, centre = _average(design_KM, weight_K), float(_average(probes.quality_K - mean_K, weight_K))
    away_KM = design_KM - centre_M
    fit_M = _ridge(away_KM, probes.quality_K - mean_K - centre, weight_K)
    # the first entry is the weight of the mean beyond 1
    mix_M = fit_M[1:] - fit_M[1:].mean() + (1 + fit_M[0]) / candidates
    level = float(_average(probes.quality_K - expected_KM @ mix_M, weight_K))
    return mix_M, level - _luck(expected_KM, mix_M, probes, weight_K)


def _luck(expected_KM: Floats, mix_M: Floats, probes: NewcomerProbes, weight_K: Floats) -> float:
    """How much of the level is luck of the draw that the others' outcomes show (a control variate)."""
    seen_KM = np.isfinite(probes.others_KM)
    known_K = seen_KM.any(axis=1)
    if known_K.sum() < LEAST:
        return 0.0
    off_KM = np.where(seen_KM, probes.others_KM - expected_KM, 0.0)
    off_K = off_KM[known_K].sum(axis=1) / seen_KM[known_K].sum(axis=1)
    rest_K = (probes.quality_K - expected_KM @ mix_M)[known_K]
    weight_K = weight_K[known_K]
    away_K = off_K - _average(off_K, weight_K)
    spread = float((weight_K * away_K**2).sum())
    if spread <= 0:
        return 0.0
    slope = float((weight_K * away_K * (rest_K - _average(rest_K, weight_K))).sum()) / spread
    return float(np.clip(slope, 0, 2) * _average(off_K, weight_K))


def _departures(rest_K: Floats, group_K: NDArray[np.integer[Any]], groups: int) -> Floats:
    """Shrunken mean residual of each group, shape (groups,)."""
    known_K = group_K >= 0
    count = np.bincount(group_K[known_K], minlength=groups).astype(np.float64)
    total = np.bincount(group_K[known_K], rest_K[known_K], minlength=groups)
    squares = np.bincount(group_K[known_K], rest_K[known_K] ** 2, minlength=groups)
    overall = float(rest_K.var())
    mean = total / np.maximum(count, 1)
    within = np.maximum(squares - count * mean**2, 0)
    spread = (within + _VARIANCE_PROBES * overall) / (count + _VARIANCE_PROBES)
    return shrink(mean, np.where(count > 0, spread / np.maximum(count, 1), np.inf))


def _cost(model: RouterModel, probes: NewcomerProbes, task_N: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    fitted = fit_cost_head(
        features_NF=probes.features_KF,
        input_tokens_NM=probes.input_tokens_K[:, None],
        output_tokens_NM=probes.output_tokens_K[:, None],
        cost_usd_NM=probes.cost_usd_K[:, None],
        task_N=task_N,
        tasks=model.task_quality_TM.shape[0],
        input_usd_per_mtok_M=np.array([probes.input_usd_per_mtok]),
        output_usd_per_mtok_M=np.array([probes.output_usd_per_mtok]),
        config=CostConfig(),
    )
    return {name: getattr(fitted, name)[..., 0] for name in fitted.__dataclass_fields__}


def _levelled(model: RouterModel, probes: NewcomerProbes) -> RouterModel:
    """The newcomer calibrated so that its mean prediction on the probes is the one of stage 1."""
    column = model.general_quality_M.size - 1
    expected_K = model.stage_one(probes.features_KF)[:, column]
    alpha = float(model.alpha)
    mixed_K = alpha * model.prompt_level(probes.features_KF)[:, column] + (1 - alpha) * expected_K
    wanted = float(np.clip(_average(expected_K, probes.weight_K), 0.005, 0.995))
    slope, intercept = model.calibration.slope_M[column], model.calibration.intercept_M[column]
    logits_K = slope * logit(mixed_K)

    def gap(intercept: float) -> float:
        return float(_average(sigmoid(logits_K + intercept), probes.weight_K)) - wanted

    # at the ends every prediction is below, or above, what is wanted
    ends = logit(np.array(wanted)) - logits_K.max(), logit(np.array(wanted)) - logits_K.min()
    intercept = brentq(gap, *ends) if ends[0] < ends[1] else ends[0]
    intercept_M = model.calibration.intercept_M.copy()
    intercept_M[column] = intercept
    return replace(model, calibration=replace(model.calibration, intercept_M=intercept_M))


def _grow(model: RouterModel, columns: dict[str, NDArray[Any]]) -> RouterModel:
    """One column more in every array of candidates; what no column is given for, such as counts, is 0 there."""
    arrays = model.to_arrays()
    for name, array in arrays.items():
        if "M" in (letters := _letters(name)):
            axis = letters.index("M")
            shape = [length for place, length in enumerate(array.shape) if place != axis]
            column = np.broadcast_to(np.asarray(columns.get(name, 0), dtype=array.dtype), shape)
            arrays[name] = np.ascontiguousarray(np.concatenate([array, np.expand_dims(column, axis)], axis=axis))
    return RouterModel.from_arrays(arrays)


def _nearest(model: RouterModel, features_KF: NDArray[np.float32]) -> NDArray[np.intp]:
    """Nearest centre of each probe in each repeat, shape (R, K)."""
    unit_KF = unit_rows(features_KF)
    centre_RCF = model.clusters.centre_RCF
    distance = (centre_RCF**2).sum(axis=2)[:, None, :] - 2 * np.einsum("kf,rcf->rkc", unit_KF, centre_RCF)
    return np.asarray(distance.argmin(axis=2))


def _ridge(design_KP: Floats, target_K: Floats, weight_K: Floats) -> Floats:
    """Weights of a ridge regression with the penalty of least leave-one-out error; none where nothing but the mean is
    as good."""
    found = RidgeCV(_RIDGES).fit(design_KP, target_K, weight_K)
    # left out of the mean of all, a probe is off by so much
    alone = target_K / (1 - weight_K / weight_K.sum())
    return (
        np.asarray(found.coef_)
        if -found.best_score_ < float(_average(alone**2, weight_K))
        else np.zeros(design_KP.shape[1])
    )


def _average(value: Floats, weight_K: Floats) -> Any:
    return np.average(value, axis=0, weights=weight_K)


def _letters(name: str) -> str:
    """The dimension letters of an array's name; '' for scalars."""
    suffix = name.rpartition("_")[2]
    return suffix if suffix.isupper() else ""
