"""A budget against calls whose real cost is known, many at a time and at its very edge."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components.asking.budget import ALONE, Budget
from components.asking.client import Client, Endpoint
from components.asking.journal import Journal
from components.asking.purchase import HOPELESS, Bought, Progress, buy
from components.asking.question import Answer, Lost, Price, Question

PRICE = Price(input_usd_per_mtok=3.0, output_usd_per_mtok=15.0)
FREE = Price(input_usd_per_mtok=0.0, output_usd_per_mtok=0.0)
QUESTIONS = [Question(model="m", messages=(("user", f"question {n:02}"),)) for n in range(60)]
WORST_USD = QUESTIONS[0].worst_usd(PRICE)


class Told(Client):
    """A client whose endpoint is a function."""

    def __init__(self, answer: Callable[[Question], Answer], parallel: int = 8) -> None:
        super().__init__(Endpoint(url="http://127.0.0.1:9/v1", backoff_s=0.001, parallel=parallel))
        self.answer, self.calls = answer, 0
        self._count = threading.Lock()

    def ask(self, question: Question, price: Price) -> Answer:
        with self._count:
            self.calls += 1
        time.sleep(0.002)
        return self.answer(question)


def lost(_: Question) -> Answer:
    raise Lost("not a chat completion: '<html>'")


def costing(usd: float) -> Callable[[Question], Answer]:
    return lambda _: Answer(text="fine", cost_usd=usd, latency_ms=1.0)


def bought(
    client: Told,
    path: Path,
    budget: float,
    price: Price = PRICE,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Bought:
    """What a purchase came to, which must come to an end."""
    found: list[Bought | BaseException] = []

    def run() -> None:
        try:
            with Journal(path) as journal:
                found.append(buy(QUESTIONS, client, {"m": price}, budget, journal, tell))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), "the purchase hangs"
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


@pytest.mark.parametrize("calls", [1.5, 5.2, 8.1, 10.9, 12.0, 16.5, 1000.0])
def test_lost_answers_end_a_purchase_wherever_its_budget_ends(path: Path, calls: float) -> None:
    client = Told(lost)
    found = bought(client, path, calls * WORST_USD)
    assert found.stopped
    assert "of no use: not a chat completion" in found.stopped
    assert found.spent_usd == pytest.approx(client.calls * WORST_USD)
    assert client.calls <= min(calls, HOPELESS + client.endpoint.parallel)


def test_a_purchase_that_is_interrupted_while_all_wait_for_money_ends(path: Path) -> None:
    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bought(Told(costing(WORST_USD)), path, 9.5 * WORST_USD, tell=stop)


def test_nobody_waits_for_a_closed_budget() -> None:
    budget, found = Budget(1.0), []
    assert budget.reserve("m", 0.9) is not None
    waiting = threading.Thread(target=lambda: found.append(budget.reserve("other", 0.9)), daemon=True)
    waiting.start()
    budget.close()
    waiting.join(10)
    assert found == [None]


@pytest.mark.parametrize(("times", "limit"), [(100.0, 5.0), (2.0, 5.0), (1.5, 50.0)])
def test_a_gateway_that_charges_more_than_the_table_is_found_out_by_one_call(
    path: Path, times: float, limit: float
) -> None:
    client = Told(costing(times * WORST_USD))
    found = bought(client, path, limit)
    most = int(limit / (times * WORST_USD))
    assert found.spent_usd <= limit
    assert client.calls == min(most, 60)
    if most < 60:
        assert found.stopped
        assert f"can cost {times * WORST_USD:.6f} ({WORST_USD:.6f} by the table of prices" in found.stopped


def test_one_call_is_all_that_a_wrong_table_can_cost_too_much(path: Path) -> None:
    client = Told(costing(100 * WORST_USD))
    found = bought(client, path, 50 * WORST_USD)
    assert client.calls == 1
    assert f"is exceeded by {50 * WORST_USD:.6f} and the next call" in str(found.stopped)


def test_a_price_of_nothing_is_believed_until_something_is_charged(path: Path) -> None:
    client = Told(costing(0.2))
    found = bought(client, path, 1.1, FREE)
    assert (client.calls, found.over_budget) == (5, True)
    assert found.spent_usd == pytest.approx(1.0)


def test_calls_under_way_together_raise_what_is_set_aside_once() -> None:
    budget = Budget(100.0)
    first = budget.reserve("m", 1.0)
    assert first is not None
    budget.settle(first, 1.0, answered=True)
    together = [budget.reserve("m", 1.0) for _ in range(8)]
    for one in together:
        assert one is not None
        budget.settle(one, 2.0, answered=True)
    assert budget.worst_usd("m", 1.0) == 2.0
    assert budget.worst_usd("other", 1.0) == 1.0


def test_a_model_whose_first_calls_bring_nothing_holds_up_nobody_for_long() -> None:
    budget = Budget(100.0)
    for _ in range(ALONE):
        held = budget.reserve("m", 1.0)
        assert held is not None
        assert budget.reserve("other" if _ == 0 else f"other-{_}", 1.0) is not None
        budget.settle(held, 1.0)
    assert budget.reserve("m", 1.0) is not None
    assert budget.reserve("m", 1.0) is not None


def test_a_budget_is_positive() -> None:
    with pytest.raises(ValueError, match="positive number of USD"):
        Budget(0.0)
