import pytest

from components.drift.config import CHECKS, DriftConfig


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"level": 0.0}, "level must be in"),
        ({"level": 0.5}, "level must be in"),
        ({"unassigned_rise": 1.1}, "unassigned_rise must be in"),
        ({"energy": -0.1}, "energy must be in"),
        ({"quality_gap": float("nan")}, "quality_gap must be in"),
        ({"stability_index": -1.0}, "stability_index must be >= 0"),
        ({"novel_fold": 1.0}, "novel_fold > 1"),
        ({"novel_size": 1}, "novel_size must be >= 2"),
        ({"resamples": 0}, "resamples must be >= 1"),
        ({"permutations": 999}, "at least 1199 are needed"),
    ],
)
def test_impossible_thresholds_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        DriftConfig(**wrong)


def test_the_smallest_p_can_reach_the_corrected_level():
    config = DriftConfig()
    assert 1 / (config.permutations + 1) <= config.level / CHECKS
