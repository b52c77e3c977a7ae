import copy
import pickle

import pytest
import torch

from components.heads.implicit.fixed_point import NotConverged, SolverConfig
from components.heads.implicit.layer import Feedback, ImplicitConfig, ImplicitLayer
from components.heads.training import seeded

SMALL = ImplicitConfig(states=16)


def layer(config: ImplicitConfig = SMALL, seed: int = 0) -> ImplicitLayer:
    with seeded(seed):
        made = ImplicitLayer(6, 3, config)
        torch.nn.init.normal_(made.feedback_SS)
    made.project()
    return made


@pytest.mark.parametrize("feedback", ["full", "triangular", "none"])
def test_projection_keeps_pattern_and_norm(feedback: Feedback) -> None:
    made = layer(ImplicitConfig(states=8, feedback=feedback, v=0.5))
    a = made.feedback_SS.detach()
    assert float(a.abs().sum(dim=1).max()) <= 0.5 + 1e-6
    if feedback == "triangular":
        assert not a.tril().any()
        assert a.any()
    if feedback == "none":
        assert not a.any()


def test_without_feedback_it_is_a_two_layer_network() -> None:
    made = layer(ImplicitConfig(states=8, feedback="none", skip=False))
    inputs = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(made(inputs), made.output(torch.relu(made.drive(inputs))))


def test_without_bias_a_relu_layer_is_scale_equivariant() -> None:
    made = layer(ImplicitConfig(states=8, bias=False, solver=SolverConfig(tolerance=1e-6)))
    inputs = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(made(1000 * inputs), 1000 * made(inputs), rtol=1e-3, atol=1e-2)


def test_a_warm_start_at_the_answer_ends_at_the_first_check() -> None:
    made, inputs = layer(), torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    output, solution = made.solved(inputs)
    again, warm = made.solved(inputs, solution.state_NS.detach())
    assert int(warm.iterations_N.max()) == 2 < int(solution.iterations_N.max())
    torch.testing.assert_close(again, output, atol=1e-3, rtol=1e-3)


def test_state_dict_pickle_deepcopy_and_export() -> None:
    made, inputs = layer(), torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    expected = made(inputs)
    other = ImplicitLayer(6, 3, SMALL)
    other.load_state_dict(made.state_dict())
    for same in (other, copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert torch.equal(same(inputs), expected)
    unrolled = copy.deepcopy(made).eval()
    unrolled.fixed_iterations = 40
    torch.testing.assert_close(unrolled(inputs), expected, atol=1e-3, rtol=1e-3)
    exported = torch.export.export(unrolled, (inputs,)).module()
    torch.testing.assert_close(exported(inputs), unrolled(inputs))


def test_fixed_points_that_are_not_found_are_an_error_with_figures() -> None:
    hasty = ImplicitConfig(states=16, solver=SolverConfig(tolerance=1e-6, max_iterations=2))
    with pytest.raises(NotConverged, match="after 2 iterations"):
        layer(hasty)(torch.ones(4, 6))


def test_inputs_that_are_not_finite_are_named() -> None:
    for wrong in (torch.nan, torch.inf):
        inputs = torch.ones(4, 6)
        inputs[2, 1] = wrong
        with pytest.raises(NotConverged, match=r"^1 samples .*: an input or a weight is nan or infinite$"):
            layer()(inputs)


def test_bad_configurations_are_named() -> None:
    for v in (1.0, 1.5, 0.0):
        with pytest.raises(ValueError, match=r"v in \(0, 1\)"):
            ImplicitConfig(v=v)
