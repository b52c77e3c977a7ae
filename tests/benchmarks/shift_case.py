"""A router and what it is set beside, from the same prompts, asked the same prompts.

Shapes: N prompts of the logs, M candidates; K prompts that are asked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.baselines import best_per_benchmark, best_single, knn, mlp
from components.baselines.methods import LabelledModel
from components.baselines.protocol import QualityModel
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.evaluation.bootstrap import Interval, intervals, paired_difference
from components.evaluation.shifts import Shift
from components.learning.router import LEARNING, Learnt
from components.tables.board import Board
from components.tables.splits import SplitConfig, learning_splits
from pointsman.model.guard import router_scores
from pointsman.text.features import FeatureMap
from tests.benchmarks.one_answer_case import choices, learn
from tests.benchmarks.shift_logs import Logs
from tests.benchmarks.table import Cell

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
OTHERS = {"best single": best_single.fit, "kNN100": knn.fit, "MLP": mlp.fit, "label known": best_per_benchmark.fit}
ROUTER, UNGUARDED = "router", "unguarded"
"""The router, and its prediction alone: without margin against its best single candidate, novel prompts like others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What every method makes of K prompts, and what that is worth."""

    score_KM: Mapping[str, Floats]
    """By method; each row's greatest is its choice."""
    predicted_KM: Floats
    """The router's prediction of quality."""
    operating_K: Rows
    """Choices of the router's operating policy."""
    novel_K: NDArray[np.bool_]
    """Whether the router takes the prompt for unlike any it learnt from."""
    quality_KM: Floats
    group_K: NDArray[np.int64]

    def take(self, rows: Rows) -> "Answers":
        """The same of a choice of the prompts."""
        return self._each(lambda array: array[rows])

    def among(self, columns: Rows, quality_KM: Floats) -> "Answers":
        """The same with only some candidates to choose from, judged by other outcomes; operating choices stay."""
        return replace(
            self,
            score_KM={name: score_KM[:, columns] for name, score_KM in self.score_KM.items()},
            predicted_KM=self.predicted_KM[:, columns],
            quality_KM=quality_KM,
        )

    def got_K(self, name: str) -> Floats:
        """Quality that a method's choices got."""
        choice_K = self.score_KM[name].argmax(axis=1)
        return np.asarray(self.quality_KM[np.arange(choice_K.size), choice_K])

    def _each(self, change: Callable[[NDArray[np.generic]], NDArray[np.generic]]) -> "Answers":
        return Answers(
            score_KM={name: change(score_KM) for name, score_KM in self.score_KM.items()},
            **{name: change(getattr(self, name)) for name in _ARRAYS},
        )


_ARRAYS = ("predicted_KM", "operating_K", "novel_K", "quality_KM", "group_K")


def pooled(parts: Sequence[Answers]) -> Answers:
    """The prompts of several divisions, which share none, with their groups."""
    return Answers(
        score_KM={name: np.concatenate([part.score_KM[name] for part in parts]) for name in parts[0].score_KM},
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS},
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Methods:
    """All that learnt from one division's training prompts."""

    learnt: Learnt
    others: Mapping[str, QualityModel]
    features: FeatureMap
    board: Board
    """Of all prompts, in splits, with features."""
    seed: int

    def answers(self, test: Board) -> Answers:
        """What they make of prompts with features."""
        _, _, operating_K, prediction = choices(self.learnt, test, self.seed)
        fallback = int(self.learnt.trained.model.fallback)
        score_KM = {ROUTER: router_scores(prediction, fallback), UNGUARDED: prediction.quality_NM}
        for name, model in self.others.items():
            labelled = isinstance(model, LabelledModel)
            score_KM[name] = (
                model.predict_labelled(test.features_NF, test.benchmark_N)
                if labelled
                else model.predict(test.features_NF)
            )
        return Answers(
            score_KM=score_KM,
            predicted_KM=prediction.quality_NM,
            operating_K=operating_K,
            novel_K=prediction.novel_N,
            quality_KM=test.quality_NM,
            group_K=test.group_N.astype(np.int64),
        )


def taught(logs: Logs, shift: Shift, seed: int) -> Methods:
    """Every method from the training prompts of a division; features are fitted on them alone.

    Args:
        logs: complete and undivided.
        shift: rows.
        seed: of everything random.
    """
    whole, train_K = logs.board, shift.train_K
    split_N = np.full(len(whole.quality_NM), "", dtype="<U10")
    config = SplitConfig(seed=seed)
    split_N[train_K] = learning_splits(whole.group_N[train_K], whole.benchmark_N[train_K], config)
    split_N[shift.test_K] = "test"
    fitted = fit_features(logs.tokens.take(np.flatnonzero(split_N == "train")), logs.vocabulary, FeatureConfig())
    board = replace(whole, split_N=split_N, features_NF=fitted.transform(whole.embedding_ND, logs.tokens))
    seen = board.take(board.rows(*LEARNING))
    known = np.unique(seen.benchmark_N).size > 1
    others = {name: fit(seen, seed) for name, fit in OTHERS.items() if known or name != "label known"}
    return Methods(learnt=learn(board, seed), others=others, features=fitted, board=board, seed=seed)


def figures(answers: Answers, ceiling: str, seed: int, before: Answers | None = None) -> dict[str, Cell]:
    """The answers' columns of the table.

    Args:
        answers: of all methods.
        ceiling: what can be learnt at all, in words.
        seed: of the bootstrap.
        before: answers to the same prompts in other words, to count the decisions that changed.
    """
    got = {name: answers.got_K(name) for name in answers.score_KM}
    row: dict[str, Cell] = {"prompts": len(answers.quality_KM)}
    row |= {name: float(got[name].mean()) if name in got else None for name in (ROUTER, UNGUARDED, *OTHERS)}
    row["ceiling"] = ceiling
    row["oracle"] = float(answers.quality_KM.max(axis=1).mean())
    for name in ("best single", "kNN100", "MLP"):
        row[f"less {name}, points"] = points(paired_difference(got[ROUTER], got[name], seed, answers.group_K))
    row["novel, %"] = 100 * float(answers.novel_K.mean())
    if before is not None:
        chosen, was = (part.score_KM[ROUTER].argmax(axis=1) for part in (answers, before))
        flipped_K2 = np.stack([chosen != was, answers.operating_K != before.operating_K], axis=1).astype(float)
        both = intervals(flipped_K2, seed, group_N=answers.group_K)
        row |= {"best flips, %": percent(both[0]), "operating flips, %": percent(both[1])}
    return row


def points(interval: Interval) -> str:
    """A difference of quality in points, with its interval."""
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"


def percent(interval: Interval) -> str:
    """A share in percent, with its interval."""
    return f"{100 * interval.mean:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"
