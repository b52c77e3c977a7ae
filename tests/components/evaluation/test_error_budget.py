import pytest

from components.evaluation.error_budget import look_level


def test_any_number_of_looks_spends_less_than_the_year_allows() -> None:
    spent = 0.0
    for look in range(1, 500):
        spent += look_level(look, 0.05)
        # the sum of 1 / (k (k + 1)) telescopes
        assert spent == pytest.approx(0.05 * look / (look + 1))
        assert spent < 0.05


@pytest.mark.parametrize(("look", "error", "told"), [(0, 0.05, "from 1"), (1, 0.0, "yearly_error"), (1, 1.0, "in")])
def test_what_cannot_be_is_refused(look: int, error: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        look_level(look, error)
