import pytest

from components.evaluation.latency import milliseconds_per_prompt, rounded_up


def test_the_quickest_round_of_each_prompt_counts():
    # seconds that each call takes: two prompts, three rounds
    takes, now = iter([0.5, 0.020, 0.010, 0.9, 0.030, 0.040]), [0.0]

    def route(prompts):
        assert len(prompts) == 1
        now[0] += next(takes)

    assert milliseconds_per_prompt(route, ["a", "b"], rounds=3, clock=lambda: now[0]) == pytest.approx((10 + 20) / 2)


def test_nothing_to_time_is_an_error():
    with pytest.raises(ValueError, match="needs prompts and rounds"):
        milliseconds_per_prompt(lambda _: None, [])


def test_the_figure_is_never_below_what_was_measured():
    for milliseconds in (0.1, 49.999, 50.001, 199.0, 260.0):
        assert milliseconds <= rounded_up(milliseconds, 250.0) < milliseconds + 50
