"""Stand-ins for a judge's grades against known truth: means, coverage, and what the gate makes of them."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from components.evaluation.gate import Played, judge
from components.evaluation.gate_config import GateConfig
from components.evaluation.paired import difference
from components.grading.correction import recalibrate
from components.grading.stand_ins import stand_ins, stand_ins_of
from components.tables.store import Tables

PROMPTS, CORRECTED = 3000, 300
_FLATTERY = np.array([0.0, 0.08])


def _world(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Truth, what a judge says who flatters the second candidate, corrections of a random part, a router's choices."""
    rng = np.random.default_rng(seed)
    truth_NM = np.clip(rng.normal([0.72, 0.62], 0.2, (PROMPTS, 2)), 0, 1)
    judge_NM = np.clip(truth_NM + _FLATTERY + rng.normal(0, 0.1, truth_NM.shape), 0, 1)
    shown_NM = np.stack([rng.permutation(PROMPTS) < CORRECTED for _ in range(2)], axis=1)
    return truth_NM, judge_NM, np.where(shown_NM, truth_NM, np.nan), (rng.random(PROMPTS) < 0.5).astype(int)


def _played(quality_NM: np.ndarray, choice_N: np.ndarray) -> tuple[Played, Played]:
    got_N = quality_NM[np.arange(PROMPTS), choice_N]
    cheap_N = np.where(choice_N == 1, 0.1, 1.0)
    return (
        Played(name="the router", quality_N=got_N, cost_usd_N=cheap_N),
        Played(name="always using the best", quality_N=quality_NM[:, 0], cost_usd_N=np.ones(PROMPTS)),
    )


def _word(quality_NM: np.ndarray, choice_N: np.ndarray) -> str:
    router, single = _played(quality_NM, choice_N)
    config = GateConfig(parity_margin=0.03)
    return judge(
        challenger=router, best_single=single, champion=None, calibration_error=0.0, self_check=True, config=config
    ).verdict


def test_a_gate_that_believes_a_biased_judge_is_wrong_and_the_corrected_one_is_right() -> None:
    """Half the prompts go to a candidate that is .1 worse: .05 lost, of which the judge sees .01."""
    for seed in range(5):
        truth_NM, judge_NM, better_NM, choice_N = _world(seed)
        found = stand_ins([judge_NM], better_NM, seed)
        assert found is not None
        assert _word(truth_NM, choice_N) == "refused"
        assert _word(judge_NM, choice_N) == "promoted"
        assert _word(found.grade_NM, choice_N) != "promoted"


