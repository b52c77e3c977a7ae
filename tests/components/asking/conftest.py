from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from components.asking.client import Client, Endpoint
from components.asking.question import Price, Question
from components.sources.planted.world import PlantedConfig, World, generate
from components.sources.planted_gateway import GatewayConfig, PlantedGateway, serving

PRICE = Price(input_usd_per_mtok=1.0, output_usd_per_mtok=5.0)


@pytest.fixture(scope="session")
def world() -> World:
    return generate(PlantedConfig(prompts=60, seed=3))


@pytest.fixture
def open_gateway(world: World) -> Iterator[Callable[..., tuple[PlantedGateway, Client]]]:
    with ExitStack() as stack:

        def opened(
            patience_s: float = 0.3, attempts: int = 5, key: str = "", asks_for: str = "", **config: Any
        ) -> tuple[PlantedGateway, Client]:
            gateway = PlantedGateway(world, GatewayConfig(key=asks_for, **config))
            url = stack.enter_context(serving(gateway))
            client = Client(
                Endpoint(url=url, backoff_s=0.001, patience_s=patience_s, attempts=attempts, parallel=4, api_key=key)
            )
            stack.callback(client.close)
            return gateway, client

        yield opened


@pytest.fixture
def questions(world: World) -> list[Question]:
    prompts = world.tables.prompts["prompt"].to_list()[:20]
    return [
        Question(model=model, messages=(("user", prompt),), max_output_tokens=300)
        for prompt in prompts
        for model in ("fennel-3b", "aster-mini-2")
    ]


@pytest.fixture
def prices() -> dict[str, Price]:
    return {"fennel-3b": PRICE, "aster-mini-2": PRICE, "nobody": PRICE}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"
