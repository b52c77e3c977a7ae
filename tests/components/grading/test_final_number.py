import pytest

from components.grading.final_number import final_number, only_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The answer to 2+2 is 4.", 4),
        ("Answer: 6 × 7 = 42", 42),
        ("Final answer: 2^10 = 1024", 1024),
        ("**Answer:** 42 apples, for 50 - 8 = 42 and 1 is left", 42),
        ("Answer:\n\n42\n\nHope this answer is helpful!", 42),
        ("The answer is 7, since 3 + 4 + 1 = 8 - 1", 7),
        ("The answer is, of course, 7", 7),
        ("Each answer sheet has 3 pages, so 12 pages in total.", 12),
        ("The total is 42 (rounded to 2 decimals).", 42),
        ("(all of 42)", 42),
        (r"\boxed{1{,}234}", 1234),
        (r"so \boxed{12\%} and not 3", 0.12),
        ("12 %", 0.12),
        ("12 percent", 0.12),
        ("2.5 × 10^3", 2500),
        (r"2.5 \times 10^{-3}", 0.0025),
        ("2.5·10³", 2500),
        ("10^6", 1e6),
        ("1 234 567", 1234567),
        ("1\u202f234", 1234),
        (r"1\,234", 1234),
        ("rows 5 100 200 3", 3),
        (r"\boxed{\frac{1}{2}}", 0.5),
        (r"-\dfrac{3}{4}", -0.75),
        (r"\frac12", 0.5),
        (r"3\frac{1}{2}", 3.5),
        ("1 1/2 cups", 1.5),
        ("x = −5", -5),
        ("x = - 5", -5),
        ("10-3", 3),
        ("pages 3-5", 5),
        ("an area of 50 m^2", 50),
        ("$-1,204.50$", -1204.5),
        ("none", None),
    ],
)
def test_numbers_are_read_as_they_are_written(text: str, value: float | None) -> None:
    found = final_number(text)
    assert (found and found.value) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "whole"), [("7", True), ("7.0", True), ("7.5", False), ("7e1", False), ("7%", False), ("7/1", False)]
)
def test_what_is_written_as_a_whole_number(text: str, whole: bool) -> None:
    found = final_number(text)
    assert found
    assert (found.whole is not None) is whole


@pytest.mark.parametrize("text", ["-5", "−5", "1,234", "$1,200.50", "3/4", r"\frac12", "12 %", "1e5"])
def test_numbers_alone(text: str) -> None:
    assert only_number(text)


@pytest.mark.parametrize("text", ["", "50 km", "10:30", "3 or 4", "1/2/2020", "x"])
def test_more_than_a_number(text: str) -> None:
    assert not only_number(text)


def test_a_long_answer_is_read_in_linear_time() -> None:
    # 400 KB: by a look back over the whole text for each number this would take a quarter of an hour
    assert final_number("7 " * 200_000) is not None
    assert final_number("1" * 5000 + "^9999") is not None


@pytest.mark.parametrize(
    "piece", [" ", "(ab", "= - ", "answer ", "7 / ", "1,", "123 ", r"\boxed{", r"\frac{1}", "-", "9^"]
)
def test_the_search_of_a_long_answer_ends(piece: str) -> None:
    assert final_number("5" + piece * 20_000) is not None
