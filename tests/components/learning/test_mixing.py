import numpy as np
import pytest
from numpy.typing import NDArray

from components.learning.calibration_fit import CalibrationConfig
from components.learning.mixing import HeldOut, Mixing, choose_mixing

Floats = NDArray[np.float64]


def world(seed: int = 0) -> tuple[Floats, Floats]:
    """Chances of a right answer of two candidates, each better on half of the prompts, and the answers."""
    random = np.random.default_rng(seed)
    better_N = random.integers(0, 2, 1500)
    chance_NM = np.where(np.eye(2, dtype=bool)[better_N], 0.8, 0.4)
    return chance_NM, (random.random(chance_NM.shape) < chance_NM).astype(np.float64)


def mixed(stage_one_NM: Floats, prompt_NM: Floats, quality_NM: Floats, hard_NM: Floats | None = None) -> Mixing:
    held = HeldOut(
        task_N=np.zeros(len(quality_NM), dtype=np.int32),
        doubt_N=np.zeros(len(quality_NM)),
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


def test_what_is_said_of_prompts_is_what_was_chosen() -> None:
    chance_NM, quality_NM = world()
    found = mixed(chance_NM, 1 - chance_NM, quality_NM)
    held = HeldOut(
        task_N=np.zeros(2, dtype=np.int32),
        doubt_N=np.array([0.0, 1.0]),
        soft_NM=np.array([[0.3, 0.6]] * 2),
        hard_NM=np.array([[0.3, 0.6]] * 2),
        prompt_NM=np.array([[0.9, 0.1]] * 2),
    )
    np.testing.assert_allclose(found.mixed(held), held.soft_NM)
    assert found.margin(held) == pytest.approx([found.guard, found.guard + found.doubt])
    assert held.take(np.array([1])).doubt_N.tolist() == [1.0]
