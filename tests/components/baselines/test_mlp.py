import pytest

from components.baselines.mlp import MlpConfig


@pytest.mark.parametrize("values", [{"hidden": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_bad_configs_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        MlpConfig(**values)
