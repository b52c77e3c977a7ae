"""Decisions of many requests as columns: whatever stands first, none of it has to be tried again in halves."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from components.release.writing import write_bundle
from pointsman.router import Router
from pointsman.serving.columns import decision_frame
from pointsman.serving.config import ServingConfig
from pointsman.serving.jobs import Job, Piece
from pointsman.serving.log_schema import DECISION
from pointsman.serving.meters import Meters
from pointsman.serving.service import Service
from pointsman.text.encoder import Encoder
from tests.fixtures.tiny_router import MODELS, REPORT

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.fixture(scope="module")
def unsure(parts, prompts, tmp_path_factory):
    """A router that is sure of the tasks of half of the prompts."""
    folder = tmp_path_factory.mktemp("unsure")
    encoder = Encoder.load(parts.encoder_folder, threads=1)
    features_NF = parts.feature_map.transform(encoder.encode(prompts), encoder.tokenize(prompts))
    sure_N = parts.model.classifier.posterior(features_NF).max(axis=1)
    floor = np.array(np.median(sure_N), dtype=np.float32)
    model = replace(parts.model, classifier=replace(parts.model.classifier, confidence_floor=floor))
    golden = Router(model, parts.feature_map, encoder, MODELS).golden(prompts)
    router_id = write_bundle(folder, model, parts.feature_map, parts.encoder_folder, parts.provenance, REPORT, golden)
    return Router.load(folder / router_id)


def test_prompts_without_a_task_may_stand_first(unsure, prompts):
    kept = []
    log = SimpleNamespace(decided=kept.append, config=SimpleNamespace(text="full", folder=None))
    service = Service(ServingConfig(), Meters(), log)
    known = unsure.route(prompts).task_N >= 0
    assert 0 < known.sum() < len(prompts)
    # those without a task first, each a request of its own
    order = [prompts[row] for row in np.argsort(known, kind="stable")]
    pieces = [
        Piece(router=unsure, arm="champion", job=Job(prompts=[text], decision_ids=[text]), start=0, end=1)
        for text in order
    ]
    service.predict(pieces)
    frame = decision_frame(kept, text=True, embedding=False)
    assert dict(frame.schema) == DECISION
    assert frame["text"].to_list() == order
    told = [one and one["id"] for one in unsure.route(order).task]
    assert frame["task"].to_list() == told
    assert told[0] is None
    assert told[-1] is not None
