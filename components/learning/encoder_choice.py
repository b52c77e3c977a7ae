"""The cheapest encoder that can't be told from the best, by rules that are set before anything is measured.

Shapes: N prompts of the sample, M candidates, D dimensions; K training rows, Q judged rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from components.baselines import guarded_knn, knn
from components.evaluation.paired import difference
from components.evaluation.shifts import untouched
from components.learning.novelty_fit import NoveltyConfig, fit_novelty
from components.tables.board import Board
from components.tables.units import joined, members, units

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Embed = Callable[[Rows], NDArray[np.float32]]
"""Vectors of all N prompts, shape (N, D), by an encoder that was fitted on these rows alone; whole encoders ignore
them."""


GUESS = {"novelty": 0.5}
"""What a guess reaches: an encoder can't lose more than the best one is above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceConfig:
    """How encoders are compared. An encoder is passed over where it is told to be worse by more than a tolerance."""

    prompts: int = 2000
    """Of the sample at most, >= 2."""
    folds: int = 3
    """>= 2."""
    neighbours: int = 50
    """That predict a prompt's quality, >= 1."""
    groups: int = 6
    """Benchmarks left out at most, the largest ones, >= 0."""
    novelty: NoveltyConfig = field(default_factory=lambda: NoveltyConfig(centroids=64))
    """Of the sample: a quarter of a router's reference points, for a part of its prompts."""
    fewest: int = 30
    """Prompts that a benchmark needs to be left out, >= 1."""
    tolerances: Mapping[str, float] = field(
        default_factory=lambda: {"routing": 0.003, "left_out": 0.01, "novelty": 0.05}
    )
    """Losses that don't count, >= 0: of quality, of quality on benchmarks left out, of the area under the curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One encoder against the best on one criterion."""

    name: str
    value: float
    """Of this encoder, its mean over the prompts judged."""
    loss: float
    """The best encoder's value less this one's, paired over prompts."""
    low: float
    high: float
    """95 % interval of the loss."""
    prompts: int
    tolerance: float

    @property
    def worse(self) -> bool:
        """Whether the loss is told from none and larger than tolerated, as far as the best is better than a guess."""
        most = self.value + self.loss - GUESS.get(self.name, -np.inf)
        return self.low > 0 and min(self.loss, most) > self.tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderChoice:
    """What was chosen and why."""

    chosen: str
    measured: str
    """'quality': of the choices, where most prompts have all outcomes; 'error': of predicted quality, negated."""
    criteria: Mapping[str, tuple[Criterion, ...]]
    """Of each encoder, in the order of cost."""

    def to_document(self) -> dict[str, Any]:
        """Plain JSON for a report."""
        names = ("name", "value", "loss", "low", "high", "prompts", "tolerance", "worse")
        return {
            "chosen": self.chosen,
            "measured": self.measured,
            "rule": "the cheapest encoder that no criterion tells to be worse than the best by more than its tolerance "
            "(novelty: as far as the best is better than a guess)",
            "criteria": {
                encoder: [{name: getattr(one, name) for name in names} for one in found]
                for encoder, found in self.criteria.items()
            },
        }


