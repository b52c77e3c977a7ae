from dataclasses import replace

import numpy as np

from components.heads.experts import train_experts
from components.learning import ablation


def test_training_is_stopped_by_whole_conversations(logs, monkeypatch):
    talk_N = np.random.default_rng(1).permutation(np.repeat(np.arange(96), 5)).astype(np.int32)
    asked = []

    def watched(*arguments):
        asked.append(arguments)
        return train_experts(*arguments)

    monkeypatch.setattr(ablation, "train_experts", watched)
    ablation.fit_heads_alone(replace(logs, group_N=talk_N), 0)
    rest, held = (
        np.flatnonzero((logs.features_NF[:, None] == features_KF).all(axis=2).any(axis=1))
        for features_KF in (asked[0][0], asked[0][4])
    )
    assert 48 <= held.size <= 52
    assert sorted([*rest, *held]) == list(range(480))
    assert not set(talk_N[rest]) & set(talk_N[held])
