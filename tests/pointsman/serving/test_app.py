import json
import logging
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from components.release.publish import publish
from pointsman.router import Router
from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.batching import Batcher, Crowded
from pointsman.serving.config import UpstreamConfig

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def client(path, **config):
    from fastapi.testclient import TestClient

    return TestClient(create_app(path, ServingConfig(reload_seconds=0, **config)))


def test_decisions_are_the_routers(bundle, prompts):
    routing = Router.load(bundle).route(prompts)
    http = client(bundle)
    answer = http.post("/v1/route", json={"prompts": prompts}).json()
    assert answer["router_id"] == bundle.name
    assert [row["candidate"] for row in answer["decisions"]] == routing.candidate
    assert [row["predicted_quality"] for row in answer["decisions"]] == routing.predicted_quality.tolist()
    one = http.post("/v1/route", json={"prompt": prompts[1], "policy": "tradeoff=0.01"}).json()
    assert set(one["decisions"][0]) == {*routing.columns(), "decision_id", "propensity"}
    assert http.get("/v1/router").json()["candidates"] == ["small", "large"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "either prompt or prompts"),
        ({"prompt": "a", "prompts": ["b"]}, "either prompt or prompts"),
        ({"prompts": []}, "want 1 to 4"),
        ({"prompts": ["a"] * 5}, "want 1 to 4"),
        ({"prompt": "a" * 101}, "at most 100"),
        ({"prompt": "\ud800"}, "valid Unicode"),
        ({"prompt": "a", "policy": "cheapest"}, "unknown policy"),
        ({"prompt": "a", "policy": "budget=0"}, "below the cheapest"),
        ({"prompt": "a", "other": 1}, "Extra inputs"),
        ({"prompt": "a", "\ud800": 1}, "unicode"),
        ({"prompt": 3}, "valid string"),
        ([], "valid dictionary"),
    ],
)
def test_bad_requests_are_told_why(bundle, asked, message):
    http = client(bundle, largest_batch=4, longest_prompt=100)
    answer = http.post("/v1/route", content=json.dumps(asked), headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert message in answer.text


def test_who_finds_no_room_is_told_when_to_come_back(bundle, monkeypatch):
    def full(*_, **__):
        raise Crowded("4096 prompts wait already")

    monkeypatch.setattr(Batcher, "submit", full)
    http = client(bundle, upstream=UpstreamConfig(url="http://127.0.0.1:9/v1"))
    asked = {"model": "pointsman/auto", "messages": [{"role": "user", "content": "add 1"}]}
    for path, body in (("/v1/route", {"prompt": "add 1"}), ("/v1/chat/completions", asked)):
        answer = http.post(path, json=body)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert "4096 prompts wait already" in answer.text


def test_noise_never_makes_a_server_error(bundle):
    http, draw = client(bundle), random.Random(0)
    seed = b'{"prompts": ["add 1 2", "\\ud83d\\ude00"], "policy": "quality=0.5"}'
    for _ in range(300):
        body = bytearray(seed)
        for _ in range(draw.randrange(1, 5)):
            body[draw.randrange(len(body))] = draw.randrange(256)
        answer = http.post("/v1/route", content=bytes(body), headers={"content-type": "application/json"})
        assert answer.status_code in {200, 400, 422}


def test_large_bodies_are_refused_announced_or_not(bundle):
    http = client(bundle, largest_body=1000)
    assert http.post("/v1/route", json={"prompt": "a" * 2000}).status_code == 413
    assert http.post("/v1/route", content=(b"a" * 100 for _ in range(20))).status_code == 413
    assert http.post("/v1/route", json={"prompt": "a" * 500}).status_code == 200


def test_a_token_is_asked_for(bundle):
    http = client(bundle, token="sesame")
    for path in ("/v1/router", "/metrics"):
        assert http.get(path).status_code == 401
        assert http.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401
        assert http.get(path, headers={"authorization": "Bearer sésame".encode("latin-1")}).status_code == 401
        assert http.get(path, headers={"authorization": "Bearer sesame"}).status_code == 200
    assert http.post("/v1/route", json={"prompt": "a"}).status_code == 401
    assert http.get("/healthz").status_code == 200
    with pytest.raises(ValueError, match="empty token"):
        ServingConfig(token="")


def test_a_new_pointer_is_followed_without_dropping_a_request(bundle, second, tmp_path):
    publish(bundle, tmp_path)
    http = client(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(http.post, "/v1/route", json={"prompt": "add 1"}) for _ in range(30)]
        publish(second, tmp_path)
        answers += [pool.submit(http.post, "/v1/route", json={"prompt": "add 1"}) for _ in range(30)]
        assert {answer.result().status_code for answer in answers} == {200}
    assert http.get("/healthz").json()["router_id"] == second.name
    (tmp_path / "current.json").write_text("torn")
    assert http.post("/v1/route", json={"prompt": "add 1"}).json()["router_id"] == second.name
    assert http.get("/v1/router").json()["failed_reloads"] > 0


def test_metrics_count_and_no_prompt_is_logged(bundle, prompts, caplog):
    http = client(bundle)
    with caplog.at_level(logging.DEBUG):
        http.post("/v1/route", json={"prompts": prompts})
        http.post("/v1/route", json={"prompts": [*prompts, 3]})
    page = http.get("/metrics").text
    counted = [float(line.split()[-1]) for line in page.splitlines() if line.startswith("pointsman_decisions_total{")]
    assert sum(counted) == len(prompts)
    assert "pointsman_route_seconds_count 1.0" in page
    without = Router.load(bundle).route(prompts).task.count(None)
    assert f"pointsman_unassigned_total {float(without)}" in page
    assert f"pointsman_unassigned_share {without / len(prompts)}" in page
    assert not any(prompt in caplog.text or prompt in page for prompt in prompts)


@pytest.mark.parametrize("gather", [1, 16])
def test_a_crowd_gets_each_its_own_answer(bundle, prompts, gather):
    expected = dict(zip(prompts, Router.load(bundle).route(prompts).candidate, strict=True))
    http = client(bundle, gather=gather, workers=2)
    asked = [prompts[turn % len(prompts)] for turn in range(120)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda prompt: http.post("/v1/route", json={"prompt": prompt}).json(), asked))
    assert [answer["decisions"][0]["candidate"] for answer in answers] == [expected[prompt] for prompt in asked]


def test_a_router_at_a_url_is_served_and_followed(bundle, second, tmp_path, monkeypatch):
    from components.release.mirror import mirror

    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path / "home")
    root, url = tmp_path / "root", f"memory://{tmp_path.name}/served"
    publish(bundle, root)
    mirror(root, url)
    http = client(url)
    assert http.get("/healthz").json()["router_id"] == bundle.name
    publish(second, root)
    mirror(root, url)
    assert http.post("/v1/route", json={"prompt": "add 1"}).json()["router_id"] == second.name


def test_limits_have_legal_ranges():
    for name in ("largest_body", "longest_prompt", "largest_batch", "largest_crowd", "workers", "gather", "piece"):
        with pytest.raises(ValueError, match=f"{name}=0"):
            ServingConfig(**{name: 0})
    with pytest.raises(ValueError, match="reload_seconds"):
        ServingConfig(reload_seconds=float("nan"))
