import numpy as np
import pytest

from components.tables.board import Board


@pytest.fixture(scope="module")
def training() -> Board:
    """Four candidates with linear logits and one that nobody tried; a fifth of the outcomes is missing."""
    draw = np.random.default_rng(0)
    features_NF = draw.normal(size=(300, 8)).astype(np.float32)
    logits_NM = features_NF @ draw.normal(size=(8, 5))
    quality_NM = (1 / (1 + np.exp(-logits_NM)) > draw.random(logits_NM.shape)).astype(np.float64)
    quality_NM[draw.random(quality_NM.shape) < 0.2] = np.nan
    quality_NM[:, 3] = np.nan
    return Board(
        features_NF=features_NF,
        quality_NM=quality_NM,
        cost_usd_NM=draw.random(quality_NM.shape) * [5, 4, 3, 0.1, 2],
        benchmark_N=np.array(["arc", "gsm8k"])[draw.integers(0, 2, 300)],
    )
