"""OpenAI's own client with another base URL: routed, streamed, told, and asked again where a candidate fails."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import openai
import polars as pl
import pytest
import uvicorn
from fastapi.testclient import TestClient

from components.sources.planted.world import World
from components.sources.planted_gateway import GatewayConfig, PlantedGateway, serving
from components.tables.store import Tables
from pointsman.router import Router
from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.config import UpstreamConfig
from pointsman.serving.decision_log import LogConfig, read_log

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def gateway(prompts, **config):
    """A gateway whose candidates are those of the tiny router."""
    cells = [(f"p{place}", prompt, model) for place, prompt in enumerate(prompts) for model in ("small", "large")]
    outcomes = pl.DataFrame(cells, schema=["prompt_id", "prompt", "model"], orient="row").with_columns(
        quality=pl.lit(0.5), output_tokens=pl.lit(7)
    )
    candidates = pl.DataFrame(
        {"model": ["small", "large"], "input_usd_per_mtok": [0.1, 1.0], "output_usd_per_mtok": [0.4, 4.0]}
    )
    table = outcomes.select("prompt_id", "prompt").unique(maintain_order=True)
    tables = Tables(prompts=table, candidates=candidates, outcomes=outcomes.drop("prompt"))
    return PlantedGateway(World(tables=tables, truth=table, expected_quality=table), GatewayConfig(**config))


@contextmanager
def client(bundle, url, log=None, token=None, **config):
    """OpenAI's client of a server over a router and what is behind it."""
    limits = ServingConfig(
        log=None if log is None else LogConfig(folder=log, flush_seconds=60),
        token=token,
        upstream=UpstreamConfig(url=url, **config),
    )
    app = create_app(bundle, limits)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=token or "none", max_retries=0) as http:
            yield http, app
    finally:
        server.should_exit = True
        thread.join(30)


def told(app, log):
    app.state.log.flush()
    return read_log(log)


def test_an_answer_is_the_chosen_candidates_and_its_figures_are_kept(bundle, prompts, tmp_path):
    planted = gateway(prompts, key="sesame", reports_cost=True)
    expected = dict(zip(prompts, Router.load(bundle).route(prompts, policy="best").candidate, strict=True))
    with serving(planted) as url, client(bundle, url, tmp_path, token="mine", key="sesame") as (http, app):
        for prompt in prompts:
            raw = http.chat.completions.with_raw_response.create(
                model="pointsman/best", messages=[{"role": "user", "content": prompt}]
            )
            answer = raw.parse()
            assert answer.model == expected[prompt] == raw.headers["x-pointsman-candidate"]
            assert answer.choices[0].message.content == planted.answer(answer.model, prompt)
        rows = told(app, tmp_path)
        assert rows["candidate"].to_list() == [expected[prompt] for prompt in prompts]
        assert rows["decision_id"][-1] == raw.headers["x-pointsman-decision-id"]
        assert rows["output_tokens"].to_list() == [7] * len(prompts)
        assert rows["cost_usd"].sum() == pytest.approx(planted.spent_usd)
        assert rows["latency_ms"].min() > 0
        assert rows["error"].null_count() == len(prompts)
        names = {model.id for model in http.models.list()}
        assert {"pointsman/auto", "small", "large"} <= names
        # who names a candidate gets it, and nothing is decided
        by_name = http.chat.completions.create(model="small", messages=[{"role": "user", "content": prompts[0]}])
        assert by_name.model == "small"
        assert told(app, tmp_path).height == len(prompts)


@pytest.mark.parametrize("usage", [False, True])
def test_a_stream_comes_through_with_tokens_for_who_asks(bundle, prompts, tmp_path, usage):
    planted = gateway(prompts)
    more = {"stream_options": {"include_usage": True}} if usage else {}
    with serving(planted) as url, client(bundle, url, tmp_path) as (http, app):
        asked = [{"role": "user", "content": prompts[0]}]
        chunks = [*http.chat.completions.create(model="pointsman/auto", messages=asked, stream=True, **more)]
        text = " ".join(c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content)
        assert text == planted.answer(chunks[0].model, prompts[0])
        assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - usage) + [True] * usage
        (row,) = told(app, tmp_path).iter_rows(named=True)
        assert (row["candidate"], row["output_tokens"], row["error"]) == (chunks[0].model, 7, None)


