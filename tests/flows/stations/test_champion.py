"""The router in service on this run's prompts: as it was cross-fitted where it was trained, routed where it wasn't."""

from dataclasses import replace

import numpy as np
import pytest

from components.learning.judged import Judged
from components.release.writing import write_bundle
from components.tables.board import Board
from flows.stations.champion import other_logs, play, same
from flows.stations.trial import _same_world
from pointsman.bundle.evidence import Evidence, prompt_digests
from pointsman.bundle.manifest import Provenance
from pointsman.bundle.reading import read_bundle
from pointsman.policy.policy import Best, Tradeoff
from pointsman.router import Router

HELD = [1, -1]


@pytest.fixture
def champion(parts, prompts, tmp_path):
    """Trained on the first two prompts; on the first it chose the second candidate when it hadn't seen it."""
    digests = prompt_digests(prompts[:2])
    order = np.argsort(digests)
    evidence = Evidence(
        count_TM=np.ones((2, 2), dtype=np.int64),
        count_M=np.full(2, 2),
        digest_K=digests[order],
        held_choice_K=np.array(HELD)[order],
    )
    provenance = Provenance(
        candidates=parts.provenance.candidates, tasks=("sums", "songs"), operating_policy="tradeoff=0.200"
    )
    router_id = write_bundle(
        tmp_path, parts.model, parts.feature_map, parts.encoder_folder, provenance, {}, parts.golden, evidence
    )
    return read_bundle(tmp_path / router_id)


def board_of(prompts, models, group=None):
    quality = np.arange(2.0 * len(prompts)).reshape(-1, 2) / 100
    board = Board(
        quality_NM=quality,
        model_M=np.array(models),
        group_N=np.array(-1, dtype=np.int32) if group is None else np.array(group, dtype=np.int32),
    )
    return board, Judged(quality_NM=quality, cost_usd_NM=quality + 1)


def test_held_out_choices_stand_in_where_it_was_trained(champion, prompts):
    board, judged = board_of(prompts, ["small", "large"])
    rival = play(champion, "the router in service", board, prompts, judged)
    got = rival.played.quality_N
    assert got[0] == judged.quality_NM[0, 1]
    assert np.isnan(got[1])
    routed = Router.load(champion.folder, threads=1).route(prompts[2:]).choice_N
    np.testing.assert_array_equal(got[2:], judged.quality_NM[np.arange(2, len(prompts)), routed])
    np.testing.assert_array_equal(rival.played.cost_usd_N[2:], got[2:] + 1)
    assert (rival.shared, rival.known_share, rival.simulated) == (2, 1.0, False)


def test_prompts_that_a_run_has_encoded_are_not_encoded_again(champion, prompts, monkeypatch):
    board, judged = board_of(prompts, ["small", "large"])
    first = play(champion, "the router in service", board, prompts, judged)

    def refused(*_):
        raise AssertionError("encoded again")

    monkeypatch.setattr("pointsman.text.encoder.Encoder.encode", refused)
    again = play(champion, "the router in service", board, prompts, judged)
    np.testing.assert_array_equal(again.played.quality_N, first.played.quality_N)


def test_near_duplicates_of_its_training_prompts_are_not_judged(champion, prompts):
    board, judged = board_of(prompts, ["small", "large"], group=[0, 1, 1, 2, 3, 4])
    assert np.isnan(play(champion, "x", board, prompts, judged).played.quality_N[2])


def test_candidates_are_matched_by_name_and_unknown_ones_are_not_judged(champion, prompts):
    board, judged = board_of(prompts, ["large", "other"])
    rival = play(champion, "x", board, prompts, judged)
    assert rival.played.quality_N[0] == judged.quality_NM[0, 0]
    assert rival.shared == 1
    stranger, judged = board_of(prompts, ["new", "other"])
    foreign = play(champion, "x", stranger, prompts, judged)
    assert np.isnan(foreign.played.quality_N).all()
    assert [one.name for one in _same_world(foreign, simulated=False)] == ["known candidates"]


def test_simulated_logs_never_replace_real_ones(champion, prompts):
    board, judged = board_of(prompts, ["small", "large"])
    rival = play(champion, "x", board, prompts, judged)
    (condition,) = _same_world(rival, simulated=True)
    assert not condition.passed
    assert "--force" in condition.advice
    assert _same_world(rival, simulated=False) == ()


def test_a_router_is_itself_under_its_own_operating_policy(champion, parts):
    # as it declares, however it is written
    assert champion.manifest.provenance.operating_policy == "tradeoff=0.200"
    assert same(champion, parts.model, Tradeoff(willingness_to_pay=0.2))
    assert not same(champion, parts.model, Best())
    assert not same(champion, replace(parts.model, alpha=np.array(0.25)), Tradeoff(willingness_to_pay=0.2))


def test_logs_that_are_not_those_of_the_router_in_service_are_noticed(champion, prompts):
    assert other_logs(champion, prompts, ["small", "large", "new"]) == []
    # half of its two training prompts are enough, in whatever form a re-export leaves them
    assert other_logs(champion, [prompts[0].upper(), "another"], ["small", "large"]) == []
    folder, candidates = other_logs(champion, ["another"], ["large"])
    assert "of the 2 prompts that the router in service learnt from 0 % are in these logs" in folder
    assert candidates.endswith(": small")
