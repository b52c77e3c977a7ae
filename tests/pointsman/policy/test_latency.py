"""`latency<=MS` on any policy: over HTTP, in Python and in files alike, read back from the bundle."""

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient

from components.release.writing import write_bundle
from pointsman.bundle.reading import read_bundle
from pointsman.errors import BundleError
from pointsman.files import route_file
from pointsman.model.latency import LatencyHead
from pointsman.policy.eligibility import ANY, constrained
from pointsman.router import Router
from pointsman.serving.app import ServingConfig, create_app
from tests.fixtures.tiny_router import REPORT

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
NAN = float("nan")


def head(large=6.907755278982137):
    """The small candidate takes 100 ms, 200 at most, the large one ten times as long; twice each for long prompts."""
    return LatencyHead(
        centre_SM=np.tile([np.log(100), large], (3, 1)),
        input_M=np.zeros(2),
        half_M=np.zeros(2),
        most_M=np.full(2, np.log(2)),
    )


def write(parts, folder, latency):
    named = (parts.provenance, REPORT, parts.golden, None, latency)
    return folder / write_bundle(folder, parts.model, parts.feature_map, parts.encoder_folder, *named)


@pytest.fixture(scope="module")
def timed(parts, tmp_path_factory):
    return write(parts, tmp_path_factory.mktemp("timed"), head())


def test_the_head_comes_back_with_the_bundle(timed, bundle):
    found = read_bundle(timed).latency
    task_N, read_N = np.array([0, -1], dtype=np.int32), np.array([3, 9])
    np.testing.assert_allclose(found.median_ms(task_N, read_N), [[100, 1000]] * 2)
    np.testing.assert_allclose(found.most_ms(task_N, read_N), [[200, 2000]] * 2)
    assert read_bundle(bundle).latency is None


def test_a_head_that_does_not_fit_is_refused(parts, tmp_path):
    other = LatencyHead(centre_SM=np.zeros((9, 2)), input_M=np.zeros(2), half_M=np.zeros(2), most_M=np.zeros(2))
    with pytest.raises(BundleError, match="latency of"):
        read_bundle(write(parts, tmp_path, other))
    with pytest.raises(ValueError, match="infinite"):
        head(large=np.inf)


def test_who_is_too_slow_is_not_chosen_anywhere(timed, prompts, tmp_path):
    router, http = Router.load(timed), TestClient(create_app(timed, ServingConfig(reload_seconds=0)))
    free = router.route(prompts, "best").candidate
    assert "large" in free

    def asked(policy, **more):
        return http.post("/v1/route", json={"prompts": prompts, "policy": policy, "explain": True, **more})

    for policy, expected in (("best,latency<=1999", ["small"] * len(prompts)), ("best,latency<=2001", free)):
        assert router.route(prompts, policy).candidate == expected
        decisions = asked(policy).json()["decisions"]
        assert [d["candidate"] for d in decisions] == expected
        assert decisions[0]["explanation"]["latency_ms"]["large"] == pytest.approx([1000, 2000])
        pl.DataFrame({"prompt": prompts}).write_csv(tmp_path / "in.csv")
        route_file(timed, tmp_path / "in.csv", tmp_path / "out.parquet", policy)
        assert pl.read_parquet(tmp_path / "out.parquet")["candidate"].to_list() == expected
    assert asked("best,latency<=1999").json()["decisions"][0]["explanation"]["removed"] == {"latency": ["large"]}
    refused = asked("best,latency<=10")
    assert refused.status_code == 422
    assert "slower than 10 ms in more than one call of twenty: small, large" in refused.text


def test_whose_latency_is_unknown_is_limited_by_nothing(parts, bundle, prompts, tmp_path):
    unknown = Router.load(write(parts, tmp_path, head(large=NAN)))
    assert set(unknown.route(prompts, "best,latency<=50").candidate) == {"large"}
    free = Router.load(bundle)
    assert free.route(prompts, "best,latency<=1").candidate == free.route(prompts, "best").candidate


@pytest.mark.parametrize("wrong", ["best,latency<=0", "best,latency<=fast", "best,latency>=5", "best,cost<=1", "best,"])
def test_other_constraints_are_refused(wrong):
    with pytest.raises(ValueError, match="latency<=MS"):
        constrained(wrong, ANY)
