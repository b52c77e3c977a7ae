"""Every way in which a purchase can go wrong, against the planted gateway over real HTTP."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from components.asking.client import Client, Endpoint
from components.asking.journal import Journal
from components.asking.purchase import Progress, buy
from components.asking.question import Price, Question
from components.sources.planted_gateway import PlantedGateway

Open = Callable[..., tuple[PlantedGateway, Client]]


def test_everything_is_asked_once_whatever_fails(
    open_gateway: Open, questions: list[Question], prices: dict[str, Price], path: Path
) -> None:
    gateway, client = open_gateway(failing=0.1, limited=0.1, malformed=0.05, attempts=9)
    told: list[Progress] = []
    with Journal(path) as journal:
        first = buy(questions, client, prices, 5.0, journal, told.append)
        journal.done()
    assert (len(first.answers), first.failed, first.stopped) == (40, {}, None)
    assert max(gateway.calls.values()) == 1
    assert told[-1].done == 40
    with Journal(path) as journal:
        again = buy(questions, client, prices, 5.0, journal)
    assert again.answers == first.answers
    assert again.spent_usd == 0
    assert sum(gateway.calls.values()) == 40


def test_latency_tokens_and_cost_are_kept(
    open_gateway: Open, questions: list[Question], prices: dict[str, Price], path: Path
) -> None:
    gateway, client = open_gateway(reports_cost=True, delay_s=0.02)
    with Journal(path) as journal:
        bought = buy(questions[:4], client, prices, 1.0, journal)
    assert sum(answer.cost_usd for answer in bought.answers.values()) == pytest.approx(gateway.spent_usd)
    assert all(answer.latency_ms >= 20 and answer.output_tokens for answer in bought.answers.values())


@pytest.mark.parametrize("budget", [0.005, 0.01])
def test_the_budget_is_never_exceeded(
    open_gateway: Open, questions: list[Question], prices: dict[str, Price], path: Path, budget: float
) -> None:
    _, client = open_gateway(malformed=0.2, attempts=9)
    with Journal(path) as journal:
        bought = buy(questions, client, prices, budget, journal)
    assert bought.over_budget
    assert 0 < bought.spent_usd <= budget
    assert 0 < len(bought.answers) < 40


def test_a_budget_below_one_call_asks_nothing(
    open_gateway: Open, questions: list[Question], prices: dict[str, Price], path: Path
) -> None:
    gateway, client = open_gateway()
    with Journal(path) as journal:
        bought = buy(questions, client, prices, 1e-6, journal)
    assert not gateway.tried
    assert bought.stopped
    assert "the next call, to fennel-3b, can cost" in bought.stopped


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"status": 401}, "HTTP 401"),
        ({"status": 429}, r"rate limited \(429\) for"),
        ({"status": 403}, "403"),
    ],
)
def test_what_ends_all_questions_is_asked_few_times(
    open_gateway: Open,
    questions: list[Question],
    prices: dict[str, Price],
    path: Path,
    config: dict[str, int],
    wrong: str,
) -> None:
    gateway, client = open_gateway(**config)
    with Journal(path) as journal:
        bought = buy(questions, client, prices, 1.0, journal)
    assert bought.stopped
    assert pytest.approx(0) == bought.spent_usd
    assert re.search(wrong, bought.stopped)
    assert len(gateway.tried) <= 8


def in_an_hour() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize("after", [lambda: "3600", in_an_hour])
def test_a_pause_longer_than_patience_ends_it_without_another_try(
    open_gateway: Open,
    questions: list[Question],
    prices: dict[str, Price],
    path: Path,
    after: Callable[[], str],
) -> None:
    gateway, client = open_gateway(status=429, retry_after=after(), patience_s=600.0)
    with Journal(path) as journal:
        bought = buy(questions, client, prices, 1.0, journal)
    assert bought.stopped
    asked = re.search(r"rate limited \(429\) for \d+ s and asks for (\d+) s more", bought.stopped)
    assert asked
    assert int(asked[1]) == pytest.approx(3600, abs=60)
    assert sum(gateway.tried.values()) <= client.endpoint.parallel


def test_an_address_where_nothing_listens(questions: list[Question], prices: dict[str, Price], path: Path) -> None:
    client = Client(Endpoint(url="http://127.0.0.1:9/v1", backoff_s=0.001))
    with Journal(path) as journal:
        bought = buy(questions, client, prices, 1.0, journal)
    client.close()
    assert bought.stopped
    assert "can't be reached" in bought.stopped
    assert "5 attempts" in bought.stopped


def test_an_unknown_model_leaves_the_others(
    open_gateway: Open, questions: list[Question], prices: dict[str, Price], path: Path
) -> None:
    gateway, client = open_gateway()
    strange = [replace(question, model="nobody") for question in questions[:20:2]]
    with Journal(path) as journal:
        bought = buy([*strange, *questions], client, prices, 1.0, journal)
    assert bought.unknown_models == ("nobody",)
    assert len(bought.answers) == 40
    assert sum(count for (model, _), count in gateway.tried.items() if model == "nobody") <= 8


def test_empty_answers_and_refusals_are_answers(
    open_gateway: Open, questions: list[Question], prices: dict[str, Price], path: Path
) -> None:
    _, client = open_gateway(empty=0.3, refusing=0.3)
    with Journal(path) as journal:
        texts = [answer.text for answer in buy(questions, client, prices, 1.0, journal).answers.values()]
    assert len(texts) == 40
    assert "" in texts
    assert any(text.startswith("I'm sorry") for text in texts)


def test_the_key_is_sent_and_written_nowhere(
    open_gateway: Open, questions: list[Question], prices: dict[str, Price], path: Path
) -> None:
    _, keyless = open_gateway(asks_for="sk-secret-1")
    _, client = open_gateway(asks_for="sk-secret-1", key="sk-secret-1")
    with Journal(path) as journal:
        refused = buy(questions[:1], keyless, prices, 1.0, journal)
        assert refused.stopped
        assert "POINTSMAN_LLM_KEY" in refused.stopped
        assert len(buy(questions[:1], client, prices, 1.0, journal).answers) == 1
    assert "sk-secret" not in path.read_text() + repr(client.endpoint) + refused.stopped
    with pytest.raises(ValueError, match="must not hold a password"):
        Endpoint(url="http://user:pass@example.org/v1")


_KILLED = """
import sys
from pathlib import Path
from components.asking.client import Client, Endpoint
from components.asking.journal import Journal
from components.asking.purchase import buy
from components.asking.question import Price, Question
url, path = sys.argv[1:]
questions = [Question(model="fennel-3b", messages=(("user", f"question {n}"),)) for n in range(60)]
with Journal(Path(path)) as journal:
    price = Price(input_usd_per_mtok=1.0, output_usd_per_mtok=5.0)
    buy(questions, Client(Endpoint(url=url, parallel=2)), {"fennel-3b": price}, 1.0, journal)
