import json

import numpy as np
import pytest

from components.drift.config import DriftConfig
from components.drift.detect import detect
from components.drift.sight import Sight

LABELS = tuple("abcdef")
CONFIG = DriftConfig(resamples=200)


def _sight(world, seed, new=0, prompts=None, quality_NM=None, count=200, sway=0.0):
    """Tasks by the nearest of six centres, as a good classifier has them; `sway` moves prompts into one task."""
    centre_CD = np.linalg.qr(np.random.default_rng(0).normal(size=(16, 16)))[0][:6]
    recent_ND, reference_KD = world(count, seed=seed, new=new), world(500, seed=1000)
    cosine_NC, cosine_KC = recent_ND @ centre_CD.T, reference_KD @ centre_CD.T
    task_N = cosine_NC.argmax(axis=1).astype(np.int32)
    task_N[: int(sway * count)] = 0
    return Sight(
        recent_ND=recent_ND,
        reference_KD=reference_KD,
        task_N=np.where(cosine_NC.max(axis=1) < 0.4, -1, task_N).astype(np.int32),
        task_K=cosine_KC.argmax(axis=1).astype(np.int32),
        far_N=cosine_NC.max(axis=1) < 0.5,
        far_K=cosine_KC.max(axis=1) < 0.5,
        quality_NM=quality_NM,
        prompts=prompts,
    )


def _detect(sight, observed_NM=None, config=CONFIG, seed=0):
    return detect(sight, LABELS, observed_NM, ("small", "large"), config, seed)


def test_no_alarm_without_drift(world):
    reports = [_detect(_sight(world, seed), seed=seed) for seed in range(8)]
    assert [report.verdict for report in reports] == ["no drift"] * 8
    assert all(report.reasons == report.groups == () for report in reports)
    assert len(reports[0].checks) == 5


def test_a_new_task_is_found_and_named(world):
    words = [f"sort list {row}" for row in range(180)] + [f"cook aubergine {row} hours" for row in range(20)]
    report = _detect(_sight(world, seed=1, new=20, prompts=tuple(words)))
    assert report.verdict == "drift"
    alarms = {check.name for check in report.checks if check.alarm}
    assert {"prompts in novel groups, share", "far-away share, rise"} <= alarms
    group = report.groups[0]
    assert {"cook", "aubergine"} <= set(group["keywords"])
    assert group["far_share"] > 0.9
    assert all("aubergine" in text for text in group["examples"])
    assert report.reasons[-1].startswith("novel: ")
    assert report.unassigned[0] > report.unassigned[1]


def test_a_moved_mix_alarms_alone(world):
    report = _detect(_sight(world, seed=2, sway=0.3))
    assert [check.name for check in report.checks if check.alarm] == ["task mix, stability index"]
    shares = {row["task"]: row for row in report.mix}
    assert list(shares) == ["unassigned", *LABELS]
    assert shares["a"]["recent"] > shares["a"]["reference"] + 0.2
    assert sum(row["recent"] for row in report.mix) == pytest.approx(1)


@pytest.mark.parametrize(("bias", "verdict"), [(0.25, "drift"), (0.02, "no drift")])
def test_broken_promises_alarm(world, bias, verdict):
    predicted_NM = np.full((200, 2), 0.6)
    observed_NM = predicted_NM - bias + 0.2 * np.random.default_rng(0).normal(size=(200, 2))
    report = _detect(_sight(world, seed=3, quality_NM=predicted_NM), observed_NM)
    assert report.verdict == verdict
    # on all outcomes, and on the model that stands out most
    assert len(report.checks) == 7
    assert report.checks[0].level == pytest.approx(CONFIG.level / 7)
    assert report.quality["gap"][1] < bias < report.quality["gap"][2]
    assert set(report.quality["by_candidate"]) == {"small", "large"}


def test_significant_but_small_is_quiet(world):
    sight = _sight(world, seed=2, sway=0.3)
    assert _detect(sight, config=DriftConfig(resamples=200, stability_index=5.0)).verdict == "no drift"


def test_the_same_seed_gives_the_same_plain_report(world):
    sight = _sight(world, seed=1, new=20)
    first, again = _detect(sight, seed=4), _detect(sight, seed=4)
    assert first == again
    assert json.loads(json.dumps(first.as_dict(), allow_nan=False))["verdict"] == first.verdict


def test_too_few_prompts_are_refused(world):
    with pytest.raises(ValueError, match="20 prompts are too few to judge drift, at least 50"):
        _detect(_sight(world, seed=0, count=20))


