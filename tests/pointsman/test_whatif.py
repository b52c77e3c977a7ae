"""What other policies would cost: the bundle's curve in USD a month."""

import json

import pytest

from components.release.writing import write_bundle
from pointsman.bundle.manifest import Provenance
from pointsman.cli import main
from pointsman.whatif import text_of, whatif

POINT = {"quality": [0.7, 0.6, 0.8], "gain": [0.01, -0.02, 0.03], "shares": {"small": 0.8, "large": 0.2}, "prompts": 90}
REPORT = {
    "operating": {"best_single": {"name": "large", "quality": 0.69, "cost_usd_per_1000": 2.0}},
    "whatif": [
        {**POINT, "policy": "tradeoff=0.2", "cost_usd_per_1000": 0.5, "cost_ratio": [0.25, 0.2, 0.3]},
        {**POINT, "policy": "best", "cost_usd_per_1000": 54.0, "cost_ratio": [27.0, 20.0, 34.0]},
        {**POINT, "policy": "tradeoff=0.01", "cost_usd_per_1000": 0.1, "cost_ratio": [0.05, 0.04, 0.06]},
    ],
}


@pytest.fixture
def curved(parts, tmp_path):
    provenance = Provenance(
        candidates=parts.provenance.candidates, tasks=("sums", "songs"), operating_policy="tradeoff=0.200"
    )
    router_id = write_bundle(
        tmp_path, parts.model, parts.feature_map, parts.encoder_folder, provenance, REPORT, parts.golden
    )
    return tmp_path / router_id


def test_policies_come_from_cheap_to_expensive_with_usd_a_month(curved):
    found = whatif(curved, requests=1_000_000)
    assert [point["policy"] for point in found["policies"]] == ["tradeoff=0.01", "tradeoff=0.2", "best"]
    assert [point["operating"] for point in found["policies"]] == [False, True, False]
    declared = found["policies"][1]
    assert declared["usd_a_month"] == pytest.approx(500)
    # a quarter of the cost: 2 USD per 1,000 less .5
    assert declared["saved_usd_a_month"] == pytest.approx(1500)
    assert found["best_single"]["name"] == "large"


def test_the_command_prints_it(curved, capsys):
    assert main(["whatif", "--router", str(curved), "--requests", "1000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == whatif(curved, 1000)
    assert main(["whatif", "--router", str(curved)]) == 0
    told = capsys.readouterr().out
    assert "tradeoff=0.2 (operating)" in told
    assert "-75 %" in told
    assert "-3,000 " in told
    # at 2 USD per 1,000, two million requests would cost 4,000
    assert "27 times as much" in told
    assert "+104,000 " in told
    # the larger share first, though a bundle's report is sorted by name
    assert "small 80 %, large 20 %" in told


def test_policies_that_do_the_same_are_one_line_that_of_the_operating_one(curved):
    found = whatif(curved)
    (declared,) = [point for point in found["policies"] if point["operating"]]
    found["policies"].insert(0, {**declared, "policy": "quality=0.4", "operating": False})
    told = text_of(found)
    assert "tradeoff=0.2 (operating)" in told
    assert "quality=0.4" not in told
    assert told.endswith("1 policies that choose as one of these does are left out; --json has them.")
    assert "left out" not in text_of(whatif(curved))


def written(parts, folder, curve, single_usd):
    """A router whose report holds this curve against a best single candidate of this cost, USD per 1000."""
    single = {"name": "large", "quality": 0.69, "cost_usd_per_1000": single_usd}
    report = {"operating": {"best_single": single}, "whatif": curve}
    provenance = Provenance(candidates=parts.provenance.candidates, tasks=("sums", "songs"), operating_policy="best")
    found = parts.model, parts.feature_map, parts.encoder_folder, provenance, report, parts.golden
    return folder / write_bundle(folder, *found)


def test_sending_all_to_a_free_candidate_saves_the_whole_bill(parts, tmp_path):
    free = {**POINT, "policy": "best", "cost_usd_per_1000": 0.0, "cost_ratio": [0.0, 0.0, 0.0]}
    found = whatif(written(parts, tmp_path, [free], 2.0), requests=1_000_000)
    assert found["policies"][0]["saved_usd_a_month"] == pytest.approx(2000)
    assert "-2,000 " in text_of(found)
    unknown = whatif(written(parts, tmp_path, [free], None))
    assert unknown["policies"][0]["saved_usd_a_month"] is None


def test_against_a_free_candidate_everything_paid_is_more(parts, tmp_path):
    paid = {**POINT, "policy": "best", "cost_usd_per_1000": 0.5, "cost_ratio": None}
    found = whatif(written(parts, tmp_path, [paid], 0.0), requests=1_000_000)
    assert found["policies"][0]["saved_usd_a_month"] == pytest.approx(-500)
    unknown = whatif(written(parts, tmp_path, [paid], 2.0))
    assert unknown["policies"][0]["saved_usd_a_month"] is None


def test_what_cannot_be_told_is_refused(curved, bundle):
    with pytest.raises(ValueError, match="requests"):
        whatif(curved, 0)
    with pytest.raises(ValueError, match="carries no curve"):
        whatif(bundle)
