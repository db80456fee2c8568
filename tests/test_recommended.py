"""The recommended assembly and what it is made of keep the contract of estimators."""

import numpy as np
import pandas as pd

import riskmodel as rm
from riskmodel.testing.estimators import EstimatorContract


def made(factors):
    """Twelve assets of two factors, 160 days."""
    rng = np.random.default_rng(4)
    dates = pd.bdate_range("2020-01-01", periods=160)
    f = pd.DataFrame(rng.normal(0, 0.01, (160, 2)), dates, ["Mkt-RF", "SMB"])
    b = np.column_stack([rng.uniform(0.5, 1.5, 12), rng.normal(0, 0.5, 12)])
    r = pd.DataFrame(f @ b.T + rng.normal(0, 0.01, (160, 12)), dates)
    r.columns = [f"A{i}" for i in range(12)]
    data = rm.InMemory(r, factors=f, risk_free=0.0, horizon=rm.DAY)
    return data.panel(list(r), factors)


class TestRecommended(EstimatorContract):
    explains_sample_variance = False
    separable = False
    estimates_short_assets = True

    def estimator(self):
        return rm.recommended()

    def panel(self):
        return made([])


class TestRecommendedWithFactors(EstimatorContract):
    explains_sample_variance = False
    separable = False
    estimates_short_assets = True

    def estimator(self):
        return rm.recommended(observed=rm.TimeSeries(rm.OLS()))

    def panel(self):
        return made(["Mkt-RF", "SMB"])


class TestBlendOfLeastSquares(EstimatorContract):
    explains_sample_variance = False

    def estimator(self):
        return rm.Blend([rm.OLS(), rm.EWMA(rm.QUARTER)], [0.5, 0.5])

    def panel(self):
        return made(["Mkt-RF", "SMB"])


class TestWrappersOfLeastSquares(EstimatorContract):
    explains_sample_variance = False
    separable = False

    def estimator(self):
        return rm.SecondOrderAdjusted(rm.RecentVolatility(rm.OLS()))

    def panel(self):
        return made(["Mkt-RF", "SMB"])


class TestLinked(EstimatorContract):
    explains_sample_variance = False
    separable = False

    def estimator(self):
        return rm.Assembled(rm.TimeSeries(rm.OLS()), rm.PooledCovariance(), rm.Linked(rm.PooledVariance(), 0.2, 1.0))

    def panel(self):
        return made(["Mkt-RF", "SMB"])
