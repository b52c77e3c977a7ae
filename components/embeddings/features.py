"""What every learner sees of a prompt: its embedding, its words and its surface, side by side.

Shapes: N prompts, D embedding, V vocabulary, L lexical rank, C token classes, S = C + 1 surface features,
F = D + L + S.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.embeddings.encoder import Tokens

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureMap:
    """A fitted map from embeddings and tokens to features; numpy alone evaluates it."""

    lexical_VL: Floats
    """Inverse document frequency times the right singular vectors: sums of its rows are projected TF-IDF."""
    idf_V: Floats
    class_VC: Floats
    """1 where a word piece is of a class (digits, punctuation, ...)."""
    surface_mean_S: Floats
    surface_scale_S: Floats
    lexical_weight: Floats
    """Shape (): length of the lexical part beside the unit embedding."""
    surface_weight: Floats
    """Shape (): weight of a standardised surface feature."""

    def transform(self, embedding_ND: Floats, tokens: Tokens) -> Floats:
        """Features of N prompts, shape (N, F).

        Raises:
            ValueError: embeddings and tokens are of different prompts, or a token isn't in the vocabulary.
        """
        if embedding_ND.shape[0] != tokens.length_N.size:
            raise ValueError(f"{embedding_ND.shape[0]} embeddings for {tokens.length_N.size} tokenised prompts")
        if tokens.token_E.size and tokens.token_E.max() >= self.idf_V.size:
            raise ValueError(f"token {tokens.token_E.max()} is beyond the vocabulary of {self.idf_V.size}")
        row_P, token_P, count_P = distinct_tokens(tokens)
        rows = embedding_ND.shape[0]
        weight_P = (1 + np.log(count_P)).astype(np.float32)
        norm_N = np.sqrt(np.bincount(row_P, (weight_P * self.idf_V[token_P]) ** 2, rows))
        projected_NL = _row_sums(row_P, weight_P[:, None] * self.lexical_VL[token_P], rows)
        lexical_NL = projected_NL / np.maximum(norm_N, 1e-9)[:, None]
        surface_NS = (surface(tokens, self.class_VC) - self.surface_mean_S) / self.surface_scale_S
        parts = [embedding_ND, self.lexical_weight * lexical_NL, self.surface_weight * np.clip(surface_NS, -5, 5)]
        return np.concatenate(parts, axis=1).astype(np.float32)


def distinct_tokens(tokens: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row, token and count of every distinct token of every prompt, in that order."""
    row_E = np.repeat(np.arange(tokens.length_N.size), tokens.length_N)
    pair_P, count_P = np.unique((row_E << 32) | tokens.token_E.astype(np.int64), return_counts=True)
    return pair_P >> 32, pair_P & 0xFFFFFFFF, count_P


def surface(tokens: Tokens, class_VC: Floats) -> Floats:
    """log(1 + length) and the share of each token class, shape (N, C + 1)."""
    length_N = tokens.length_N
    row_E = np.repeat(np.arange(length_N.size), length_N)
    share_NC = _row_sums(row_E, class_VC[tokens.token_E], length_N.size) / np.maximum(length_N, 1)[:, None]
    return np.concatenate([np.log1p(length_N)[:, None], share_NC], axis=1).astype(np.float32)


def _row_sums(row_E: NDArray[np.int64], value_EK: Floats, rows: int) -> Floats:
    """Sums of the values of each row; `row_E` ascends."""
    sum_NK = np.zeros((rows, value_EK.shape[1]), dtype=np.float32)
    if row_E.size:
        start_R = np.flatnonzero(np.diff(row_E, prepend=-1))
        sum_NK[row_E[start_R]] = np.add.reduceat(value_EK, start_R, axis=0)
    return sum_NK
