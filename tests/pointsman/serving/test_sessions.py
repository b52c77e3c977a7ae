"""Sessions that keep their candidate, and paced streams, over HTTP."""

import pytest
from fastapi.testclient import TestClient

from pointsman.serving.app import ServingConfig, create_app

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def decide(http, **asked):
    answer = http.post("/v1/route", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["decisions"][0]


def test_a_session_keeps_its_candidate_within_the_margin(bundle, prompts):
    http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0, sticky=1.0)))
    # the second half of a session would go to large, were it alone
    assert decide(http, prompt=prompts[0], policy="best")["candidate"] == "large"
    assert decide(http, prompt=prompts[0], session="s", exclude=["large"])["candidate"] == "small"
    for prompt in prompts:
        kept = decide(http, prompt=prompt, session="s", policy="best")
        assert (kept["candidate"], kept["ranked"]) == ("small", ["small", "large"])
        assert kept["reason"] == "session"
    # who isn't eligible any more doesn't stay
    assert decide(http, prompt=prompts[0], session="s", exclude=["small"])["candidate"] == "large"


def test_nobody_is_changed_inside_a_tool_loop(bundle, prompts):
    http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0, sticky=0.0)))
    decide(http, prompt=prompts[0], session="s", among=["small"])
    loop = [{"role": "user", "content": prompts[0]}, {"role": "tool", "content": "3"}]
    assert decide(http, messages=loop, session="s", policy="best")["candidate"] == "small"
    assert decide(http, messages=loop[:1], session="s", policy="best")["candidate"] == "large"


def test_a_pace_is_kept_for_each_tenant(bundle, prompts):
    http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0)))
    scores = [decide(http, prompt=prompt)["scores"] for prompt in prompts]
    low = sum(min(s["cost"] for s in row) for row in scores) / len(prompts)
    high = sum(max(s["cost"] for s in row) for row in scores) / len(prompts)
    target = 1000 * (0.7 * low + 0.3 * high)
    policy = f"pace={target!r}"
    spent = []
    for _ in range(50):
        for prompt in prompts:
            found = decide(http, prompt=prompt, policy=policy, tenant="a")
            spent.append(found["expected_cost_usd"])
    assert found["policy"] == policy
    assert 1000 * sum(spent) / len(spent) == pytest.approx(target, rel=0.1)
    for bad in ("pace=0", "pace=x", "pace"):
        assert http.post("/v1/route", json={"prompt": "a", "policy": bad}).status_code == 422
