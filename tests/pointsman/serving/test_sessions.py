"""Sessions that keep their candidate, and paced streams, over HTTP."""

from dataclasses import replace

import numpy as np
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


def test_an_unknown_cost_is_no_end_of_a_pace(parts, prompts, tmp_path):
    """Inside a tool loop a session stays with a candidate whose cost nobody knows."""
    usd_M = np.array([0.1, np.nan])
    cost = replace(parts.model.cost, input_usd_per_mtok_M=usd_M, output_usd_per_mtok_M=usd_M)
    unpriced = replace(parts, model=replace(parts.model, cost=cost)).write(tmp_path)
    http = TestClient(create_app(unpriced, ServingConfig(reload_seconds=0, sticky=0.0)))
    assert decide(http, prompt=prompts[0], session="s", tenant="a", among=["large"])["candidate"] == "large"
    loop = [{"role": "user", "content": prompts[0]}, {"role": "tool", "content": "3"}]
    found = decide(http, messages=loop, session="s", tenant="a", policy="pace=1")
    assert (found["candidate"], found["expected_cost_usd"]) == ("large", None)
    assert decide(http, prompt=prompts[0], tenant="a", policy="pace=1")["candidate"] == "small"
    for pace in ("1e-322", "1e-10", "nan"):
        answer = http.post("/v1/route", json={"prompt": "a", "policy": f"pace={pace}"})
        assert answer.status_code == 422
        assert "pace must be >= 1e-09 USD per 1000 requests" in answer.json()["detail"]
