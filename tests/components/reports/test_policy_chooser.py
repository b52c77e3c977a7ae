"""The slider goes by cost, starts at the operating policy, and runs no script but ours."""

import base64
import hashlib
import re

import pytest

from components.reports.page import page
from components.reports.policy_chooser import policy_chooser

EVIL = "</div></script><script>alert(1)</script>"
POINT = {
    "quality": [0.7, 0.6, 0.8],
    "gain": [0.0, -0.1, 0.1],
    "cost_ratio": [0.5, 0.4, 0.6],
    "shares": {"a": 0.1, EVIL: 0.9},
}
CURVE = [
    {**POINT, "policy": "tradeoff=0.2", "cost_usd_per_1000": 0.5},
    {**POINT, "policy": "best", "cost_usd_per_1000": 2.0},
    {**POINT, "policy": EVIL, "cost_usd_per_1000": 0.1},
    {**POINT, "policy": "quality=0.9", "cost_usd_per_1000": None},
]
OPERATING = {"best_single": {"name": EVIL, "cost_usd_per_1000": 1.0}}
SCORE = {"quality": [0.5, 0.4, 0.6], "regret": 0.1, "cost_usd_per_1000": None, "per_benchmark": {}}


def test_it_goes_by_cost_and_starts_at_the_operating_policy():
    shown = policy_chooser({"whatif": CURVE, "operating": OPERATING})
    assert [one["policy"] for one in shown["points"]] == [EVIL, "tradeoff=0.2", "best"]
    assert shown["declared"] == 1
    # on the same prompts: half the best single candidate's cost
    assert shown["points"][1]["single_usd"] == pytest.approx(1.0)
    assert shown["points"][0]["traffic"] == f"{EVIL} 90 %, a 10 %"
    assert policy_chooser({"whatif": CURVE[:1], "operating": OPERATING}) is None
    assert policy_chooser({"whatif": CURVE}) is None


def test_the_only_script_is_ours_and_the_page_allows_no_other():
    shown = page({"methods": {"router": SCORE}, "whatif": CURVE, "operating": OPERATING})
    (script,) = re.findall(r"<script>(.*?)</script>", shown, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in shown
    assert "alert" not in script
    assert "script-src" not in page({"methods": {"router": SCORE}})


def test_each_policy_has_its_ring_in_the_curve():
    shown = page({"methods": {"router": SCORE}, "whatif": CURVE, "operating": OPERATING})
    assert [place for place in range(4) if f'id="whatif-{place}"' in shown] == [0, 1, 2]
