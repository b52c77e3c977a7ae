"""Chances of answers that a log or a purchase may show, against what many draws show."""

from dataclasses import replace

import numpy as np
import pytest

from components.collecting.inclusion import either, shown_before
from components.collecting.probes import Believed, ProbeConfig, draw_probes
from components.learning.evidence import evidence_of, judged_outcomes
from components.tables.board import Board

PROMPTS, CANDIDATES = 300, 4


def test_shares_by_label_where_nothing_was_logged() -> None:
    label_N = np.repeat([0, 1], 1000).astype(np.int32)
    answered_NM = np.zeros((2000, 2), dtype=bool)
    answered_NM[:, 0] = True
    answered_NM[1000:1500, 1] = True
    propensity_NM = np.full((2000, 2), np.nan)
    propensity_NM[0, 0] = 0.3
    before_NM = shown_before(answered_NM, propensity_NM, label_N)
    assert before_NM[[0, 1, 1500], [0, 0, 1]] == pytest.approx([0.3, 1.0, 0.5], abs=0.01)
    assert before_NM[0, 1] == pytest.approx(0.0, abs=0.01)


def test_answers_of_a_log_and_of_a_purchase_are_judged_once() -> None:
    """The mean of a candidate is right with a model of quality that is wrong everywhere by .2."""
    rng = np.random.default_rng(0)
    quality_NM = rng.random((PROMPTS, CANDIDATES))
    believed = Believed(quality_NM=quality_NM, choice_N=quality_NM.argmax(axis=1), single=0)
    share_M = np.array([0.4, 0.3, 0.2, 0.1])
    means = []
    for seed in range(150):
        draw = np.random.default_rng(seed)
        answered_NM = np.eye(CANDIDATES, dtype=bool)[draw.choice(CANDIDATES, PROMPTS, p=share_M)]
        logged_NM = np.where(answered_NM, share_M, np.nan)
        task_N = np.zeros(PROMPTS, dtype=np.int32)
        probes = draw_probes(~answered_NM, task_N, 60, believed, ProbeConfig(), seed)
        place = probes.prompt_K, probes.candidate_K
        before_NM = shown_before(answered_NM, logged_NM, task_N)
        seen_NM = answered_NM.copy()
        seen_NM[place] = True
        board = Board(
            quality_NM=np.where(seen_NM, quality_NM, np.nan),
            propensity_NM=np.where(seen_NM, either(before_NM, probes.design_NM), np.nan),
        )
        judged_NM = judged_outcomes(board.quality_NM, np.clip(quality_NM - 0.2, -1, 1), evidence_of(board, seed))
        means.append(judged_NM.mean(axis=0))
    error_M = np.std(means, axis=0) / len(means) ** 0.5
    assert (np.abs(np.mean(means, axis=0) - quality_NM.mean(axis=0)) < 4 * error_M + 0.005).all()


def test_a_prompt_that_was_bought_whole_is_one_of_many() -> None:
    """One candidate answers all of a log without propensities; all are asked on an even fifth of it."""
    rng = np.random.default_rng(1)
    bought_N = np.arange(500) % 5 == 0
    seen_NM = np.stack([np.ones(500, dtype=bool), bought_N, bought_N], axis=1)
    quality_NM = rng.random((500, 3))
    board = Board(
        quality_NM=np.where(seen_NM, quality_NM, np.nan),
        propensity_NM=np.where(bought_N[:, None], [1.0, 0.2, 0.2], np.nan),
    )
    evidence = evidence_of(board, 0)
    assert evidence.inclusion_NM[bought_N].tolist() == [[1.0, 0.2, 0.2]] * 100
    # the others are judged by these, and not for want of answers
    assert np.isfinite(judged_outcomes(board.quality_NM, np.full((500, 3), 0.5), evidence)).all()
    plain = evidence_of(replace(board, propensity_NM=np.full((500, 3), np.nan)), 0)
    assert (plain.inclusion_NM[bought_N] == 1).all()
