from math import exp, log

import numpy as np
import pytest
import torch

from components.baselines.router_dc import ContrastConfig, Sphere, fit, sample_candidate, sample_sample


def test_the_candidate_loss_is_its_formula():
    torch.manual_seed(0)
    logits_NM = torch.randn(50, 5, dtype=torch.float64, requires_grad=True)
    quality_NM = torch.randint(0, 5, (50, 5)).double() / 4
    quality_NM[torch.rand(50, 5) < 0.2] = torch.nan
    losses = []
    for logits, outcomes in zip(logits_NM.tolist(), quality_NM.tolist(), strict=True):
        known = [m for m in range(5) if outcomes[m] == outcomes[m]]
        ordered = sorted(outcomes[m] for m in known)
        best = [m for m in known if outcomes[m] > 0 and outcomes[m] >= ordered[-2:][0]]
        worst = [m for m in known if outcomes[m] < 0.5 and outcomes[m] <= ordered[:2][-1] and m not in best]
        below = sum(exp(logits[w]) for w in worst)
        losses.extend(-log(exp(logits[m]) / (exp(logits[m]) + below)) for m in best)
    loss = sample_candidate(logits_NM, quality_NM, 2)
    assert loss.item() == pytest.approx(np.mean(losses))
    loss.backward()
    assert logits_NM.grad.isfinite().all()


def test_a_prompt_that_all_solve_or_none_teaches_nothing():
    logits_NM = torch.randn(2, 3, requires_grad=True)
    sample_candidate(logits_NM, torch.tensor([[1.0, 1, 1], [0, 0, 0]]), 3).backward()
    assert not logits_NM.grad.any()


@pytest.mark.parametrize("others", [2, 3, 9])
def test_the_prompt_loss_is_its_formula_where_nothing_is_left_to_the_draw(others):
    embedded_ND = torch.nn.functional.normalize(torch.randn(4, 3, dtype=torch.float64), dim=1)
    cosine_NN = (embedded_ND @ embedded_ND.T).tolist()
    mate, strangers = (1, 0, 3, 2), ((2, 3), (2, 3), (0, 1), (0, 1))
    expected = []
    for n in range(4):
        near = exp(cosine_NN[n][mate[n]] / 0.5)
        expected.append(-log(near / (near + sum(exp(cosine_NN[n][o] / 0.5) for o in strangers[n]))))
    loss = sample_sample(embedded_ND, torch.tensor([0, 0, 1, 1]), others, 0.5)
    assert loss.item() == pytest.approx(np.mean(expected))


def test_prompts_without_company_or_strangers_are_left_out():
    embedded_ND = torch.nn.functional.normalize(torch.randn(3, 2), dim=1)
    assert sample_sample(embedded_ND, torch.tensor([0, 1, 2]), 3, 1.0).item() == 0
    assert sample_sample(embedded_ND, torch.tensor([0, 0, 0]), 3, 1.0).item() == 0


def test_logits_are_cosines_and_clusters_the_nearest_centres():
    torch.manual_seed(0)
    module = Sphere(torch.eye(4)[:3], 2, ContrastConfig(dimensions=5, temperature=0.5))
    x_NF = torch.randn(6, 4)
    mapped_ND = module.prompt(x_NF)
    for m in range(2):
        cosine_N = torch.cosine_similarity(mapped_ND, module.candidate_MD[m], dim=1)
        torch.testing.assert_close(module(x_NF)[:, m], cosine_N / 0.5)
    assert module.cluster(x_NF).tolist() == x_NF[:, :3].argmax(dim=1).tolist()


def test_identical_prompts_are_one_cluster(training):
    same = training.take(np.zeros(20, dtype=np.intp))
    assert np.isfinite(fit(same, 0).predict(same.features_NF)).all()


@pytest.mark.parametrize("values", [{"top": 0}, {"clusters": 1}, {"temperature": 0.0}, {"sample_weight": -1.0}])
def test_bad_configs_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        ContrastConfig(**values)
