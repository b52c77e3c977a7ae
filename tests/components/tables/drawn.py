"""Vectors drawn for tests."""

import numpy as np


def unit_rows(count: int, seed: int = 0, width: int = 64) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
