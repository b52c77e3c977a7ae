"""The operating policy on trial: what goes together on the board goes together in every figure of it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from components.evaluation.gate_config import GateConfig
from components.evaluation.standing import standing
from components.learning.judged import Judged
from components.release.publish import publish
from components.release.writing import write_bundle
from components.tables.board import Board
from flows.platform import paths
from flows.platform.arrays import save_arrays
from flows.stations import trial
from pointsman.bundle.evidence import Evidence, prompt_digests
from pointsman.bundle.manifest import Provenance
from pointsman.model.prediction import Prediction
from pointsman.model.router_model import RouterModel
from pointsman.policy.policy import Best, Policy, parse

LEARNT, TEST = 40, 400


def on_trial(folder, monkeypatch, group_N):
    """A trial of policy best on prompts of two candidates, all of them known."""
    generator = np.random.default_rng(0)
    talks_N = np.repeat(np.arange((LEARNT + TEST) // 20), 20)
    believed_NM = np.where(generator.random((talks_N.max() + 1, 1)) < 0.5, [[0.9, 0.3]], [[0.2, 0.8]])[talks_N]
    quality_NM = (generator.random((talks_N.max() + 1, 2)) < 0.5).astype(float)[talks_N]
    board = Board(
        quality_NM=quality_NM,
        cost_usd_NM=np.tile([1.0, 2.0], (talks_N.size, 1)),
        split_N=np.repeat(["train", "test"], [LEARNT, TEST]),
        group_N=group_N(talks_N),
        model_M=np.array(["small", "large"]),
    )
    learnt = Judged(quality_NM=quality_NM[:LEARNT], cost_usd_NM=board.cost_usd_NM[:LEARNT])
    save_arrays(learnt, folder / "judged.npz")
    (folder / "operating.json").write_text(json.dumps({"policy": "best", "asked": "best", "loss": 0.0}))
    np.save(folder / "held_choice.npy", believed_NM[:LEARNT].argmax(axis=1))
    prediction = Prediction(
        quality_NM=believed_NM[LEARNT:],
        cost_usd_NM=board.cost_usd_NM[LEARNT:],
        task_N=np.zeros(TEST, dtype=np.int32),
        margin_N=np.zeros(TEST),
        novel_N=np.zeros(TEST, dtype=bool),
    )
    monkeypatch.setattr(trial, "grader_of", lambda tables: None)
    monkeypatch.setattr(trial, "grading_of", lambda *given: None)
    return trial.on_trial(
        board,
        SimpleNamespace(fallback=1),
        prediction,
        board.take(board.rows("test")),
        tables=None,
        operated=SimpleNamespace(file=lambda name: folder / name),
        seed=0,
    )


def test_other_policies_are_judged_by_conversations_as_the_operating_one_is(tmp_path, monkeypatch):
    together = on_trial(tmp_path, monkeypatch, lambda talks_N: talks_N.astype(np.int32))
    apart = on_trial(tmp_path, monkeypatch, lambda talks_N: np.arange(talks_N.size, dtype=np.int32))
    (_, low, high), (_, near, far) = (one.whatif(Best())[0]["gain"] for one in (together, apart))
    # twenty turns that are alike tell as much as one
    assert high - low > 3 * (far - near)


def published(parts, folder, policy, texts, column):
    """Puts the tiny router into service under an operating policy, by which it chose one candidate all along."""
    digests = np.sort(prompt_digests(texts))
    evidence = Evidence(
        count_TM=np.full((2, 2), 100),
        count_M=np.full(2, 200),
        digest_K=digests,
        held_choice_K=np.full(digests.size, column),
    )
    provenance = Provenance(candidates=parts.provenance.candidates, tasks=("sums", "songs"), operating_policy=policy)
    router_id = write_bundle(
        folder, parts.model, parts.feature_map, parts.encoder_folder, provenance, {}, parts.golden, evidence
    )
    return publish(folder / router_id, paths.published())


@pytest.mark.parametrize("own", ["tradeoff=0.2", "tradeoff=0.01"])
def test_the_same_parts_under_another_policy_are_judged_against_the_router_in_service(
    parts, tmp_path, monkeypatch, own
):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "home"))
    texts = [f"add {number}" for number in range(400)]
    first = published(parts, tmp_path, "tradeoff=0.01", texts, column=0)
    in_service = published(parts, tmp_path, "tradeoff=0.2", texts, column=1)
    verdict, facts = small_trial(parts.model, parse(own)).verdict(
        texts,
        calibration_error=0.0,
        self_check=True,
        controls={},
        leave_one_out={},
        latency_ms=1.0,
        simulated=False,
        force=False,
        config=GateConfig(),
    )
    judged = {one.name: one.passed for one in verdict.criteria}
    against = facts["judged_against"]
    assert against["in_service"] == in_service
    if own == "tradeoff=0.2":
        # the router in service itself, trained again
        assert "no worse than the champion" not in judged
        assert (against["champion"], against["first_champion"]) == (None, None)
        return
    assert not judged["no worse than the champion"]
    assert verdict.verdict == "refused"
    assert against["champion"]["router_id"] == in_service
    # the first router of the year is the challenger itself
    assert (first != in_service, against["first_champion"]) == (True, None)


def small_trial(model: RouterModel, policy: Policy) -> trial.Trial:
    """A trial of always the small candidate, which is as good as the best single one and worse than the large."""
    generator = np.random.default_rng(0)
    quality_NM = np.stack([generator.random(400) < 0.6, generator.random(400) < 0.9], axis=1).astype(float)
    board = Board(
        quality_NM=quality_NM,
        cost_usd_NM=np.tile([1.0, 2.0], (400, 1)),
        split_N=np.repeat("test", 400),
        group_N=np.arange(400, dtype=np.int32),
        model_M=np.array(["small", "large"]),
    )
    judged = Judged(quality_NM=quality_NM, cost_usd_NM=board.cost_usd_NM)
    small_N = np.zeros(400, dtype=np.intp)
    played = judged.played("always using small", small_N, board.group_N)
    prediction = Prediction(
        quality_NM=quality_NM,
        cost_usd_NM=board.cost_usd_NM,
        task_N=np.zeros(400, dtype=np.int32),
        margin_N=np.zeros(400),
        novel_N=np.zeros(400, dtype=bool),
    )
    return trial.Trial(
        board=board,
        model=model,
        policy=policy,
        test_prediction=prediction,
        judged=judged,
        choice_N=small_N,
        challenger=played,
        best_single=played,
        standing=standing(played, played, board.split_N == "test"),
        grader=None,
        grading=None,
        seed=0,
    )
