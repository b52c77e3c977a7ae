"""Turns of one conversation are alike, so that checks count conversations. Shapes: N prompts."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.tables.groups import group_count, numbered


def conversation_numbers(conversation: pl.Series) -> NDArray[np.int32]:
    """A number for each conversation, shape (N,); -1: the prompt belongs to none, and stands for itself.

    >>> conversation_numbers(pl.Series(["b", None, "a", "b"])).tolist()
    [1, -1, 0, 1]
    """
    number = conversation.cast(pl.String).rank("dense").cast(pl.Int32) - 1
    return np.asarray(number.fill_null(-1).to_numpy(), dtype=np.int32)


def conversations(conversation_N: NDArray[np.integer]) -> int:
    """How many there are; a number below 0 is a conversation of its own.

    >>> conversations(np.array([0, -1, 0, -1]))
    3
    """
    return group_count(conversation_N) or conversation_N.size


def turns_apart(conversation_N: NDArray[np.integer], seed: int) -> NDArray[np.intp]:
    """All rows in random order, but one of each conversation before any second one; shape (N,).

    The first of a conversation is any of its turns with equal chance: early turns differ from late ones, and both
    sides of a comparison have to hold as many of either.

    Args:
        conversation_N: below 0: belongs to none.
        seed: of the order.
    """
    order_N = np.random.default_rng(seed).permutation(conversation_N.size)
    first_G = np.sort(np.unique(numbered(conversation_N)[order_N], return_index=True)[1])
    return np.concatenate([order_N[first_G], np.delete(order_N, first_G)])


def one_each(conversation_N: NDArray[np.integer], seed: int) -> NDArray[np.intp]:
    """A seeded row of each conversation, ascending.

    >>> one_each(np.array([0, -1, -1]), seed=0).tolist()
    [0, 1, 2]
    """
    return np.sort(turns_apart(conversation_N, seed)[: conversations(conversation_N)])
