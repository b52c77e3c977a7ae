from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from pointsman.errors import BundleError
from pointsman.golden import TOLERANCE, check_golden
from pointsman.router import Router


@pytest.fixture
def router(bundle):
    return Router.load(bundle)


def test_golden_decisions_hold(router, parts):
    def decide(prompts):
        return router.route(prompts, "best")

    check_golden(parts.golden, decide, 0.0)
    check_golden([], decide, 0.0)
    first = parts.golden[0]
    with pytest.raises(BundleError, match="can't be made again"):
        check_golden([{"prompt": "x"}], decide, 0.0)
    off = {name: value + 2 * TOLERANCE for name, value in first["quality"].items()}
    with pytest.raises(BundleError, match=r"golden decision 0 differs: .* quality off by 0.04"):
        check_golden([first | {"quality": off}], decide, 0.0)


def test_another_choice_is_allowed_between_candidates_that_were_as_good(router, parts):
    def decide(prompts, margin=1.0):
        routing = router.route(prompts, "best")
        return replace(routing, margin_N=np.full(len(prompts), margin))

    row = max(parts.golden, key=lambda row: max(row["quality"].values()) - min(row["quality"].values()))
    gap = max(row["quality"].values()) - min(row["quality"].values())
    other = min(row["quality"], key=row["quality"].get)
    assert other != row["candidate"]
    check_golden([row | {"candidate": other}], decide, gap)
    with pytest.raises(BundleError, match=f"{other} expected, {row['candidate']} chosen"):
        check_golden([row | {"candidate": other}], decide, gap - 3 * TOLERANCE)
    with pytest.raises(BundleError, match="differs"):
        # another prompt may have so large a margin, this one hasn't
        check_golden([row | {"candidate": other}], partial(decide, margin=gap - 3 * TOLERANCE), gap)
