"""What every learner sees of a prompt: its embedding, its words and its surface, side by side.

Shapes: N prompts, D embedding, V vocabulary, L lexical rank, C token classes, S = C + 1 surface features,
F = D + L + S.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pointsman.text.tokens import Tokens

Floats32 = NDArray[np.float32]
FAR = 5.0
"""Standard deviations beyond which a surface feature is cut."""
_CHUNK = 32
"""Prompts at a time: what their words add up from fits the processor's cache."""
SMALLEST = 1e-9
"""Length of the word weights below which there are no words."""


# without slots, which leave no place for what is worked out once
@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureMap:
    """A fitted map from embeddings and tokens to features; numpy alone evaluates it."""

    lexical_VL: Floats32
    """Inverse document frequency times the right singular vectors: sums of its rows are projected TF-IDF."""
    idf_V: Floats32
    class_VC: Floats32
    """1 where a word piece is of a class (digits, punctuation, ...)."""
    surface_mean_S: Floats32
    surface_scale_S: Floats32
    lexical_weight: Floats32
    """Shape (): length of the lexical part beside the unit embedding."""
    surface_weight: Floats32
    """Shape (): weight of a standardised surface feature."""

    def transform(self, embedding_ND: Floats32, tokens: Tokens) -> Floats32:
        """Features of N prompts, shape (N, F).

        Raises:
            ValueError: embeddings and tokens are of different prompts, or a token isn't in the vocabulary.
        """
        rows, width = embedding_ND.shape
        if rows != tokens.length_N.size:
            raise ValueError(f"{rows} embeddings for {tokens.length_N.size} tokenised prompts")
        rank = self.lexical_VL.shape[1]
        features_NF = np.empty((rows, width + rank + self.surface_mean_S.size), dtype=np.float32)
        features_NF[:, :width] = embedding_ND
        lexical_NL, surface_NS = features_NF[:, width : width + rank], features_NF[:, width + rank :]
        try:
            if rows == 1:
                self._words_of_one(tokens.token_E, lexical_NL[0], surface_NS[0])
            else:
                for start in range(0, rows, _CHUNK):
                    part = slice(start, min(start + _CHUNK, rows))
                    self._words(tokens.part(part.start, part.stop), lexical_NL[part], surface_NS[part])
        except IndexError:
            raise ValueError(f"token {tokens.token_E.max()} is beyond the vocabulary of {self.idf_V.size}") from None
        np.minimum(surface_NS, self._surface_limit, out=surface_NS)
        np.maximum(surface_NS, -self._surface_limit, out=surface_NS)
        return features_NF

    def _words(self, tokens: Tokens, lexical_NL: Floats32, surface_NS: Floats32) -> None:
        """Writes the lexical part, and the surface before it is cut."""
        rows = tokens.length_N.size
        row_P, token_P, count_P = distinct_tokens(tokens)
        weight_P = (1 + np.log(count_P)).astype(np.float32)
        norm_N = np.sqrt(np.bincount(row_P, (weight_P * self.idf_V[token_P]) ** 2, rows))
        scale_N = (self.lexical_weight / np.maximum(norm_N, SMALLEST)).astype(np.float32)
        lexical_NL[:] = _row_sums(row_P, weight_P[:, None] * self.lexical_VL[token_P], rows) * scale_N[:, None]
        surface_NS[:] = (surface(tokens, self.class_VC) - self.surface_mean_S) * self._surface_factor_S

    def _words_of_one(self, token_E: NDArray[np.int32], lexical_L: Floats32, surface_S: Floats32) -> None:
        """The same of a lone prompt, which is what a gateway asks about: in as few steps as can be."""
        count: dict[int, int] = {}
        for token in token_E.tolist():
            count[token] = count.get(token, 0) + 1
        token_P = np.array(list(count), dtype=np.intp)
        count_P = np.array(list(count.values()), dtype=np.float32)
        weight_P = np.log(count_P)
        weight_P += 1
        length_P = weight_P * self.idf_V.take(token_P)
        weight_P *= self._lexical_weight / max(math.sqrt(np.dot(length_P, length_P)), SMALLEST)
        np.dot(weight_P, self.lexical_VL.take(token_P, axis=0), out=lexical_L)
        np.dot(count_P, self._standard_VS.take(token_P, axis=0), out=surface_S)
        surface_S /= max(token_E.size, 1)
        surface_S[0] = math.log1p(token_E.size) * self._standard_VS[0, 0]
        surface_S -= self._standard_mean_S

    @cached_property
    def _lexical_weight(self) -> float:
        return float(self.lexical_weight)

    @cached_property
    def _standard_VS(self) -> Floats32:
        """What a word piece adds to the surface in weighted standard deviations, a unit of log length in front."""
        ones_V1 = np.ones((self.class_VC.shape[0], 1), dtype=np.float32)
        return np.concatenate([ones_V1, self.class_VC], axis=1) * self._surface_factor_S

    @cached_property
    def _standard_mean_S(self) -> Floats32:
        return self.surface_mean_S * self._surface_factor_S

    @cached_property
    def _surface_factor_S(self) -> Floats32:
        return np.asarray(self.surface_weight / self.surface_scale_S, dtype=np.float32)

    @cached_property
    def _surface_limit(self) -> float:
        return FAR * float(self.surface_weight)


def distinct_tokens(tokens: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row, token and count of every distinct token of every prompt, in that order."""
    row_E = np.repeat(np.arange(tokens.length_N.size), tokens.length_N)
    pair_P, count_P = np.unique((row_E << 32) | tokens.token_E.astype(np.int64), return_counts=True)
    return pair_P >> 32, pair_P & 0xFFFFFFFF, count_P


def surface(tokens: Tokens, class_VC: Floats32) -> Floats32:
    """log(1 + length) and the share of each token class, shape (N, C + 1)."""
    length_N = tokens.length_N
    row_E = np.repeat(np.arange(length_N.size), length_N)
    share_NC = _row_sums(row_E, class_VC[tokens.token_E], length_N.size) / np.maximum(length_N, 1)[:, None]
    return np.concatenate([np.log1p(length_N)[:, None], share_NC], axis=1).astype(np.float32)


def _row_sums(row_E: NDArray[np.int64], value_EK: Floats32, rows: int) -> Floats32:
    """Sums of the values of each row; `row_E` ascends."""
    sum_NK = np.zeros((rows, value_EK.shape[1]), dtype=np.float32)
    if row_E.size:
        start_R = np.flatnonzero(np.diff(row_E, prepend=-1))
        sum_NK[row_E[start_R]] = np.add.reduceat(value_EK, start_R, axis=0)
    return sum_NK
