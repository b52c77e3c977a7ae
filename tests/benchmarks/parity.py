"""Rules for the choice of the operating policy on real blocks: cost and quality on prompts that nothing had seen.

Quality and cost are predicted by cluster tables of words alone, so that a block takes minutes: what is compared is the
rule, not the router. Shapes: N prompts, M candidates, F features.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.baselines.hierarchical import HierarchyConfig, fit
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.evaluation.folds import grouped_folds
from components.evaluation.operating import ParityConfig, cheapest_at_parity, parity_loss, price_grid
from components.evaluation.paired import difference, ratio
from components.tables.board import Board
from components.tables.likeness import near_duplicate_groups
from flows.stations.blocks import Block
from tests.benchmarks.blocks import chosen_blocks
from tests.benchmarks.one_answer_logs import rectangle, sentence_encoder
from tests.benchmarks.processes import in_processes
from tests.benchmarks.routing import Skipped
from tests.benchmarks.table import Cell, Table

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
FOLDS, INNER, RANK, SIDE = 5, 4, 192, 0.025
RULES = ("as deployed", "interval alone", "interval above the small loss", "mean alone")
_TABLES = HierarchyConfig(repeats=2)


def run(
    data: Path,
    cache: Path,
    *,
    blocks: Sequence[str] = (),
    workers: int = 1,
    out: Path | None = None,
) -> Table:
    """Every rule on every block whose costs are known, five grouped folds, each prompt judged once.

    Args:
        data: folder of the standard blocks.
        cache: where the tokenizer is exported to.
        blocks: names; none: frontier-cost, mmlu-pro and pareto.
        workers: processes, of one thread each, >= 1.
        out: JSON file of the rows.

    Raises:
        Skipped: the blocks' folders aren't there, or a block has no complete costs.
    """
    chosen = chosen_blocks(data, blocks or ("frontier-cost", "mmlu-pro", "pareto"))
    sentence_encoder(cache)
    rows: list[dict[str, Cell]] = []
    for block in chosen:
        board, _ = words_board(data, block, cache)
        if np.isnan(board.cost_usd_NM).any():
            raise Skipped(f"block {block.name} has no complete costs")
        parts = in_processes(judged, [(board, fold) for fold in range(FOLDS)], workers)
        for rule in RULES:
            got_N, single_N, paid_N, theirs_N = np.concatenate([part[rule] for part in parts], axis=1)
            gain, cost = difference(got_N, single_N).interval(SIDE), ratio(paid_N, theirs_N).interval(SIDE)
            rows.append(
                {
                    "block": block.name,
                    "prompts": int(got_N.size),
                    "rule": rule,
                    "cost, %": 100 * cost.mean,
                    "gain, points": 100 * gain.mean,
                    "low": 100 * gain.low,
                    "high": 100 * gain.high,
                }
            )
    if out is not None:
        out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return Table(
        name="parity",
        claim=(
            "The price is chosen on held-out predictions of the learning prompts and judged on prompts that nothing "
            "had seen: cost relative to the best single candidate's, and quality against it with its 95 % interval. "
            "As deployed: the low end of the one-sided interval within the gate's margin, and on average no more "
            "lacking than the small loss (a fifth of the distance between the best candidate and the middle one, at "
            "most a point); interval alone: only the first; interval above the small loss: its low end within that "
            "loss; mean alone: no noise allowed for, nothing lacking on average."
        ),
        rows=rows,
        summary={},
    )


def judged(board: Board, fold: int) -> dict[str, Floats]:
    """Of one fold and each rule: quality got, the best single candidate's, USD paid, and the single's, shape (4, N)."""
    learn_L, test_K = list(grouped_folds(board.group_N, board.benchmark_N, FOLDS, 0))[fold]
    seen, asked = board.take(learn_L), board.take(test_K)
    quality_LM, cost_LM = np.empty_like(seen.quality_NM), np.empty_like(seen.quality_NM)
    for rest, out in grouped_folds(seen.group_N, seen.benchmark_N, INNER, fold):
        quality_LM[out], cost_LM[out] = _predicted(seen.take(rest), seen.features_NF[out], fold)
    quality_KM, cost_KM = _predicted(seen, asked.features_NF, fold)
    single = int(seen.quality_NM.mean(axis=0).argmax())
    prices = price_grid(cost_LM)
    tried = [_choices(quality_LM, cost_LM, price) for price in prices]
    played_PL = [_at(seen.quality_NM, choice) for choice in tried]
    paid_P = np.array([_at(seen.cost_usd_NM, choice).mean() for choice in tried])
    margin, loss = ParityConfig().margin, parity_loss(seen.quality_NM.mean(axis=0))
    asked_for = {RULES[0]: (margin, loss), RULES[1]: (margin, None), RULES[2]: (loss, None), RULES[3]: (1.0, 0.0)}
    found = {}
    for rule, (reach, lacking) in asked_for.items():
        place = cheapest_at_parity(played_PL, paid_P, seen.quality_NM[:, single], margin=reach, loss=lacking)
        choice_K = quality_KM.argmax(axis=1) if place is None else _choices(quality_KM, cost_KM, prices[place])
        found[rule] = np.stack(
            [
                _at(asked.quality_NM, choice_K),
                asked.quality_NM[:, single],
                _at(asked.cost_usd_NM, choice_K),
                asked.cost_usd_NM[:, single],
            ]
        )
    return found


def words_board(data: Path, block: Block, cache: Path) -> tuple[Board, pl.Series]:
    """A block's complete prompts, their features of words alone (TF-IDF, its leading singular vectors); the texts."""
    board, prompts, _ = rectangle(data, block)
    encoder = sentence_encoder(cache)
    tokens = encoder.tokenize(prompts.to_list())
    words = FeatureConfig(lexical_rank=RANK, lexical_weight=1.0, surface_weight=0.0)
    none_N1 = np.zeros((len(prompts), 1), dtype=np.float32)
    word_NF = fit_features(tokens, encoder.vocabulary, words).transform(none_N1, tokens)[:, 1 : RANK + 1]
    unit_NF = word_NF / np.maximum(np.linalg.norm(word_NF, axis=1, keepdims=True), 1e-9)
    group_N = near_duplicate_groups(prompts, unit_NF, 0.95, 100)
    words_NF = fit_features(tokens, encoder.vocabulary, FeatureConfig()).transform(unit_NF, tokens)
    return replace(board, embedding_ND=unit_NF, features_NF=words_NF, group_N=group_N), prompts


def _predicted(seen: Board, features_KF: NDArray[np.float32], seed: int) -> tuple[Floats, Floats]:
    """Quality and cost by one set of cluster tables."""
    scale = float(seen.cost_usd_NM.max())
    both = Board(quality_NM=np.hstack([seen.quality_NM, seen.cost_usd_NM / scale]), features_NF=seen.features_NF)
    found = fit(both, seed, _TABLES).predict(features_KF)
    size = seen.quality_NM.shape[1]
    return found[:, :size], found[:, size:] * scale


def _choices(quality_NM: Floats, cost_NM: Floats, price: float) -> Rows:
    return np.asarray((quality_NM - cost_NM / price).argmax(axis=1), dtype=np.intp)


def _at(value_NM: Floats, choice_N: Rows) -> Floats:
    return np.asarray(value_NM[np.arange(choice_N.size), choice_N], dtype=np.float64)
