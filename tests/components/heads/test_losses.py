import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from components.heads.losses import class_weights, masked_bce


def test_masked_bce_is_sklearns_log_loss_over_the_observed_cells() -> None:
    random = np.random.default_rng(0)
    logits_NM = random.normal(size=(30, 4))
    quality_NM = (random.uniform(size=(30, 4)) < 0.5).astype(float)
    quality_NM[random.uniform(size=(30, 4)) < 0.3] = np.nan
    seen_NM = ~np.isnan(quality_NM)
    expected = log_loss(quality_NM[seen_NM], 1 / (1 + np.exp(-logits_NM[seen_NM])))
    assert float(masked_bce(torch.tensor(logits_NM), torch.tensor(quality_NM))) == pytest.approx(expected)


def test_the_minimiser_is_the_graded_quality_itself() -> None:
    logits = torch.tensor([[np.log(0.3 / 0.7)]], requires_grad=True)
    masked_bce(logits, torch.tensor([[0.3]], dtype=torch.float64)).backward()
    assert logits.grad is not None
    assert abs(float(logits.grad)) < 1e-9


def test_missing_cells_have_no_gradient_and_none_observed_costs_nothing() -> None:
    logits = torch.zeros(2, 2, requires_grad=True)
    masked_bce(logits, torch.tensor([[1.0, float("nan")], [float("nan")] * 2])).backward()
    assert logits.grad is not None
    assert logits.grad.ne(0).tolist() == [[True, False], [False, False]]
    assert masked_bce(logits, torch.full((2, 2), float("nan"))).item() == 0


def test_class_weights_balance_tasks_and_average_one_over_prompts() -> None:
    task_N = torch.tensor([0] * 8 + [1] * 2)
    weight_T = class_weights(task_N, 2, 1.0)
    np.testing.assert_allclose((weight_T * torch.tensor([8.0, 2.0])).numpy(), [5, 5])
    np.testing.assert_allclose(class_weights(task_N, 2, 0.0).numpy(), [1, 1])
    for balance in (0.3, 1.0):
        assert float(class_weights(task_N, 3, balance)[task_N].mean()) == pytest.approx(1)
