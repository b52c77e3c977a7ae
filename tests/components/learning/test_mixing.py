from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from components.learning.calibration_fit import CalibrationConfig
from components.learning.mixing import HeldOut, Mixing, choose_mixing
from pointsman.model.guard import counted

Floats = NDArray[np.float64]


def world(seed: int = 0) -> tuple[Floats, Floats]:
    """Chances of a right answer of two candidates, each better on half of the prompts, and the answers."""
    random = np.random.default_rng(seed)
    better_N = random.integers(0, 2, 1500)
    chance_NM = np.where(np.eye(2, dtype=bool)[better_N], 0.8, 0.4)
    return chance_NM, (random.random(chance_NM.shape) < chance_NM).astype(np.float64)


def mixed(
    stage_one_NM: Floats,
    prompt_NM: Floats,
    quality_NM: Floats,
    hard_NM: Floats | None = None,
    distance_N: Floats | None = None,
) -> Mixing:
    held = HeldOut(
        task_N=np.zeros(len(quality_NM), dtype=np.int32),
        doubt_N=np.zeros(len(quality_NM)),
        distance_N=np.zeros(len(quality_NM)) if distance_N is None else distance_N,
        soft_NM=stage_one_NM,
        hard_NM=stage_one_NM if hard_NM is None else hard_NM,
        prompt_NM=prompt_NM,
    )
    return choose_mixing(
        held,
        quality_NM,
        quality_NM,
        0,
        alphas=(0.0, 0.5, 1.0),
        posteriors=("hard", "soft"),
        guard_margins=(0.0, 0.05, 0.2, 1.0),
        doubt_margins=(0.0,),
        distance_margins=(0.0, 0.1, 0.2, 0.4),
        calibration=CalibrationConfig(),
    )


def test_the_stage_that_knows_is_the_one_that_is_heard() -> None:
    chance_NM, quality_NM = world()
    nothing_NM = np.full(chance_NM.shape, 0.6)
    assert mixed(nothing_NM, chance_NM, quality_NM).chosen.alpha > 0
    assert mixed(chance_NM, 1 - chance_NM, quality_NM).chosen.alpha == 0.0
    assert mixed(1 - chance_NM, chance_NM, quality_NM).chosen.alpha == 1.0


def test_the_table_is_read_in_the_way_that_is_right() -> None:
    chance_NM, quality_NM = world()
    nothing_NM = np.full(chance_NM.shape, 0.6)
    assert mixed(chance_NM, nothing_NM, quality_NM, hard_NM=1 - chance_NM).chosen.posterior == "soft"
    assert mixed(1 - chance_NM, nothing_NM, quality_NM, hard_NM=chance_NM).chosen.posterior == "hard"


def test_parts_that_know_nothing_are_guarded_from() -> None:
    random = np.random.default_rng(3)
    quality_NM = (random.random((1500, 2)) < (0.8, 0.4)).astype(np.float64)
    noise_NM = random.random((1500, 2))
    found = mixed(noise_NM, noise_NM, quality_NM)
    held_NM = found.calibration.apply(noise_NM)
    # whatever the noise says, the better candidate stays the choice
    assert (held_NM[:, 1] - held_NM[:, 0] < found.guard).mean() > 0.99


def far_kind(seed: int, flipped: bool) -> tuple[Floats, Floats, Floats]:
    """What is promised, outcomes and distances: the nearer half is known, a far tenth has other preferences or not."""
    random = np.random.default_rng(seed)
    distance_N = np.where(np.arange(1500) % 10 == 0, 0.9, 0.3) + 0.02 * random.random(1500)
    promised_NM = np.where(np.eye(2, dtype=bool)[random.integers(0, 2, 1500)], 0.7, 0.6)
    # what is promised to be better by .1 is better by .2, but where it is far away, and there worse
    chance_NM = np.where((distance_N > 0.6)[:, None] & flipped, 1.3 - promised_NM, promised_NM)
    chance_NM = 0.5 + 2 * (chance_NM - 0.65)
    return promised_NM, (random.random(chance_NM.shape) < chance_NM).astype(np.float64), distance_N


def test_far_away_where_preferences_are_flipped_no_promise_of_a_little_counts() -> None:
    promised_NM, quality_NM, distance_N = far_kind(0, flipped=True)
    found = mixed(promised_NM, promised_NM, quality_NM, distance_N=distance_N)
    # fresh prompts of both kinds, half of them far away
    promised_NM, quality_NM, distance_N = far_kind(1, flipped=True)
    far_N = distance_N > 0.6
    predicted_NM = found.calibration.apply(promised_NM)
    worth = {}
    for name, one in {"guarded": found, "unguarded": replace(found, distance=0.0)}.items():
        held = HeldOut(
            task_N=np.zeros(1500, dtype=np.int32),
            doubt_N=np.zeros(1500),
            distance_N=distance_N,
            soft_NM=promised_NM,
            hard_NM=promised_NM,
            prompt_NM=promised_NM,
        )
        choice_N = counted(predicted_NM, one.margin(held), 0).argmax(axis=1)
        gain_N = quality_NM[np.arange(1500), choice_N] - quality_NM[:, 0]
        worth[name] = gain_N[far_N].mean(), gain_N[~far_N].mean()
    assert found.distance == 0.4
    assert worth["unguarded"][0] < -0.05
    assert worth["guarded"][0] == 0  # the best single candidate alone
    assert worth["guarded"][1] == worth["unguarded"][1] > 0.05


def test_distances_that_tell_nothing_do_no_harm() -> None:
    promised_NM, quality_NM, distance_N = far_kind(0, flipped=False)
    found = mixed(promised_NM, promised_NM, quality_NM, distance_N=distance_N)
    # promises of distant prompts are kept: strengths that would hold them back cost, and aren't taken
    assert found.distance < 0.4
    assert found.distances[0].quality - found.distances[(0.0, 0.1, 0.2, 0.4).index(found.distance)].quality < 0.01
    # where everything is equally far the strength is of no effect
    level = mixed(promised_NM, promised_NM, quality_NM, distance_N=np.full(1500, 0.5))
    assert len({trial.quality for trial in level.distances}) == 1


def test_what_is_said_of_prompts_is_what_was_chosen() -> None:
    chance_NM, quality_NM = world()
    found = mixed(chance_NM, 1 - chance_NM, quality_NM)
    held = HeldOut(
        task_N=np.zeros(2, dtype=np.int32),
        doubt_N=np.array([0.0, 1.0]),
        distance_N=np.array([0.25, 0.75]),
        soft_NM=np.array([[0.3, 0.6]] * 2),
        hard_NM=np.array([[0.3, 0.6]] * 2),
        prompt_NM=np.array([[0.9, 0.1]] * 2),
    )
    np.testing.assert_allclose(found.mixed(held), held.soft_NM)
    found = replace(found, guard=0.01, doubt=0.1, distance=0.2, usual_distance=0.5)
    assert found.margin(held) == pytest.approx([0.01, 0.01 + 0.1 + 0.2 * 0.25])
    assert held.take(np.array([1])).doubt_N.tolist() == [1.0]
