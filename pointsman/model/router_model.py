"""The trained router as plain arrays: what a bundle stores and a gateway evaluates with numpy alone.

Shapes: N prompts, F features, D embedding, T tasks, M candidates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.model.aggregate import Levels, Posterior, assign_tasks, levels, mix, task_level, task_posterior
from pointsman.model.calibration import Calibration
from pointsman.model.clusters import ClusterTables
from pointsman.model.cost import CostHead
from pointsman.model.guard import doubt, excess
from pointsman.model.novelty import Novelty, too_long
from pointsman.model.prediction import Prediction
from pointsman.model.weights import ClassifierWeights, ExpertWeights

Floats = NDArray[np.float64]
Features = NDArray[np.float32]
PARTS: dict[str, type[Any]] = {
    "classifier": ClassifierWeights,
    "experts": ExpertWeights,
    "clusters": ClusterTables,
    "calibration": Calibration,
    "cost": CostHead,
    "novelty": Novelty,
}
LATER = frozenset({"distance_margin", "usual_distance", "longest_tokens"})
"""Names that routers of earlier versions lack, which decided as if these were 0."""
SHARED_DIMENSIONS = frozenset("FTMD")
"""Letters that mean one number everywhere; others (hidden units, centroids) are a part's own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RouterModel:
    """Both stages, their aggregation, calibration, costs and guards."""

    classifier: ClassifierWeights
    experts: ExpertWeights
    clusters: ClusterTables
    calibration: Calibration
    cost: CostHead
    novelty: Novelty
    task_quality_TM: Floats
    """Shrunken mean quality of each candidate on each task."""
    general_quality_M: Floats
    """Mean quality of each candidate on all prompts."""
    alpha: Floats
    """Shape (), in [0, 1]: weight of the prompt-level heads."""
    soft: NDArray[np.bool_]
    """Shape (): the task table is averaged by the posterior, not read at the most probable task."""
    guard_margin: Floats
    """Shape (), >= 0: quality by which a candidate must beat the fallback."""
    doubt_margin: Floats
    """Shape (), >= 0: the same for each unit of doubt about the prompt's task."""
    distance_margin: Floats
    """Shape (), >= 0: the same for each unit by which a prompt is farther than usual from the clusters."""
    usual_distance: Floats
    """Shape (), >= 0: median distance of training prompts from clusters that were drawn without them."""
    longest_tokens: Floats
    """Shape (), >= 0: a prompt of more tokens is novel, for hardly any as long were learnt from; 0: none is."""
    fallback: NDArray[np.int64]
    """Shape (), in [0, M): best single candidate on the training prompts."""

    def tasks(self, features_NF: Features) -> NDArray[np.int32]:
        """Task of each prompt, -1: unassigned, shape (N,)."""
        return assign_tasks(task_posterior(self.classifier, features_NF), float(self.classifier.confidence_floor))

    def task_table(self, features_NF: Features, posterior: Posterior = "soft") -> Floats:
        """Uncalibrated quality by the discovered tasks' table alone, shape (N, M)."""
        posterior_NT = task_posterior(self.classifier, features_NF)
        task_N = assign_tasks(posterior_NT, float(self.classifier.confidence_floor))
        return task_level(posterior_NT, task_N, self.task_quality_TM, self.general_quality_M, posterior)

    def stage_one(self, features_NF: Features) -> Floats:
        """Uncalibrated quality by stage 1 alone, the task table blended with the cluster tables, shape (N, M)."""
        return self._levels(features_NF).task_NM

    def prompt_level(self, features_NF: Features) -> Floats:
        """Uncalibrated quality by the heads on top of stage 1, shape (N, M)."""
        return self._levels(features_NF).prompt_NM

    def predict(self, features_NF: Features, embedding_ND: Features, input_tokens_N: NDArray[Any]) -> Prediction:
        """Calibrated quality, expected cost, task and novelty of each prompt.

        Args:
            features_NF: the feature map's output, shape (N, F).
            embedding_ND: unit embeddings, shape (N, D).
            input_tokens_N: tokens of each prompt, >= 0, shape (N,).

        Raises:
            ValueError: shapes differ from the trained ones, or features or embeddings aren't finite.
        """
        if features_NF.ndim != 2 or features_NF.shape[1] != self.experts.trunk_FH.shape[0]:
            raise ValueError(f"features must be (N, {self.experts.trunk_FH.shape[0]}), got {features_NF.shape}")
        rows = features_NF.shape[0]
        if embedding_ND.shape != (rows, self.novelty.centroid_CD.shape[1]):
            raise ValueError(f"embedding must be {(rows, self.novelty.centroid_CD.shape[1])}, got {embedding_ND.shape}")
        if np.shape(input_tokens_N) != (rows,):
            raise ValueError(f"input_tokens must be {(rows,)}, got {np.shape(input_tokens_N)}")
        # not a number compares false with everything: an argmax over it would be the first candidate, silently
        if not np.isfinite(features_NF).all() or not np.isfinite(embedding_ND).all():
            raise ValueError("features and embeddings must be finite")
        level = self._levels(features_NF)
        task_N = level.task_N
        mixed_NM = mix(level.prompt_NM, level.task_NM, float(self.alpha))
        return Prediction(
            quality_NM=self.calibration.apply(mixed_NM),
            cost_usd_NM=self.cost.cost_usd(features_NF, np.asarray(input_tokens_N, dtype=np.float64), task_N),
            task_N=task_N,
            margin_N=self.margin(doubt(level.posterior_NT), level.distance_N),
            novel_N=self.novelty.novel(embedding_ND) | too_long(input_tokens_N, float(self.longest_tokens)),
        )

    def margin(self, doubt_N: Floats, distance_N: Floats) -> Floats:
        """Quality by which a candidate must beat the fallback, shape (N,).

        Args:
            doubt_N: about the task, in [0, 1].
            distance_N: see `ClusterTables.nearest`.
        """
        farther_N = excess(distance_N, float(self.usual_distance))
        return float(self.guard_margin) + float(self.doubt_margin) * doubt_N + float(self.distance_margin) * farther_N

    def largest_margin(self) -> float:
        """What no prompt's margin exceeds."""
        return float(self.margin(np.ones(1), np.array([self.clusters.farthest()]))[0])

    def _levels(self, features_NF: Features) -> Levels:
        return levels(
            self.classifier,
            self.experts,
            self.task_quality_TM,
            self.general_quality_M,
            self.clusters,
            features_NF,
            "soft" if self.soft else "hard",
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Every array by its dotted name, for a file of tensors; `from_arrays` is the inverse."""
        arrays: dict[str, NDArray[Any]] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in PARTS:
                for inner in fields(value):
                    arrays[f"{field.name}.{inner.name}"] = np.ascontiguousarray(getattr(value, inner.name))
            else:
                arrays[field.name] = np.ascontiguousarray(value)
        # ascontiguousarray makes scalars flat
        return {name: array.reshape(()) if not _letters(name) else array for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "RouterModel":
        """The router that `to_arrays` took apart.

        Shapes are checked by the names' suffixes: a letter is one length wherever it stands. What routers of earlier
        versions lack is 0.

        Raises:
            ValueError: a name is missing or unknown, or an array's shape, type or values are impossible.
        """
        names = array_names()
        arrays = {**{name: np.zeros(()) for name in LATER}, **arrays}
        if missing := sorted(names - set(arrays)):
            raise ValueError(f"router lacks arrays: {', '.join(missing)}")
        if unknown := sorted(set(arrays) - names):
            raise ValueError(f"router has unknown arrays: {', '.join(unknown)}")
        _check_shapes(arrays)
        _check_values(arrays)
        parts: dict[str, Any] = {
            part: kind(**{field.name: arrays[f"{part}.{field.name}"] for field in fields(kind)})
            for part, kind in PARTS.items()
        }
        own: dict[str, Any] = {name: array for name, array in arrays.items() if "." not in name}
        return cls(**parts, **own)


def array_names() -> frozenset[str]:
    """The dotted names of all arrays of a router."""
    own = {field.name for field in fields(RouterModel) if field.name not in PARTS}
    return frozenset(own | {f"{part}.{field.name}" for part, kind in PARTS.items() for field in fields(kind)})


def _letters(name: str) -> str:
    """The dimension letters of a name: 'experts.task_TMH' -> 'TMH'; '' for scalars."""
    suffix = name.rpartition("_")[2]
    return suffix if suffix.isupper() else ""


def _check_shapes(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuses arrays whose shapes contradict their names or one another."""
    lengths: dict[str, tuple[int, str]] = {}
    for name in sorted(arrays):
        letters, shape = _letters(name), arrays[name].shape
        if len(letters) != len(shape):
            raise ValueError(f"{name} must have {len(letters)} dimensions, got shape {shape}")
        for letter, length in zip(letters, shape, strict=True):
            key = letter if letter in SHARED_DIMENSIONS else f"{name.partition('.')[0]}.{letter}"
            first, where = lengths.setdefault(key, (length, name))
            if length != first:
                raise ValueError(f"{name} has {letter} = {length}, but {where} has {first}")


def _check_values(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuses types and values that would fail, or mislead, only later."""
    for name, array in arrays.items():
        wanted = {"experts.head_TM": "b", "soft": "b", "fallback": "i", "cost.source_M": "i"}.get(name, "f")
        if array.dtype.kind != wanted:
            raise ValueError(f"{name} has type {array.dtype}, not of kind {wanted!r}")
        # costs may be unknown, nothing else
        if wanted == "f" and not name.startswith("cost.") and not np.isfinite(array).all():
            raise ValueError(f"{name} has values that aren't finite")
    candidates = arrays["general_quality_M"].shape[0]
    if not 0 <= int(arrays["fallback"]) < candidates:
        raise ValueError(f"fallback must be in [0, {candidates}), got {int(arrays['fallback'])}")
    if not 0 <= float(arrays["alpha"]) <= 1:
        raise ValueError(f"alpha must be in [0, 1], got {float(arrays['alpha'])}")
    for scalar in ("guard_margin", "doubt_margin", "distance_margin", "usual_distance", "longest_tokens"):
        if not float(arrays[scalar]) >= 0:
            raise ValueError(f"{scalar} must be >= 0, got {float(arrays[scalar])}")
    if not (arrays["calibration.slope_M"] > 0).all() or not float(arrays["classifier.temperature"]) > 0:
        raise ValueError("calibration.slope_M and classifier.temperature must be > 0")
