import numpy as np
import pytest
import torch

from components.baselines.graph_router import Graph, GraphConfig, edges, fit


@pytest.fixture
def graph(training):
    return torch.tensor(training.features_NF), torch.tensor(training.quality_NM, dtype=torch.float32)


def test_what_edges_send_is_summed_as_in_a_loop(graph):
    features_NF, quality_NM = (tensor[:40] for tensor in graph)
    task_N = torch.arange(40) % 3
    found = edges(features_NF, quality_NM, task_N, 3)
    good_MF, count_TM, quality_TM = np.zeros((5, 8)), np.zeros((3, 5)), np.zeros((3, 5))
    for n in range(40):
        for m in range(5):
            if not quality_NM[n, m].isnan():
                good_MF[m] += (quality_NM[n, m] * features_NF[n]).numpy()
                count_TM[task_N[n], m] += 1
                quality_TM[task_N[n], m] += quality_NM[n, m].item()
    np.testing.assert_allclose(found.good_MF, good_MF, atol=1e-4)
    np.testing.assert_allclose(found.count_TM, count_TM)
    np.testing.assert_allclose(found.quality_TM, quality_TM, rtol=1e-5)
    assert found.size_T.tolist() == [14, 13, 13]
    torch.testing.assert_close(found.features_TF[1], features_NF[1::3].sum(dim=0))


def test_prompts_taken_out_are_as_new_to_a_graph_of_the_others(graph):
    features_NF, quality_NM = graph
    centre_TF = torch.nn.functional.normalize(features_NF[:4], dim=1)
    torch.manual_seed(0)
    whole = Graph(centre_TF, features_NF, quality_NM, GraphConfig()).eval()
    others = Graph(centre_TF, features_NF[50:], quality_NM[50:], GraphConfig()).eval()
    others.load_state_dict(whole.state_dict())
    torch.testing.assert_close(whole(features_NF[:50], quality_NM[:50]), others(features_NF[:50]), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(whole(features_NF[:50]), others(features_NF[:50]), atol=1e-4)


def test_messages_from_candidates_reach_a_prompt_through_its_task_alone(graph):
    features_NF, quality_NM = graph
    centre_TF = torch.nn.functional.normalize(features_NF[:2], dim=1)
    torch.manual_seed(0)
    module = Graph(centre_TF, features_NF, quality_NM, GraphConfig()).eval()
    first = module(features_NF)
    with torch.no_grad():
        module.candidate_to_task.weight.zero_()
        module.task_to_prompt.weight.zero_()
    prompt_NH = torch.relu(module.prompt(features_NF))
    heard_MF = torch.cat([module.known.good_MF, module.known.tried_MF - module.known.good_MF], dim=1)
    heard_MF = heard_MF / module.known.count_M.clamp(min=1)[:, None]
    candidate_MH = torch.relu(module.candidate_MH + module.prompt_to_candidate(heard_MF))
    torch.testing.assert_close(module(features_NF), prompt_NH @ module.edge(candidate_MH).T + module.bias_M)
    assert not torch.allclose(first, module(features_NF))


def test_identical_prompts_are_one_task(training):
    same = training.take(np.zeros(20, dtype=np.intp))
    assert np.isfinite(fit(same, 0).predict(same.features_NF)).all()


@pytest.mark.parametrize("values", [{"tasks": 0}, {"hidden": 0}, {"dropout": 1.0}])
def test_bad_configs_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        GraphConfig(**values)
