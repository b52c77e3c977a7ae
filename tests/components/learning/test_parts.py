from dataclasses import replace

import numpy as np
import pytest

from components.heads.classifier import ClassifierConfig
from components.heads.experts import ExpertConfig
from components.heads.training import FitConfig
from components.learning.parts import phases, stage_one_quality
from components.learning.two_stage import TwoStageConfig, learn

pytestmark = pytest.mark.filterwarnings("ignore")
BRIEF = FitConfig(epochs=15, patience=5)
QUICK = TwoStageConfig(
    classifier=ClassifierConfig(fit=BRIEF),
    experts=ExpertConfig(members=1, hidden=16, general=BRIEF, special=BRIEF),
    folds=2,
)


@pytest.fixture(scope="module")
def trained(logs):
    return learn(logs, QUICK, 0)


def test_stage_one_alone_is_what_the_router_itself_calls_so(logs, trained):
    features_NF = logs.features_NF
    soft = replace(trained.model, soft=np.array(True))
    np.testing.assert_allclose(stage_one_quality(trained.one, features_NF), soft.stage_one(features_NF))


def test_both_phases_share_everything_but_the_heads_of_tasks(logs, trained):
    seen = logs
    told = phases(trained, seen, QUICK, seen)
    believed_NM = trained.model.predict(seen.features_NF, seen.embedding_ND, seen.input_tokens_N).quality_NM
    own = "two_phases" if trained.model.experts.head_TM.any() else "one_phase"
    np.testing.assert_array_equal(told[own], believed_NM)
    only_general = replace(trained.model, experts=_without_tasks(trained.model.experts))
    np.testing.assert_array_equal(
        told["one_phase"], only_general.predict(seen.features_NF, seen.embedding_ND, seen.input_tokens_N).quality_NM
    )
    # where the heads count at all, those of the tasks say something of their own
    heard = replace(trained, model=replace(trained.model, alpha=np.array(1.0)))
    told = phases(heard, seen, QUICK, seen)
    assert not np.array_equal(told["one_phase"], told["two_phases"])


def _without_tasks(experts):
    nothing = {name: np.zeros_like(getattr(experts, name)) for name in ("task_TMH", "task_bias_TM", "head_TM")}
    return replace(experts, **nothing)
