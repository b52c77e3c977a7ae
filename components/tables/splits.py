"""Which prompts train, choose and judge. Shapes: N prompts, D embedding width, S the three splits."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.tables.likeness import join_groups, near_duplicate_groups, text_digests
from components.tables.store import Tables

Floats = NDArray[np.float64]
SPLITS = ("train", "validation", "test")
_TEST = SPLITS.index("test")
_RARE = 10
"""Benchmarks of fewer groups than this share one stratum: alone they'd round most splits to nothing."""
_RARE_STRATUM = "\0rare"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig:
    """Shares of the three splits, which sum to 1, and the cosine above which two prompts count as one."""

    seed: int
    train: float = 0.7
    validation: float = 0.1
    test: float = 0.2
    near_duplicate_cosine: float = 0.95
    largest_group: int = 100
    """Groups of more prompts than this are divided at stricter cosines: they are templates, not duplicates."""

    def __post_init__(self) -> None:
        if not all(0 < share < 1 for share in self.shares) or not math.isclose(sum(self.shares), 1):
            raise ValueError(f"shares of {SPLITS} must be in (0, 1) and sum to 1, got {self.shares}")
        if not 0 < self.near_duplicate_cosine <= 1:
            raise ValueError(f"near_duplicate_cosine must be in (0, 1], got {self.near_duplicate_cosine}")
        if self.largest_group < 1:
            raise ValueError(f"largest_group must be at least 1, got {self.largest_group}")

    @property
    def shares(self) -> tuple[float, float, float]:
        """Share of each split, in the order of `SPLITS`."""
        return self.train, self.validation, self.test


def split(
    tables: Tables,
    embedding_ND: NDArray[np.float32],
    config: SplitConfig,
    frozen_test: frozenset[str] = frozenset(),
    learnt: frozenset[str] = frozenset(),
) -> pl.DataFrame:
    """Split and group of each prompt: `prompt_id`, `split`, `group`, in the order of `tables.prompts`.

    A group is near-duplicates and turns of one conversation; it never straddles splits. Each benchmark is divided by
    the shares as far as its groups allow. Prompts named in `frozen_test` stay in test with their whole group; new
    prompts join test only up to its share. Prompts that earlier routers learnt from don't join it, for it would flatter
    them, unless less than half of the test's share would be left.

    Args:
        tables: valid tables.
        embedding_ND: unit rows, one per row of `tables.prompts`.
        config: shares, seed and threshold.
        frozen_test: ids or `text_digests` of prompts judged on in earlier runs; those that are gone are ignored.
        learnt: the same of prompts that were in the other splits of earlier runs.

    Raises:
        ValueError: embeddings don't fit the prompts or aren't finite, or a split would be empty.
    """
    prompts = tables.prompts
    group_N = groups_of(prompts, embedding_ND, config)
    frozen_N, learnt_N = _known(prompts, frozen_test), _known(prompts, learnt)
    stratum_N = prompts["benchmark"].fill_null("").to_numpy().astype(np.str_)
    split_N = assign_groups(group_N, stratum_N, frozen_N, config, learnt_N=learnt_N)
    empty = [name for number, name in enumerate(SPLITS) if not (split_N == number).any()]
    if empty:
        raise ValueError(
            f"{prompts.height} prompts form only {np.unique(group_N).size} groups of near-duplicates "
            f"and conversations: nothing is left for {', '.join(empty)}"
        )
    return pl.DataFrame(
        {"prompt_id": prompts["prompt_id"], "split": np.array(SPLITS)[split_N], "group": group_N},
        schema_overrides={"split": pl.String(), "group": pl.Int32()},
    )


def groups_of(prompts: pl.DataFrame, embedding_ND: NDArray[np.float32], config: SplitConfig) -> NDArray[np.int32]:
    """Group of each prompt: near-duplicates and turns of one conversation belong together. Numbered by first row.

    Raises:
        ValueError: embeddings don't fit the prompts or aren't finite.
    """
    near_N = near_duplicate_groups(prompts["prompt"], embedding_ND, config.near_duplicate_cosine, config.largest_group)
    return join_groups(near_N, prompts["conversation_id"])


def _known(prompts: pl.DataFrame, named: frozenset[str]) -> NDArray[np.bool_]:
    if not named:
        return np.zeros(prompts.height, dtype=np.bool_)
    names = list(named)
    return (prompts["prompt_id"].is_in(names) | text_digests(prompts["prompt"]).is_in(names)).to_numpy()


