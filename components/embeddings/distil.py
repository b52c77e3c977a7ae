"""A static encoder distilled from a sentence encoder: what each token adds to a prompt's vector.

Shapes: N sample prompts, V vocabulary, B width of the start's token vectors, D dimensions, E tokens of all prompts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from pointsman.text.tokens import Tokens

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistilConfig:
    """How the sentence encoder's vectors are explained by tokens."""

    sample: int = 6000
    """Prompts at most, >= 1: time grows with its cube, memory with its square (150 MB)."""
    common: float = 1e-2
    """Share of all tokens from which a token counts less, > 0 (a of SIF weights a / (a + share))."""
    shared_ridge: float = 1e-2
    """Penalty on the map that all tokens share, in mean squares of its inputs, > 0."""
    own_ridge: float = 0.1
    """Penalty on what each token has of its own, in mean squares of a prompt's weights, > 0."""

    def __post_init__(self) -> None:
        if self.sample < 1:
            raise ValueError(f"sample must be >= 1, got {self.sample}")
        if min(self.common, self.shared_ridge, self.own_ridge) <= 0:
            raise ValueError(f"common and ridges must be > 0, got {self}")


def distil(tokens: Tokens, teacher_ND: Floats32, start_VB: Floats32, config: DistilConfig) -> Floats32:
    """Token vectors whose sum points where the sentence encoder's vector does, shape (V, D).

    A prompt's mean of weighted token vectors is regressed on its sentence vector in two steps, each a ridge regression
    in closed form: one linear map of the start for all tokens, so that tokens outside the sample have vectors too;
    then, on what is left, a vector of each token's own. The second is solved in its dual, prompts by prompts: with
    K = X X', own = X' (K + r I)^-1 (Y - Y_shared). Weights are SIF's (Arora, Liang and Ma 2017).

    Args:
        tokens: of the sample, cut to what the sentence encoder reads of each prompt.
        teacher_ND: the sentence encoder's unit vectors of the sample.
        start_VB: the sentence encoder's own token vectors.
        config: penalties; `sample` isn't read, the caller draws.

    Raises:
        ValueError: no prompts, vectors of other prompts, or tokens outside the vocabulary.
    """
    prompts = tokens.length_N.size
    if prompts == 0:
        raise ValueError("distillation needs at least one prompt")
    if teacher_ND.shape[0] != prompts:
        raise ValueError(f"{teacher_ND.shape[0]} vectors for {prompts} tokenised prompts")
    vocabulary = start_VB.shape[0]
    if tokens.token_E.size and tokens.token_E.max() >= vocabulary:
        raise ValueError(f"token {tokens.token_E.max()} is beyond the vocabulary of {vocabulary}")
    weight_V = sif_weights(np.bincount(tokens.token_E, minlength=vocabulary), config.common)
    share_NV = _shares(tokens, weight_V)
    # a column of ones: what all prompts have in common
    start_VB1 = np.concatenate([start_VB, np.ones((vocabulary, 1), dtype=np.float32)], axis=1)
    shared_VD = start_VB1 @ _ridge(np.asarray(share_NV @ start_VB1), teacher_ND, config.shared_ridge)
    rest_ND = teacher_ND - share_NV @ shared_VD
    kernel_NN = (share_NV @ share_NV.T).toarray()
    kernel_NN[np.diag_indices(prompts)] += config.own_ridge * max(float(np.trace(kernel_NN)) / prompts, 1e-9)
    dual_ND = cho_solve(cho_factor(kernel_NN, overwrite_a=True), rest_ND)
    return np.asarray(weight_V[:, None] * (shared_VD + share_NV.T @ dual_ND), dtype=np.float32)


def sif_weights(count_V: NDArray[np.integer], common: float) -> Floats32:
    """Smooth inverse frequency, in (0, 1]: a / (a + share) with half a token added to each count.

    >>> sif_weights(np.array([999, 0]), 0.001).round(4)
    array([0.001 , 0.6667], dtype=float32)
    """
    share_V = (count_V + 0.5) / (count_V.sum() + 0.5 * count_V.size)
    return np.asarray(common / (common + share_V), dtype=np.float32)


def _shares(tokens: Tokens, weight_V: Floats32) -> csr_array:
    """Each prompt's weighted tokens, rows that sum to 1, shape (N, V)."""
    rows, vocabulary = tokens.length_N.size, weight_V.size
    value_E = weight_V[tokens.token_E]
    row_E = np.repeat(np.arange(rows), tokens.length_N)
    value_E /= np.bincount(row_E, value_E, rows).astype(np.float32)[row_E]
    # copied, for equal tokens are joined in place
    share_NV = csr_array((value_E, tokens.token_E, tokens.indptr_N1), shape=(rows, vocabulary), copy=True)
    share_NV.sum_duplicates()
    return share_NV


def _ridge(input_NB: Floats32, output_ND: Floats32, penalty: float) -> Floats32:
    square_BB = (input_NB.T @ input_NB).astype(np.float64)
    width = square_BB.shape[0]
    square_BB[np.diag_indices(width)] += penalty * max(float(np.trace(square_BB)) / width, 1e-9)
    return np.asarray(cho_solve(cho_factor(square_BB), input_NB.T @ output_ND), dtype=np.float32)
