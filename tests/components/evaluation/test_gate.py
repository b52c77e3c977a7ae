"""The gate: each criterion passes and fails for its own reason."""

import numpy as np
import pytest

from components.evaluation.bootstrap import Interval
from components.evaluation.gate import GateConfig, judge

GOOD = np.tile([0.8, 0.9], 100)
CASE = {
    "challenger_quality_N": GOOD,
    "best_single_quality_N": GOOD - 0.1,
    "calibration_error": 0.05,
    "self_check": True,
}


def held_out(mean):
    return Interval(mean=mean, low=mean - 0.02, high=mean + 0.02)


def failed(**changes):
    verdict = judge(**{**CASE, **changes}, seed=0)
    names = [criterion.name for criterion in verdict.criteria if not criterion.passed]
    assert (verdict.verdict == "promoted") == (not names)
    return names


def test_a_better_router_is_promoted():
    assert (
        failed(
            champion_quality_N=GOOD, controls={"noise": GOOD - 0.1}, leave_one_out={"a": held_out(0.0)}, latency_ms=5
        )
        == []
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"champion_quality_N": GOOD + 0.05}, "champion"),
        ({"best_single_quality_N": GOOD}, "best single"),
        ({"best_single_quality_N": GOOD + 0.1}, "best single"),
        ({"calibration_error": 0.2}, "calibration"),
        ({"calibration_error": float("nan")}, "calibration"),
        ({"controls": {"noise": GOOD}}, "noise"),
        ({"leave_one_out": {"a": held_out(0.05), "worse": held_out(-0.2)}}, "worse"),
        ({"latency_ms": 1e6}, "milliseconds"),
        ({"self_check": False}, "self-check"),
    ],
)
def test_each_criterion_refuses_alone(changes, reason):
    (name,) = failed(**changes)
    assert reason in name


def test_parity_suffices_at_lower_cost_only():
    cheap, dear = np.full(200, 0.1), np.full(200, 0.2)
    same = {"best_single_quality_N": GOOD}
    assert failed(**same, challenger_cost_N=cheap, best_single_cost_N=dear) == []
    assert failed(**same, challenger_cost_N=dear, best_single_cost_N=cheap)
    assert failed(**same, challenger_cost_N=np.full(200, np.nan), best_single_cost_N=dear)


@pytest.mark.parametrize("name", ["champion_margin", "calibration_error", "latency_ms", "leave_one_out_floor"])
def test_thresholds_have_legal_ranges(name):
    with pytest.raises(ValueError, match=name):
        GateConfig(**{name: -2})


def test_every_benchmark_left_out_counts_the_same():
    gains = {"a": held_out(0.1), "b": held_out(-0.16), "c": held_out(-0.06)}
    (criterion,) = [c for c in judge(**CASE, leave_one_out=gains, seed=0).criteria if "leave one" in c.name]
    assert criterion.figure == pytest.approx(-0.04)
    assert criterion.passed
    assert "worst: b" in criterion.name


def test_the_verdict_does_not_change_with_the_machines_mood():
    verdicts = [judge(**CASE, latency_ms=ms, seed=0) for ms in (4.0, 9.0, 31.0)]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    (criterion,) = [c for c in verdicts[0].criteria if "milliseconds" in c.name]
    assert (criterion.figure, criterion.threshold, criterion.passed) == (50.0, 250.0, True)
