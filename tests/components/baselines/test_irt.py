import pytest
import torch

from components.baselines.irt import IrtConfig, ItemResponse


def test_item_response_is_its_formula():
    module, x_NF = ItemResponse(3, 2, 4), torch.randn(5, 3)
    a_NA = torch.log1p(torch.exp(x_NF @ module.discrimination.weight.T + module.discrimination.bias))
    d_N1 = x_NF @ module.difficulty.weight.T + module.difficulty.bias
    torch.testing.assert_close(module(x_NF), a_NA @ module.ability_MA.T - d_N1)


@pytest.mark.parametrize("values", [{"abilities": 0}])
def test_bad_configs_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        IrtConfig(**values)
