"""The page of a router that was changed without a retrain."""

from components.reports.changed import changed_screen, sentence
from components.reports.page import page

ADDED = {
    **{"added": "<b>new</b>", "from": "a" * 64, "verdict": "promoted", "gain": [0.02, 0.01, 0.03], "share": 0.25},
    **{"probes": 200, "quality": 0.81234, "graded_by": "judge:m"},
}


def test_what_was_added_and_what_it_is_worth() -> None:
    told = sentence(ADDED)
    assert told.startswith("<b>new</b> was added to the router aaaaaaaaaaaa: quality +2.0 [+1.0, +3.0] points")
    assert "25 % of traffic" in told
    assert "200 probes" in told
    assert "0.812, graded by judge:m" in told
    assert "was not added" in sentence({**ADDED, "verdict": "refused"})


def test_the_old_evaluation_is_no_headline_of_the_changed_router() -> None:
    methods = {"router": {"quality": [0.7, 0.6, 0.8], "regret": 0.1, "cost_usd_per_1000": None, "aiq": None}}
    shown = page(
        {"methods": methods, "change": ADDED, "operating": {}, "gate": {"verdict": "promoted", "criteria": []}}
    )
    assert "&lt;b&gt;new&lt;/b&gt; was added" in shown
    assert "is the evaluation of the router aaaaaaaaaaaa" in shown
    assert "<b>new</b>" not in shown


def test_without_a_change_there_is_nothing_to_say() -> None:
    assert changed_screen({"methods": {}}) is None
