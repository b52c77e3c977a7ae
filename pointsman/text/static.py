"""A static encoder: a vector a token, summed over the prompt. numpy alone.

Shapes: N prompts, V vocabulary, D dimensions, E tokens of all prompts together.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.text.spec import EncoderSpec
from pointsman.text.tokens import Tokens

Floats32 = NDArray[np.float32]
_CHUNK = 256
"""Tokens summed at a time: their vectors fit the processor's cache."""


class StaticEncoder:
    """Sums of token vectors, scaled to length one (Model2Vec's form; SIF weights, Arora et al. 2017, are in them).

    The weights are one int8 row a token and its scale: `vector = scale * row`. A prompt without known tokens has the
    zero vector.
    """

    __slots__ = ("_vector_VD", "spec")

    def __init__(self, arrays: Mapping[str, NDArray[Any]], spec: EncoderSpec) -> None:
        """From the arrays of encoder.safetensors.

        Raises:
            ValueError: arrays of other names, shapes or kinds, or not finite.
        """
        if set(arrays) != {"row_VD", "scale_V"}:
            raise ValueError(f"a static encoder has row_VD and scale_V, got {', '.join(sorted(arrays))}")
        row_VD, scale_V = arrays["row_VD"], arrays["scale_V"]
        if row_VD.dtype != np.int8 or scale_V.dtype != np.float32:
            raise ValueError(f"a static encoder is int8 rows and float32 scales, got {row_VD.dtype}, {scale_V.dtype}")
        if row_VD.shape != (scale_V.size, spec.dimension) or scale_V.ndim != 1:
            raise ValueError(f"rows {row_VD.shape} and scales {scale_V.shape} don't fit the dimension {spec.dimension}")
        if not np.isfinite(scale_V).all():
            raise ValueError("a static encoder's scales must be finite")
        self._vector_VD: Floats32 = row_VD.astype(np.float32) * scale_V[:, None]
        self.spec = spec

    @property
    def vocabulary_size(self) -> int:
        """Tokens that have a vector."""
        return int(self._vector_VD.shape[0])

    def encode_tokens(self, tokens: Tokens) -> Floats32:
        """Unit vectors of N prompts, shape (N, D); the same whatever a prompt is batched with.

        Raises:
            ValueError: a token isn't in the vocabulary.
        """
        rows, longest = tokens.length_N.size, self.spec.longest_prompt
        if longest is not None and rows and int(tokens.length_N.max()) > longest:
            tokens = tokens.cut(longest)
        if tokens.token_E.size and not 0 <= tokens.token_E.min() <= tokens.token_E.max() < self.vocabulary_size:
            raise ValueError(f"token {tokens.token_E.max()} is beyond the vocabulary of {self.vocabulary_size}")
        total_ND = np.zeros((rows, self.spec.dimension), dtype=np.float32)
        indptr_N1 = tokens.indptr_N1
        start = 0
        while start < rows:
            # as many prompts as fit the chunk, at least one
            end = max(start + 1, int(np.searchsorted(indptr_N1, indptr_N1[start] + _CHUNK, side="right")) - 1)
            self._sum(
                tokens.token_E[indptr_N1[start] : indptr_N1[end]], indptr_N1[start : end + 1], total_ND[start:end]
            )
            start = end
        length_N1 = np.sqrt(np.einsum("nd,nd->n", total_ND, total_ND))[:, None]
        total_ND /= np.where(length_N1 > 0, length_N1, 1)
        return total_ND

    def _sum(self, token_E: NDArray[np.int32], indptr_N1: NDArray[np.int64], total_ND: Floats32) -> None:
        """Writes the sums of some prompts' vectors."""
        if token_E.size > _CHUNK:  # one long prompt: its distinct tokens bound the work
            token_U, count_U = np.unique(token_E, return_counts=True)
            for first in range(0, token_U.size, _CHUNK):
                part = slice(first, first + _CHUNK)
                total_ND[0] += np.dot(count_U[part].astype(np.float32), self._vector_VD.take(token_U[part], axis=0))
            return
        filled_N = indptr_N1[1:] > indptr_N1[:-1]
        if token_E.size:
            starts_K = (indptr_N1[:-1] - indptr_N1[0])[filled_N]
            total_ND[filled_N] = np.add.reduceat(self._vector_VD.take(token_E, axis=0), starts_K, axis=0)


def quantise(vector_VD: Floats32) -> dict[str, NDArray[Any]]:
    """The arrays of a static encoder: each row to int8 by its own largest value.

    >>> quantise(np.array([[127.0, -63.5]], dtype=np.float32))["row_VD"].tolist()
    [[127, -64]]
    """
    scale_V = (np.abs(vector_VD).max(axis=1) / 127).astype(np.float32)
    row_VD = np.rint(vector_VD / np.where(scale_V > 0, scale_V, 1)[:, None]).astype(np.int8)
    return {"row_VD": row_VD, "scale_V": scale_V}