def assign_groups(
    group_N: NDArray[np.int32],
    benchmark_N: NDArray[np.str_],
    frozen_N: NDArray[np.bool_],
    config: SplitConfig,
    share_S: Floats | None = None,
    learnt_N: NDArray[np.bool_] | None = None,
) -> NDArray[np.int8]:
    """Number of each prompt's split in `SPLITS`: stratum by stratum, large groups first, each where most is lacking.

    A group belongs to the benchmark of its first prompt. Groups of equal size come in an order drawn by seed and
    benchmark, so that a new benchmark doesn't reshuffle the others. `share_S`: of the first S splits, those of the
    configuration if not given. `learnt_N`: prompts that don't join test anew.
    """
    _, first_G, group_row_N, size_G = np.unique(group_N, return_index=True, return_inverse=True, return_counts=True)
    stratum_G = _strata(benchmark_N[first_G])
    frozen_G = np.zeros(size_G.size, dtype=np.bool_)
    frozen_G[group_row_N[frozen_N]] = True
    share_S = np.array(config.shares) if share_S is None else share_S
    barred_G = np.zeros(size_G.size, dtype=np.bool_)
    if learnt_N is not None:
        barred_G[group_row_N[learnt_N]] = True
        barred_G &= ~frozen_G
        if size_G[~barred_G].sum() < config.test / 2 * size_G.sum():
            barred_G[:] = False
    split_G = np.full(size_G.size, _TEST, dtype=np.int8)
    overall_S = share_S * size_G.sum()
    for stratum in np.unique(stratum_G):
        inside_G = np.flatnonzero(stratum_G == stratum)
        lacking_S = share_S * size_G[inside_G].sum()
        # What is frozen has its place before new prompts are dealt out, whatever their order.
        taken = size_G[inside_G[frozen_G[inside_G]]].sum()
        lacking_S[_TEST:] -= taken
        overall_S[_TEST:] -= taken
        order = np.random.default_rng(_seed(config.seed, str(stratum))).permutation(inside_G)
        order = order[np.argsort(-size_G[order], kind="stable")]
        dealt_K = order[~frozen_G[order]]
        split_G[dealt_K], overall_S = _deal(size_G[dealt_K], barred_G[dealt_K], lacking_S, overall_S, int(size_G.sum()))
    return split_G[group_row_N]


def _deal(
    size_K: NDArray[np.intp], barred_K: NDArray[np.bool_], lacking_S: Floats, overall_S: Floats, whole: int
) -> tuple[NDArray[np.int8], Floats]:
    """The split that lacks most as each group comes, and what all strata lack afterwards.

    Plain numbers: each choice depends on all before it, and arrays of three cost ten times as much.
    """
    lacking, overall, chosen = lacking_S.tolist(), overall_S.tolist(), []
    for size, barred in zip(size_K.tolist(), barred_K.tolist(), strict=True):
        # The overall lack only breaks ties, else every small stratum would starve the same splits.
        lack = [round(own * 1e9) / 1e9 + 1e-6 * every / whole for own, every in zip(lacking, overall, strict=True)]
        most = lack[:_TEST] if barred else lack
        split = most.index(max(most))
        lacking[split] -= size
        overall[split] -= size
        chosen.append(split)
    return np.asarray(chosen, dtype=np.int8), np.asarray(overall)


def learning_splits(group_N: NDArray[np.int32], benchmark_N: NDArray[np.str_], config: SplitConfig) -> NDArray[np.str_]:
    """Train or validation for each prompt that isn't in test, in the configuration's proportion, groups whole.

    >>> config = SplitConfig(seed=0, train=0.6, validation=0.2, test=0.2)
    >>> np.unique(learning_splits(np.arange(40, dtype=np.int32), np.full(40, ""), config), return_counts=True)[1]
    array([30, 10])
    """
    both_2 = np.array([config.train, config.validation]) / (config.train + config.validation)
    none_N = np.zeros(group_N.size, dtype=np.bool_)
    return np.array(SPLITS)[assign_groups(group_N, benchmark_N, none_N, config, both_2)]


def _strata(benchmark_G: NDArray[np.str_]) -> NDArray[np.str_]:
    names, inverse_G, count = np.unique(benchmark_G, return_inverse=True, return_counts=True)
    return np.where(count < _RARE, _RARE_STRATUM, names)[inverse_G]


def _seed(seed: int, stratum: str) -> list[int]:
    digest = hashlib.sha256(stratum.encode()).digest()
    return [seed, int.from_bytes(digest[:8], "little")]
