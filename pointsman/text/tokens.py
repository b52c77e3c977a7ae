"""Token ids of many prompts, end to end. Shapes: N prompts, E tokens of all prompts together, K chosen prompts."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


# without slots, which leave no place for what is worked out once
@dataclass(frozen=True, kw_only=True, eq=False)
class Tokens:
    """Token ids of N prompts, end to end, without special tokens."""

    indptr_N1: NDArray[np.int64]
    """Where each prompt's tokens start, and the end of the last, shape (N + 1,)."""
    token_E: NDArray[np.int32]

    @cached_property
    def length_N(self) -> NDArray[np.int32]:
        """Tokens of each prompt."""
        return (self.indptr_N1[1:] - self.indptr_N1[:-1]).astype(np.int32)

    def take(self, rows_K: NDArray[np.intp]) -> "Tokens":
        """The tokens of a choice of prompts, in its order.

        >>> tokens = Tokens(indptr_N1=np.array([0, 2, 3]), token_E=np.array([7, 8, 9], dtype=np.int32))
        >>> tokens.take(np.array([1, 0])).token_E.tolist()
        [9, 7, 8]
        """
        length_K = self.length_N[rows_K].astype(np.int64)
        indptr_K1 = np.concatenate([[0], np.cumsum(length_K)])
        place_E = np.arange(indptr_K1[-1]) - np.repeat(indptr_K1[:-1] - self.indptr_N1[rows_K], length_K)
        return Tokens(indptr_N1=indptr_K1, token_E=self.token_E[place_E])

    def part(self, start: int, stop: int) -> "Tokens":
        """The tokens of neighbouring prompts, in place.

        >>> tokens = Tokens(indptr_N1=np.array([0, 2, 3]), token_E=np.array([7, 8, 9], dtype=np.int32))
        >>> tokens.part(1, 2).token_E.tolist()
        [9]
        """
        indptr_N1 = self.indptr_N1[start : stop + 1]
        return Tokens(indptr_N1=indptr_N1 - indptr_N1[0], token_E=self.token_E[indptr_N1[0] : indptr_N1[-1]])

    def cut(self, longest: int) -> "Tokens":
        """The first tokens of each prompt, at most `longest` of each.

        >>> tokens = Tokens(indptr_N1=np.array([0, 2, 3]), token_E=np.array([7, 8, 9], dtype=np.int32))
        >>> tokens.cut(1).token_E.tolist()
        [7, 9]
        """
        length_N = self.length_N.astype(np.int64)
        within_E = np.arange(self.token_E.size) - np.repeat(self.indptr_N1[:-1], length_N)
        kept_N = np.minimum(length_N, longest)
        return Tokens(indptr_N1=np.concatenate([[0], np.cumsum(kept_N)]), token_E=self.token_E[within_E < longest])
