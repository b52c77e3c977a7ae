"""Answers bought for a one-answer log, evenly and as `collect` chooses them, at equal cost. N prompts, M candidates."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.collecting.inclusion import either, shown_before
from components.collecting.probes import Believed, ProbeConfig, Probes, draw_probes
from components.evaluation.operating import Asked, price_grid
from components.evaluation.paired import Moments, difference, ratio
from components.learning.evidence import with_inclusion
from components.learning.judged import judge_learning
from components.learning.operating import operate, policy_of
from components.learning.router import LEARNING, Learnt, learn_router
from components.tables.board import Board
from flows.stations.blocks import Block
from pointsman.model.guard import router_scores
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import decide
from tests.benchmarks.onboarding_case import board_for
from tests.benchmarks.one_answer_case import CONFIG
from tests.benchmarks.one_answer_logs import thinned
from tests.benchmarks.table import Cell

DRAWS = 20
"""Purchases whose intervals are looked at."""
RETRAINED = 2
"""Purchases that a router is trained on."""
_CELLS = ("quality_NM", "cost_usd_NM", "input_tokens_NM", "output_tokens_NM", "latency_ms_NM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A block in one division, and how many prompts the even purchase reaches."""

    block: Block
    seed: int
    prompts: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pool:
    """The learning prompts: all outcomes, what the log shows of them, and the router that it made."""

    whole: Board
    log: Board
    learnt: Learnt
    choice_N: NDArray[np.intp]
    """Under a policy that is hoped to save without a loss, by parts that hadn't seen the prompt."""
    believed: Believed

    @property
    def single(self) -> int:
        return int(self.learnt.trained.model.fallback)


def figures(case: Case, data: Path, vectors: Path) -> dict[str, Cell]:
    """Both ways of buying: width, error and coverage of the intervals, and the quality of routers trained after."""
    board = board_for(case.block, case.seed, data, vectors)
    pool = _pool(board, case.seed)
    row: dict[str, Cell] = {"block": case.block.name, "seed": case.seed, "prompts": case.prompts}
    found = {chosen: _bought(pool, case, chosen) for chosen in (False, True)}
    for chosen, name in ((False, "even"), (True, "chosen")):
        row |= {f"{figure}, {name}": value for figure, value in found[chosen].items()}
        row[f"quality, {name}"] = float(
            np.mean(
                [
                    _retrained(board, pool, _buy(pool, case, chosen, draw, ~pool.log.answered_NM), case.seed)
                    for draw in range(RETRAINED)
                ]
            )
        )
    return row


def _pool(board: Board, seed: int) -> _Pool:
    log = thinned(board, "uniform", seed)
    learnt = _learnt(log, seed)
    learning = board.rows(*LEARNING)
    model, seen, held = learnt.trained.model, learnt.seen, learnt.trained.two.held
    expected_NM = model.cost.cost_usd(seen.features_NF, seen.input_tokens_N, held.task_N)
    judged, fallback = judge_learning(seen, held, expected_NM, seed), int(model.fallback)
    prediction = model.predict(seen.features_NF, seen.embedding_ND, seen.input_tokens_N)
    policy = _hoped(prediction, fallback)
    found = operate(held, seen, judged, expected_NM, fallback, asked=policy, config=CONFIG.stages.router, seed=seed)
    return _Pool(
        whole=board.take(learning),
        log=log.take(learning),
        learnt=learnt,
        choice_N=found.held_choice_N,
        believed=Believed(quality_NM=prediction.quality_NM, choice_N=found.held_choice_N, single=fallback),
    )


def _hoped(prediction: Prediction, single: int) -> Asked:
    """The least expensive policy that is expected to keep the best single candidate's quality, within a point."""
    at = np.arange(prediction.quality_NM.shape[0])
    for price in price_grid(prediction.cost_usd_NM):
        asked = Asked(name="tradeoff", figure=price)
        choice_N = decide(prediction, policy_of(asked), fallback=single).candidate_N
        if (prediction.quality_NM[at, choice_N] - prediction.quality_NM[:, single]).mean() >= -0.01:
            return asked
    return Asked(name="best")


def _bought(pool: _Pool, case: Case, chosen: bool) -> dict[str, Cell]:
    """Of many purchases: answers, cost, and the intervals of the router's gain and of its cost by them alone."""
    whole, at = pool.whole, np.arange(pool.choice_N.size)
    truth_N = whole.quality_NM[at, pool.choice_N] - whole.quality_NM[:, pool.single]
    paid = whole.cost_usd_NM[at, pool.choice_N].mean() / whole.cost_usd_NM[:, pool.single].mean()
    answers, usd, gains, costs = [], [], [], []
    open_NM = np.ones(whole.quality_NM.shape, dtype=bool)
    for draw in range(DRAWS):
        probes = _buy(pool, case, chosen, draw, open_NM)
        answers.append(probes.prompt_K.size)
        usd.append(float(_prices(whole)[probes.prompt_K, probes.candidate_K].sum()))
        gain, cost = _intervals(pool, _alone(pool, probes), case.seed)
        gains.append(gain)
        costs.append(cost)
    return {
        "moved": float((pool.choice_N != pool.single).mean()),
        "true gain": float(truth_N.mean()),
        "answers": float(np.mean(answers)),
        "usd": float(np.mean(usd)),
        **_summary("gain", gains, float(truth_N.mean())),
        # where not every cost is known there is no truth to compare with
        **(_summary("savings", [cost for cost in costs if cost], float(paid)) if np.isfinite(paid) else {}),
    }


