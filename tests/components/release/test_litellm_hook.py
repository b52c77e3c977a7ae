"""The LiteLLM hook with neither a network nor, if it is absent, litellm."""

import asyncio
import importlib.util
from pathlib import Path

import pytest
import yaml
from fastapi import HTTPException

from components.release.publish import publish
from pointsman.errors import BundleError
from pointsman.router import Router
from pointsman.serving.in_service import InService

FOLDER = Path(__file__).parents[3] / "infra" / "litellm"


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("pointsman_hook", FOLDER / "pointsman_hook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(handler, data, call_type="completion"):
    return asyncio.run(handler.async_pre_call_hook(None, None, data, call_type))


def chat(text, **rest):
    return {"model": "pointsman", "messages": [{"role": "user", "content": text}], **rest}


def test_the_router_chooses_the_model_and_the_rest_passes_through(hook, bundle, prompts):
    handler, router = hook.PointsmanHook(str(bundle)), Router.load(bundle)
    for prompt, candidate in zip(prompts, router.route(prompts).candidate, strict=True):
        asked = chat(prompt, temperature=0.3, stream=True, tools=[{"type": "function"}], metadata={"user": "ada"})
        sent = call(handler, asked)
        assert sent["model"] == candidate
        assert sent["metadata"]["pointsman"]["router_id"] == router.router_id
        assert sent["metadata"]["user"] == "ada"
        assert prompt not in str(sent["metadata"])
        for name in set(asked) - {"model", "metadata"}:
            assert sent[name] is asked[name]
        assert asked["model"] == "pointsman"


def test_the_model_name_may_carry_a_policy(hook, bundle):
    handler = hook.PointsmanHook(str(bundle))
    cheapest = call(handler, {**chat("prove the integral"), "model": "pointsman/quality=0"})
    assert cheapest["model"] == "small"
    with pytest.raises(HTTPException, match="unknown policy") as refused:
        call(handler, {**chat("prove the integral"), "model": "pointsman/cheapest"})
    assert refused.value.status_code == 400


def test_without_a_router_the_proxy_is_at_fault(hook, tmp_path):
    with pytest.raises(BundleError):
        call(hook.PointsmanHook(str(tmp_path)), chat("add 1 2"))


def test_other_models_are_left_alone(hook):
    handler = hook.PointsmanHook("a folder that need not exist")
    for model in ("large", "pointsman-2", "openai/pointsman"):
        asked = {**chat("add 1 2"), "model": model}
        assert call(handler, asked) is asked


@pytest.mark.parametrize(
    ("data", "text", "requires"),
    [
        (chat("add 1 2"), "add 1 2", ()),
        ({"messages": [{"role": "user", "content": "old"}, {"role": "user", "content": "new"}]}, "old\n\nnew", ()),
        (chat([{"type": "text", "text": "see"}, {"type": "image_url"}]), "see", ("vision",)),
        (chat("add 1 2", tools=[{"type": "function"}]), "add 1 2", ("tools",)),
        (chat(None), "", ()),
        ({"prompt": ["a", "b"]}, "a\n\nb", ()),
        ({}, "", ()),
    ],
)
def test_what_is_routed_is_what_the_server_routes(hook, data, text, requires):
    assert hook.routed(data) == (text, requires)


def test_a_promotion_is_taken_up(hook, bundle, second, tmp_path):
    publish(bundle, tmp_path)
    handler = hook.PointsmanHook(str(tmp_path))
    assert call(handler, chat("add 1"))["metadata"]["pointsman"]["router_id"] == bundle.name
    # whoever asks looks, so that the test needn't wait for the next look
    handler._in_service = InService(tmp_path, every=0)
    publish(second, tmp_path)
    assert call(handler, chat("add 1"))["metadata"]["pointsman"]["router_id"] == second.name


def test_the_configuration_names_the_hook_and_its_model(hook):
    config = yaml.safe_load((FOLDER / "config.yaml").read_text())
    module, name = config["litellm_settings"]["callbacks"].split(".")
    assert (FOLDER / f"{module}.py").is_file()
    assert isinstance(getattr(hook, name), hook.PointsmanHook)
    assert hook.MODEL in {entry["model_name"] for entry in config["model_list"]}
