"""Which estimators' parameters have errors, and which are refused: every public one is listed."""

from __future__ import annotations

import inspect

import panels
import pytest
from sklearn.covariance import LedoitWolf

import riskmodel as rm

SERIES, SAMPLE, OWN = rm.TimeSeries(rm.OLS()), rm.SampleCovariance(), rm.SampleVariance()
MONTHS = rm.Horizon(60)


def assembled(loadings=SERIES, factor_covariance=SAMPLE, idio_variance=OWN):
    return rm.Assembled(loadings, factor_covariance, idio_variance)


KNOWN = {
    "OLS": rm.OLS(),
    "EWMA": rm.EWMA(half_life=MONTHS),
    "Assembled": assembled(),
    "TimeSeries": assembled(rm.TimeSeries(rm.OLS())),
    "SampleCovariance": assembled(factor_covariance=rm.SampleCovariance()),
    "SampleVariance": assembled(idio_variance=rm.SampleVariance()),
}
REFUSED = {
    "Blend": rm.Blend([rm.OLS(), rm.EWMA(half_life=MONTHS)], [0.5, 0.5]),
    "Huber": rm.Huber(),
    "Lasso": rm.Lasso(),
    "Ridge": rm.Ridge(),
    "RecentVolatility": rm.RecentVolatility(rm.OLS()),
    "SecondOrderAdjusted": rm.SecondOrderAdjusted(rm.OLS()),
    "Blume": assembled(rm.Blume(SERIES, factor="F0")),
    "Dimson": assembled(rm.Dimson(SERIES, 1)),
    "FowlerRorke": assembled(rm.FowlerRorke(SERIES, 1)),
    "Hybrid": assembled(rm.Hybrid(SERIES, rm.PrincipalComponents(1))),
    "PrincipalComponents": assembled(rm.PrincipalComponents(2)),
    "Vasicek": assembled(rm.Vasicek(SERIES)),
    "EWMACovariance": assembled(factor_covariance=rm.EWMACovariance(MONTHS, MONTHS)),
    "EigenfactorAdjusted": assembled(factor_covariance=rm.EigenfactorAdjusted(SAMPLE, 20)),
    "MixtureCovariance": assembled(
        factor_covariance=rm.MixtureCovariance([SAMPLE, rm.EWMACovariance(MONTHS, MONTHS)], [0.5, 0.5])
    ),
    "NeweyWest": assembled(factor_covariance=rm.NeweyWest(SAMPLE, 2)),
    "PooledCovariance": assembled(factor_covariance=rm.PooledCovariance()),
    "QIS": assembled(factor_covariance=rm.QIS()),
    "RegimeAdjusted": assembled(factor_covariance=rm.RegimeAdjusted(SAMPLE, MONTHS)),
    "Shrunk": assembled(factor_covariance=rm.Shrunk(LedoitWolf())),
    "EWMAVariance": assembled(idio_variance=rm.EWMAVariance(MONTHS)),
    "Linked": assembled(idio_variance=rm.Linked(OWN, threshold=0.01, significance=0.99)),
    "MixtureVariance": assembled(idio_variance=rm.MixtureVariance([OWN, rm.EWMAVariance(MONTHS)], [0.5, 0.5])),
    "NeweyWestVariance": assembled(idio_variance=rm.NeweyWestVariance(OWN, 2)),
    "PooledVariance": assembled(idio_variance=rm.PooledVariance()),
    "RegimeAdjustedVariance": assembled(idio_variance=rm.RegimeAdjustedVariance(OWN, MONTHS)),
    "ShrunkVariance": assembled(idio_variance=rm.ShrunkVariance(OWN, 0.5)),
}
# They change nothing where no history is short, no beta far off and residuals are uncorrelated, or need what this panel
# has not: characteristics.
ELSEWHERE = {
    *("Bounded", "CrossSectional", "EMCovariance", "LeastSquares", "ShortHistories", "ShortHistoryVariance"),
    *("SlopeWinsorised", "Stambaugh", "Structural", "Thresholded"),
}


def test_every_estimator_is_listed():
    kinds = (rm.Estimator, rm.LoadingsEstimator, rm.FactorCovarianceEstimator, rm.IdioVarianceEstimator)
    found = {
        name
        for name in rm.__all__
        if inspect.isclass(thing := getattr(rm, name)) and issubclass(thing, kinds) and not inspect.isabstract(thing)
    } - {kind.__name__ for kind in kinds}
    assert found == {*KNOWN, *REFUSED, *ELSEWHERE}


@pytest.fixture(scope="module")
def panel():
    return panels.clean(t=300, n=12, k=3)


@pytest.mark.parametrize("name", KNOWN)
def test_least_squares_has_errors(panel, name):
    model = KNOWN[name].fit(panel)
    table = rm.Inference.of(model, panel).table(rm.Strategy({"A0": 1.0}, model))
    assert (table["low"] < table["high"]).all()


@pytest.mark.parametrize("name", REFUSED)
def test_other_parameters_are_refused(panel, name):
    model = REFUSED[name].fit(panel)
    with pytest.raises(rm.NotEstimatedError):
        rm.Inference.of(model, panel)
