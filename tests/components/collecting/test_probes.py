import numpy as np
import pytest

from components.collecting.probes import Believed, ProbeConfig, draw_probes

ALL = np.full(400, -1, dtype=np.int32)


def _believed(seed: int = 0, prompts: int = 400, candidates: int = 4) -> Believed:
    rng = np.random.default_rng(seed)
    quality_NM = rng.random((prompts, candidates))
    choice_N = np.where(rng.random(prompts) < 0.6, 0, quality_NM.argmax(axis=1))
    return Believed(quality_NM=quality_NM, choice_N=choice_N, single=0)


def test_the_chances_are_those_of_the_draws() -> None:
    open_NM, believed = np.ones((40, 4), dtype=bool), _believed(prompts=40)
    drawn_NM, told_NM, draws = np.zeros((40, 4)), np.zeros((40, 4)), 4000
    for seed in range(draws):
        probes = draw_probes(open_NM, ALL[:40], 12, believed, ProbeConfig(), seed)
        drawn_NM[probes.prompt_K, probes.candidate_K] += 1
        told_NM[probes.prompt_K, probes.candidate_K] = probes.inclusion_K
    assert np.abs(drawn_NM / draws - told_NM).max() < 0.04


def test_savings_are_estimated_without_bias() -> None:
    believed, rng = _believed(), np.random.default_rng(1)
    quality_NM = np.clip(believed.quality_NM + rng.normal(0, 0.3, believed.quality_NM.shape), 0, 1)
    rows = np.arange(400)
    gain_N = quality_NM[rows, believed.choice_N] - quality_NM[:, 0]
    expected_N = believed.quality_NM[rows, believed.choice_N] - believed.quality_NM[:, 0]
    found = []
    for seed in range(300):
        probes = draw_probes(np.ones((400, 4), dtype=bool), ALL, 80, believed, ProbeConfig(), seed)
        own_K = probes.candidate_K == believed.choice_N[probes.prompt_K]
        row_K = probes.prompt_K[own_K]
        off = ((gain_N - expected_N)[row_K] / probes.inclusion_K[own_K]).sum() / 400
        found.append(expected_N.mean() + off)
    assert np.mean(found) == pytest.approx(gain_N.mean(), abs=4 * np.std(found) / 300**0.5)


def test_only_open_cells_are_bought_and_about_as_many_as_asked_for() -> None:
    open_NM = np.random.default_rng(2).random((400, 4)) < 0.5
    for seed in range(50):
        probes = draw_probes(open_NM, ALL, 40, _believed(), ProbeConfig(), seed)
        assert open_NM[probes.prompt_K, probes.candidate_K].all()
        assert 30 <= np.unique(probes.prompt_K).size <= 40


def test_without_predictions_tasks_have_their_share() -> None:
    task_N = np.repeat([0, 1, 2, 3], 100).astype(np.int32)
    probes = draw_probes(np.ones((400, 3), dtype=bool), task_N, 40, None, ProbeConfig(), 5)
    prompts = np.unique(probes.prompt_K)
    assert np.bincount(task_N[prompts]).tolist() == [10, 10, 10, 10]
    assert probes.inclusion_K == pytest.approx(0.1)


def test_a_wish_for_everything_buys_everything() -> None:
    probes = draw_probes(np.ones((400, 4), dtype=bool), ALL, 10_000, _believed(), ProbeConfig(), 0)
    assert probes.prompt_K.size == 1600
    assert (probes.inclusion_K == 1).all()


def test_the_same_seed_draws_the_same() -> None:
    one, other = (draw_probes(np.ones((400, 4), dtype=bool), ALL, 30, _believed(), ProbeConfig(), 7) for _ in range(2))
    assert (one.prompt_K == other.prompt_K).all()
    assert (one.candidate_K == other.candidate_K).all()


@pytest.mark.parametrize(
    ("open_NM", "cells", "wrong"),
    [(np.zeros((3, 2), dtype=bool), 1, "has an answer"), (np.ones((3, 2), dtype=bool), 0, "prompts must be >= 1")],
)
def test_nothing_to_buy(open_NM: np.ndarray, cells: int, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        draw_probes(open_NM, ALL[:3], cells, None, ProbeConfig(), 0)
