"""A lone prompt's draw is what the arrays say of it, to the last bit."""

import numpy as np
import pytest

from pointsman.policy.exploration import explore, plausible
from pointsman.policy.lone_draw import draw_one


@pytest.mark.parametrize("unknown", [0.0, 0.4])
def test_alone_and_in_company_are_one(unknown):
    draw = np.random.default_rng(0)
    rows, columns = 3000, 6
    quality_NM = draw.choice([0.5, 0.6, 0.7, 0.8], size=(rows, columns))
    cost_NM = draw.lognormal(0, 1.5, (rows, columns))
    cost_NM[draw.random(cost_NM.shape) < unknown] = np.nan
    choice_N = draw.integers(columns, size=rows)
    eligible_NM = draw.random((rows, columns)) < 0.8
    eligible_NM[np.arange(rows), choice_N] = True
    gap_NM, ceiling_N = draw.choice([0, 0.1, 0.3], size=(rows, columns)), cost_NM[:, 2]
    ids = [f"d{row}" for row in range(rows)]
    rate_1 = np.array([0.9])
    near = {"gap_NM": gap_NM, "cost_ratio": 3.0, "ceiling_usd_N": ceiling_N}
    for eligible in (eligible_NM, None):
        plausible_NM = plausible(choice_N, quality_NM, cost_NM, eligible, **near)
        together = explore(choice_N, plausible_NM, np.full(rows, 0.9), ids)
        alone = [
            draw_one(
                int(choice_N[row]),
                quality_NM[row].tolist(),
                cost_NM[row].tolist(),
                None if eligible is None else eligible[row].tolist(),
                gap_M=gap_NM[row].tolist(),
                cost_ratio=3.0,
                ceiling_usd=float(ceiling_N[row]),
                rate_1=rate_1,
                decision_id=ids[row],
            )
            for row in range(rows)
        ]
        for name in ("choice_N", "proposed_N", "plausible_NM", "rate_N", "propensity_N"):
            np.testing.assert_array_equal(
                np.concatenate([getattr(one, name) for one in alone]), getattr(together, name)
            )
        assert (together.choice_N != choice_N).any()
