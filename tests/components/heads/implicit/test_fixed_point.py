import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from components.heads.implicit.fixed_point import (
    Activation,
    Equilibrium,
    Method,
    NotConverged,
    SolverConfig,
    activate,
    project_rows_l1,
    solve,
)

METHODS: list[Method] = ["picard", "anderson"]


def contraction(states: int, norm: float, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(states, states, generator=generator, dtype=torch.float64)
    return matrix * norm / matrix.abs().sum(dim=1, keepdim=True)


def normal(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("method", METHODS)
def test_linear_fixed_point_is_the_linear_solve(method: Method) -> None:
    matrix, drive = contraction(12, 0.95), normal(40, 12)
    found = solve(
        lambda x, constants: x @ matrix.T + constants[0],
        torch.zeros(40, 12, dtype=torch.float64),
        (drive,),
        SolverConfig(method=method, tolerance=1e-12, max_iterations=2000),
    )
    exact = torch.linalg.solve(torch.eye(12, dtype=torch.float64) - matrix, drive.T).T
    torch.testing.assert_close(found.state_NS, exact, rtol=1e-9, atol=1e-9)
    assert bool((found.residual_N <= 1e-12).all())


def test_anderson_needs_fewer_iterations_than_picard() -> None:
    # A non-negative matrix with equal row sums: Picard converges exactly at the rate of the norm.
    matrix, drive = contraction(12, 0.95).abs(), normal(40, 12).abs()

    def iterations(method: Method) -> int:
        found = solve(
            lambda x, constants: torch.relu(x @ matrix.T + constants[0]),
            torch.zeros(40, 12, dtype=torch.float64),
            (drive,),
            SolverConfig(method=method, tolerance=1e-8, max_iterations=2000),
        )
        return int(found.iterations_N.max())

    assert iterations("anderson") < iterations("picard") / 5


@pytest.mark.parametrize("method", METHODS)
def test_stopping_is_relative_and_each_samples_own(method: Method) -> None:
    matrix, drive = contraction(8, 0.9), normal(30, 8)
    config = SolverConfig(method=method, tolerance=1e-6)

    def run(drive: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = solve(
            lambda x, constants: torch.relu(x @ matrix.T + constants[0]), torch.zeros_like(drive), (drive,), config
        )
        return found.state_NS, found.iterations_N

    state, iterations = run(drive)
    alone = [run(row[None]) for row in drive]
    torch.testing.assert_close(state, torch.cat([single for single, _ in alone]))
    scaled, scaled_iterations = run(drive * 2.0**40)
    torch.testing.assert_close(scaled, state * 2.0**40, rtol=1e-5, atol=0)
    if method == "picard":
        assert iterations.tolist() == [int(count) for _, count in alone] == scaled_iterations.tolist()


def test_not_converged_says_how_far_it_came() -> None:
    with pytest.raises(NotConverged, match=r"3 samples at relative residual up to .* after 7 iterations") as caught:
        solve(lambda x, _: 2 * x + 1, torch.ones(3, 2), (), SolverConfig(max_iterations=7))
    assert (caught.value.iterations, caught.value.samples) == (7, 3)
    assert caught.value.residual > 0.1
    with pytest.raises(NotConverged):
        solve(lambda x, _: x * torch.nan, torch.ones(3, 2), (), SolverConfig(max_iterations=7))


def test_no_samples_is_no_work() -> None:
    found = solve(lambda x, _: x, torch.zeros(0, 2), (), SolverConfig())
    assert found.state_NS.shape == (0, 2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_gradients_pass_gradcheck(method: Method, name: Activation) -> None:
    feedback, drive = contraction(5, 0.8).requires_grad_(), normal(4, 5).requires_grad_()
    config = SolverConfig(method=method, tolerance=1e-13, max_iterations=2000)
    start = torch.zeros(4, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda a, b: Equilibrium.apply(a, b, start, name, config)[0], (feedback, drive), eps=1e-6, atol=1e-7
    )


def test_gradients_are_those_of_the_unrolled_iteration() -> None:
    feedback, drive = contraction(6, 0.7).requires_grad_(), normal(9, 6).requires_grad_()
    state = torch.zeros(9, 6, dtype=torch.float64)
    for _ in range(200):
        state = activate("relu", drive + state @ feedback.T)
    expected = torch.autograd.grad(state.square().sum(), (feedback, drive))
    config = SolverConfig(tolerance=1e-13)
    found = Equilibrium.apply(feedback, drive, torch.zeros(9, 6, dtype=torch.float64), "relu", config)[0]
    for ours, theirs in zip(torch.autograd.grad(found.square().sum(), (feedback, drive)), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_tiny_gradients_are_solved_as_well_as_large_ones() -> None:
    feedback, drive = contraction(6, 0.9).float(), normal(9, 6).float().requires_grad_()
    state = Equilibrium.apply(feedback, drive, torch.zeros(9, 6), "tanh", SolverConfig(tolerance=1e-6))[0]
    large, tiny = (
        torch.autograd.grad(state, drive, torch.full_like(state, scale), retain_graph=True)[0] for scale in (1, 1e-25)
    )
    torch.testing.assert_close(tiny * 1e25, large, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("radius", [0.3, 0.95, 4.0])
def test_projection_is_the_nearest_point_of_the_l1_ball(radius: float) -> None:
    matrix = normal(6, 4).numpy()
    projected = project_rows_l1(torch.tensor(matrix), radius).numpy()
    for row, ours in zip(matrix, projected, strict=True):
        # Split in positive and negative parts, the ball is linear and the problem smooth.
        found = minimize(
            lambda parts, row=row: ((parts[:4] - parts[4:] - row) ** 2).sum(),
            np.zeros(8),
            bounds=[(0, None)] * 8,
            constraints={"type": "ineq", "fun": lambda parts: radius - parts.sum()},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        np.testing.assert_allclose(ours, found.x[:4] - found.x[4:], atol=1e-5)
    assert np.abs(projected).sum(axis=1).max() <= radius + 1e-12


def test_projection_keeps_what_is_inside_and_handles_ties() -> None:
    inside = torch.tensor([[0.2, -0.3, 0.0]])
    assert torch.equal(project_rows_l1(inside, 0.95), inside)
    torch.testing.assert_close(project_rows_l1(torch.full((1, 4), -2.0), 1.0), torch.full((1, 4), -0.25))
    twice = project_rows_l1(project_rows_l1(normal(20, 7), 0.9), 0.9)
    torch.testing.assert_close(twice, project_rows_l1(normal(20, 7), 0.9))


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="radius must be > 0"):
        project_rows_l1(torch.ones(1, 1), 0)
    with pytest.raises(ValueError, match="nan or infinite"):
        project_rows_l1(torch.full((1, 1), torch.nan), 1)
    with pytest.raises(ValueError, match="tolerance must be in"):
        SolverConfig(tolerance=0)
