"""What a report says of judges and of what corrects them."""

from components.grading.believed import Agreement
from components.reports.grading import grading_section, grading_text

JUDGE = Agreement(grader="judge:m", judged=3000, corrected=300, bias=0.0512, correlation=0.62, used=True)
UNCHECKED = Agreement(
    grader="judge:m", judged=900, corrected=0, bias=float("nan"), correlation=float("nan"), used=False
)


def _text(*arguments: object) -> str:
    return grading_text({"grading": grading_section(*arguments)})  # type: ignore[arg-type]


def test_a_corrected_judge_and_what_would_make_it_surer() -> None:
    told = _text([JUDGE], 300, "person", 900)
    assert told.startswith("judge:m graded 3,000 answers, on 300 of which it is off by +0.051 on average")
    assert "correlation of 0.62" in told
    assert "corrected by 300 grades by people" in told
    assert told.endswith("About 900 more would halve the interval of the gain.")
    assert "takes more prompts" in _text([JUDGE], 300, "reference", None)


def test_an_unchecked_judge_is_said_to_be_one() -> None:
    assert "nobody has checked it" in _text([UNCHECKED], 0, None, None)
    assert "Too few better grades" in _text([JUDGE], 0, None, None)


def test_without_a_judge_nothing_is_said() -> None:
    assert grading_section([], 0, None, None) is None
    assert _text([], 0, None, None) == grading_text({}) == ""
