import numpy as np
import polars as pl
import pytest

from components.grading.believed import believe, fill_quality
from components.grading.kinds import add_grades, grade_frame, no_grades
from components.tables.store import Tables


def _grades(rows: list[tuple[str, str, float]], grader: str, kind: str) -> pl.DataFrame:
    return grade_frame(pl.DataFrame(rows, schema=["prompt_id", "model", "grade"], orient="row"), grader, kind)  # type: ignore[arg-type]


def _tables(outcomes: pl.DataFrame) -> Tables:
    return Tables(
        prompts=pl.DataFrame({"prompt_id": list("pqrs")}),
        candidates=pl.DataFrame({"model": ["a", "b"]}),
        outcomes=outcomes,
    )


def test_the_most_trusted_kind_is_believed() -> None:
    grades = pl.concat(
        [
            _grades([("p", "a", 0.2), ("p", "b", 0.4)], "thumbs", "feedback"),
            _grades([("p", "a", 0.9)], "judge:x", "judge"),
            _grades([("p", "a", 0.5)], "judge:y", "judge"),
            _grades([("p", "b", 0.0)], "anna", "person"),
        ]
    )
    quality = believe(grades).quality.sort("model")
    assert quality["quality"].to_list() == pytest.approx([0.7, 0.0])
    assert quality["graded_by"].to_list() == ["judge:x, judge:y", "anna"]


def test_a_judge_is_corrected_by_people_on_a_part_of_its_answers() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((400, 2)) * 0.8
    judge = np.clip(truth + np.array([0.2, 0.0]), 0, 1)
    cells = [(str(n), f"m{m}") for n in range(400) for m in range(2)]
    judged = _grades([(*cell, g) for cell, g in zip(cells, judge.ravel().tolist(), strict=True)], "judge:x", "judge")
    people = _grades([(*cells[k], float(truth.ravel()[k])) for k in range(200)], "anna", "person")
    found = believe(pl.concat([judged, people]))
    mean = found.quality.group_by("model").agg(pl.col("quality").mean()).sort("model")["quality"].to_numpy()
    assert np.abs(mean - truth.mean(axis=0)).max() < 0.02
    (told,) = found.agreement
    assert (told.judged, told.corrected, told.used) == (800, 200, True)
    assert told.bias == pytest.approx(0.1, abs=0.02)
    assert set(found.quality["graded_by"]) == {"anna", "judge:x, corrected"}


def test_logged_quality_stays_and_derived_quality_is_renewed() -> None:
    outcomes = pl.DataFrame(
        {
            "prompt_id": ["p", "q", "r", "s"],
            "model": ["a"] * 4,
            "quality": [0.3, None, 0.8, 0.1],
            "graded_by": ["vendor", None, "judge:x, corrected", None],
        }
    )
    grades = _grades([(name, "a", 1.0) for name in "pqrs"], "judge:x", "judge")
    filled = fill_quality(_tables(outcomes), believe(grades).quality, grades)
    assert filled["quality"].to_list() == [0.3, 1.0, 1.0, 0.1]
    assert filled["graded_by"].to_list() == ["vendor", "judge:x", "judge:x", None]


def test_only_answers_to_known_prompts_by_known_candidates_become_outcomes() -> None:
    outcomes = pl.DataFrame({"prompt_id": ["p"], "model": ["a"], "quality": [0.3], "graded_by": ["vendor"]})
    cells = [("q", "b"), ("old", "a"), ("q", "typo"), ("p", "a")]
    grades = _grades([(*cell, 1.0) for cell in cells], "thumbs", "feedback")
    filled = fill_quality(_tables(outcomes), believe(grades).quality, grades)
    assert filled.rows() == [("p", "a", 0.3, "vendor"), ("q", "b", 1.0, "thumbs")]


def test_a_later_word_takes_the_place_of_the_earlier() -> None:
    first, second = (_grades([("p", "a", grade)], "judge:x", "judge") for grade in (0.1, 0.9))
    assert add_grades(add_grades(no_grades(), first), second)["grade"].to_list() == [0.9]


def test_a_grade_out_of_range_is_named() -> None:
    with pytest.raises(ValueError, match=r"grade of a on p must be in \[0, 1\], is 7.0"):
        _grades([("p", "a", 7.0)], "anna", "person")
