"""A challenger on live traffic: a sticky share, false alarms within their level, and a step back when it is worse."""

from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from components.release.canary import Tried, canary_of
from components.release.publish import publish
from pointsman.bundle.manifest import Candidate
from pointsman.router import Router
from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.batching import Batcher, Crowded
from pointsman.serving.canary import Canary, CanaryConfig, Mean
from pointsman.serving.decision_log import LogConfig, read_segments

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def test_the_share_is_kept_and_a_session_stays():
    canary = Canary(CanaryConfig(share=0.2))
    arms = [canary.arm(f"s{number}") for number in range(5000)]
    assert abs(arms.count("challenger") / 5000 - 0.2) < 0.025
    assert arms == [canary.arm(f"s{number}") for number in range(5000)]


def test_sessions_of_two_tenants_are_two(bundle, second):
    config = ServingConfig(reload_seconds=0, shadow=str(second), canary=CanaryConfig(share=0.5))
    http = TestClient(create_app(bundle, config))

    def routers(tenant):
        asked = [{"prompt": "add 1", "session": f"s{n}", "tenant": tenant} for n in range(20)]
        return [http.post("/v1/route", json=one).json()["router_id"] for one in asked]

    assert routers("acme") == routers("acme") != routers("globex")


def feed(canary, draw, calls, errors=(0.05, 0.05), cost=(1.0, 1.0)):
    for number in range(calls):
        arm = canary.arm(f"s{number}")
        which = int(arm == "challenger")
        figures = {"error": "e" if draw.random() < errors[which] else None, "cost_usd": cost[which] * draw.lognormal()}
        if canary.told(arm, figures):
            return number
    return None


def test_a_worse_challenger_is_stopped_and_an_equal_one_is_not():
    config = CanaryConfig(share=0.3)
    stopped = [feed(Canary(config), np.random.default_rng(seed), 2000) for seed in range(20)]
    # the level is 5 % over each canary's life
    assert sum(one is not None for one in stopped) <= 2
    worse = Canary(config)
    assert feed(worse, np.random.default_rng(0), 3000, errors=(0.02, 0.4)) is not None
    assert "more calls fail" in worse.stopped
    assert {worse.arm(f"s{number}") for number in range(200)} == {"champion"}
    dear = Canary(config)
    assert feed(dear, np.random.default_rng(0), 4000, cost=(1.0, 4.0)) is not None
    assert "calls cost more" in dear.stopped


def test_a_challenger_that_is_never_worse_succeeds_once():
    canary = Canary(CanaryConfig(share=0.5, enough=40), "b")
    ends = [number for number in range(200) if canary.told(canary.arm(f"s{number}"), {"cost_usd": 1.0 + number % 3})]
    assert len(ends) == 1
    assert canary.described()["succeeded"].startswith("40 outcomes without a step back; errors 0 against 0, cost usd ")
    # it goes on deciding until it is published, and may still be stopped
    assert "challenger" in {canary.arm(f"s{number}") for number in range(200)}
    ended = [canary.told("challenger", {"error": "e"}) for _ in range(400)]
    assert sum(ended) == 1
    assert "more calls fail" in canary.stopped


def test_running_means_are_numpys_and_intervals_narrow():
    values = np.random.default_rng(0).normal(size=200)
    mean, widths = Mean(), []
    for value in values:
        mean.add(float(value))
        widths.append(mean.half_width(0.05))
    assert mean.mean == pytest.approx(values.mean())
    assert mean.squares / 199 == pytest.approx(values.var(ddof=1))
    assert widths[20] > widths[100] > widths[199]
    # never narrower than an interval for one look
    assert widths[199] > 1.96 * values.std(ddof=1) / np.sqrt(200)


def test_a_value_taken_back_might_as_well_not_have_been():
    values = np.random.default_rng(0).normal(size=50)
    mean = Mean()
    for value in values:
        mean.add(float(value))
    for value in values[:30]:
        mean.remove(float(value))
    assert (mean.count, mean.mean) == (20, pytest.approx(values[30:].mean()))
    assert mean.squares / 19 == pytest.approx(values[30:].var(ddof=1))
    for value in values[30:]:
        mean.remove(float(value))
    assert (mean.count, mean.mean, mean.squares) == (0, 0, 0)


def test_success_needs_outcomes_of_both():
    canary = Canary(CanaryConfig(share=0.5, enough=40))
    assert not any(canary.told("challenger", {"cost_usd": 1.0}) for _ in range(100))
    assert [canary.told("champion", {"cost_usd": 1.0}) for _ in range(30)] == [False] * 29 + [True]


