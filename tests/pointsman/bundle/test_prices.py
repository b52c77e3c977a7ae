"""Other prices without another training: costs follow them exactly, and a server takes them up by itself."""

import json
import os
from dataclasses import dataclass

import numpy as np
import pytest
from fastapi.testclient import TestClient

from pointsman.bundle.manifest import Candidate
from pointsman.bundle.prices import Price, read_prices, repriced
from pointsman.router import Router
from pointsman.serving.app import ServingConfig, create_app


@dataclass(frozen=True)
class SimpleCosts:
    """The part of a cost head that prices change."""

    input_usd_per_mtok_M: np.ndarray
    output_usd_per_mtok_M: np.ndarray


pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def write(path, **entries):
    path.write_text(json.dumps(entries))
    return path


def test_costs_follow_the_prices_and_nothing_else_does(bundle, prompts, tmp_path):
    before = Router.load(bundle).route(prompts, policy="tradeoff=0.01")
    # the fixture's prices are .1 and .4, 1 and 4
    doubled = write(tmp_path / "p.json", large={"input_cost_per_token": 2e-6, "output_cost_per_token": 8e-6}, other={})
    router = Router.load(bundle, prices=doubled)
    after = router.route(prompts, policy="tradeoff=0.01")
    np.testing.assert_allclose(after.cost_usd_NM, before.cost_usd_NM * [1, 2])
    np.testing.assert_array_equal(after.quality_NM, before.quality_NM)
    assert (router.prices["large"].input_usd_per_mtok, router.prices["large"].output_usd_per_mtok) == (2, 8)
    free = write(tmp_path / "free.json", large={"input_usd_per_mtok": 0, "output_usd_per_mtok": 0})
    best = Router.load(bundle).route(prompts, policy="best")
    freed = Router.load(bundle, prices=free).route(prompts, policy="tradeoff=0.000001")
    assert set(np.flatnonzero(best.choice_N == 1)) <= set(np.flatnonzero(freed.choice_N == 1))


def test_what_calls_were_charged_against_their_prices_outlasts_other_prices():
    listed = [
        Candidate(model="halved", input_usd_per_mtok=1.0, output_usd_per_mtok=4.0),
        Candidate(model="as listed", input_usd_per_mtok=0.1, output_usd_per_mtok=0.4),
        Candidate(model="unlisted"),
        Candidate(model="free", input_usd_per_mtok=0.0, output_usd_per_mtok=0.0),
    ]
    head = SimpleCosts(
        input_usd_per_mtok_M=np.array([0.5, 0.1, np.nan, 0.0]), output_usd_per_mtok_M=np.array([2.0, 0.4, np.nan, 0.0])
    )
    prices = {one.model: Price(input_usd_per_mtok=2.0, output_usd_per_mtok=6.0) for one in listed}
    found = repriced(head, listed, prices)
    assert found.input_usd_per_mtok_M.tolist() == [1.0, 2.0, 2.0, 2.0]
    assert found.output_usd_per_mtok_M.tolist() == [3.0, 6.0, 6.0, 6.0]
    same = repriced(head, listed, {})
    np.testing.assert_array_equal(same.output_usd_per_mtok_M, head.output_usd_per_mtok_M)


def test_a_server_takes_up_new_prices_and_keeps_working_with_bad_ones(bundle, tmp_path):
    path = write(tmp_path / "p.json", large={"input_usd_per_mtok": 2, "output_usd_per_mtok": 8})
    http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0, prices=path)))

    def cost():
        scores = http.post("/v1/route", json={"prompt": "add 1 2"}).json()["decisions"][0]["scores"]
        return next(s["cost"] for s in scores if s["candidate"] == "large")

    first = cost()
    write(path, large={"input_usd_per_mtok": 20.0, "output_usd_per_mtok": 80.0})
    assert cost() == pytest.approx(10 * first)
    described = http.get("/v1/router").json()
    assert described["prices"]["large"] == {"input_usd_per_mtok": 20, "output_usd_per_mtok": 80}
    path.write_text("{")
    os.utime(path, (1, 1))
    assert cost() == pytest.approx(10 * first)
    assert http.get("/v1/router").json()["failed_reloads"] > 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "isn't JSON"),
        ("[]", "must be an object"),
        ('{"large": {"input_usd_per_mtok": 1}}', "large: input_usd_per_mtok and output_usd_per_mtok must be numbers"),
        ('{"large": {"input_usd_per_mtok": -1, "output_usd_per_mtok": 1}}', "numbers >= 0, got -1"),
        (None, "No such file"),
    ],
)
def test_bad_prices_are_told_in_one_line(tmp_path, content, message):
    path = tmp_path / "p.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=message):
        read_prices(path, ["large"])
