from dataclasses import replace

from components.asking.question import Answer, Question
from components.grading.judge_calls import question_of, word_of, wrong_where
from components.grading.rubric import POINTWISE_SCHEMA, read_grade

THOUGHT = Answer(text="Score: 8/10 at first sight, but", cost_usd=0.0, latency_ms=1.0, finish="length")


def test_what_reads_like_a_grade_in_a_thought_that_was_cut_is_none() -> None:
    assert word_of(THOUGHT, read_grade) is None
    assert word_of(replace(THOUGHT, finish="stop"), read_grade) == 0.8


def test_a_call_is_filed_as_the_first_version_filed_it_at_any_length() -> None:
    messages = (("user", "grade this"),)
    first = Question(model="m", messages=messages, max_output_tokens=300, schema=POINTWISE_SCHEMA)
    assert {question_of("m", length, messages, POINTWISE_SCHEMA).key for length in (300, 2000)} == {first.key}
    assert question_of("m", 2000, messages, POINTWISE_SCHEMA).max_output_tokens == 2000


def test_why_an_answer_is_of_no_use() -> None:
    wrong, question = wrong_where(read_grade), question_of("m", 2000, (), POINTWISE_SCHEMA)
    assert wrong(question, THOUGHT) == "cut at 2000 tokens: raise --max-output-tokens"
    assert wrong(question, replace(THOUGHT, text="Hm.", finish="stop")) == "no grade in it"
    assert wrong(question, replace(THOUGHT, finish="stop")) is None