def test_a_decision_counts_once_however_often_it_is_told_of(bundle, second, tmp_path):
    log = LogConfig(folder=tmp_path, flush_seconds=60)
    config = ServingConfig(reload_seconds=0, shadow=str(second), canary=CanaryConfig(share=0.5, enough=40), log=log)
    http = TestClient(create_app(bundle, config))
    answers = [http.post("/v1/route", json={"prompt": "add 1", "session": f"s{n}"}).json() for n in range(20)]
    challenger = next(one for one in answers if one["router_id"] == second.name)["decisions"][0]
    champion = next(one for one in answers if one["router_id"] == bundle.name)["decisions"][0]
    for number in range(200):
        for decision in (challenger, champion):
            told = {"decision_id": decision["decision_id"], "cost_usd": float(number), "error": number % 2 == 0}
            assert http.post("/v1/outcomes", json={**told, "thumb": "up"}).status_code == 200
    http.post("/v1/outcomes", json={"decision_id": challenger["decision_id"], "quality": 0.75})
    found = http.get("/v1/router").json()["canary"]
    assert (found["succeeded"], found["stopped"]) == ("", "")
    # of each figure the last one counts
    assert found["figures"]["cost_usd"] == {"champion": [1, 199.0], "challenger": [1, 199.0]}
    assert found["figures"]["errors"] == {"champion": [1, 0.0], "challenger": [1, 0.0]}
    assert found["figures"]["lost_quality"]["challenger"] == [1, 0.25]
    page, name = http.get("/metrics").text, challenger["candidate"]
    one = 2.0 if name == champion["candidate"] else 1.0
    assert f'pointsman_outcomes_total{{candidate="{name}"}} {one}' in page
    assert f'pointsman_outcome_errors_total{{candidate="{name}"}} {one}' in page
    assert f'pointsman_thumbs_total{{candidate="{name}",thumb="up"}} {one}' in page


def test_both_decide_and_one_counts(bundle, second, prompts, tmp_path):
    log = LogConfig(folder=tmp_path, flush_seconds=60)
    http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0, shadow=str(second), log=log)))
    answer = http.post("/v1/route", json={"prompts": prompts}).json()
    assert answer["router_id"] == bundle.name
    http.app.state.service.shadow.wait()
    http.app.state.log.flush()
    rows = read_segments(tmp_path, "shadow")
    assert rows["decision_id"].to_list() == [d["decision_id"] for d in answer["decisions"]]
    # the same parts under another id decide alike
    assert rows["shadow_candidate"].to_list() == [d["candidate"] for d in answer["decisions"]]
    assert set(rows["shadow_router_id"]) == {second.name}
    page = http.get("/metrics").text
    assert f"pointsman_shadow_decisions_total {float(len(prompts))}" in page
    assert "pointsman_shadow_disagreements_total 0.0" in page
    assert http.get("/v1/router").json()["shadow_router_id"] == second.name


def test_requests_that_the_shadow_decides_together_are_decided_as_alone(bundle, second, prompts, tmp_path):
    log = LogConfig(folder=tmp_path, flush_seconds=60)
    http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0, shadow=str(second), log=log)))
    asked = [{"prompts": prompts[:2]}, {"prompt": prompts[2], "exclude": ["large"]}, {"prompt": prompts[3]}]
    asked += [{"prompt": prompts[4], "exclude": ["large"]}, {"messages": [{"role": "user", "content": prompts[5]}]}]
    decided = {d["decision_id"]: d for one in asked for d in http.post("/v1/route", json=one).json()["decisions"]}
    http.app.state.service.shadow.wait()
    http.app.state.log.flush()
    rows = read_segments(tmp_path, "shadow")
    assert sorted(rows["decision_id"]) == sorted(decided)
    for row in rows.iter_rows(named=True):
        alone = decided[row["decision_id"]]
        assert row["shadow_candidate"] == alone["candidate"]
        assert row["shadow_quality"] == pytest.approx(alone["predicted_quality"])
        assert row["shadow_cost_usd"] == pytest.approx(alone["expected_cost_usd"])


def test_the_challenger_decides_for_its_sessions_until_it_fails(bundle, second, tmp_path):
    log = LogConfig(folder=tmp_path, flush_seconds=60)
    config = ServingConfig(reload_seconds=0, shadow=str(second), canary=CanaryConfig(share=0.5), log=log)
    http = TestClient(create_app(bundle, config))

    def route(session):
        return http.post("/v1/route", json={"prompt": "add 1", "session": session}).json()

    first = {f"s{n}": route(f"s{n}") for n in range(60)}
    assert {answer["router_id"] for answer in first.values()} == {bundle.name, second.name}
    assert all(route(session)["router_id"] == answer["router_id"] for session, answer in list(first.items())[:10])
    for turn in range(8):
        for session in first:
            answer = route(session)
            told = {"decision_id": answer["decisions"][0]["decision_id"], "error": answer["router_id"] == second.name}
            http.post("/v1/outcomes", json={**told, "latency_ms": 10 + turn})
        if http.get("/v1/router").json()["canary"]["stopped"]:
            break
    assert "more calls fail" in http.get("/v1/router").json()["canary"]["stopped"]
    assert {route(session)["router_id"] for session in first} == {bundle.name}
    assert canary_of(tmp_path, second.name) == Tried(
        stopped=True, words=http.get("/v1/router").json()["canary"]["stopped"]
    )
    with pytest.raises(ValueError, match="needs a challenger"):
        ServingConfig(canary=CanaryConfig(share=0.5))


