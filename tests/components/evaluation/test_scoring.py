"""Scores against loops on complete and partial outcomes."""

import numpy as np
import pytest

from components.evaluation.scoring import score_methods


@pytest.fixture
def world():
    generator = np.random.default_rng(0)
    quality = generator.random((300, 4)).round(1)
    cost = generator.random((300, 4)) * np.array([1, 2, 3, 4]) / 1000
    return {
        "quality_NM": quality,
        "cost_usd_NM": cost,
        "benchmark_N": np.repeat(["a", "b", "c"], 100),
        "best_single": int(quality.mean(axis=0).argmax()),
        "seed": 0,
    }


def test_means_agree_with_loops(world):
    quality, cost = world["quality_NM"], world["cost_usd_NM"]
    predicted = np.random.default_rng(1).random((300, 4))
    scores = score_methods({"router": predicted}, **world)
    chosen = [max(range(4), key=lambda m: predicted[n, m]) for n in range(300)]
    got = [quality[n, m] for n, m in enumerate(chosen)]
    assert scores["router"].quality.mean == pytest.approx(np.mean(got))
    assert scores["router"].regret == pytest.approx(np.mean([max(quality[n]) - got[n] for n in range(300)]))
    paid = 1000 * np.mean([cost[n, m] for n, m in enumerate(chosen)])
    assert scores["router"].cost_usd_per_1000.mean == pytest.approx(paid)
    assert scores["random"].quality.mean == pytest.approx(quality.mean())
    assert scores["oracle"].regret == pytest.approx(0)
    assert scores["best_single"].gain.as_list() == [0, 0, 0]
    assert scores["router"].per_benchmark["b"]["quality"] == pytest.approx(np.mean(got[100:200]))


def test_the_oracle_takes_the_cheapest_of_equals(world):
    world["quality_NM"] = np.ones((300, 4))
    scores = score_methods({}, **world)
    assert scores["oracle"].cost_usd_per_1000.mean == pytest.approx(1000 * world["cost_usd_NM"].min(axis=1).mean())


def test_a_perfect_predictor_bounds_aiq(world):
    scores = score_methods({"perfect": world["quality_NM"], "dull": np.zeros((300, 4))}, **world)
    assert scores["dull"].aiq <= scores["perfect"].aiq <= scores["oracle"].quality.mean


def test_always_the_best_single_candidate_reaches_parity_at_its_cost_in_every_draw():
    for seed in range(40):
        generator = np.random.default_rng(seed)
        quality_NM, cost_NM = generator.random((37, 3)), generator.random((37, 3)) * [1, 2, 3]
        best = int(quality_NM.mean(axis=0).argmax())
        scores = score_methods(
            {"always the best": np.tile(np.eye(3)[best], (37, 1))},
            quality_NM=quality_NM,
            cost_usd_NM=cost_NM,
            benchmark_N=np.repeat("a", 37),
            best_single=best,
            seed=0,
        )
        assert scores["always the best"].cost_save == pytest.approx(0, abs=1e-9), seed


def test_choices_are_among_the_candidates_that_can_be_judged_on_a_prompt(world):
    world["quality_NM"][:250, 3] = np.nan
    world["quality_NM"][:20, 0] = np.nan
    world["best_single"] = 0
    scores = score_methods({"always last": np.tile([0.0, 0.1, 0.2, 0.9], (300, 1))}, **world)
    got = np.concatenate([world["quality_NM"][20:250, 2], world["quality_NM"][250:, 3]])
    assert scores["always last"].quality.mean == pytest.approx(got.mean())
    assert scores["best_single"].quality.mean == pytest.approx(world["quality_NM"][20:, 0].mean())
    assert scores["random"].quality.mean == pytest.approx(np.nanmean(world["quality_NM"][20:], axis=1).mean())


