"""The LiteLLM hook inside the real proxy, with a planted gateway as every candidate's provider.

The proxy needs an environment of its own: `pip install 'litellm[proxy]' 'pointsman[serve,onnx]'` there, and
LITELLM_PYTHON names its interpreter.
"""

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest
import yaml

from components.sources.planted.world import PlantedConfig, generate
from components.sources.planted_gateway import PlantedGateway, serving
from pointsman.router import Router
from pointsman.serving.decision_log import read_log

ROOT = Path(__file__).parents[3]
PYTHON = os.environ.get("LITELLM_PYTHON")
KEY = "sk-planted-0123456789abcdef"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PYTHON is None, reason="litellm isn't installed: LITELLM_PYTHON names no environment"),
    pytest.mark.filterwarnings("ignore::Warning"),
]


@pytest.fixture(scope="module")
def gateway():
    return PlantedGateway(generate(PlantedConfig(prompts=20, seed=0)))


@pytest.fixture(scope="module")
def provider(gateway):
    """Which of the gateway's models stands for which candidate."""
    return dict(zip(("small", "large", "broken"), gateway.models, strict=False))


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module")
def proxy(gateway, provider, bundle, log, tmp_path_factory):
    """The proxy on loopback: an HTTP client of it."""
    folder = tmp_path_factory.mktemp("proxy")
    for name in ("pointsman_hook.py", "config.yaml"):
        (folder / name).write_text((ROOT / "infra" / "litellm" / name).read_text())
    config = yaml.safe_load((folder / "config.yaml").read_text())
    with serving(gateway) as url, socket.socket() as free:
        config["model_list"] = [
            config["model_list"][0],
            *(
                {
                    "model_name": name,
                    "litellm_params": {
                        "model": f"openai/{model}",
                        "api_base": url,
                        "api_key": "none",
                        "input_cost_per_token": 1e-6,
                        "output_cost_per_token": 2e-6,
                    },
                }
                for name, model in provider.items()
            ),
        ]
        config["router_settings"] = {"num_retries": 0, "disable_cooldowns": True}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {
            "PYTHONPATH": str(ROOT),
            "POINTSMAN_ROUTER": str(bundle),
            "POINTSMAN_DECISIONS": str(log),
            "LITELLM_MASTER_KEY": KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        command = [str(Path(str(PYTHON)).with_name("litellm")), "--config", "config.yaml", "--host", "127.0.0.1"]
        with (folder / "said").open("w") as said:
            started = subprocess.Popen(
                [*command, "--port", str(port)], cwd=folder, env=environment, stdout=said, stderr=said
            )
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {KEY}"}, timeout=60
            ) as client:
                _wait(client, started, folder / "said")
                yield client
        finally:
            started.terminate()
            started.wait(60)


def _wait(client, started, said):
    for _ in range(1200):
        if started.poll() is not None:
            pytest.fail(f"the proxy ended: {said.read_text()[-2000:]}")
        with contextlib.suppress(httpx.HTTPError):
            if client.get("/health/liveliness").status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail(f"the proxy doesn't answer: {said.read_text()[-2000:]}")


def ask(proxy, text, model="pointsman", **rest):
    return proxy.post(
        "/v1/chat/completions", json={"model": model, "messages": [{"role": "user", "content": text}], **rest}
    )


def called(gateway, work):
    """The models that the gateway was asked for meanwhile, in order of names; and what the work gave."""
    before = gateway.tried.copy()
    done = work()
    return sorted(model for (model, _), count in (gateway.tried - before).items() for _ in range(count)), done


def test_each_prompt_goes_where_the_router_sends_it(proxy, gateway, provider, bundle, prompts):
    for text, candidate in zip(prompts, Router.load(bundle).route(prompts).candidate, strict=True):
        models, answer = called(gateway, lambda text=text: ask(proxy, text))
        assert answer.status_code == 200, answer.text
        assert models == [provider[candidate]]
        assert "Here is what I make of it" in answer.json()["choices"][0]["message"]["content"]


def test_a_policy_an_exclusion_and_a_name(proxy, gateway, provider):
    cheap, _ = called(gateway, lambda: ask(proxy, "prove the integral", model="pointsman/quality=0"))
    assert cheap == [provider["small"]]
    others, _ = called(
        gateway, lambda: ask(proxy, "prove the integral", metadata={"pointsman": {"exclude": ["small"]}})
    )
    assert others == [provider["large"]]
    named, _ = called(gateway, lambda: ask(proxy, "prove the integral", model="large"))
    assert named == [provider["large"]]
    refused = ask(proxy, "prove the integral", model="pointsman/cheapest")
    assert refused.status_code == 400
    assert "unknown policy" in refused.text


def test_a_stream_goes_where_a_plain_answer_goes(proxy, gateway, provider, bundle):
    (candidate,) = Router.load(bundle).route(["sing a poem of love"]).candidate

    def stream():
        asked = {"model": "pointsman", "messages": [{"role": "user", "content": "sing a poem of love"}], "stream": True}
        with proxy.stream("POST", "/v1/chat/completions", json=asked) as answer:
            return [line for line in answer.iter_lines() if line]

    models, lines = called(gateway, stream)
    assert models == [provider[candidate]]
    assert lines[-1] == "data: [DONE]"
    assert len(lines) > 5


def test_outcomes_are_beside_their_decisions(proxy, gateway, log):
    answer = ask(proxy, "fix the bug in the loop").json()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.5)
        rows = read_log(log) if [*log.glob("decisions-*")] else None
        if rows is not None and rows.filter(text="fix the bug in the loop")["output_tokens"].null_count() == 0:
            break
    last = rows.filter(text="fix the bug in the loop").to_dicts()[-1]
    assert last["input_tokens"] == answer["usage"]["prompt_tokens"]
    assert last["output_tokens"] == answer["usage"]["completion_tokens"]
    expected = (last["input_tokens"] + 2 * last["output_tokens"]) * 1e-6
    assert last["cost_usd"] == pytest.approx(expected)
    assert last["latency_ms"] > 0
    assert last["error"] is None


def test_who_fails_is_replaced_by_the_next_and_it_is_written_down(proxy, gateway, provider, bundle, log, monkeypatch):
    text = "sum 3 1 and then 2"
    routing = Router.load(bundle).route([text])
    first, second = routing.ranked(0)[:2]
    complete = gateway.complete

    def failing(body):
        return (500, '{"error": {"message": "planted"}}') if body["model"] == provider[first] else complete(body)

    monkeypatch.setattr(gateway, "complete", failing)
    models, answer = called(gateway, lambda: ask(proxy, text))
    assert answer.status_code == 200, answer.text
    assert models == [provider[second]]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.5)
        rows = read_log(log).filter(text=text)
        if rows.height and rows["error"].null_count() == 0:
            break
    assert rows["candidate"].to_list() == [first]
    assert rows["error"].to_list() != [None]
    assert rows["output_tokens"].to_list() == [None]
