"""The end of a canary, read from what the server wrote beside its decision log."""

import json

from components.release.canary import Tried, canary_of
from pointsman.serving.log_schema import EVENTS


def test_one_stop_of_a_router_is_the_end(tmp_path):
    assert canary_of(tmp_path, "a") is None
    events = [
        {"event": "canary stopped", "router_id": "a", "why": "more calls fail"},
        {"event": "canary succeeded", "router_id": "a", "why": "900 outcomes"},
        {"event": "canary succeeded", "router_id": "b", "why": "1000 outcomes"},
        {"event": "something else", "router_id": "c"},
        {"event": "canary succeeded", "why": "no router is named"},
    ]
    lines = [json.dumps(event) for event in events]
    (tmp_path / EVENTS).write_text("\n".join([*lines, "[]", '{"event": "canary stop']))
    assert canary_of(tmp_path, "a") == Tried(stopped=True, words="more calls fail")
    assert canary_of(tmp_path, "b") == Tried(stopped=False, words="1000 outcomes")
    assert canary_of(tmp_path, "c") is None
    other = {"event": "canary stopped", "router_id": "b", "why": "calls cost more"}
    (tmp_path / "events-another-machine.jsonl").write_text(json.dumps(other))
    assert canary_of(tmp_path, "b") == Tried(stopped=True, words="calls cost more")