def test_differences_of_choices_cover_the_truth_as_often_as_they_say() -> None:
    hits, narrower, draws = 0, 0, 300
    for seed in range(draws):
        truth_NM, judge_NM, better_NM, choice_N = _world(seed)
        found = stand_ins([judge_NM], better_NM, seed)
        assert found is not None
        interval = difference(*(one.quality_N for one in _played(found.grade_NM, choice_N))).interval(0.025)
        gap = float((truth_NM[np.arange(PROMPTS), choice_N] - truth_NM[:, 0]).mean())
        hits += interval.low <= gap <= interval.high
        # the corrected answers alone, where both answers of a prompt were corrected or the choice is the single
        alone = truth_NM[: CORRECTED // 2]
        few = difference(alone[np.arange(len(alone)), choice_N[: len(alone)]], alone[:, 0]).interval(0.025)
        narrower += interval.high - interval.low < few.high - few.low
    assert 0.92 <= hits / draws <= 0.99
    assert narrower / draws > 0.95


def test_a_useless_judge_costs_precision_not_truth() -> None:
    rng = np.random.default_rng(0)
    truth_NM = rng.random((2000, 1))
    better_NM = np.where(rng.random((2000, 1)) < 0.2, truth_NM, np.nan)
    found = stand_ins([rng.random((2000, 1))], better_NM, 0)
    assert found is not None
    assert found.grade_NM.mean() == pytest.approx(np.nanmean(better_NM), abs=0.01)


def test_few_corrections_of_a_candidate_leave_its_judge_alone() -> None:
    rng = np.random.default_rng(1)
    truth_NM = rng.random((400, 2))
    better_NM = np.where(np.stack([np.arange(400) < 100, np.arange(400) < 4], axis=1), truth_NM, np.nan)
    found = stand_ins([truth_NM], better_NM, 0)
    assert found is not None
    assert found.corrected_NM.sum(axis=0).tolist() == [100, 0]
    assert stand_ins([truth_NM], np.full((400, 2), np.nan), 0) is None


def _tables(kinds: dict[str, range], logged: float | None = None) -> Tables:
    """One candidate's answers to 60 prompts, graded by a judge and by others on some of them."""
    names = [f"p{row}" for row in range(60)]
    rng = np.random.default_rng(2)
    grades = [
        {"prompt_id": names[row], "model": "m", "grader": kind, "kind": kind, "grade": float(rng.random())}
        for kind, rows in {"judge": range(60), **kinds}.items()
        for row in rows
    ]
    return Tables(
        prompts=pl.DataFrame({"prompt_id": names, "prompt": names, "conversation_id": [None] * 60}),
        candidates=pl.DataFrame({"model": ["m"]}),
        outcomes=pl.DataFrame(
            {
                "prompt_id": names,
                "model": ["m"] * 60,
                "quality": [0.5] * 60,
                "graded_by": pl.Series([None if logged is None and row < 5 else "judge" for row in range(60)]),
            }
        ),
        grades=pl.DataFrame(grades),
    )


def test_people_correct_before_references_do_and_what_was_logged_stays() -> None:
    found = stand_ins_of(_tables({"person": range(10, 30), "reference": range(30, 60)}), 0)
    assert found is not None
    assert found.corrected_NM[:, 0].tolist() == [10 <= row < 30 for row in range(60)]
    # rows 0 to 4 have a quality that nobody of the table gave, rows 30 to 59 are known by reference
    assert np.isfinite(found.grade_NM[:, 0]).tolist() == [5 <= row < 30 for row in range(60)]
    by_reference = stand_ins_of(_tables({"reference": range(30, 60)}, logged=1.0), 0)
    assert by_reference is not None
    assert by_reference.corrected_NM.sum() == 30


def test_without_judge_or_corrections_there_is_nothing_to_stand_in() -> None:
    assert stand_ins_of(_tables({}), 0) is None
    assert stand_ins_of(_tables({"person": range(4)}), 0) is None


def _conversations(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A judge's grades of 20 conversations of four turns, corrections of three turns of each, and whose turn it is."""
    rng = np.random.default_rng(seed)
    talk_N = rng.permutation(np.repeat(np.arange(20), 4))
    judge_NM = rng.random((80, 2))
    # what the judge misses is missed in all turns of a conversation
    truth_NM = np.clip(judge_NM + 0.4 * rng.normal(size=20)[talk_N, None], 0, 1)
    last_N = np.array([(talk_N[row:] == talk).sum() == 1 for row, talk in enumerate(talk_N)])
    return judge_NM, np.where(last_N[:, None], np.nan, truth_NM), talk_N


def test_no_turn_is_put_on_the_truths_scale_by_a_correction_of_its_own_conversation() -> None:
    judge_NM, better_NM, talk_N = _conversations(0)
    found = stand_ins([judge_NM], better_NM, 0, group_N=talk_N)
    assert found is not None
    for talk in range(20):
        first, *others = np.flatnonzero((talk_N == talk) & np.isfinite(better_NM[:, 0]))
        changed_NM = better_NM.copy()
        changed_NM[others] = 1 - changed_NM[others]
        again = stand_ins([judge_NM], changed_NM, 0, group_N=talk_N)
        assert again is not None
        assert again.grade_NM[first].tolist() == found.grade_NM[first].tolist()
        # by prompts it would be
        assert _grades(judge_NM, changed_NM)[first].tolist() != _grades(judge_NM, better_NM)[first].tolist()


def _grades(
    judge_NM: np.ndarray, better_NM: np.ndarray, group_N: np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    found = stand_ins([judge_NM], better_NM, seed, group_N=group_N)
    assert found is not None
    return found.grade_NM


@pytest.mark.parametrize(
    "group_N", [np.full(80, -1), np.random.default_rng(0).permutation(80), np.zeros(80, dtype=int)]
)
def test_prompts_that_share_nothing_stand_in_as_ever(group_N: np.ndarray) -> None:
    judge_NM, better_NM, _ = _conversations(1)
    np.testing.assert_array_equal(_grades(judge_NM, better_NM, group_N), _grades(judge_NM, better_NM))


def test_of_two_conversations_each_is_judged_by_the_other() -> None:
    """By hand: lines of one fold each, and the mean of both lines where nothing was corrected."""
    judge_NM, better_NM, _ = _conversations(2)
    half_N = np.arange(80) % 2
    lines = [recalibrate(judge_NM, np.where((half_N == half)[:, None], np.nan, better_NM)) for half in range(2)]
    by_line_LNM = np.stack([line.intercept_M + line.slope * judge_NM for line in lines])
    both_NM = np.isfinite(better_NM)
    expected_NM = np.where(both_NM, by_line_LNM[half_N, np.arange(80)], by_line_LNM.mean(axis=0))
    expected_NM += np.where(both_NM, better_NM - expected_NM, 0.0) / both_NM.mean(axis=0)
    np.testing.assert_allclose(_grades(judge_NM, better_NM, half_N), expected_NM, rtol=1e-12)


def test_turns_of_a_conversation_of_the_tables_stay_together() -> None:
    tables = _tables({"person": range(10, 40)}, logged=1.0)
    talk = pl.Series("conversation_id", [None if row < 10 else f"c{row // 5}" for row in range(60)], dtype=pl.String)
    talks = replace(tables, prompts=tables.prompts.with_columns(talk))
    number_N = np.array([-1 if row < 10 else row // 5 for row in range(60)])
    for found, same in (
        (stand_ins_of(talks, 0), stand_ins_of(tables, 0, number_N)),
        (stand_ins_of(talks, 0, np.full(60, -1)), stand_ins_of(tables, 0)),
    ):
        assert found is not None
        assert same is not None
        np.testing.assert_array_equal(found.grade_NM, same.grade_NM)
