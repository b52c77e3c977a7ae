import re

import pytest

from components.evaluation.rewording import REWORDINGS, reworded

PROMPTS = [
    "Compare the enthalpy of these reactions. Which of them is exothermic? Answer with a letter.",
    "ünïcode prompts, numbers like 3.14 and code: print('a.b')",
    "",
]


@pytest.mark.parametrize("name", REWORDINGS)
def test_the_same_seed_gives_the_same_words_and_no_prompt_is_lost(name):
    once, again = reworded(PROMPTS, name, 3), reworded(PROMPTS, name, 3)
    assert once == again
    assert len(once) == len(PROMPTS)


@pytest.mark.parametrize("name", ["polite", "spaced", "careless"])
def test_what_is_asked_is_still_there(name):
    for prompt, other in zip(PROMPTS, reworded(PROMPTS, name, 0), strict=True):
        assert re.sub(r"\s", "", prompt).lower() in re.sub(r"\s", "", other).lower()


def test_typing_errors_change_places_inside_a_few_words():
    text = " ".join(["reaction"] * 3000)
    words = reworded([text], "hasty", 0)[0].split()
    wrong = [word for word in words if word != "reaction"]
    # one word of fifteen, within four standard errors of a binomial draw; a swap of two equal letters can't happen here
    assert abs(len(wrong) - 200) < 4 * (3000 * 14 / 15 / 15) ** 0.5
    assert all(sorted(word) == sorted("reaction") and word[0] + word[-1] == "rn" for word in wrong)


def test_an_unknown_rewording_is_refused():
    with pytest.raises(KeyError):
        reworded(PROMPTS, "louder", 0)
