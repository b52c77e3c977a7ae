import pytest

from components.grading.final_letter import final_letter


@pytest.mark.parametrize(
    "answer",
    [
        "The correct answer is C) Paris.\n\n- Option A is wrong because it is in Spain.\n- Option D is wrong too.",
        "The answer is C. I hope this answer helps.",
        "The answer is a C.",
        "The correct answer is **C**.\n\nA is wrong since I said B.",
        "C is correct, because A and B are not.",
        "A is not correct. C must be right. D is better than A.",
        "C, because A is wrong.",
        "C - Paris",
        "c",
        "(c)",
        "c) Paris",
        "Answer: (c)",
        "Answer: The correct one is C",
        "### Answer\nC",
        "The answer is 'C'.",
        "Only statement A is correct, thus the answer is C",
        "If A is correct, so is B. The right choice would be C",
        "None of A or B is correct; C is.",
        "The answer is E = mc^2, so C",
        "Vitamin A is good. We choose (C).",
        "Among A, B, C and D, only C holds.",
        "**Answer: (C)**",
        "The answer is:\n\n**C. Paris**",
        "The answer is most likely C.",
        "The best choice is option **C**: Paris",
        "Option C is right. None of the others, A, B, D.",
        "I think it is C, though I am unsure. I would verify.",
        "I'd go with C. A good one.",
        "The answer is a city of France, which makes it C.",
        "<answer>C</answer>",
        r"\boxed{\text{C}}",
        r"The answer is $\boxed{\textbf{(C)}}$",
        "One might say the answer is A. But it isn't in France. Final answer: C",
        "If the rate is 2, the answer is A. It is 3.\n\n**Answer: C**",
    ],
)
def test_the_letter_settled_on(answer: str) -> None:
    assert final_letter(answer) == "C"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I don't know. A good question!",
        "A bird in the hand",
        "I, for one, can't tell",
        "The answer is a prime number",
        "The answer is I don't know",
        "Apples are fine",
    ],
)
def test_words_are_no_letters(answer: str) -> None:
    assert final_letter(answer) is None


@pytest.mark.parametrize(
    "answer", ["A", "The answer is A because B is wrong.", "I choose A.", "a.", "Answer: A, Paris"]
)
def test_a_counts_where_it_is_no_article(answer: str) -> None:
    assert final_letter(answer) == "A"


@pytest.mark.parametrize("piece", [" ", "\n", "*", ": ", "answer is ", "most likely", "(A ", "A. "])
def test_the_search_of_a_long_answer_ends(piece: str) -> None:
    assert final_letter("The answer is most likely" + piece * 20_000 + "x") in (None, "A")
