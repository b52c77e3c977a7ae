import pytest
import torch

from components.baselines.ipr import IprConfig, QualityEstimator, squared_error


def test_the_sum_of_two_maps_is_one_map_of_the_join():
    module, x_NF = QualityEstimator(3, 4, IprConfig(identity=2, hidden=5, dropout=0.0)), torch.randn(6, 3)
    weight_HJ = torch.cat([module.prompt.weight, module.candidate.weight], dim=1)
    first, last = module.estimate[2], module.estimate[4]
    logits_NM = module(x_NF)
    for row in range(6):
        for candidate in range(4):
            join_J = torch.cat([x_NF[row], module.identity_MI[candidate]])
            hidden_H = torch.relu(weight_HJ @ join_J + module.prompt.bias)
            logit = last(torch.relu(first(hidden_H)))[0]
            torch.testing.assert_close(logits_NM[row, candidate], logit)


def test_the_loss_is_the_mean_over_observed_cells():
    module = torch.nn.Linear(2, 3)
    x_NF, quality_NM = torch.randn(4, 2), torch.rand(4, 3)
    quality_NM[0, 1] = quality_NM[2] = torch.nan
    predicted_NM = torch.sigmoid(module(x_NF))
    errors = [
        (predicted_NM[n, m] - quality_NM[n, m]) ** 2 for n in range(4) for m in range(3) if quality_NM[n, m].isfinite()
    ]
    loss = squared_error(module, (x_NF, quality_NM))
    torch.testing.assert_close(loss, torch.stack(errors).mean())
    loss.backward()
    assert module.weight.grad.isfinite().all()


@pytest.mark.parametrize("values", [{"identity": 0}, {"hidden": 0}, {"dropout": 1.0}])
def test_bad_configs_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        IprConfig(**values)
