"""The operating policy on trial: what goes together on the board goes together in every figure of it."""

import json
from types import SimpleNamespace

import numpy as np

from components.learning.judged import Judged
from components.tables.board import Board
from flows.platform.arrays import save_arrays
from flows.stations import trial
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import Best

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