def test_stand_ins_outside_the_range_count_as_they_are_but_feed_no_oracle(world):
    world["quality_NM"][::3, 1] = 4.0
    world["quality_NM"][1::3, 1] = -2.0
    scores = score_methods({"second": np.tile([0.0, 1.0, 0.0, 0.0], (300, 1))}, **world)
    assert scores["second"].quality.mean == pytest.approx(world["quality_NM"][:, 1].mean())
    assert scores["oracle"].quality.mean == pytest.approx(np.clip(world["quality_NM"], 0, 1).max(axis=1).mean())


def test_unknown_costs_are_none_never_zero(world):
    world["cost_usd_NM"][:, 0] = np.nan
    scores = score_methods(
        {"first": np.tile([1.0, 0, 0, 0], (300, 1)), "last": np.tile([0, 0, 0, 1.0], (300, 1))}, **world
    )
    assert scores["first"].cost_usd_per_1000 is None
    assert scores["last"].cost_usd_per_1000 is not None
    assert scores["last"].aiq is None
    assert scores["first"].as_dict()["cost_usd_per_1000"] is None


def test_tasks_are_scored_on_their_own_prompts(world):
    task_N = np.array(["algebra", "poems", "unassigned"])[np.arange(300) % 3]
    predicted = np.random.default_rng(1).random((300, 4))
    scores = score_methods({"router": predicted}, **world, task_N=task_N)
    chosen = predicted.argmax(axis=1)
    for offset, name in enumerate(("algebra", "poems", "unassigned")):
        got = [world["quality_NM"][n, chosen[n]] for n in range(offset, 300, 3)]
        lost = [world["quality_NM"][n].max() - world["quality_NM"][n, chosen[n]] for n in range(offset, 300, 3)]
        expected = {"quality": np.mean(got), "regret": np.mean(lost), "count": 100}
        assert scores["router"].as_dict()["per_task"][name] == pytest.approx(expected)
    assert scores["oracle"].per_task["poems"]["regret"] == pytest.approx(0)
    assert score_methods({"router": predicted}, **world)["router"].per_task == {}
    with pytest.raises(ValueError, match="3 tasks for 300 prompts"):
        score_methods({"router": predicted}, **world, task_N=task_N[:3])


def test_intervals_draw_turns_of_a_conversation_together(world):
    # each prompt five times over says no more than once
    five = {**world, **{key: np.repeat(world[key], 5, axis=0) for key in ("quality_NM", "cost_usd_NM", "benchmark_N")}}
    predicted = np.random.default_rng(1).random((300, 4))
    once = score_methods({"router": predicted}, **world)["router"]
    talks = {"router": np.repeat(predicted, 5, axis=0)}
    together = score_methods(talks, **five, group_N=np.repeat(np.arange(300), 5))["router"]
    for name in ("quality", "gain", "cost_usd_per_1000"):
        assert getattr(together, name).as_list() == pytest.approx(getattr(once, name).as_list()), name
    # only prompts that can be compared are drawn
    five["quality_NM"][:25] = np.nan
    fewer = score_methods(talks, **five, group_N=np.repeat(np.arange(300), 5))["router"]
    later = {**world, **{key: world[key][5:] for key in ("quality_NM", "cost_usd_NM", "benchmark_N")}}
    assert fewer.gain.as_list() == pytest.approx(
        score_methods({"router": predicted[5:]}, **later)["router"].gain.as_list()
    )
    with pytest.raises(ValueError, match="3 groups for 1500 prompts"):
        score_methods(talks, **five, group_N=np.arange(3))


def test_candidates_without_a_common_prompt_are_refused(world):
    world["quality_NM"][:] = np.where(np.arange(300)[:, None] % 4 == np.arange(4), world["quality_NM"], np.nan)
    with pytest.raises(ValueError, match="no common prompts: there is no prompt on which the best single"):
        score_methods({"router": np.zeros((300, 4))}, **world)


def test_bad_predictions_are_refused(world):
    with pytest.raises(ValueError, match="router predicts"):
        score_methods({"router": np.zeros((3, 4))}, **world)
    with pytest.raises(ValueError, match="no prediction"):
        score_methods({"router": np.full((300, 4), np.nan)}, **world)