def choose_encoder(
    encoders: Mapping[str, Embed],
    quality_NM: Floats,
    benchmark_N: NDArray[np.str_],
    config: ChoiceConfig,
    seed: int,
    group_N: NDArray[np.int32] | None = None,
) -> EncoderChoice:
    """Compares encoders on held-out prompts, each fitted without them and what belongs with them.

    An encoder that merely recognises a conversation predicts its other turns well, and new conversations not at all.

    Routing: prompts of each fold are routed by their nearest prompts of the other folds. Left out: the same with a
    whole benchmark left out. Novelty: the share of held-out known prompts that are nearer to the training prompts than
    a prompt of the left-out benchmark is (its mean is the area under the curve). Logs without benchmarks are divided
    by k-means of the last encoder's vectors, which favours that encoder.

    Args:
        encoders: by name, cheapest first; the last is the reference that is best where nothing is told apart.
        quality_NM: nan where not observed.
        benchmark_N: the logs' labels; empty: none.
        config: how they are compared.
        seed: of folds and orders.
        group_N: prompts that belong together, such as turns of a conversation; below 0: to nothing. None: all are
            independent.

    Raises:
        ValueError: no encoder, or prompts that don't fit.
    """
    if not encoders or len(quality_NM) != len(benchmark_N):
        raise ValueError(f"want encoders, and one label a prompt: {len(benchmark_N)} for {len(quality_NM)} prompts")
    everything = np.arange(len(quality_NM))
    reference = list(encoders)[-1]
    whole = bool((~np.isnan(quality_NM)).all(axis=1).mean() > 0.5)
    judge = _Judge(quality_NM=np.asarray(quality_NM, dtype=np.float64), whole=whole, config=config, seed=seed)
    whole_N = np.full(everything.size, -1, dtype=np.int32) if group_N is None else group_N
    generator = np.random.default_rng(seed)
    folds = [joined(part) for part in _dealt(_shuffled(everything, whole_N, generator), config.folds)]
    shifts = _shifts(_labels(benchmark_N, encoders[reference], config, seed), whole_N, config, seed)
    left_out_K = joined([shift.out_Q for shift in shifts])
    rows = {"routing": joined(folds), "left_out": left_out_K, "novelty": left_out_K}
    values: dict[str, dict[str, Floats]] = {name: {} for name in encoders}
    for name, embed in encoders.items():
        values[name]["routing"] = np.concatenate(
            [judge.routed(embed, np.setdiff1d(everything, fold), fold) for fold in folds]
        )
        if shifts:
            apart = [judge.left_out(embed, shift) for shift in shifts]
            values[name]["left_out"] = np.concatenate([worth for worth, _ in apart])
            values[name]["novelty"] = np.concatenate([share for _, share in apart])
    criteria = {
        name: tuple(
            _criterion(
                one, max((values[other][one] for other in encoders), key=np.nanmean), found, whole_N[rows[one]], config
            )
            for one, found in of_encoder.items()
            if np.isfinite(found).any()
        )
        for name, of_encoder in values.items()
    }
    chosen = next((name for name, found in criteria.items() if not any(one.worse for one in found)), reference)
    return EncoderChoice(chosen=chosen, measured="quality" if whole else "error", criteria=criteria)


def _labels(benchmark_N: NDArray[np.str_], embed: Embed, config: ChoiceConfig, seed: int) -> NDArray[np.str_]:
    _, count = np.unique(benchmark_N[benchmark_N != ""], return_counts=True)
    if np.count_nonzero(count >= config.fewest) >= 2 or len(benchmark_N) < 8 * config.fewest:
        return benchmark_N
    vectors_ND = embed(np.arange(len(benchmark_N)))
    cluster_N = KMeans(8, n_init=1, random_state=seed).fit_predict(vectors_ND)
    return np.asarray([f"cluster {cluster}" for cluster in cluster_N], dtype=np.str_)


def _shuffled(rows_K: Rows, group_N: NDArray[np.int32], generator: np.random.Generator) -> list[Rows]:
    """Rows of each group among these, in an order drawn."""
    rows_U = members(units(group_N[rows_K]))
    return [rows_K[rows_U[unit]] for unit in generator.permutation(len(rows_U))]


