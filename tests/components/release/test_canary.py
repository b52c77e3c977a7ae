"""The end of a canary, read from what the server wrote beside its decision log."""

import json

from components.release.canary import EVENTS, Tried, canary_of


def test_the_last_end_of_a_router_counts(tmp_path):
    assert canary_of(tmp_path, "a") is None
    events = [
        {"event": "canary stopped", "router_id": "a", "why": "more calls fail"},
        {"event": "canary succeeded", "router_id": "a", "why": "1000 outcomes"},
        {"event": "canary stopped", "router_id": "b", "why": "calls cost more"},
        {"event": "something else", "router_id": "c"},
        {"event": "canary succeeded", "why": "no router is named"},
    ]
    lines = [json.dumps(event) for event in events]
    (tmp_path / EVENTS).write_text("\n".join([*lines, "[]", '{"event": "canary stop']))
    assert canary_of(tmp_path, "a") == Tried(stopped=False, words="1000 outcomes")
    assert canary_of(tmp_path, "b") == Tried(stopped=True, words="calls cost more")
    assert canary_of(tmp_path, "c") is None