def _summary(name: str, found: list[Moments], truth: float) -> dict[str, Cell]:
    inside = [abs(one.mean - truth) <= 1.96 * one.error + 1e-12 for one in found]
    return {
        f"{name} error": float(np.mean([one.error for one in found])),
        f"{name} rmse": float(np.sqrt(np.mean([(one.mean - truth) ** 2 for one in found]))),
        f"{name} bias": float(np.mean([one.mean - truth for one in found])),
        f"{name} covered": float(np.mean(inside)),
    }


def _intervals(pool: _Pool, board: Board, seed: int) -> tuple[Moments, Moments | None]:
    """The gain over the best single candidate and the relative cost, as a retrain's gate works them out."""
    model, held = pool.learnt.trained.model, pool.learnt.trained.two.held
    expected_NM = model.cost.cost_usd(board.features_NF, board.input_tokens_N, held.task_N)
    judged = judge_learning(board, held, expected_NM, seed)
    got_N, paid_N = judged.at(pool.choice_N)
    single_N, theirs_N = judged.at(np.full(pool.choice_N.size, pool.single))
    known_N = ~np.isnan(got_N) & ~np.isnan(single_N)
    gain = difference(got_N[known_N], single_N[known_N])
    if np.isnan(paid_N[known_N]).any() or not np.nanmean(theirs_N[known_N]) > 0:
        return gain, None
    return gain, ratio(paid_N[known_N], theirs_N[known_N])


def _buy(pool: _Pool, case: Case, chosen: bool, draw: int, open_NM: NDArray[np.bool_]) -> Probes:
    """A purchase; the chosen one has as many prompts as cost what the even one does."""
    seed = 1000 * case.seed + draw
    label_N = np.unique(pool.log.benchmark_N, return_inverse=True)[1].astype(np.int32)
    even = draw_probes(open_NM, label_N, case.prompts, None, ProbeConfig(), seed)
    if not chosen:
        return even
    price_NM = _prices(pool.whole)
    budget = float(price_NM[even.prompt_K, even.candidate_K].sum())
    task_N = pool.learnt.trained.model.tasks(pool.log.features_NF)

    def drawn(prompts: int) -> Probes:
        return draw_probes(open_NM, task_N, prompts, pool.believed, ProbeConfig(), seed)

    least, most = 1, len(open_NM)
    while least < most:
        middle = (least + most + 1) // 2
        probes = drawn(middle)
        if price_NM[probes.prompt_K, probes.candidate_K].sum() <= budget:
            least = middle
        else:
            most = middle - 1
    return drawn(least)


def _prices(whole: Board) -> NDArray[np.float64]:
    """What each answer costs; 1 where costs aren't known."""
    return whole.cost_usd_NM if np.isfinite(whole.cost_usd_NM).all() else np.ones(whole.cost_usd_NM.shape)


def _alone(pool: _Pool, probes: Probes) -> Board:
    """What was bought and nothing else, each answer with the chance with which it was drawn."""
    seen_NM = np.zeros(pool.whole.quality_NM.shape, dtype=bool)
    seen_NM[probes.prompt_K, probes.candidate_K] = True
    cells = {name: np.where(seen_NM, getattr(pool.whole, name), np.nan) for name in _CELLS}
    cells["propensity_NM"] = np.where(seen_NM, probes.design_NM, np.nan)
    return replace(pool.log, **cells, answered_NM=seen_NM, inclusion_NM=probes.design_NM)


def _added(pool: _Pool, probes: Probes) -> Board:
    """The log with what was bought, as `collect` appends it."""
    place = probes.prompt_K, probes.candidate_K
    cells = {name: getattr(pool.log, name).copy() for name in _CELLS}
    for name in _CELLS:
        cells[name][place] = getattr(pool.whole, name)[place]
    label_N = np.unique(pool.log.benchmark_N, return_inverse=True)[1].astype(np.int32)
    before_NM = shown_before(pool.log.answered_NM, pool.log.propensity_NM, label_N)
    answered_NM = pool.log.answered_NM.copy()
    answered_NM[place] = True
    cells["propensity_NM"] = np.where(answered_NM, either(before_NM, probes.design_NM), np.nan)
    unknown_NM = np.full(answered_NM.shape, np.nan)
    return with_inclusion(replace(pool.log, **cells, answered_NM=answered_NM, inclusion_NM=unknown_NM), 0)


def _retrained(board: Board, pool: _Pool, probes: Probes, seed: int) -> float:
    """Quality on test prompts, policy `best`, of a router from the log with what was bought."""
    seen = _added(pool, probes)
    learnt = _learnt(replace(seen, task_N=np.full(seen.task_N.shape, -1, dtype=np.int32)), seed)
    test, model = board.take(board.rows("test")), learnt.trained.model
    prediction = model.predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
    choice_N = router_scores(prediction, int(model.fallback)).argmax(axis=1)
    return float(test.quality_NM[np.arange(choice_N.size), choice_N].mean())


def _learnt(log: Board, seed: int) -> Learnt:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learn_router(log, np.arange(len(log.quality_NM)), CONFIG, seed)
