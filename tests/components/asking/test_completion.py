import json

import pytest

from components.asking.completion import read_answer, with_cost
from components.asking.question import Price, Question

QUESTION = Question(model="m", messages=(("user", "hello"),))
PRICE = Price(input_usd_per_mtok=1.0, output_usd_per_mtok=5.0)


def _body(**usage: object) -> bytes:
    choice = {"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 100, **usage}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


@pytest.mark.parametrize(
    ("header", "usage", "price", "usd"),
    [
        (None, {}, PRICE, 0.00051),
        ("0.25", {}, PRICE, 0.25),
        (None, {"cost": 0.125}, PRICE, 0.125),
        # gateways report 0 of models whose price they don't know
        ("0.0", {}, PRICE, 0.00051),
        (None, {"cost": 0}, PRICE, 0.00051),
        ("0.0", {}, Price(input_usd_per_mtok=0, output_usd_per_mtok=0), 0.0),
        ("-1", {}, PRICE, 0.00051),
        ("nan", {}, PRICE, 0.00051),
        ("much", {}, PRICE, 0.00051),
    ],
)
def test_cost_is_what_is_reported_else_tokens_times_price(
    header: str | None, usage: dict[str, object], price: Price, usd: float
) -> None:
    answer = read_answer(with_cost(_body(**usage), header), QUESTION, price, 1.0)
    assert answer.cost_usd == pytest.approx(usd)
