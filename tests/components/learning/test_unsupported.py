"""A candidate that was never tried on a task isn't chosen there, by the model as by its folded form."""

from dataclasses import replace

import numpy as np

from components.learning.refit import QUICK
from components.learning.two_stage import learn
from components.learning.unsupported import outcome_counts
from tests.components.learning.conftest import TRUTH_TM


def test_a_model_never_tried_on_a_task_is_not_sent_its_prompts(logs):
    # the first candidate is by far the best on the first task, and never seen there
    quality_NM = np.where((logs.task_N == 0)[:, None] & (np.arange(3) == 0), np.nan, logs.quality_NM)
    seen = replace(logs, quality_NM=quality_NM)
    model = learn(seen, QUICK, 0).model
    choice_N = model.predict(seen.features_NF, seen.embedding_ND, seen.input_tokens_N).quality_NM.argmax(axis=1)
    assert (choice_N[seen.task_N == 0] != 0).all()
    others = TRUTH_TM.argmax(axis=1)[seen.task_N]
    assert (choice_N == others)[seen.task_N != 0].mean() > 0.95


def test_counts_are_of_observed_outcomes(logs):
    count_TM = outcome_counts(logs, 4)
    assert count_TM.sum() == 480 * 3
    assert (count_TM[:, 0] == np.bincount(logs.task_N)).all()


def test_complete_logs_are_left_as_they_are(logs):
    model = learn(logs, QUICK, 0).model
    assert not (model.experts.task_bias_TM < -20).any()
