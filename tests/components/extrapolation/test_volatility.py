"""Windows of returns against a loop, years apart, and price files that can't be used."""

import numpy as np
import pytest

from components.extrapolation.problem import ProblemError
from components.extrapolation.real_data import PRICES, read_prices
from components.extrapolation.volatility import HORIZON, WINDOW, generated_prices, volatility


def test_targets_are_the_volatility_that_follows_the_window():
    problem = volatility(0)
    good = generated_prices(0)[0]
    years = np.array([day.year for day in good.days[1:]])
    size = np.abs(np.diff(np.log(good.price_T))) * 100
    late = size[years == 2021]
    test = next(test for test in problem.tests if test.at == 2)
    np.testing.assert_allclose(test.inputs_NF[3], late[3 : 3 + WINDOW])
    expected = np.sqrt(np.mean(late[3 + WINDOW : 3 + WINDOW + HORIZON] ** 2))
    assert test.targets_NM[3, 0] == pytest.approx(expected)


def test_generated_returns_have_the_clusters_and_the_late_break_of_their_model():
    early, late, clusters = [], [], []
    for good in (good for seed in range(4) for good in generated_prices(seed)):
        years = np.array([day.year for day in good.days[1:]])
        size = np.abs(np.diff(np.log(good.price_T))) * 100
        early.append(size[years <= 2019].mean())
        late.append(size[years > 2019].mean())
        clusters.append(np.corrcoef(size[:-1], size[1:])[0, 1])
    assert min(clusters) > 0.05
    # the variance's long-run mean grows by 2.5
    assert 1.3 < np.mean(late) / np.mean(early) < 1.9


def test_no_good_but_the_years_up_to_2019_is_learnt():
    whole = volatility(0)
    early = sum(int((np.array([day.year for day in good.days[1:]]) <= 2019).sum()) for good in generated_prices(0))
    assert len(whole.train_inputs_NF) == early - 2 * (WINDOW + HORIZON - 1)
    assert len(volatility(0, train=100).train_inputs_NF) == 100


def test_real_prices_are_used_where_they_are(shared_data):
    folder = shared_data / "extrapolation"
    if not (folder / PRICES["brent"]).exists():
        pytest.skip("skipped: no shared data")
    assert volatility(0, folder=folder, train=100).source == "daily prices of brent, natural gas"


def test_a_year_shorter_than_a_window_is_refused(tmp_path):
    (tmp_path / PRICES["brent"]).parent.mkdir(parents=True)
    days = [f"2019-{month:02}-{day:02},{20 + day}" for month in range(1, 13) for day in range(1, 29)]
    (tmp_path / PRICES["brent"]).write_text("\n".join(["Date,Price", *days, "2020-01-02,30", "2020-01-03,31"]))
    with pytest.raises(ProblemError, match="a series of 2 values is shorter than a window of 22"):
        volatility(0, folder=tmp_path)


def test_days_without_a_return_are_left_out_and_bad_cells_named(tmp_path):
    path = tmp_path / "oil.csv"
    path.write_text("Date,Price\n2020-01-01,5\n2020-01-02,-3\n2020-01-03,\n2020-01-06,6\n")
    np.testing.assert_array_equal(read_prices(path, "oil").price_T, [5, 6])
    path.write_text("Date,Price\n2020-01-01,5\n2020-01-02,NaN\n")
    with pytest.raises(ProblemError, match=r"oil.csv: row 3: Price is missing or not a number"):
        read_prices(path, "oil")
    path.write_text("Date,Price\n2020-01-02,5\n2020-01-01,5\n")
    with pytest.raises(ProblemError, match=r"oil.csv: row 3: days must ascend"):
        read_prices(path, "oil")
    path.write_text("Date,Price\n2020-01-02,5\nyesterday,5\n")
    with pytest.raises(ProblemError, match=r"oil.csv: row 3: Date is missing"):
        read_prices(path, "oil")
    path.write_text("Date,Price\n2020-01-02,dear\n")
    with pytest.raises(ProblemError, match=r"oil.csv: .*dear"):
        read_prices(path, "oil")
