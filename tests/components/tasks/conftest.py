"""Blocks of prompts on the sphere, each with candidates of its own strengths."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray


class Blocks(NamedTuple):
    embedding: NDArray[np.float32]
    quality: NDArray[np.float64]
    task: NDArray[np.int64]


def draw_blocks(*, prompts=480, tasks=8, candidates=6, dimensions=48, noise=0.7, missing=0.0, seed=0) -> Blocks:
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(tasks, dimensions)) / np.sqrt(dimensions)
    task = rng.integers(0, tasks, prompts)
    embedding = centre[task] + noise * rng.normal(size=(prompts, dimensions)) / np.sqrt(dimensions)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    ability = rng.uniform(0.1, 0.9, (tasks, candidates))
    quality = (rng.random((prompts, candidates)) < ability[task]).astype(float)
    quality[rng.random(quality.shape) < missing] = np.nan
    return Blocks(embedding.astype(np.float32), quality, task)


@pytest.fixture
def blocks() -> Blocks:
    return draw_blocks()


@pytest.fixture
def draw():
    return draw_blocks
