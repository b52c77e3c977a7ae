"""Which prompts count as one: near-duplicates, and turns of one conversation. Shapes: N prompts, D embedding width."""

import hashlib

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from components.tables.near_duplicates import connected

_STRICTEST = 0.999
"""Above this cosine float32 and int8 noise decide, not the prompts."""


def near_duplicate_groups(
    prompts: pl.Series, embedding_ND: NDArray[np.float32], cosine: float, largest: int
) -> NDArray[np.int32]:
    """Group of each prompt: connected by equal normalised text or by a cosine above `cosine`; numbered by first row.

    More than `largest` connected prompts are a template rather than duplicates: an encoder reads only so many tokens,
    and behind a long preamble all instances look alike (half of PlanBench would be one group). Such a group is
    divided at ever stricter cosines, in the end by text alone. Equal texts always stay together.

    Raises:
        ValueError: embeddings don't fit the prompts or aren't finite.
    """
    if embedding_ND.ndim != 2 or embedding_ND.shape[0] != len(prompts):
        raise ValueError(f"embeddings {embedding_ND.shape} don't fit {len(prompts)} prompts")
    if not np.isfinite(embedding_ND).all():
        raise ValueError("embeddings must be finite")
    number: dict[str, int] = {}
    text_N = np.array([number.setdefault(text, len(number)) for text in normalise(prompts)], dtype=np.intp)
    return _by_first_row(_connect(text_N, embedding_ND, cosine, largest))


def join_groups(group_N: NDArray[np.int32], conversation: pl.Series) -> NDArray[np.int32]:
    """Groups joined where they share a conversation; prompts without one stay as they are. Numbered by first row.

    >>> join_groups(np.array([0, 1, 1, 2, 3], dtype=np.int32), pl.Series(["a", "b", None, "a", None])).tolist()
    [0, 1, 1, 0, 2]
    """
    talks = (
        pl.DataFrame({"group": group_N, "talk": conversation.cast(pl.String)}).drop_nulls().unique(maintain_order=True)
    )
    if talks.is_empty():
        return group_N
    left_E = talks["group"].to_numpy()
    right_E = talks.select(pl.col("group").first().over("talk"))["group"].to_numpy()
    count = int(group_N.max()) + 1
    links = coo_array((np.ones(left_E.size, dtype=np.bool_), (left_E, right_E)), shape=(count, count))
    return _by_first_row(connected_components(links, directed=False)[1].astype(np.intp)[group_N])


def _connect(
    text_N: NDArray[np.intp], embedding_ND: NDArray[np.float32], cosine: float, largest: int
) -> NDArray[np.intp]:
    if cosine > _STRICTEST:
        return text_N
    component_N = connected(text_N, embedding_ND, cosine)
    group_N: NDArray[np.intp] = component_N.copy()
    for group in np.flatnonzero(np.bincount(component_N) > largest):
        rows = np.flatnonzero(component_N == group)
        stricter = 1.0 if _all_alike(embedding_ND[rows]) else (1 + cosine) / 2
        parts = _connect(text_N[rows], embedding_ND[rows], stricter, largest)
        group_N[rows] = group_N.max() + 1 + parts
    return group_N


def _all_alike(embedding_ND: NDArray[np.float32]) -> bool:
    """Whether no two unit rows are further apart than the strictest cosine: both are within half the angle of one."""
    mean_D = embedding_ND.mean(axis=0, dtype=np.float64)
    nearest = float((embedding_ND @ mean_D).min() / max(float(np.linalg.norm(mean_D)), 1e-12))
    return 2 * nearest**2 - 1 > _STRICTEST and nearest > 0


def _by_first_row(group_N: NDArray[np.intp]) -> NDArray[np.int32]:
    _, first, inverse_N = np.unique(group_N, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse_N], dtype=np.int32)


def normalise(prompts: pl.Series) -> pl.Series:
    r"""Prompts without case, punctuation and spacing; one of nothing else keeps its own text.

    >>> normalise(pl.Series(["What is  2 + 2?", "what is 2 + 2", "?!"])).to_list()
    ['what is 2 + 2', 'what is 2 + 2', '?!']
    """
    bare = prompts.str.to_lowercase().str.replace_all(r"[\p{P}\s]+", " ").str.strip_chars()
    return bare.zip_with(bare != "", prompts)


def text_digests(prompts: pl.Series) -> pl.Series:
    """SHA-256 of each normalised prompt: the same for a re-export under new ids, and no text to leak."""
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in normalise(prompts)]
    return pl.Series("text", digests, dtype=pl.String)
