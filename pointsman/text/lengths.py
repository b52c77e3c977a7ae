"""How many tokens a candidate will read, told from what the router tokenised. Shapes: N prompts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

READ_CHARACTERS = 65_536
"""Of a prompt: the rest isn't tokenised, in training as in service, which bounds the work that one prompt can cause."""
LEAST_PER_CHARACTER = 0.2
"""Tokens a character that are assumed at least: one word piece may stand for a word of a thousand characters."""
MOST_PER_CHARACTER = 1.0


def estimated_tokens(
    tokens_N: NDArray[np.integer], read_N: NDArray[np.integer], characters_N: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Tokens of the whole request, by the router's tokenizer where it read, and at the same rate where it didn't.

    Args:
        tokens_N: tokens of what was tokenised.
        read_N: its characters, >= 0.
        characters_N: characters of all that a candidate is sent: a long prompt is tokenised in part, and a
            conversation is sent whole though its last turns alone are routed.

    >>> estimated_tokens(np.array([8000]), np.array([32000]), np.array([320000])).tolist()
    [80000]
    """
    rate_N = np.clip(tokens_N / np.maximum(read_N, 1), LEAST_PER_CHARACTER, MOST_PER_CHARACTER)
    rest_N = np.maximum(characters_N - read_N, 0)
    return np.asarray(np.ceil(np.maximum(tokens_N, LEAST_PER_CHARACTER * read_N) + rate_N * rest_N), dtype=np.int64)


def lengths(prompts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Characters of each prompt that are tokenised, and all of them."""
    characters_N = np.fromiter(map(len, prompts), dtype=np.int64, count=len(prompts))
    return np.minimum(characters_N, READ_CHARACTERS), characters_N


def prompt_tokens(tokens_N: NDArray[np.integer], prompts: Sequence[str]) -> NDArray[np.int64]:
    """Tokens of whole prompts: as counted where all was tokenised, else with the rest at the same rate.

    Args:
        tokens_N: tokens of what was tokenised.
        prompts: their N texts.

    >>> prompt_tokens(np.array([2, 16384]), ["two words", 131072 * "w"]).tolist()
    [2, 32768]
    """
    read_N, characters_N = lengths(prompts)
    return np.where(read_N < characters_N, estimated_tokens(tokens_N, read_N, characters_N), tokens_N).astype(np.int64)
