"""Complete logs whose prompts can be said in other words: real blocks, and the simulated world with its translations.

Shapes: N prompts, M candidates; K a choice of prompts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.embeddings.cache import embed_cached
from components.sources.planted.families import FAMILIES
from components.sources.planted.world import PlantedConfig, drawn_qualities, expected_qualities, generate
from components.tables.board import Board, to_board
from components.tables.likeness import normalise
from components.tables.splits import SplitConfig, groups_of
from components.tables.store import read_tables
from flows.stations.blocks import Block
from pointsman.text.features import FeatureMap
from pointsman.text.tokens import Tokens
from tests.benchmarks.one_answer_logs import board_of_vectors, laid_out, rectangle, sentence_encoder
from tests.benchmarks.simulated_board import SIMULATED
from tests.benchmarks.translated import Task

Floats = NDArray[np.float64]
_SAMPLES = {"livecodebench-by-date": 10}
"""Answers of each candidate that a quality of this block is the mean of; others have one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logs:
    """Complete outcomes of prompts that are in no split yet."""

    name: str
    board: Board
    """Embedded; near-duplicates and turns of one conversation share a group."""
    tokens: Tokens
    vocabulary: Sequence[str]
    prompts: pl.DataFrame
    """The table's rows of the board's prompts."""
    samples: int = 1
    """Answers that each quality is the mean of."""
    expected_NM: Floats | None = None
    """Means that the outcomes were drawn from, where they are known."""
    grades: pl.DataFrame | None = None
    """prompt_id, model, judge, grade: of several judges on the same answers."""

    @property
    def language_N(self) -> NDArray[np.str_]:
        """The logs' own word on each prompt's language; empty: none."""
        return self.prompts["language"].fill_null("").to_numpy().astype(np.str_)

    @property
    def characters_N(self) -> NDArray[np.int64]:
        """Length of each prompt."""
        return self.prompts["prompt"].str.len_chars().cast(pl.Int64).to_numpy()


def logs_of(block: Block, data: Path, vectors: Path, cache: Path, seed: int) -> Logs:
    """A block's logs; of `simulated` the world that is drawn with the seed."""
    if block.name == SIMULATED:
        return _simulated(cache, seed)
    board, tokens, vocabulary = board_of_vectors(data, block, vectors)
    prompts = read_tables(data / block.folder).prompts[rectangle(data, block)[2]]
    grades = data / block.folder / "grades.parquet"
    return Logs(
        name=block.name,
        board=replace(board, group_N=groups_of(prompts, board.embedding_ND, SplitConfig(seed=seed))),
        tokens=tokens,
        vocabulary=vocabulary,
        prompts=prompts,
        samples=_SAMPLES.get(block.name, 1),
        grades=pl.read_parquet(grades) if grades.is_file() else None,
    )


def _simulated(cache: Path, seed: int) -> Logs:
    world = generate(PlantedConfig(seed=seed))
    prompts, encoder = world.tables.prompts, sentence_encoder(cache)
    texts = prompts["prompt"].to_list()
    embedding_ND = embed_cached(encoder, texts, cache / "embeddings")
    board, tokens = laid_out(to_board(world.tables), prompts["prompt"], embedding_ND, encoder.tokenize(texts))
    return Logs(
        name=SIMULATED,
        board=board,
        tokens=tokens,
        vocabulary=encoder.vocabulary,
        prompts=prompts,
        expected_NM=world.expected_quality["expected_quality"].to_numpy().reshape(board.quality_NM.shape),
    )


def said_again(test: Board, texts: Sequence[str], features: FeatureMap, cache: Path) -> Board:
    """The same prompts with the same outcomes, in these words."""
    encoder = sentence_encoder(cache)
    tokens = encoder.tokenize(texts)
    embedding_KD = embed_cached(encoder, list(texts), cache / "embeddings")
    return replace(
        test,
        embedding_ND=embedding_KD,
        features_NF=features.transform(embedding_KD, tokens),
        input_tokens_N=tokens.length_N.astype(np.float64),
    )


def new_tasks(
    found: Sequence[Task], logs: Logs, learnt_L: NDArray[np.intp], features: FeatureMap, cache: Path, seed: int
) -> tuple[Mapping[str, tuple[Board, NDArray[np.intp]]], Floats]:
    """Boards of new tasks of the simulated world, one for each way to say them, and the means of their outcomes.

    A task whose English text nearly repeats one that was learnt from is left out, however it is said. The outcomes are
    drawn once: they are those of the task, in whatever words.

    Args:
        found: tasks.
        logs: of the world.
        learnt_L: rows that were learnt from.
        features: fitted on them.
        cache: of the encoder.
        seed: of the outcomes.

    Returns:
        Way -> board and its places among the English one's rows; means of the English rows, shape (K, M).
    """
    place_T = np.array([FAMILIES.index(task.family) for task in found])
    expected_TM = expected_qualities(place_T, np.array([task.difficulty for task in found]))
    quality_TM = drawn_qualities(place_T, expected_TM, np.random.default_rng((seed, 515)))
    bare = Board(quality_NM=quality_TM, benchmark_N=np.array([task.family.benchmark for task in found]))
    english = said_again(bare, [task.said["English"] for task in found], features, cache)
    nearest_T = (english.embedding_ND @ logs.board.embedding_ND[learnt_L].T).max(axis=1)
    again_T = normalise(pl.Series([task.said["English"] for task in found])).is_in(
        normalise(logs.prompts["prompt"][learnt_L]).implode()
    )
    new_K = np.flatnonzero((nearest_T <= SplitConfig(seed=seed).near_duplicate_cosine) & ~again_T.to_numpy())
    english, kept = english.take(new_K), [found[row] for row in new_K]
    texts = pl.DataFrame({"prompt": [task.said["English"] for task in kept], "conversation_id": None})
    english = replace(english, group_N=groups_of(texts, english.embedding_ND, SplitConfig(seed=seed)))
    boards = {"English": (english, np.arange(len(kept)))}
    for way in dict.fromkeys(way for task in kept for way in task.said if way != "English"):
        rows = np.array([row for row, task in enumerate(kept) if way in task.said])
        boards[way] = said_again(english.take(rows), [kept[row].said[way] for row in rows], features, cache), rows
    return boards, expected_TM[new_K]