"""


def test_killed_in_the_middle_it_goes_on_where_it_was(open_gateway: Open, path: Path) -> None:
    gateway, client = open_gateway(delay_s=0.03)
    child = subprocess.Popen([sys.executable, "-c", _KILLED, client.endpoint.url, str(path)])
    deadline = time.monotonic() + 60
    while sum(gateway.calls.values()) < 15 and time.monotonic() < deadline:
        time.sleep(0.005)
    child.kill()
    child.wait()
    with path.open("ab") as file:
        file.write(b'{"kind": "answe')  # a torn line
    kept = path.read_bytes().count(b'"answered"')
    questions = [Question(model="fennel-3b", messages=(("user", f"question {n}"),)) for n in range(60)]
    with Journal(path) as journal:
        assert len(journal.answers) == kept
        before = journal.spent_usd
        assert before > 0
        bought = buy(questions, client, {"fennel-3b": Price(input_usd_per_mtok=1, output_usd_per_mtok=5)}, 1.0, journal)
    assert len(bought.answers) == 60
    # only what was under way when it was killed, two calls here, can have been asked again
    assert sum(gateway.calls.values()) <= 62
    assert before < bought.spent_usd <= 1


def test_one_process_at_a_time_and_what_is_no_journal(path: Path) -> None:
    with Journal(path), pytest.raises(ValueError, match="another run is asking"):
        Journal(path)
    path.write_text("nonsense\n")
    with pytest.raises(ValueError, match="line 1 isn't JSON"):
        Journal(path)
    path.write_text('{"kind": "answered"}\n')
    with pytest.raises(ValueError, match="line 1 isn't a journal's"):
        Journal(path)


def test_forgotten_answers_are_gone_and_their_cost_is_not(
    open_gateway: Open, questions: list[Question], prices: dict[str, Price], path: Path
) -> None:
    _, client = open_gateway()
    with Journal(path) as journal:
        spent = buy(questions[:6], client, prices, 1.0, journal).spent_usd
        assert journal.forget() == 6
    assert "step by step" not in path.read_text()
    assert sum(json.loads(line).get("cost_usd", 0) for line in path.read_text().splitlines()) == pytest.approx(spent)
    with Journal(path) as journal:
        assert journal.answers == {}


def test_an_endpoint_that_takes_no_schema_gets_none(open_gateway: Open, path: Path, world: object) -> None:
    gateway, client = open_gateway()
    whole = gateway.complete

    def picky(body: dict[str, object]) -> tuple[int, str]:
        for name in ("response_format", "temperature", "max_tokens"):
            if name in body:
                return 400, json.dumps({"error": {"message": f"Unsupported parameter: '{name}'"}})
        return whole(body)

    gateway.complete = picky  # type: ignore[method-assign, assignment]
    question = Question(model="fennel-3b", messages=(("user", "hello"),), schema={"type": "object"})
    assert client.ask(question, Price(input_usd_per_mtok=1, output_usd_per_mtok=1)).text
