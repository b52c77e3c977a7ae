"""Controls: the same method deprived of what should make it work. Shapes: N prompts, F features."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.baselines.protocol import Fit, QualityModel
from components.tables.board import Board


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _RandomFeatureModel:
    model: QualityModel
    seed: int

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        return self.model.predict(_noise(features_NF, self.seed))


def random_features(fit: Fit) -> Fit:
    """The method on unit noise in place of each prompt's features: what it wins, no prompt explains."""

    def fit_noise(training: Board, seed: int) -> QualityModel:
        noise_NF = _noise(training.features_NF, seed)
        model = fit(replace(training, features_NF=noise_NF), seed)
        return _RandomFeatureModel(model=model, seed=seed + 1)

    return fit_noise


def shuffled_labels(fit: Fit) -> Fit:
    """The method on outcomes dealt to other prompts, whole rows at a time: candidates keep their means."""

    def fit_shuffled(training: Board, seed: int) -> QualityModel:
        order_N = np.random.default_rng(seed).permutation(len(training.quality_NM))
        return fit(
            replace(training, quality_NM=training.quality_NM[order_N], cost_usd_NM=training.cost_usd_NM[order_N]), seed
        )

    return fit_shuffled


def _noise(features_NF: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    noise_NF = np.random.default_rng(seed).standard_normal(features_NF.shape, dtype=np.float32)
    return np.asarray(noise_NF / np.linalg.norm(noise_NF, axis=1, keepdims=True), dtype=np.float32)