def test_what_the_challenger_cannot_decide_the_router_in_service_does(bundle, parts, prompts, tmp_path):
    narrow = (Candidate(model="small"), Candidate(model="large", context_window=1))
    challenger = replace(parts, provenance=replace(parts.provenance, candidates=narrow)).write(tmp_path)
    config = ServingConfig(reload_seconds=0, piece=2, shadow=str(challenger), canary=CanaryConfig(share=0.5))
    http = TestClient(create_app(bundle, config))
    for number in range(20):
        asked = {"session": f"s{number}", "among": ["large"], "decision_id": f"d{number}"}
        answer = http.post("/v1/route", json={**asked, "prompt": prompts[0]})
        assert (answer.status_code, answer.json()["router_id"]) == (200, bundle.name)
        many = {"prompts": prompts, "among": ["large"], "session": f"s{number}"}
        assert http.post("/v1/route", json=many).json()["router_id"] == bundle.name
        # what nobody can decide is refused, and isn't held against the challenger
        assert http.post("/v1/route", json={**many, "among": ["huge"]}).status_code == 422
        http.post("/v1/outcomes", json={"decision_id": f"d{number}", "quality": 1.0})
    figures = http.get("/v1/router").json()["canary"]["figures"]["lost_quality"]
    assert (figures["champion"][0], figures["challenger"][0]) == (20, 0)
    tried = sum(Canary(CanaryConfig(share=0.5)).arm(f"s{number}") == "challenger" for number in range(20))
    assert tried
    assert f"pointsman_canary_unable_total {2.0 * tried}" in http.get("/metrics").text


def test_a_challenger_that_breaks_is_stood_in_for_and_counted(bundle, second, prompts, monkeypatch, caplog):
    predict = Router.predict_encoded

    def broken(self, *encoded):
        if self.router_id == second.name:
            raise RuntimeError("no memory for zqxsecret")
        return predict(self, *encoded)

    config = ServingConfig(reload_seconds=0, piece=2, shadow=str(second), canary=CanaryConfig(share=0.5))
    http = TestClient(create_app(bundle, config), raise_server_exceptions=False)
    monkeypatch.setattr(Router, "predict_encoded", broken)
    for number in range(20):
        for asked in ({"prompt": prompts[0]}, {"prompts": prompts}):
            answer = http.post("/v1/route", json={**asked, "session": f"s{number}"})
            assert (answer.status_code, answer.json().get("router_id")) == (200, bundle.name)
    tried = sum(Canary(CanaryConfig(share=0.5)).arm(f"s{number}") == "challenger" for number in range(20))
    assert f"pointsman_canary_unable_total {2.0 * tried}" in http.get("/metrics").text
    assert caplog.text.count("the challenger can't decide: RuntimeError") == 2 * tried
    assert "zqxsecret" not in caplog.text


def test_only_the_challenger_is_stood_in_for(bundle, second, monkeypatch):
    # where the queue is full, no second try fills it further; and what breaks the champion is an error
    def crowded(*_, **__):
        raise Crowded("full")

    config = ServingConfig(reload_seconds=0, shadow=str(second), canary=CanaryConfig(share=0.999))
    http = TestClient(create_app(bundle, config), raise_server_exceptions=False)
    with monkeypatch.context() as full:
        full.setattr(Batcher, "submit", crowded)
        assert http.post("/v1/route", json={"prompt": "add 1"}).status_code == 429
    monkeypatch.setattr(Router, "predict_encoded", lambda *_: 1 / 0)
    assert http.post("/v1/route", json={"prompt": "add 1"}).status_code == 500
    assert "pointsman_canary_unable_total 0.0" in http.get("/metrics").text


def test_the_trial_of_the_next_challenger_begins_anew(bundle, second, parts, tmp_path):
    log, root = LogConfig(folder=tmp_path / "log", flush_seconds=60), tmp_path / "canary"
    publish(second, root)
    config = ServingConfig(reload_seconds=0, shadow=str(root), canary=CanaryConfig(share=0.5, enough=5), log=log)
    http = TestClient(create_app(bundle, config))

    def traffic(error):
        for number in range(80):
            answer = http.post("/v1/route", json={"prompt": "add 1", "session": f"s{number}"}).json()
            told = {"decision_id": answer["decisions"][0]["decision_id"], "latency_ms": 5}
            failed = error and answer["router_id"] not in (bundle.name, second.name)
            http.post("/v1/outcomes", json={**told, "error": failed})

    traffic(error=False)
    assert http.get("/v1/router").json()["canary"]["router_id"] == second.name
    assert not canary_of(log.folder, second.name).stopped
    third = parts.write(tmp_path, seed=3)
    publish(third, root)
    found = http.get("/v1/router").json()["canary"]
    assert (found["router_id"], found["succeeded"], found["figures"]["errors"]["champion"][0]) == (third.name, "", 0)
    for _ in range(6):
        traffic(error=True)
        if canary_of(log.folder, third.name).stopped:
            break
    assert canary_of(log.folder, third.name).stopped
