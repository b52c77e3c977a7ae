from dataclasses import replace

import numpy as np
import pytest

from components.baselines.cheapest import fit


def test_the_order_is_by_mean_cost_and_skips_the_untried(training):
    score_M = fit(training, 0).predict(training.features_NF)[0]
    assert np.argsort(-score_M).tolist() == [4, 2, 1, 0, 3]


def test_unknown_cost_comes_after_known(training):
    cost_NM = training.cost_usd_NM.copy()
    cost_NM[:, 4] = np.nan
    score_M = fit(replace(training, cost_usd_NM=cost_NM), 0).predict(training.features_NF)[0]
    assert np.argsort(-score_M).tolist() == [2, 1, 0, 4, 3]


def test_no_cost_at_all_is_refused(training):
    with pytest.raises(ValueError, match="no cost"):
        fit(replace(training, cost_usd_NM=np.full_like(training.cost_usd_NM, np.nan)), 0)
