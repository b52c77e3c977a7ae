"""The HTTP contract: what gateways send and are answered, word by word."""

import uuid

import numpy as np
import pytest
from fastapi.testclient import TestClient

from pointsman.bundle.manifest import Candidate
from pointsman.router import Router
from pointsman.serving.app import ServingConfig, create_app

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
FIELDS = {
    *("decision_id", "candidate", "ranked", "task", "predicted_quality", "expected_cost_usd", "margin", "reason"),
    *("policy", "propensity", "scores"),
}


def client(path, **config):
    return TestClient(create_app(path, ServingConfig(reload_seconds=0, **config)))


@pytest.fixture(scope="module")
def limited(parts, tmp_path_factory):
    """A bundle whose small candidate has a window of 40 tokens and knows tools, and whose large one sees."""
    from dataclasses import replace

    small = Candidate(model="small", context_window=40, capabilities=("tools",))
    large = Candidate(model="large", capabilities=("vision", "tools"))
    changed = replace(parts, provenance=replace(parts.provenance, candidates=(small, large)))
    return changed.write(tmp_path_factory.mktemp("limited"))


def ask(http, **asked):
    answer = http.post("/v1/route", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["decisions"]


def test_every_field_is_answered(bundle, prompts):
    http = client(bundle)
    for decision in ask(http, prompts=prompts):
        assert set(decision) == FIELDS
        assert decision["propensity"] == 1.0
        assert decision["ranked"][0] == decision["candidate"]
        assert sorted(decision["ranked"]) == ["large", "small"]
        assert decision["task"] is None or set(decision["task"]) == {"id", "label"}
        assert {score["candidate"] for score in decision["scores"]} == {"small", "large"}
    ids = [decision["decision_id"] for decision in ask(http, prompts=prompts)]
    assert len({uuid.UUID(one) for one in ids}) == len(prompts)
    described = http.get("/v1/router").json()
    assert described["candidates"] == ["small", "large"]
    assert {"operating_policy", "router_id"} < set(described)
    assert [task["label"] for task in described["tasks"]] == ["sums", "songs"]


@pytest.mark.parametrize(
    "name",
    [
        *("prompts", "messages", "policy", "among", "exclude", "requires", "max_output_tokens"),
        *("session", "tenant", "explain", "decision_id"),
    ],
)
def test_a_field_that_is_null_is_a_field_that_is_absent(bundle, name):
    http = client(bundle)
    (asked,), (plain,) = ask(http, prompt="add 1 and 2", **{name: None}), ask(http, prompt="add 1 and 2")
    assert {**asked, "decision_id": ""} == {**plain, "decision_id": ""}


def test_unknown_fields_are_refused_though_they_are_null_and_outcomes_take_nulls(bundle):
    http = client(bundle)
    assert http.post("/v1/route", json={"prompt": "add 1", "polcy": None}).status_code == 422
    assert http.post("/v1/route", json={"prompt": None}).status_code == 422
    told = {"decision_id": "d1", "quality": 0.5, **dict.fromkeys(("thumb", "cost_usd", "error"))}
    assert http.post("/v1/outcomes", json=told).status_code == 200
    for body in ("null", "[]", '"text"'):
        answer = http.post("/v1/route", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422


def test_names_are_read_without_spaces_around(bundle):
    assert ask(client(bundle), prompt="add 1 and 2", among=[" large\n"])[0]["candidate"] == "large"


def test_a_conversation_is_routed_by_its_last_turns(bundle):
    http = client(bundle)
    messages = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "sing a poem"},
        {"role": "assistant", "content": "la"},
        {"role": "user", "content": [{"type": "text", "text": "of love"}]},
    ]
    (found,) = ask(http, messages=messages)
    routing = Router.load(bundle).route(["sing a poem\n\nof love"])
    assert found["candidate"] == routing.candidate[0]
    assert found["predicted_quality"] == pytest.approx(routing.predicted_quality[0])
    for bad, message in (([], "no text"), ([{"role": "assistant", "content": "x"}], "no text of the user")):
        answer = http.post("/v1/route", json={"messages": bad})
        assert answer.status_code == 422
        assert message in answer.text
    assert http.post("/v1/route", json={"messages": messages, "prompt": "a"}).status_code == 422


