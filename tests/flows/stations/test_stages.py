from pathlib import Path

import pytest
from pydantic import ValidationError

from flows.platform.references import DataRef
from flows.stations.stages import Prepared, WithClassifier, WithPeers, WithReport, WithRouter, WithTasks


def ref(name):
    return DataRef(path=Path(name), digest=name)


@pytest.fixture
def prepared():
    return Prepared(**{name: ref(name) for name in Prepared.model_fields})


def test_it_grows_as_stations_finish_and_keeps_what_it_had(prepared):
    with_tasks = prepared.then(WithTasks, discovered=ref("discovered"))
    with_classifier = with_tasks.then(WithClassifier, classified=ref("classified"))
    trained = ("specialised", "combined", "operated")
    with_router = with_classifier.then(WithRouter, **{name: ref(name) for name in trained})
    peers, beside = {"linear": ref("linear")}, ("implicit_classifier", "held_out", "timed", "charted")
    with_peers = with_router.then(WithPeers, peers=peers, **{name: ref(name) for name in beside})
    report = with_peers.then(WithReport, judged=ref("judged"))
    assert {name: getattr(report, name) for name in Prepared.model_fields} == dict(prepared)
    assert (report.combined, report.peers, report.judged) == (ref("combined"), peers, ref("judged"))
    assert WithReport.model_validate_json(report.model_dump_json()) == report


@pytest.mark.parametrize(
    ("left", "message"),
    [({}, "discovered"), ({"discovered": ref("d"), "chart": ref("x")}, "chart")],
)
def test_what_a_station_left_must_be_all_that_the_next_kind_has(prepared, left, message):
    with pytest.raises(ValidationError, match=message):
        prepared.then(WithTasks, **left)


def test_a_reference_is_never_replaced(prepared):
    with pytest.raises(ValidationError, match="frozen"):
        prepared.tables = ref("other")
    with pytest.raises(TypeError, match="multiple values"):
        prepared.then(WithTasks, tables=ref("other"), discovered=ref("d"))
