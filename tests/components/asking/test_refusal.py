"""What refusals and broken connections come to, against a server on loopback that does what it is told."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from components.asking.client import Client, Endpoint
from components.asking.journal import Journal
from components.asking.purchase import HOPELESS, Bought, buy
from components.asking.question import Price, Question
from components.asking.refusal import broken, hidden, refused
from tests.components.asking.server import answering

KEY = "sk-SECRET-1234567890"
PRICE = Price(input_usd_per_mtok=3.0, output_usd_per_mtok=15.0)
Reply = tuple[int, str]
Ask = Callable[..., tuple[Bought, list[dict[str, Any]]]]


def fine() -> Reply:
    choice = {"index": 0, "message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 20}
    return 200, json.dumps({"choices": [choice], "usage": usage})


def error(message: str) -> str:
    return json.dumps({"error": {"message": message}})


def _questions(*models: str) -> list[Question]:
    return [Question(model=model, messages=(("user", f"question {n:02}"),)) for n, model in enumerate(models)]


@pytest.fixture
def ask(path: Path) -> Iterator[Ask]:
    """What a purchase came to, and the bodies of its calls."""
    with ExitStack() as stack:

        def asked(
            reply: Callable[[BaseHTTPRequestHandler, dict[str, Any]], Reply | None],
            *models: str,
            base: str = "/v1",
            **config: Any,
        ) -> tuple[Bought, list[dict[str, Any]]]:
            url, seen = stack.enter_context(answering(reply))
            client = Client(Endpoint(url=url + base, api_key=KEY, backoff_s=0.001, **config))
            stack.callback(client.close)
            with Journal(path) as journal:
                questions = _questions(*models)
                return buy(questions, client, {q.model: PRICE for q in questions}, 5.0, journal), seen

        yield asked


def cut(*_: object) -> None:
    """The request is taken and the connection closed."""


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (cut, "the connection broke before there was an answer"),
        (lambda *_: (504, "<html>gateway timeout</html>"), "HTTP 504"),
        (lambda *_: (502, "bad gateway"), "HTTP 502"),
    ],
)
def test_what_may_have_been_charged_counts_in_full(ask: Ask, reply: Any, why: str) -> None:
    bought, seen = ask(reply, "m", attempts=3)
    assert why in next(iter(bought.failed.values()))
    worst = _questions("m")[0].worst_usd(PRICE)
    assert (len(seen), bought.spent_usd) == (3, pytest.approx(3 * worst))
    assert bought.stopped is None


def test_a_connection_that_broke_ends_no_others(ask: Ask) -> None:
    bought, _ = ask(lambda _, body: None if body["model"] == "bad" else fine(), "good", *["bad"] * 3, *["good"] * 9)
    assert bought.stopped is None
    assert (len(bought.answers), len(bought.failed)) == (10, 3)


def test_an_endpoint_that_only_breaks_is_given_up(ask: Ask) -> None:
    bought, seen = ask(cut, *["m"] * 40)
    assert bought.stopped
    assert "were of no use: the connection broke" in bought.stopped
    assert len(seen) < HOPELESS + 8


def test_what_was_never_sent_costs_nothing() -> None:
    class ConnectTimeout(Exception):
        pass

    found = broken(ConnectTimeout("too late"), 120.0)
    assert (type(found).__name__, found.everywhere) == ("Passing", True)  # type: ignore[attr-defined]
    assert str(broken(TimeoutError(), 1.5)) == "no answer within 1.5 s"


def test_what_one_model_refuses_another_is_still_given(ask: Ask) -> None:
    def picky(_: object, body: dict[str, Any]) -> Reply:
        for name in ("max_tokens", "temperature"):
            if body["model"] == "o3" and name in body:
                return 400, error(f"Unsupported parameter: '{name}' is not supported with this model.")
        return fine()

    bought, seen = ask(picky, "o3", "llama", "o3", "llama", parallel=1)
    assert len(bought.answers) == 4
    assert Counter(body["model"] for body in seen) == {"o3": 4, "llama": 2}
    for body in seen[2:]:
        assert ("max_tokens" in body, "temperature" in body) == ((body["model"] == "llama"),) * 2
        assert ("max_completion_tokens" in body) == (body["model"] == "o3")


@pytest.mark.parametrize("status", [200, 400, 401, 402, 404, 422, 429, 500, 504])
def test_a_key_that_the_endpoint_quotes_is_not_shown_or_kept(ask: Ask, path: Path, status: int) -> None:
    def quoting(handler: BaseHTTPRequestHandler, _: object) -> Reply:
        # where messages are cut, too
        return status, error("x" * 285 + f" {handler.headers['Authorization']}") + f" {KEY}"

    bought, _ = ask(quoting, "m", attempts=1, patience_s=0.0)
    told = f"{bought.stopped} {bought.failed} {path.read_text()}"
    assert bought.stopped or bought.failed or bought.unknown_models
    assert "sk-S" not in told


@pytest.mark.parametrize(
    ("body", "base", "wrong"),
    [
        ('{"detail":"Not Found"}', "", "no such path (404): does --url end in /v1?"),
        ("<html><title>404</title>m</html>", "", "no such path (404): does --url end in /v1?"),
        (error("The model `gpt` does not exist"), "/v1", None),
        (error("No endpoints found for gpt."), "/v1", None),
    ],
)
def test_a_path_that_is_not_there_is_no_unknown_model(ask: Ask, body: str, base: str, wrong: str | None) -> None:
    bought, seen = ask(lambda *_: (404, body), "gpt", base=base)
    assert bought.unknown_models == (() if wrong else ("gpt",))
    assert wrong is None or wrong in str(bought.stopped)
    assert len(seen) == 1


def test_placeholders_for_keys_stay_in_words() -> None:
    assert hidden("EMPTY is not empty", "EMPTY") == "EMPTY is not empty"
    assert hidden(b"Bearer " + KEY.encode(), KEY) == b"Bearer ***"
    question = _questions("m")[0]
    assert "knows" not in str(refused(400, "unknown parameter", None, question, "http://x/v1"))


def test_a_server_that_is_slow_is_charged_for(ask: Ask) -> None:
    def slow(*_: object) -> Reply:
        time.sleep(0.3)
        return fine()

    bought, _ = ask(slow, "m", timeout_s=0.05, attempts=1)
    assert bought.spent_usd > 0
    assert "no answer within 0.05 s" in next(iter(bought.failed.values()))
