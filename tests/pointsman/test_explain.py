"""Why a router decides: the parts add up to what it predicts, and every policy's choice is told."""

import json
import re

import numpy as np
import pytest

from pointsman.cli import main
from pointsman.explain import REASONS, explain, text_of
from pointsman.policy.policy import REASONS as ALL_REASONS
from pointsman.router import Router


def test_the_parts_are_those_of_the_decision(bundle, prompts):
    router = Router.load(bundle, threads=1)
    routing = router.route(prompts)
    for row, prompt in enumerate(prompts):
        found = explain(bundle, prompt)
        assert found["decision"]["candidate"] == routing.candidate[row]
        assert found["decision"]["reason"] == routing.reason_N[row]
        assert found["decision"]["margin"] == pytest.approx(routing.margin_N[row])
        for m, one in enumerate(found["candidates"]):
            assert one["quality"] == pytest.approx(routing.quality_NM[row, m], abs=2e-6)
            weight = one["weight_of_heads"]
            mixed = weight * one["by_heads"] + (1 - weight) * one["by_table"]
            assert one["before_calibration"] == pytest.approx(mixed)
            assert one["cost_usd"] == pytest.approx(routing.cost_usd_NM[row, m])
        assert set(found["policies"].values()) <= set(router.candidates)
        for policy, name in found["policies"].items():
            assert router.route([prompt], policy).candidate == [name]
        nearest = found["novelty"]["nearest_groups"]
        assert nearest[0]["similarity"] == pytest.approx(found["novelty"]["similarity"], abs=1e-6)
        assert [one["similarity"] for one in nearest] == sorted((one["similarity"] for one in nearest), reverse=True)
        assert sum(one["probability"] for one in found["likeliest_tasks"]) == pytest.approx(1)


def test_every_reason_has_a_meaning():
    assert set(REASONS) == set(ALL_REASONS.tolist())


def test_the_command_prints_it(bundle, capsys):
    assert main(["explain", "--router", str(bundle), "--prompt", "sing a poem", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["router_id"] == bundle.name
    assert main(["explain", "--router", str(bundle), "--prompt", "sing a poem"]) == 0
    told = capsys.readouterr().out
    assert told == text_of(explain(bundle, "sing a poem")) + "\n"
    assert "would choose" in told
    # few enough digits to be typed
    assert re.search(r"^budget=\d[\d.e-]{1,8} would choose", told, re.MULTILINE)
    assert "songs" in told or "sums" in told


def test_an_empty_prompt_is_refused(bundle, capsys):
    assert main(["explain", "--router", str(bundle), "--prompt", " "]) == 2
    assert "the prompt is empty" in capsys.readouterr().err


def test_what_a_missing_cost_is(parts, tmp_path):
    # nothing here is nan in JSON
    found = explain(parts.write(tmp_path), "add 1 2")
    assert not any(isinstance(value, float) and np.isnan(value) for value in found["candidates"][0].values())
