import pytest
import torch

from components.baselines.matrix_factorisation import FactorConfig, Factors


def test_factors_have_the_rank_asked_for():
    module, x_NF = Factors(6, 7, 2), torch.randn(50, 6, dtype=torch.float32)
    logits_NM = (module(x_NF) - module.candidate.bias).detach()
    assert torch.linalg.matrix_rank(logits_NM, rtol=1e-4) <= 2


@pytest.mark.parametrize("values", [{"rank": 0}])
def test_bad_configs_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        FactorConfig(**values)