def test_who_may_be_chosen_is_the_same_over_http_and_in_python(limited, prompts):
    http, router = client(limited), Router.load(limited)
    for wanted in ({"among": ["large"]}, {"exclude": ["small", "unheard-of"]}, {"requires": ["vision"]}):
        assert {d["candidate"] for d in ask(http, prompts=prompts, **wanted)} == {"large"}
        routing = router.route(prompts, **wanted)
        assert set(routing.candidate) == {"large"}
        assert routing.ranked(0) == ["large"]
    assert {d["candidate"] for d in ask(http, prompt="sum 1 2", exclude=["large"])} == {"small"}


def test_a_prompt_goes_to_nobody_whose_window_it_exceeds(limited):
    http, long = client(limited), "add 1 2 " * 40
    for policy in ("best", "tradeoff=0.05", "quality=0.1", "budget=100", "tolerance=1"):
        assert [d["candidate"] for d in ask(http, prompts=[long], policy=policy)] == ["large"]
    # the answer must fit as well, and so must the whole conversation
    assert ask(http, prompt="sum 1 2", among=["small"])[0]["candidate"] == "small"
    answer = http.post("/v1/route", json={"prompt": "sum 1 2", "among": ["small"], "max_output_tokens": 39})
    assert answer.status_code == 422
    assert "too small for about" in answer.text
    assert "small (40)" in answer.text
    whole = [{"role": "system", "content": long}, {"role": "user", "content": "sum 1 2"}]
    assert ask(http, messages=whole)[0]["ranked"] == ["large"]


def test_pictures_need_eyes(limited):
    parts = [{"type": "text", "text": "sum 1 2"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    http = client(limited)
    (found,) = ask(http, messages=[{"role": "user", "content": parts}], explain=True)
    assert found["ranked"] == ["large"]
    assert found["explanation"]["removed"] == {"requires": ["small"]}
    answer = http.post("/v1/route", json={"prompt": "a", "requires": ["flying"]})
    assert answer.status_code == 422
    assert "without what it requires (flying): small, large" in answer.text


def test_an_explained_decision_says_what_it_rests_on(parts, prompts, tmp_path):
    from dataclasses import replace as change

    from pointsman.bundle.evidence import no_evidence

    router = Router.load(parts.write(tmp_path))
    evidence = change(no_evidence(2, 2), count_TM=np.array([[7, 0], [3, 4]]), count_M=np.array([20, 11]))
    router.evidence = evidence
    http = client(tmp_path / router.router_id)
    http.app.state.in_service._router = router
    decisions = ask(http, prompts=prompts, explain=True)
    seen = set()
    for decision in decisions:
        task = decision["task"] and int(decision["task"]["id"])
        counts = (None, None) if task is None else tuple(evidence.count_TM[task].tolist())
        seen.add(counts)
        assert decision["explanation"]["evidence"] == {
            "small": {"on_task": counts[0], "in_all": 20},
            "large": {"on_task": counts[1], "in_all": 11},
        }
    assert seen - {(None, None)}
    assert "explanation" not in ask(http, prompts=prompts)[0]


def test_a_large_batch_in_pieces_is_answered_as_at_once(bundle, prompts):
    many = prompts * 5
    pieces, whole = client(bundle, piece=4), client(bundle, piece=64)
    for policy in ("best", "tradeoff=0.01", "budget=1"):
        first, second = ask(pieces, prompts=many, policy=policy), ask(whole, prompts=many, policy=policy)
        assert [d["candidate"] for d in first] == [d["candidate"] for d in second]
        assert [d["predicted_quality"] for d in first] == pytest.approx([d["predicted_quality"] for d in second])
        assert [d["task"] for d in first] == [d["task"] for d in second]


def test_too_much_at_a_time_is_told_to_come_back(bundle):
    import threading

    from pointsman.serving.batching import Batcher, Crowded

    go = threading.Event()
    batcher = Batcher(lambda jobs: go.wait(10) and jobs, len, workers=1, gather=1, room=3)
    first = batcher.submit([1])
    while batcher.waiting:
        pass
    rest = [batcher.submit([1, 2, 3])]
    with pytest.raises(Crowded, match="3 prompts wait"):
        batcher.submit([4])
    go.set()
    assert [future.result(10) for future in (first, *rest)] == [[1], [1, 2, 3]]