def _in_conversations(seed, turns, quality=False, recent=320, reference=600):
    """No drift: every turn of a conversation is of one task and near the others; of a reference one turn is kept."""
    centre_CD = np.random.default_rng(0).normal(size=(6, 16))
    draws = np.random.default_rng(seed)
    rows_ND, task_N, talk_N = [], [], []
    for talks, own in ((recent // turns, turns), (reference, 1)):
        task_G = draws.integers(6, size=talks)
        middle_GD = centre_CD[task_G] + 0.35 * draws.normal(size=(talks, 16))
        talk_N.append(np.repeat(np.arange(talks), own))
        side_ND = middle_GD[talk_N[-1]] + 0.1 * draws.normal(size=(talks * own, 16))
        rows_ND.append((side_ND / np.linalg.norm(side_ND, axis=1, keepdims=True)).astype(np.float32))
        task_N.append(task_G[talk_N[-1]].astype(np.int32))
    count = talk_N[0].size
    far = draws.random(recent // turns) < 0.1, draws.random(reference) < 0.1
    sight = Sight(
        recent_ND=rows_ND[0],
        reference_KD=rows_ND[1],
        task_N=task_N[0],
        task_K=task_N[1],
        far_N=far[0][talk_N[0]],
        far_K=far[1],
        quality_NM=np.full((count, 2), 0.7) if quality else None,
        prompts=None,
    )
    right_GM = (draws.random((recent // turns, 2)) < 0.7).astype(float)
    return sight, right_GM[talk_N[0]] if quality else None, talk_N[0]


@pytest.mark.parametrize("turns", [1, 4])
def test_turns_of_one_conversation_are_no_drift(turns):
    config = DriftConfig(resamples=50)
    for seed in range(4):
        sight, observed_NM, talk_N = _in_conversations(seed, turns, quality=True)
        report = detect(sight, LABELS, observed_NM, ("small", "large"), config, seed, talk_N)
        assert (report.verdict, report.reasons) == ("no drift", ())
        assert (report.recent, report.left_out) == (320 // turns, 320 - 320 // turns)
        assert report.quality["prompts"] == 320 // turns


def test_turns_taken_for_independent_prompts_would_be_drift():
    """What the test above would be worth nothing without."""
    sight, _, _ = _in_conversations(0, 8)
    assert _detect(sight).verdict == "drift"


def test_a_new_task_is_found_by_the_conversations_about_it(world):
    sight = _sight(world, seed=1, new=20, prompts=tuple(map(str, range(200))))
    alone = _detect(sight)
    twice = np.concatenate([np.arange(200), np.arange(200)])
    report = detect(sight.take(twice), LABELS, None, ("small", "large"), CONFIG, 0, twice)
    assert report.verdict == alone.verdict == "drift"
    assert [group["recent"] for group in report.groups] == [group["recent"] for group in alone.groups]
    one = detect(sight, LABELS, None, ("small", "large"), CONFIG, 0, np.where(np.arange(200) < 180, -1, 0))
    assert one.groups == ()


def test_too_few_conversations_are_refused(world):
    with pytest.raises(ValueError, match="40 prompts of different conversations are too few to judge drift, at least"):
        detect(_sight(world, seed=0), LABELS, None, ("small", "large"), CONFIG, 0, np.arange(200) % 40)


def sound(world, seed, runs_apart=10_000):
    """A run without drift: fresh prompts of the same world, answers as good as predicted."""
    draws = np.random.default_rng(seed)
    predicted_NM = draws.uniform(0.5, 0.9, size=(200, 2))
    observed_NM = (draws.random(predicted_NM.shape) < predicted_NM).astype(float)
    observed_NM[np.arange(200), draws.integers(2, size=200)] = np.nan
    return _detect(_sight(world, seed + runs_apart, quality_NM=predicted_NM), observed_NM, seed=seed)


@pytest.mark.slow
def test_all_checks_together_alarm_falsely_in_one_run_of_two_hundred(world):
    alarms = [check.name for seed in range(200) for check in sound(world, seed).checks if check.alarm]
    # one is expected at most; five or more have a probability of .004 at exactly that rate
    assert len(alarms) <= 4, alarms


def test_figure_interval_and_p_of_every_check_tell_one_story(world):
    """What alarms lies beyond its threshold and, with its interval, beyond no change; p says so too."""
    predicted_NM = np.full((200, 2), 0.7)
    observed_NM = (np.random.default_rng(0).random((200, 2)) < [0.7, 0.21]).astype(float)
    report = _detect(_sight(world, seed=1, new=20, quality_NM=predicted_NM), observed_NM)
    alarms = [check for check in report.checks if check.alarm]
    assert {"prompts in novel groups, share", "predicted less observed quality of large (200 outcomes)"} <= {
        check.name for check in alarms
    }
    for check in report.checks:
        assert check.low <= check.figure <= check.high
        assert check.alarm == (check.p <= check.level and abs(check.figure) >= check.threshold)
    assert all(check.low > 0 for check in alarms)
    held = sum(group["share"] for group in report.groups if group["tested"])
    (novel,) = (check for check in report.checks if check.name.startswith("prompts in novel"))
    assert held == pytest.approx(novel.figure)
