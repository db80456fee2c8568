"""A strategy through time: the figures of each date are those of its weights and its model, and of nothing later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm

DAYS = pd.bdate_range("2020-01-01", periods=120)
ASSETS, FACTORS = ["A", "B", "C"], ["Mkt-RF", "SMB"]


def a_panel(changed_after=None, late=None):
    rng = np.random.default_rng(1)
    factors = rng.normal(0, 0.01, (120, 2))
    returns = factors @ rng.normal(1, 0.5, (2, 3)) + rng.normal(0, 0.01, (120, 3))
    if changed_after is not None:
        returns[changed_after:] *= -1.5
    if late is not None:
        returns[:late, 2] = np.nan
    data = rm.InMemory(
        pd.DataFrame(returns, DAYS, ASSETS), factors=pd.DataFrame(factors, DAYS, FACTORS), risk_free=1e-4,
        horizon=rm.DAY,
    )  # fmt: skip
    return data.panel(ASSETS, FACTORS)


def a_history(**changes):
    return rm.Rolling(rm.Horizon(40), every=10).fit(a_panel(**changes))


HISTORY = a_history()
TURNED = pd.DataFrame(
    [[1.0, -0.5, 0.0], [0.2, 0.0, 0.8], [0.0, 0.0, 0.0]], [DAYS[60], DAYS[85], DAYS[110]], ASSETS
).iloc[[2, 0, 1]]


def weights_on(date):
    known = TURNED.sort_index().loc[:date]
    return known.iloc[-1] if len(known) else None


def test_each_date_is_its_weights_through_its_model():
    held = rm.StrategyHistory(TURNED, HISTORY)
    compared = 0
    for date, model in HISTORY.items():
        w = weights_on(date)
        if w is None:
            assert np.isnan(held.volatility[date])
            assert held.contributions.loc[date].isna().all()
            continue
        compared += 1
        b, f = model.loadings.to_numpy(), model.factor_covariance.to_numpy()
        d, w = model.idio_variance.to_numpy(), w.to_numpy()
        x, sigma = b.T @ w, np.sqrt(w @ (b @ f @ b.T + np.diag(d)) @ w)
        assert held.exposures.loc[date].to_numpy() == pytest.approx(x)
        assert held.volatility[date] == pytest.approx(sigma)
        if sigma == 0:
            assert held.factor_share[date] == 0.0
            continue
        assert held.factor_share[date] == pytest.approx(x @ f @ x / sigma**2)
        parts = np.append(x * (f @ x), w**2 @ d) / sigma
        assert held.contributions.loc[date].to_numpy() == pytest.approx(parts)
        by_asset = w * ((b @ f @ b.T + np.diag(d)) @ w) / sigma
        assert held.contributions_by_asset.loc[date].to_numpy() == pytest.approx(by_asset)
    assert compared == 6


def test_constant_weights_are_those_of_every_date():
    held = rm.StrategyHistory({"A": 1.0, "C": -1.0}, HISTORY)
    assert len(held.missing) == 0
    assert held.exposures.to_numpy() == pytest.approx(HISTORY.exposures({"A": 1.0, "C": -1.0}).to_numpy())
    assert (held.weights == [1.0, -1.0]).all(axis=None)
    last = held.dates[-1]
    assert float(held.on(last).volatility) == pytest.approx(held.volatility[last])


def test_dates_before_the_first_weights_are_said():
    held = rm.StrategyHistory(TURNED, HISTORY)
    early = held.dates[held.dates < DAYS[60]]
    assert held.missing.to_dict("list") == {
        "date": list(early), "asset": [None] * len(early), "reason": ["no weights are known yet"] * len(early)
    }  # fmt: skip
    assert held.weights.isna().all(axis=1).sum() == len(early)
    with pytest.raises(rm.UnknownDateError):
        held.on(early[0])


def test_an_asset_without_estimates_is_said_where_it_is_held():
    history = a_history(late=70)
    held = rm.StrategyHistory({"A": 1.0, "C": 1.0}, history)
    gone = set(held.missing["date"])
    assert set(held.missing["asset"]) == {"C"}
    assert gone == {date for date, model in history.items() if "C" not in model.assets}
    assert gone == set(held.volatility.index[held.volatility.isna()])
    with pytest.raises(rm.EstimationError) as caught:
        held.on(min(gone))
    assert caught.value.details["assets"] == ["C"]
    assert len(rm.StrategyHistory({"A": 1.0, "C": 0.0}, history).missing) == 0


@pytest.mark.parametrize("cut", [55, 80, 100])
def test_nothing_later_changes_a_date(cut):
    later = TURNED.copy()
    later[later.index > DAYS[cut - 1]] *= 3.0
    later.loc[DAYS[cut]] = [9.0, 9.0, 9.0]
    one, other = rm.StrategyHistory(TURNED, HISTORY), rm.StrategyHistory(later, a_history(changed_after=cut))
    until = DAYS[cut - 1]
    for name in ("exposures", "volatility", "factor_share", "contributions", "contributions_by_asset", "weights"):
        before, after = (getattr(held, name).loc[:until] for held in (one, other))
        assert len(before)
        np.testing.assert_allclose(after.to_numpy(), before.to_numpy(), rtol=1e-9, err_msg=name)
    after = one.dates > until
    assert not np.allclose(one.volatility[after], other.volatility[after])


def test_dollars_are_weighted_by_gross():
    dollars = pd.DataFrame([[3e6, -1e6], [0.0, 0.0]], [DAYS[50], DAYS[100]], ["A", "B"])
    held = rm.StrategyHistory.from_positions(dollars, HISTORY)
    assert held.weights.dropna().drop_duplicates().to_numpy().tolist() == [[0.75, -0.25], [0.0, 0.0]]
    assert held.volatility.iloc[-1] == 0.0


def test_a_strategy_of_a_history_says_where_to_go():
    with pytest.raises(rm.InvalidParameterError, match="StrategyHistory"):
        rm.Strategy({"A": 1.0}, HISTORY)


@pytest.mark.parametrize(
    ("weights", "error"),
    [
        ({}, rm.InvalidParameterError),
        ({"Z": 1.0}, rm.UnknownAssetError),
        ({"A": np.nan}, rm.InvalidParameterError),
        (pd.DataFrame({"A": [1.0, np.nan]}, DAYS[:2]), rm.InvalidParameterError),
        (pd.DataFrame({"A": [1.0, 2.0]}, DAYS[[0, 0]]), rm.DuplicateDatesError),
        (pd.DataFrame({"A": [1.0, 2.0]}, [0, 1]), rm.InvalidDatesError),
        (pd.DataFrame(index=DAYS[:2]), rm.InvalidParameterError),
        (pd.DataFrame([[1.0, 2.0]], DAYS[:1], ["A", "A"]), rm.DuplicateLabelsError),
    ],
)
def test_bad_weights(weights, error):
    with pytest.raises(error):
        rm.StrategyHistory(weights, HISTORY)
