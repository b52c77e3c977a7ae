"""Attack 2: a verdict is this installation's own, on this router as it is."""

from dataclasses import replace

import pytest

from components.release.verdicts import Judgement, VerdictError, record, require

ROUTER, OTHER = "a" * 64, "b" * 64
JUDGED = Judgement(router_id=ROUTER, verdict="promoted", champion=OTHER, test_digest="c" * 64, policy="parity")


def test_a_verdict_holds_while_nothing_changed(tmp_path):
    record(tmp_path / "verdicts", JUDGED)
    require(tmp_path / "verdicts", JUDGED, in_service=OTHER)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"champion": None}, "the router in service was bbbbbbbbbbbb and is none"),
        ({"test_digest": "d" * 64}, "the test was cccccccccccc and is dddddddddddd"),
        ({"policy": "tradeoff=0.1"}, "the operating policy was 'parity' and is 'tradeoff=0.1'"),
        ({"verdict": "refused"}, "the verdict was 'promoted' and is 'refused'"),
    ],
)
def test_a_verdict_is_void_when_what_it_is_bound_to_changed(tmp_path, change, told):
    record(tmp_path, JUDGED)
    with pytest.raises(VerdictError, match=f"is void, for {told}: run `pointsman retrain`"):
        require(tmp_path, replace(JUDGED, **change), in_service=change.get("champion", OTHER))


def test_what_is_in_service_already_needs_no_new_verdict(tmp_path):
    record(tmp_path, JUDGED)
    require(tmp_path, replace(JUDGED, champion=ROUTER), in_service=ROUTER)


def test_attack_2_a_router_that_was_not_judged_here_is_refused(tmp_path):
    with pytest.raises(VerdictError, match="wasn't judged by this installation"):
        require(tmp_path, JUDGED, in_service=OTHER)
    for name in ("../../../etc", "", "A" * 64):
        with pytest.raises(VerdictError, match="no router_id"):
            require(tmp_path, replace(JUDGED, router_id=name), in_service=OTHER)
    (tmp_path / f"{ROUTER}.json").write_text('{"router_id": 1}')
    with pytest.raises(VerdictError, match="missing"):
        require(tmp_path, JUDGED, in_service=OTHER)
