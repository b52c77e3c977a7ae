"""The LiteLLM hook without the proxy: who is chosen, who is next, and what is told of the answer."""

import asyncio
import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import HTTPException

from pointsman.router import Router
from pointsman.serving.decision_log import read_log

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
HOOK = Path(__file__).resolve().parents[3] / "infra" / "litellm" / "pointsman_hook.py"


@pytest.fixture
def hook(bundle, tmp_path):
    spec = importlib.util.spec_from_file_location("pointsman_hook", HOOK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PointsmanHook(str(bundle), decisions=str(tmp_path))


def call(hook, **data):
    data = {"model": "pointsman", "messages": [{"role": "user", "content": "add 1 2"}], **data}
    return asyncio.run(hook.async_pre_call_hook(None, None, data, "completion"))


def test_the_choice_and_its_fallbacks_take_the_models_place(hook, bundle):
    found = call(hook, temperature=0.5)
    routing = Router.load(bundle).route(["add 1 2"])
    assert found["model"] == routing.candidate[0]
    assert found["fallbacks"] == routing.ranked(0)[1:]
    assert found["temperature"] == 0.5
    assert "add" not in str(found["metadata"])
    assert call(hook, model="gpt") == {"model": "gpt", "messages": [{"role": "user", "content": "add 1 2"}]}
    assert call(hook, metadata={"pointsman": {"exclude": ["large"]}})["model"] == "small"
    assert "fallbacks" not in call(hook, metadata={"pointsman": {"among": ["large"]}})


@pytest.mark.parametrize(
    "data",
    [
        {"model": "pointsman/cheapest"},
        {"metadata": {"pointsman": {"exclude": ["small", "large"]}}},
    ],
)
def test_what_cannot_be_routed_is_the_callers_error(hook, data):
    with pytest.raises(HTTPException) as error:
        call(hook, **data)
    assert error.value.status_code == 400


def test_outcomes_find_their_decisions(hook, tmp_path):
    first, second, third, unpriced = (call(hook) for _ in range(4))
    now = datetime.now(UTC)

    def told(data, **more):
        return {"model": data["model"], "litellm_params": {"metadata": data["metadata"]}, **more}

    answer = SimpleNamespace(usage={"prompt_tokens": 3, "completion_tokens": 9})
    end = now + timedelta(seconds=0.5)
    # tried again by the proxy, and answered
    asyncio.run(hook.async_log_failure_event(told(first, exception=TimeoutError()), None, now, end))
    asyncio.run(hook.async_log_success_event(told(first, response_cost=0.25), answer, now, end))
    asyncio.run(hook.async_log_failure_event(told(second, exception=TimeoutError("add 1 2")), None, now, end))
    asyncio.run(hook.async_log_success_event(told(third) | {"model": "another"}, answer, now, end))
    asyncio.run(hook.async_log_success_event(told(unpriced, response_cost=0.0), answer, now, end))
    hook.told(first["metadata"]["pointsman"]["decision_id"], thumb="up")
    hook._service._log.flush()
    rows = read_log(tmp_path)
    assert rows["input_tokens"].to_list() == [3, None, None, 3]
    assert rows["output_tokens"].to_list() == [9, None, None, 9]
    assert rows["cost_usd"].to_list() == [0.25, None, None, None]
    assert rows["latency_ms"].to_list() == [500.0, None, None, 500.0]
    assert rows["error"].to_list() == [None, "TimeoutError", "answered by a fallback", None]
    assert rows["thumb"].to_list() == ["up", None, None, None]
