"""Why a router decides: the parts add up to what it predicts, and every policy's choice is told."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from components.release.writing import write_bundle
from pointsman.bundle.evidence import no_evidence
from pointsman.bundle.manifest import Candidate
from pointsman.cli import main
from pointsman.explain import REASONS, explain, text_of
from pointsman.model.cost import CostSource
from pointsman.policy.policy import REASONS as ALL_REASONS
from pointsman.router import Router
from pointsman.text.encoder import Encoder


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
    # how Python reads bytes of a command line that are no UTF-8
    assert main(["explain", "--router", str(bundle), "--prompt", "caf\udce9"]) == 2
    assert "prompt 0 isn't valid Unicode" in capsys.readouterr().err


def explained(parts, folder, prompt, *, operating="best", evidence=None, cost=None, **candidates):
    """What is explained of a router with other facts about its candidates, and the names that may be chosen."""
    listed = tuple(Candidate(model=name, **candidates.get(name, {})) for name in ("small", "large"))
    provenance = replace(parts.provenance, candidates=listed, tasks=("sums", "songs"), operating_policy=operating)
    model = parts.model if cost is None else replace(parts.model, cost=replace(parts.model.cost, **cost))
    encoder = Encoder.load(parts.encoder_folder, threads=1)
    golden = Router(model, parts.feature_map, encoder, ["small", "large"], evidence=evidence).golden(["add 1 2"])
    whole = model, parts.feature_map, parts.encoder_folder, provenance, {}, golden
    found = explain(folder / write_bundle(folder, *whole, evidence=evidence), prompt)
    allowed = {one["candidate"] for one in found["candidates"] if one["may_be_chosen"]}
    assert {one["candidate"] for one in found["candidates"] if one["why_not"] is None} == allowed
    assert found["decision"]["candidate"] in allowed
    return found, allowed


def test_whoever_is_retired_is_said_to_be(parts, tmp_path):
    found, allowed = explained(parts, tmp_path, "add 1 2", small={"retired": True})
    assert allowed == {"large"}
    assert set(found["policies"].values()) == {"large"}
    assert "not chosen here: retired" in text_of(found)
    # the router's best single candidate is the small one, against whom nothing is measured any more
    assert found["best_single"] == "small"
    assert "margin over large" in text_of(found)


def test_whose_window_is_too_small_is_said_to_be(parts, tmp_path):
    long, allowed = explained(parts, tmp_path, "add 1 2 " * 40, small={"context_window": 40})
    assert allowed == {"large"}
    assert "not chosen here: the prompt exceeds its context window" in text_of(long)
    assert explained(parts, tmp_path, "add 1 2", small={"context_window": 40})[1] == {"small", "large"}


def test_where_nobody_has_outcomes_anybody_may_be_chosen(parts, tmp_path):
    nobody = replace(no_evidence(2, 2), count_TM=np.zeros((2, 2), np.int64), count_M=np.zeros(2, np.int64))
    found, allowed = explained(parts, tmp_path, "add 1 2", evidence=nobody)
    assert allowed == {"small", "large"}
    assert "not chosen" not in text_of(found)
    one = replace(nobody, count_TM=np.array([[3, 0], [3, 0]]), count_M=np.array([6, 0]))
    found, allowed = explained(parts, tmp_path, "add 1 2", evidence=one)
    assert allowed == {"small"}
    assert "not chosen here: no outcomes" in text_of(found)
    # the only one with outcomes is gone: the others may be chosen
    assert explained(parts, tmp_path, "add 1 2", evidence=one, small={"retired": True})[1] == {"large"}


def test_whose_cost_is_unknown_is_not_chosen_by_a_policy_of_cost(parts, tmp_path):
    unknown = {"source_M": np.array([int(CostSource.UNKNOWN), int(CostSource.MEAN_TOKENS)])}
    found, allowed = explained(parts, tmp_path, "add 1 2", operating="tradeoff=0.05", cost=unknown)
    assert allowed == {"large"}
    assert "not chosen here: its cost isn't known" in text_of(found)
    assert explained(parts, tmp_path, "add 1 2", cost=unknown)[1] == {"small", "large"}


def test_no_policy_of_cost_is_tried_where_only_the_retired_have_one(parts, tmp_path):
    unknown = {"source_M": np.array([int(CostSource.UNKNOWN), int(CostSource.MEAN_TOKENS)])}
    found, allowed = explained(parts, tmp_path, "add 1 2", cost=unknown, large={"retired": True})
    assert allowed == {"small"}
    assert found["policies"] == {"best": "small"}


def test_what_a_missing_cost_is(parts, tmp_path):
    # nothing here is nan in JSON
    found = explain(parts.write(tmp_path), "add 1 2")
    assert not any(isinstance(value, float) and np.isnan(value) for value in found["candidates"][0].values())
