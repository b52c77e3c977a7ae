"""Complete logs thinned to what a gateway has: one answer a prompt, chosen by some policy. N prompts, M candidates."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.embeddings.cache import embed_cached
from components.embeddings.export import export_minilm
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.learning.evidence import with_inclusion
from components.tables.board import Board, to_board
from components.tables.likeness import near_duplicate_groups
from components.tables.sampling import evenly
from components.tables.splits import SPLITS, SplitConfig, assign_groups
from components.tables.store import read_tables
from flows.stations.blocks import Block
from pointsman.text.encoder import Encoder, read_tokenizer
from pointsman.text.spec import TOKENIZER
from pointsman.text.tokens import Tokens

LOGGINGS = ("uniform", "skewed", "greedy", "contextual", "tenth complete")
_CELLS = ("quality_NM", "cost_usd_NM", "input_tokens_NM", "output_tokens_NM", "latency_ms_NM", "propensity_NM")


def complete_board(data: Path, block: Block, cache: Path, most: int) -> tuple[Board, Tokens, Encoder]:
    """Prompts of a block that have an outcome of every candidate, embedded and grouped; of many, a sample."""
    encoder = sentence_encoder(cache)
    board, prompts, _ = rectangle(data, block)
    kept = evenly(len(prompts), most)
    board, prompts = board.take(kept), prompts.gather(kept)
    embedding_ND = embed_cached(encoder, prompts.to_list(), cache / "embeddings")
    return *laid_out(board, prompts, embedding_ND, encoder.tokenize(prompts.to_list())), encoder


def board_of_vectors(data: Path, block: Block, vectors: Path) -> tuple[Board, Tokens, tuple[str, ...]]:
    """The same from `write_vectors`, without the sentence encoder; with the tokenizer's vocabulary."""
    tokenizer = read_tokenizer(vectors)
    board, prompts, kept = rectangle(data, block)
    # half precision halves what has to be carried to another machine
    embedding_ND = np.load(vectors / f"{block.folder}.npy")[kept].astype(np.float32)
    embedding_ND /= np.linalg.norm(embedding_ND, axis=1, keepdims=True)
    return *laid_out(board, prompts, embedding_ND, tokenizer.tokenize(prompts.to_list())), tokenizer.vocabulary


def write_vectors(data: Path, folders: Iterable[str], cache: Path, vectors: Path) -> None:
    """Every folder's prompts embedded, in half precision, and the tokenizer; what is there already stays."""
    missing = [folder for folder in folders if not (vectors / f"{folder}.npy").exists()]
    if not missing and (vectors / TOKENIZER).exists():
        return
    vectors.mkdir(parents=True, exist_ok=True)
    encoder = sentence_encoder(cache)
    shutil.copyfile(cache / "encoder" / TOKENIZER, vectors / TOKENIZER)
    for folder in missing:
        prompts = read_tables(data / folder).prompts["prompt"].to_list()
        np.save(vectors / f"{folder}.npy", encoder.encode(prompts).astype(np.float16))


def sentence_encoder(cache: Path) -> Encoder:
    if not (cache / "encoder" / "encoder.json").exists():
        export_minilm(cache / "encoder", "int8")
    return Encoder.load(cache / "encoder")


def rectangle(data: Path, block: Block) -> tuple[Board, pl.Series, NDArray[np.intp]]:
    """Complete prompts and candidates of a block, the prompts' texts and their rows in the table."""
    tables = read_tables(data / block.folder)
    whole = to_board(tables)
    names = block.candidates or whole.models
    columns = np.array([whole.models.index(name) for name in names])
    wanted_N = (
        np.isin(whole.benchmark_N, block.benchmarks) if block.benchmarks else np.ones(len(whole.quality_NM), bool)
    )
    columns = columns[whole.observed_NM[wanted_N][:, columns].mean(axis=0) > 0.5]
    kept = np.flatnonzero(wanted_N & whole.observed_NM[:, columns].all(axis=1))
    return whole.take(kept).keep(columns), tables.prompts["prompt"].gather(kept), kept


def laid_out(
    board: Board, prompts: pl.Series, embedding_ND: NDArray[np.float32], tokens: Tokens
) -> tuple[Board, Tokens]:
    """The board with vectors, lengths and near-duplicates."""
    return (
        replace(
            board,
            embedding_ND=embedding_ND,
            input_tokens_N=tokens.length_N.astype(np.float64),
            group_N=near_duplicate_groups(prompts, embedding_ND, 0.95, 100),
        ),
        tokens,
    )


def divided(board: Board, tokens: Tokens, vocabulary: Sequence[str], seed: int) -> Board:
    """In splits as a retrain's, features fitted on the training split."""
    none_N = np.zeros(board.group_N.size, dtype=bool)
    split_N = np.array(SPLITS)[assign_groups(board.group_N, board.benchmark_N, none_N, SplitConfig(seed=seed))]
    fitted = fit_features(tokens.take(np.flatnonzero(split_N == "train")), vocabulary, FeatureConfig(seed=seed))
    return replace(board, split_N=split_N, features_NF=fitted.transform(board.embedding_ND, tokens))


def shares_of(board: Board, logging: str) -> NDArray[np.float64]:
    """Probability with which the logging policy asks each candidate, shape (N, M)."""
    size, candidates = board.quality_NM.shape
    best = int(board.quality_NM.mean(axis=0).argmax())
    cheapest = int(np.nan_to_num(board.cost_usd_NM, nan=np.inf).mean(axis=0).argmin())
    even = np.full((size, candidates), 1 / candidates)
    one_hot = np.eye(candidates)
    if logging == "skewed":
        return 0.7 * one_hot[np.full(size, cheapest)] + 0.3 * (1 - one_hot[cheapest]) / (candidates - 1)
    if logging == "greedy":
        return 0.9 * one_hot[np.full(size, best)] + 0.1 * even
    if logging == "contextual":
        # long prompts to the best candidate, short ones to the cheapest, three in ten to any
        long_N = board.input_tokens_N > np.median(board.input_tokens_N)
        return 0.7 * one_hot[np.where(long_N, best, cheapest)] + 0.3 * even
    return even


def thinned(board: Board, logging: str, seed: int, *, logged: bool = True) -> Board:
    """The board as such a log shows it; with `tenth complete`, a tenth of the prompts have every answer."""
    generator = np.random.default_rng(seed)
    share_NM = shares_of(board, logging)
    size = len(share_NM)
    choice_N = (generator.random((size, 1)) > share_NM.cumsum(axis=1)[:, :-1]).sum(axis=1)
    seen_NM = np.eye(share_NM.shape[1], dtype=bool)[choice_N]
    if logging == "tenth complete":
        seen_NM = seen_NM | (generator.random(size) < 0.1)[:, None]
    cut = {name: np.where(seen_NM, getattr(board, name), np.nan) for name in _CELLS}
    if logged:
        cut["propensity_NM"] = np.where(np.arange(share_NM.shape[1]) == choice_N[:, None], share_NM, np.nan)
    unknown_NM = np.full(share_NM.shape, np.nan)
    return with_inclusion(replace(board, **cut, answered_NM=seen_NM, inclusion_NM=unknown_NM), seed)
