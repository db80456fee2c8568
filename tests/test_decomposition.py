"""Where a variance comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskmodel as rm


@pytest.fixture
def covariance():
    return rm.FactorCovariance(
        ["A", "B", "C"], ["F", "G"], [[1.0, 0.5], [0.8, -0.3], [0.0, 2.0]], [[0.04, 0.01], [0.01, 0.09]],
        [0.02, 0.0, 0.05], rm.YEAR,
    )  # fmt: skip


def test_by_hand(covariance):
    split = rm.RiskDecomposition.of(covariance, {"A": 2.0, "C": -1.0})
    # exposures 2·(1, 0.5) - (0, 2) = (2, -1); F x = (0.07, -0.07)
    assert split.by_factor.to_dict() == pytest.approx({"F": 0.14, "G": 0.07, "idio": 0.13})
    # A: 2·(0.07 - 0.035) + 4·0.02; C: -1·(-0.14) + 0.05
    assert split.by_asset.to_dict() == pytest.approx({"A": 0.15, "C": 0.19})
    assert split.factor_variance == pytest.approx(0.21)
    assert split.idio_variance == pytest.approx(0.13)
    assert split.total_variance == pytest.approx(0.34)
    assert split.factor_share == pytest.approx(0.21 / 0.34)
    assert split.horizon == split.total_variance.horizon == rm.YEAR


def test_legs_are_holdings_of_their_own(covariance):
    split = rm.RiskDecomposition.of(covariance, {"A": 2.0, "C": -1.0}, {"G": 1.0})
    # exposures (2, 0); F x = (0.08, 0.02)
    assert list(split.by_asset.index) == ["A", "C", "G"]
    assert split.by_asset.to_dict() == pytest.approx({"A": 2 * 0.09 + 0.08, "C": -0.04 + 0.05, "G": 0.02})
    assert split.by_asset.sum() == pytest.approx(split.total_variance)
    assert split.by_factor.sum() == pytest.approx(split.total_variance)


def test_a_hedge_takes_away_as_much_as_its_leg_says():
    panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    s = rm.Strategy({"MSFT": 1.0, "JPM": 0.5}, rm.OLS().fit(panel))
    half = rm.HedgedPortfolio(s, -s.exposures / 2)
    split = half.decompose()
    assert list(split.by_asset.index) == ["MSFT", "JPM", "Mkt-RF"]
    assert split.by_asset["Mkt-RF"] < 0
    assert split.by_asset.sum() == pytest.approx(split.total_variance, rel=1e-13)
    assert split.factor_variance == pytest.approx(s.decompose().factor_variance / 4, rel=1e-13)
    neutral = rm.HedgedPortfolio.neutral(s).decompose()
    assert neutral.by_asset["Mkt-RF"] == 0.0
    assert neutral.factor_share == 0.0


def test_an_asset_without_idio_variance_is_all_factor(covariance):
    split = rm.RiskDecomposition.of(covariance, {"B": 1.0})
    assert split.idio_variance == 0.0
    assert split.factor_share == 1.0


def test_nothing_held_has_no_share(covariance):
    split = rm.RiskDecomposition.of(covariance, {"A": 0.0})
    assert split.total_variance == 0.0
    assert split.factor_share == 0.0


def test_without_factors():
    bare = rm.FactorCovariance(["A"], [], np.zeros((1, 0)), np.zeros((0, 0)), [0.04], rm.DAY)
    split = rm.RiskDecomposition.of(bare, {"A": 2.0})
    assert split.by_factor.to_dict() == {"idio": 0.16}
    assert split.by_asset.to_dict() == {"A": 0.16}


def test_labels_that_are_not_text():
    cov = rm.FactorCovariance([7, 8], [1], [[1.0], [2.0]], [[0.04]], [0.01, 0.02], rm.DAY)
    split = rm.RiskDecomposition.of(cov, {8: 1.0}, {1: -1.0})
    assert split.by_asset.sum() == pytest.approx(0.04 + 0.02)
    assert list(split.by_factor.index) == [1, "idio"]


@pytest.mark.parametrize(
    ("weights", "legs", "error", "message"),
    [
        ({"Z": 1.0}, None, rm.UnknownAssetError, "Z"),
        ({"A": 1.0}, {"H": 1.0}, rm.UnknownFactorError, "unknown factor: H"),
        ({"A": np.nan}, None, rm.InvalidParameterError, "finite weights"),
        ({"A": 1.0}, {"F": np.inf}, rm.InvalidParameterError, "finite legs"),
        ([1.0, 2.0, 3.0], None, rm.InvalidParameterError, "weights.*list"),
        (pd.Series([1.0, 1.0], ["A", "A"]), None, rm.DuplicateLabelsError, "A"),
    ],
)
def test_bad_portfolios_are_refused(covariance, weights, legs, error, message):
    with pytest.raises(error, match=message):
        rm.RiskDecomposition.of(covariance, weights, legs)
