import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.func import functional_call

from components.heads.implicit.fixed_point import NotConverged, SolverConfig
from components.heads.implicit.layer import ImplicitConfig
from components.heads.implicit.rnn import ImplicitRNN
from components.heads.training import FitConfig, fit, seeded

EXACT = ImplicitConfig(v=0.9, solver=SolverConfig(tolerance=1e-13, max_iterations=2000))


def network(config: ImplicitConfig = EXACT, *, bias: bool = True, seed: int = 0) -> ImplicitRNN:
    """In double precision, with feedback at the bound and a full skip: as far from its start as training could go."""
    with seeded(seed):
        made = ImplicitRNN(2, 3, 2, state=5, config=config, bias=bias).double()
        torch.nn.init.normal_(made.cell.feedback_SS)
        if made.cell.skip is not None:
            torch.nn.init.normal_(made.cell.skip.weight, std=0.3)
    made.project()
    return made


def series(count: int = 4, steps: int = 6, seed: int = 1) -> torch.Tensor:
    return torch.randn(count, steps, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(made: ImplicitRNN, u_TP: NDArray[np.float64]) -> NDArray[np.float64]:
    """One series, step by step, each step iterated until nothing can move any more."""
    weight = {name: tensor.numpy() for name, tensor in made.state_dict().items()}
    hidden, outputs = np.zeros(3), []
    for u in u_TP:
        together = np.concatenate([u, hidden])
        state = np.zeros(5)
        for _ in range(600):
            drive = weight["cell.drive.weight"] @ together + weight.get("cell.drive.bias", 0)
            state = np.maximum(weight["cell.feedback_SS"] @ state + drive, 0)
        hidden = weight["cell.output.weight"] @ state + weight.get("cell.output.bias", 0)
        hidden = hidden + weight["cell.skip.weight"] @ together
        outputs.append(weight["readout.weight"] @ hidden + weight.get("readout.bias", 0))
    return np.array(outputs)


@pytest.mark.parametrize("bias", [True, False])
def test_outputs_are_those_of_a_loop_by_hand(bias: bool) -> None:
    made, u_NTP = network(bias=bias), series()
    found_NTO = made(u_NTP).detach().numpy()
    for u_TP, found_TO in zip(u_NTP.numpy(), found_NTO, strict=True):
        np.testing.assert_allclose(found_TO, by_hand(made, u_TP), atol=1e-10)


def test_gradients_of_inputs_and_of_every_weight_pass_gradcheck() -> None:
    made = network(ImplicitConfig(v=0.9, activation="tanh", solver=EXACT.solver))
    names = [name for name, _ in made.named_parameters()]
    values = [parameter.detach().clone().requires_grad_() for parameter in made.parameters()]

    def outputs(u_NTP: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = functional_call(made, dict(zip(names, weights, strict=True)), (u_NTP,))
        return found

    assert torch.autograd.gradcheck(outputs, (series(2, 3).requires_grad_(), *values), eps=1e-6, atol=1e-7)


def test_gradients_are_those_of_the_unrolled_iteration() -> None:
    made, u_NTP = network(), series()
    unrolled = copy.deepcopy(made)
    unrolled.cell.fixed_iterations = 400
    ours = torch.autograd.grad(made(u_NTP).square().sum(), list(made.parameters()))
    theirs = torch.autograd.grad(unrolled(u_NTP).square().sum(), list(unrolled.parameters()))
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their, rtol=1e-8, atol=1e-8)


def test_a_step_never_sees_later_ones() -> None:
    made, u_NTP = network(), series()
    later_NTP = u_NTP.clone()
    later_NTP[:, 4:] += 1
    before, after = made(u_NTP).detach(), made(later_NTP).detach()
    torch.testing.assert_close(after[:, :4], before[:, :4], rtol=0, atol=1e-10)
    assert float((after[:, 4:] - before[:, 4:]).abs().max()) > 0.01


def test_without_bias_it_is_scale_equivariant_and_with_bias_not() -> None:
    u_NTP = series()
    free, biased = network(bias=False), network(bias=True)
    torch.testing.assert_close(free(1e4 * u_NTP), 1e4 * free(u_NTP), rtol=1e-8, atol=1e-6)
    assert not torch.allclose(biased(1e4 * u_NTP), 1e4 * biased(u_NTP), rtol=1e-3)


def test_projection_bounds_the_cell() -> None:
    made = network()
    assert float(made.cell.feedback_SS.detach().abs().sum(dim=1).max()) == pytest.approx(0.9)
    with torch.no_grad():
        made.cell.feedback_SS.mul_(7)
    made.project()
    assert float(made.cell.feedback_SS.detach().abs().sum(dim=1).max()) <= 0.9 + 1e-9
    found = made.statistics(series())
    assert found.spectral_radius <= found.norm_inf <= 0.9 + 1e-9
    assert found.residual <= 1e-13
    assert found.iterations_max >= found.iterations_mean > 1


def test_learns_the_running_maximum_and_stays_well_posed() -> None:
    u_NTP = torch.rand(256, 6, 1, generator=torch.Generator().manual_seed(3))
    y_NTO = u_NTP.cummax(dim=1).values
    with seeded(0):
        made = ImplicitRNN(1, 4, 1, state=8)
    report = fit(
        made,
        lambda batch: (made(batch[0]) - batch[1]).square().mean(),
        (u_NTP[:192], y_NTO[:192]),
        (u_NTP[192:], y_NTO[192:]),
        FitConfig(epochs=25, batch_size=64, learning_rate=0.02, patience=25),
        seed=0,
        after_step=made.project,
    )
    spread = float((y_NTO[192:] - y_NTO[:192].mean(dim=0)).square().mean())
    assert report.validation_loss < 0.25 * spread
    assert made.statistics(u_NTP).norm_inf <= 0.95 + 1e-6


def test_state_dict_pickle_and_deepcopy() -> None:
    made, other, u_NTP = network(), network(seed=8), series()
    expected = made(u_NTP)
    other.load_state_dict(made.state_dict())
    for same in (other, copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert torch.equal(same(u_NTP), expected)


def test_bad_input_is_named() -> None:
    made = network()
    for wrong in (series()[0], series()[:, :, :1], series()[:, :0]):
        with pytest.raises(ValueError, match=r"series must have shape \(N, T >= 1, 2\), got"):
            made(wrong)
    with pytest.raises(ValueError, match="hidden and outputs must be >= 1"):
        ImplicitRNN(2, 0, 2, state=5)
    with pytest.raises(ValueError, match="states must be >= 1"):
        ImplicitRNN(2, 3, 2, state=0)
    with pytest.raises(NotConverged, match="after 3 iterations"):
        network(ImplicitConfig(solver=SolverConfig(tolerance=1e-9, max_iterations=3)))(series())