class Failing(BaseHTTPRequestHandler):
    """The large candidate has no room, the small one answers."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list] = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append((body["model"], "authorization" in self.headers, body.get("metadata")))
        busy = body["model"] == "large"
        answer = json.dumps({"error": {"message": "busy"}} if busy else {"choices": [], "usage": {}}).encode()
        self.send_response(429 if busy else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def busy():
    Failing.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


def post(http, **body):
    asked = {"model": "pointsman/best", "messages": [{"role": "user", "content": "add 1 2"}], **body}
    return http.post("/v1/chat/completions", json=asked)


def in_process(bundle, url, log, **config):
    limits = ServingConfig(log=LogConfig(folder=log, flush_seconds=60), upstream=UpstreamConfig(url=url, **config))
    return TestClient(create_app(bundle, limits))


def test_the_next_candidate_is_asked_before_the_first_byte(bundle, busy, tmp_path):
    with in_process(bundle, busy, tmp_path) as http:
        answer = post(http, metadata={"pointsman": {"among": ["large", "small"]}, "mine": "kept"})
        assert (answer.status_code, answer.headers["x-pointsman-candidate"]) == (200, "small")
        assert Failing.seen == [("large", False, {"mine": "kept"}), ("small", False, {"mine": "kept"})]
        # where nobody else may be asked the failure is the answer
        alone = post(http, metadata={"pointsman": {"exclude": ["small"]}})
        assert (alone.status_code, alone.json()["error"]["message"]) == (429, "busy")
        rows = told(http.app, tmp_path)
        assert rows["candidate"].to_list() == ["large", "large"]
        assert rows["error"].to_list() == ["HTTP 429", "HTTP 429"]


def test_who_cannot_be_reached_is_an_error_in_their_form(bundle, tmp_path):
    with in_process(bundle, "http://127.0.0.1:9/v1", tmp_path) as http:
        answer = post(http)
        assert answer.status_code == 502
        assert "can't be reached" in answer.json()["error"]["message"]
        assert told(http.app, tmp_path)["error"].to_list() == ["ConnectError"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "pointsman/cheapest"}, "unknown policy"),
        ({"messages": []}, "text"),
        ({"model": 3}, "an object with a model"),
        ({"max_tokens": "many"}, "whole number"),
        ({"max_tokens": int("9" * 400)}, "whole number in [0, 100000000]"),
        ({"max_completion_tokens": -1}, "whole number in [0, 100000000]"),
        ({"stream": True, "stream_options": 5}, "stream_options must be an object"),
        ({"stream": True, "stream_options": "x"}, "stream_options must be an object"),
        ({"model": "small", "stream_options": [1]}, "stream_options must be an object"),
        ({"metadata": {"pointsman": {"exclude": ["small", "large"]}}}, "no candidate is left"),
        ({"metadata": {"pointsman": {"among": "small"}}}, "list of names"),
    ],
)
def test_what_cannot_be_routed_is_refused_in_openais_form(bundle, tmp_path, body, message):
    with in_process(bundle, "http://127.0.0.1:9/v1", tmp_path) as http:
        answer = post(http, **body)
        assert answer.status_code == 400
        assert message in answer.json()["error"]["message"]


@pytest.mark.parametrize("calls", [5, True, "x", {"a": 1}, [5], [{"function": 5}], [{"function": {"arguments": 5}}]])
def test_tool_calls_of_any_form_are_handed_on(bundle, prompts, tmp_path, calls):
    turns = [
        {"role": "user", "content": prompts[0]},
        {"role": "assistant", "tool_calls": calls, "function_call": calls},
    ]
    with serving(gateway(prompts)) as url, in_process(bundle, url, tmp_path) as http:
        # what they mean is for the server behind to say
        assert post(http, messages=[*turns, {"role": "user", "content": prompts[0]}]).status_code < 500
        asked = {"messages": turns}
        assert http.post("/v1/route", json=asked).status_code == 200


def test_a_body_nested_too_deep_is_refused(bundle, tmp_path):
    with in_process(bundle, "http://127.0.0.1:9/v1", tmp_path) as http:
        body = '{"model": "pointsman/auto", "messages": ' + "[" * 100_000 + "]" * 100_000 + "}"
        for path in ("/v1/chat/completions", "/v1/route"):
            answer = http.post(path, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 400


def test_settings_have_legal_ranges():
    for wrong in ({"url": "ftp://x"}, {"url": "http://x", "seconds": 0}, {"url": "http://x", "tries": 0}):
        with pytest.raises(ValueError, match="must be"):
            UpstreamConfig(**wrong)
    assert "sesame" not in repr(UpstreamConfig(url="http://x", key="sesame"))
