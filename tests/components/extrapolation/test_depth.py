"""Iterations of a layer whose contraction is known."""

from math import ceil, log

import pytest
import torch

from components.extrapolation.depth import iterations
from components.heads.implicit.layer import ImplicitConfig, ImplicitLayer


@pytest.fixture
def halving():
    """x = relu(x / 2 + u): the k-th step from zero moves by u / 2^(k-1), and the state tends to 2 u."""
    layer = ImplicitLayer(1, 1, ImplicitConfig(states=1, bias=False))
    with torch.no_grad():
        layer.feedback_SS.fill_(0.5)
        layer.drive.weight.fill_(1.0)
    return layer


@pytest.mark.parametrize("scale", [1.0, 64.0, 4096.0])
def test_absolute_counts_grow_with_the_logarithm_of_the_scale(halving, scale):
    expected = 1 + ceil(log(scale / 1e-2) / log(2))
    assert iterations(halving, torch.full((3, 1), scale), 1e-2, relative=False) == expected


def test_relative_counts_do_not(halving):
    one, large = (iterations(halving, torch.full((2, 1), s), 1e-2, relative=True) for s in (1.0, 2.0**40))
    assert one == large == 7


def test_float32_weights_do_not_keep_large_states_from_settling(halving):
    # a third has no exact float, so that steps of float32 states would never become this small
    assert iterations(halving, torch.full((1, 1), 1e7 / 3), 1e-6, relative=False) == 1 + ceil(log(1e13 / 3) / log(2))


def test_a_bias_drives_the_state_as_well():
    layer = ImplicitLayer(1, 1, ImplicitConfig(states=1, feedback="none"))
    with torch.no_grad():
        layer.drive.weight.zero_()
        layer.drive.bias.fill_(3.0)
    assert iterations(layer, torch.zeros(2, 1), 0.1, relative=False) == 2
    with torch.no_grad():
        layer.drive.bias.zero_()
    assert iterations(layer, torch.zeros(2, 1), 0.1, relative=False) == 1


def test_a_tolerance_is_positive(halving):
    with pytest.raises(ValueError, match="tolerance must be > 0"):
        iterations(halving, torch.ones(1, 1), 0.0, relative=True)
