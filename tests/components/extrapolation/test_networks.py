"""What each network can and can't do by construction, and NALU against its formula."""

import numpy as np
import pytest
import torch

from components.extrapolation.networks import Lstm, Mlp, Nalu, Transformer
from components.heads.training import seeded


@pytest.fixture(autouse=True)
def _seed():
    with seeded(0):
        yield


def test_without_biases_an_mlp_is_scale_equivariant_and_with_them_it_is_not():
    u = torch.randn(6, 4)
    free, biased = Mlp(4, (5, 5), 2, bias=False), Mlp(4, (5, 5), 2)
    torch.testing.assert_close(free(1e4 * u), 1e4 * free(u))
    assert not torch.allclose(biased(1e4 * u), 1e4 * biased(u), rtol=1e-2)


def test_a_skip_adds_a_linear_map():
    net, u = Mlp(4, (5,), 2, skip=True), torch.randn(3, 4)
    torch.testing.assert_close(net(u), net.layers(u) + u @ net.skip.weight.T)


def test_a_scale_normalised_lstm_is_scale_equivariant_in_regression_and_invariant_for_classes():
    series = torch.randn(5, 7, 2)
    regression = Lstm(2, 6, 3, normalise=True, rescale=True)
    classes = Lstm(2, 6, 3, normalise=True, rescale=False)
    torch.testing.assert_close(regression(1e3 * series), 1e3 * regression(series))
    torch.testing.assert_close(classes(1e3 * series), classes(series))
    assert regression(torch.zeros(1, 7, 2)).isfinite().all()


def test_only_positions_tell_a_transformers_steps_apart():
    series, order = torch.randn(4, 6, 1), torch.tensor([5, 0, 3, 1, 2, 4])
    for positions in (True, False):
        net = Transformer(6, 1, 8, 2, positions=positions).eval()
        token = net.embed(series) if net.position_TW is None else net.embed(series) + net.position_TW
        moved = (
            net.embed(series[:, order]) if net.position_TW is None else net.embed(series[:, order]) + net.position_TW
        )
        same = torch.allclose(net.layer(moved), net.layer(token)[:, order], atol=1e-5)
        assert same == (not positions)


def test_nalu_agrees_with_its_formula():
    net, u = Nalu(3, 4, 2), torch.randn(5, 3)
    layer = net.layers[0]
    signed, opened, gate = (
        x.detach().numpy().astype(np.float64) for x in (layer.signed_MF, layer.open_MF, layer.gate.weight)
    )
    x = u.numpy().astype(np.float64)
    weight = np.tanh(signed) / (1 + np.exp(-opened))
    share = 1 / (1 + np.exp(-x @ gate.T))
    expected = share * (x @ weight.T) + (1 - share) * np.exp(np.log(np.abs(x) + 1e-7) @ weight.T)
    np.testing.assert_allclose(layer(u).detach().numpy(), expected, rtol=1e-4)


def test_nalu_stays_finite_where_a_product_would_not():
    assert Nalu(50, 10, 1)(1e5 * torch.rand(20, 50)).isfinite().all()
