import pytest

from components.reports.next_steps import after_drift


def _report(overall=0.0, alarm=True, groups=(), **gaps):
    """A report on candidates with these gaps; p tells which of them are significant."""
    check = {"threshold": 0.05, "level": 0.001}
    candidates = [
        {"model": name, "gap": [gap, gap, gap], "p": 1e-5 if abs(gap) > 0.1 else 0.5, "outcomes": 200}
        for name, gap in sorted(gaps.items(), key=lambda item: -abs(item[1]))
    ]
    of_all = {**check, "name": "predicted less observed quality", "figure": overall, "alarm": abs(overall) > 0.1}
    alone = [
        {**check, "name": f"{of_all['name']} of {one['model']} (200 outcomes)", "figure": one["gap"][0], "alarm": alarm}
        for one in candidates[:1]
        if one["p"] <= check["level"]
    ]
    return {
        "verdict": "drift",
        "groups": list(groups),
        "checks": [of_all, *alone],
        "quality": {"candidates": candidates},
    }


def _advice(report):
    return [step.text for step in after_drift(report, "ab")[:-2]]


def test_a_model_that_got_worse_is_named_and_left_out():
    (text,) = _advice(_report(b=0.3, a=0.01))
    assert text.startswith("b answers worse than predicted: ask its provider")
    assert "exclude" in text


def test_a_model_that_got_better_is_used_rather_than_left_out():
    (text,) = _advice(_report(b=-0.297, a=0.01))
    assert text.startswith("b answers better than predicted: train again")
    assert "exclude" not in text
    assert "provider" not in text


def test_every_model_that_changed_has_its_own_advice():
    better, worse = _advice(_report(b=-0.4, a=0.3, c=0.02))
    assert better.startswith("b answers better")
    assert worse.startswith("a answers worse")


@pytest.mark.parametrize(("overall", "word"), [(0.2, "worse"), (-0.2, "better")])
def test_the_alarm_over_all_candidates_names_none(overall, word):
    (text,) = _advice(_report(overall, a=0.02, b=0.03))
    assert text.startswith(f"Answers of all candidates together are {word} than predicted")
    assert "exclude" not in text
    without_tested = _report(overall)
    assert _advice(without_tested) == [text]
    assert _advice({**without_tested, "quality": None}) == [text]


def test_where_all_candidates_fell_none_is_left_out():
    """A change of the grading or of the requests, rather than of every provider; a router needs somebody to ask."""
    for overall in (0.3, 0.0):
        (text,) = _advice(_report(overall, a=0.3, b=0.2, c=0.4))
        assert text.startswith("Answers of all candidates together are worse")
        assert "exclude" not in text


def test_one_that_fell_is_named_once_also_where_all_together_did():
    (text,) = _advice(_report(0.15, a=0.4, b=0.01))
    assert text.startswith("a answers worse")


def test_what_fell_by_less_than_matters_is_not_mentioned():
    report = _report(a=0.3)
    report["quality"]["candidates"].append({"model": "b", "gap": [0.04, 0.03, 0.05], "p": 1e-9, "outcomes": 9000})
    assert all("b answers" not in text for text in _advice(report))


def test_without_an_alarm_of_quality_nothing_is_said_of_it():
    assert _advice({**_report(), "quality": None}) == []
    assert _advice({**_report(a=0.02), "checks": [{"name": "task mix, stability index", "alarm": True}]}) == []
