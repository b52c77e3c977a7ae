"""Fitting the feature map on training prompts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.utils.extmath import randomized_svd

from components.tables.sampling import evenly
from pointsman.text.features import FeatureMap, distinct_tokens, surface
from pointsman.text.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureConfig:
    """How much words and surface count beside the embedding."""

    lexical_rank: int = 128
    """Dimensions of the TF-IDF projection, >= 1; fewer where the prompts don't carry them."""
    lexical_weight: float = 0.8
    """Length of the lexical part, >= 0; the embedding's is 1."""
    surface_weight: float = 0.15
    """Weight of each standardised surface feature, >= 0."""
    minimum_prompts: int = 2
    """A word piece must occur in this many prompts, >= 1."""
    sample: int = 50_000
    """Training prompts that the map is fitted on at most, >= 1; of more, an even sample."""
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.lexical_rank, self.minimum_prompts, self.sample) < 1:
            raise ValueError(f"lexical_rank, minimum_prompts and sample must be >= 1, got {self}")
        if self.lexical_weight < 0 or self.surface_weight < 0:
            raise ValueError(f"weights must be >= 0, got {self}")


def fit_features(tokens: Tokens, vocabulary: Sequence[str], config: FeatureConfig) -> FeatureMap:
    """A feature map from the tokens of training prompts.

    TF-IDF with sublinear term frequency and smooth inverse document frequency on unit rows, projected on its leading
    right singular vectors (latent semantic analysis, Deerwester et al. 1990).

    Args:
        vocabulary: word pieces by id.

    Raises:
        ValueError: no prompts.
    """
    prompts = tokens.length_N.size
    if prompts == 0:
        raise ValueError("features need at least one training prompt")
    if prompts > config.sample:
        tokens, prompts = tokens.take(evenly(prompts, config.sample)), config.sample
    row_P, token_P, count_P = distinct_tokens(tokens)
    frequency_V = np.bincount(token_P, minlength=len(vocabulary))
    idf_V = np.where(frequency_V >= config.minimum_prompts, np.log((1 + prompts) / (1 + frequency_V)) + 1, 0)
    weight_P = (1 + np.log(count_P)) * idf_V[token_P]
    norm_N = np.sqrt(np.bincount(row_P, weight_P**2, prompts))
    used_U = np.flatnonzero(idf_V)
    columns = np.searchsorted(used_U, token_P)
    kept_P = idf_V[token_P] > 0
    cells_P = weight_P / np.maximum(norm_N[row_P], 1e-9)
    matrix_NU = csr_array((cells_P[kept_P], (row_P[kept_P], columns[kept_P])), (prompts, max(1, used_U.size)))
    rank = max(1, min(config.lexical_rank, prompts - 1, used_U.size - 1))
    _, _, right_LU = randomized_svd(matrix_NU, rank, n_iter=4, random_state=config.seed)
    lexical_VL = np.zeros((len(vocabulary), rank), dtype=np.float32)
    lexical_VL[used_U] = idf_V[used_U, None] * right_LU.T[: used_U.size]
    class_VC = _classes(vocabulary)
    surface_NS = surface(tokens, class_VC)
    return FeatureMap(
        lexical_VL=lexical_VL,
        idf_V=idf_V.astype(np.float32),
        class_VC=class_VC,
        surface_mean_S=surface_NS.mean(axis=0),
        surface_scale_S=np.maximum(surface_NS.std(axis=0), 1e-3).astype(np.float32),
        lexical_weight=np.array(config.lexical_weight, dtype=np.float32),
        surface_weight=np.array(config.surface_weight, dtype=np.float32),
    )


def _classes(vocabulary: Sequence[str]) -> NDArray[np.float32]:
    """Digits, brackets, operators, sentence marks, other marks, pieces of longer words, other scripts; shape (V, 7)."""
    bare = [piece.removeprefix("##") for piece in vocabulary]
    groups = ("()[]{}<>", "+-*/=^%|&~_$#@\\", ".,;:!?'\"`")
    single = [[len(b) == 1 and b in group for b in bare] for group in groups]
    marks = [len(b) == 1 and not b.isalnum() and not any(b in g for g in groups) for b in bare]
    foreign = [any(c.isalpha() and ord(c) > 0x24F for c in b) for b in bare]
    columns = [[b.isdigit() for b in bare], *single, marks, [p.startswith("##") for p in vocabulary], foreign]
    return np.array(columns, dtype=np.float32).T