def _dealt(rows_U: list[Rows], folds: int) -> list[list[Rows]]:
    """Groups divided into folds of as many each, as far as they can be."""
    return [[rows_U[unit] for unit in part] for part in np.array_split(np.arange(len(rows_U)), folds)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Shift:
    """One benchmark left out."""

    out_Q: Rows
    """Of the benchmark."""
    held_S: Rows
    """A fifth of the others, which are known but not learnt from."""
    train_K: Rows
    """The rest, in an order drawn."""


def _shifts(label_N: NDArray[np.str_], group_N: NDArray[np.int32], config: ChoiceConfig, seed: int) -> list[_Shift]:
    """The largest benchmarks, each left out; what shares a group with one of its prompts isn't among the others."""
    names, count = np.unique(label_N[label_N != ""], return_counts=True)
    largest = names[np.argsort(-count, kind="stable")][: config.groups]
    generator = np.random.default_rng(seed)
    shifts = []
    for name in largest:
        out_Q = np.flatnonzero(label_N == name)
        known_K = untouched(np.flatnonzero(label_N != name), out_Q, group_N)
        if config.fewest <= out_Q.size < label_N.size / 2 and known_K.size >= config.fewest:
            rows_U = _shuffled(known_K, group_N, generator)
            held = max(len(rows_U) // 5, 1)
            shifts.append(_Shift(out_Q=out_Q, held_S=joined(rows_U[:held]), train_K=joined(rows_U[held:])))
    return shifts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judge:
    """What is known of the sample, and how much choices made by neighbours are worth on it."""

    quality_NM: Floats
    whole: bool
    """Whether most prompts have all outcomes."""
    config: ChoiceConfig
    seed: int

    def routed(self, embed: Embed, train_K: Rows, judged_Q: Rows) -> Floats:
        """Worth on a fold, of neighbours from the others."""
        return self._worth(embed(train_K), train_K, judged_Q)

    def left_out(self, embed: Embed, shift: _Shift) -> tuple[Floats, Floats]:
        """Worth on a benchmark left out, and the share of held-out known prompts that look less novel than each."""
        vectors_ND = embed(shift.train_K)
        held_SD = vectors_ND[shift.held_S]
        novelty = fit_novelty(vectors_ND[shift.train_K], held_SD, self.config.novelty, self.seed)
        known_S = np.sort(novelty.similarity(held_SD))
        similarity_Q = novelty.similarity(vectors_ND[shift.out_Q])
        # ties count half (Mann and Whitney 1947)
        below_Q, upto_Q = (np.searchsorted(known_S, similarity_Q, side=side) for side in ("left", "right"))
        share_Q = 1 - (below_Q + upto_Q) / (2 * max(known_S.size, 1))
        return self._worth(vectors_ND, shift.train_K, shift.out_Q), share_Q

    def _worth(self, vectors_ND: NDArray[np.float32], train_K: Rows, judged_Q: Rows) -> Floats:
        """Quality of the choice on each prompt, or minus the squared error of what was observed; nan: nothing was."""
        training = Board(quality_NM=self.quality_NM[train_K], features_NF=vectors_ND[train_K])
        seen_QM, neighbours = self.quality_NM[judged_Q], self.config.neighbours
        if self.whole:
            # as careful as a router: the best single candidate unless the neighbours prove another better
            guarded = guarded_knn.fit(training, 0, guarded_knn.GuardedConfig(neighbours=neighbours))
            predicted_QM = guarded.predict(vectors_ND[judged_Q])
            return np.take_along_axis(seen_QM, predicted_QM.argmax(axis=1)[:, None], axis=1)[:, 0]
        predicted_QM = knn.fit(training, 0, knn.KnnConfig(neighbours=neighbours)).predict(vectors_ND[judged_Q])
        seen = ~np.isnan(seen_QM)
        error_QM = np.where(seen, np.nan_to_num(seen_QM) - np.clip(predicted_QM, 0, 1), 0.0) ** 2
        count_Q = seen.sum(axis=1)
        return np.where(count_Q > 0, -error_QM.sum(axis=1) / np.maximum(count_Q, 1), np.nan)


def _criterion(name: str, best: Floats, found: Floats, group_Q: NDArray[np.int32], config: ChoiceConfig) -> Criterion:
    both = ~np.isnan(best) & ~np.isnan(found)
    interval = difference(best[both], found[both], group_Q[both]).interval(0.025)
    return Criterion(
        name=name,
        value=float(found[both].mean()),
        loss=interval.mean,
        low=interval.low,
        high=interval.high,
        prompts=int(both.sum()),
        tolerance=config.tolerances[name],
    )
