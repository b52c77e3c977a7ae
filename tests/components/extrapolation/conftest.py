"""Small measurements whose verdicts are known by construction."""

import pytest

from components.extrapolation.study import Measured


@pytest.fixture
def rows():
    """Makes the rows of one problem from {method: {at: error of each seed}}; the first shift is the trained one."""

    def make(problem, errors, family="scale", iterations=None):
        return [
            Measured(
                problem=problem,
                method=method,
                seed=seed,
                family=family,
                at=at,
                inside=number == 0,
                error=error,
                target_rms=at,
                relative_iterations=iterations and iterations[0][number],
                absolute_iterations=iterations and iterations[1][number],
            )
            for method, curve in errors.items()
            for number, (at, per_seed) in enumerate(curve.items())
            for seed, error in enumerate(per_seed)
        ]

    return make
