"""Who graded, how far that is to be believed, and what would make it surer: part of `operating` in a report."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.grading.believed import Agreement


def grading_section(
    agreement: Sequence[Agreement], corrected: int, corrected_by: str | None, more: int | None
) -> dict[str, Any] | None:
    """`operating.grading` of report.json; None: no judge graded.

    Args:
        agreement: how each judge compares with better grades.
        corrected: answers whose better grade corrects what choices are judged by.
        corrected_by: kind of the better grades; None: nothing was corrected.
        more: further corrections that would halve the interval of the gain; None: no number of them does.
    """
    if not agreement:
        return None
    judges = [
        {
            "grader": one.grader,
            "judged": one.judged,
            "compared": one.corrected,
            "bias": one.bias,
            "correlation": one.correlation,
        }
        for one in agreement
    ]
    return {"judges": judges, "corrected": corrected, "corrected_by": corrected_by, "more_to_halve": more}


def grading_text(operating: Mapping[str, Any]) -> str:
    """Who graded, in a sentence or two; '' where no judge did.

    >>> judge = {"grader": "judge:m", "judged": 900, "compared": 0, "bias": None, "correlation": None}
    >>> grading_text({"grading": {"judges": [judge], "corrected": 0, "corrected_by": None, "more_to_halve": None}})[:57]
    'judge:m graded 900 answers and nobody has checked it: its'
    """
    grading = operating.get("grading")
    if not grading:
        return ""
    told = "; ".join(_judge(one) for one in grading["judges"])
    if not grading["corrected"]:
        if any(one["compared"] for one in grading["judges"]):
            return f"{told}. Too few better grades to correct it by: ten of a candidate's answers do."
        return (
            f"{told} and nobody has checked it: its bias may be greater than what is claimed here. Better grades of a "
            "random part of the answers, ten of each candidate or more, correct it."
        )
    by = {"person": "by people", "reference": "by reference"}[grading["corrected_by"]]
    more = grading["more_to_halve"]
    sure = (
        "More of them wouldn't halve the interval of the gain: that takes more prompts."
        if more is None
        else f"About {more:,} more would halve the interval of the gain."
    )
    return f"{told}. Means and differences are corrected by {grading['corrected']:,} grades {by}. {sure}"


def _judge(one: Mapping[str, Any]) -> str:
    told = f"{one['grader']} graded {one['judged']:,} answers"
    if one["compared"] and one["bias"] is not None:
        told += f", on {one['compared']:,} of which it is off by {one['bias']:+.3f} on average"
        if one["correlation"] is not None:
            told += f" with a correlation of {one['correlation']:.2f}"
    return told
