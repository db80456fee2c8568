"""Covariances of factors against pandas, statsmodels, scikit-learn, dense formulas and simulations with known truth."""

import attrs
import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import LedoitWolf
from statsmodels.stats.sandwich_covariance import S_hac_simple

import riskmodel as rm

SIZES = np.array([0.01, 0.004, 0.02])


def factors(seed=0, t=400, k=3, sizes=SIZES, start="2015-01-01"):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(t, k)) @ (np.eye(k) + 0.4 * rng.normal(size=(k, k)))
    return pd.DataFrame(mixed * sizes, pd.bdate_range(start, periods=t), [f"F{j}" for j in range(k)])


INNER = {
    "sample": rm.SampleCovariance(),
    "EWMA": rm.EWMACovariance(rm.MONTH, rm.QUARTER),
    "Newey-West": rm.NeweyWest(rm.EWMACovariance(rm.MONTH, rm.QUARTER), 2),
}
ALL = INNER | {
    "QIS": rm.QIS(),
    "mixture": rm.MixtureCovariance([INNER["EWMA"], rm.SampleCovariance()], [0.7, 0.3]),
    "no history": rm.Stambaugh(),
    "EM": rm.EMCovariance(),
    "eigenfactor": rm.EigenfactorAdjusted(rm.SampleCovariance(), simulations=20),
    "regime": rm.RegimeAdjusted(rm.SampleCovariance(), rm.MONTH),
    "nested": rm.EigenfactorAdjusted(rm.RegimeAdjusted(INNER["Newey-West"], rm.MONTH), simulations=4),
}
each = pytest.mark.parametrize("estimator", ALL.values(), ids=list(ALL))


def near(got, expected, rtol=1e-10):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=0)


# -- against other packages ----------------------------------------------------------------------------


def test_the_sample_covariance_is_that_of_pandas():
    f = factors()
    got = rm.SampleCovariance().fit(f, rm.DAY)
    near(got, f.cov())
    assert got.index.equals(f.columns)
    assert got.columns.equals(f.columns)


def test_equal_half_lives_give_the_weighted_covariance_of_pandas():
    f = factors()
    near(rm.EWMACovariance(rm.MONTH, rm.MONTH).fit(f, rm.DAY), f.ewm(halflife=21).cov().loc[f.index[-1]])


def test_volatilities_and_correlations_have_half_lives_of_their_own():
    f = factors()
    got = rm.EWMACovariance(rm.MONTH, rm.YEAR).fit(f, rm.DAY)
    near(np.diag(got), f.ewm(halflife=21).var().iloc[-1])
    slow = f.ewm(halflife=252).corr().loc[f.index[-1]]
    scale = np.sqrt(np.diag(got))
    near(got / np.outer(scale, scale), slow)


def test_half_lives_are_trading_days_whatever_the_rows():
    f = factors(t=120)
    near(
        rm.EWMACovariance(rm.YEAR, rm.YEAR).fit(f, rm.MONTH),
        rm.EWMACovariance(rm.Horizon(12), rm.Horizon(12)).fit(f, rm.DAY),
    )


def test_equal_half_lives_give_the_factor_covariance_of_ewma():
    panel = rm.SampleData(rm.MONTH).panel(["BusEq"], ["Mkt-RF", "SMB", "HML"])
    expected = rm.EWMA(rm.YEAR).fit(panel).factor_covariance
    near(rm.EWMACovariance(rm.YEAR, rm.YEAR).fit(panel.factor_returns, rm.MONTH), expected)


@pytest.mark.parametrize("lags", [1, 3, 10])
def test_newey_west_is_that_of_statsmodels_but_for_the_ends(lags):
    f = factors(t=20_000)
    f = f + 0.3 * f.shift(1, fill_value=0.0) - 0.1 * f.shift(2, fill_value=0.0)
    deviations = (f - f.mean()).to_numpy()
    expected = S_hac_simple(deviations, nlags=lags) / len(f)
    got = rm.NeweyWest(rm.SampleCovariance(), lags).fit(f, rm.DAY)
    scale = np.sqrt(np.diag(expected))
    assert np.abs((got - expected) / np.outer(scale, scale)).max(axis=None) < 5 * lags / len(f)


def test_newey_west_is_the_covariance_of_overlapping_sums():
    f = factors(t=80)
    sums = f.rolling(4).sum().dropna()
    near(rm.NeweyWest(rm.SampleCovariance(), 3).fit(f, rm.DAY), sums.cov() / 4)


def test_newey_west_finds_the_long_run_variance_of_an_autoregression():
    rng = np.random.default_rng(0)
    shocks = rng.normal(size=60_000)
    x = np.empty_like(shocks)
    x[0] = shocks[0]
    for t in range(1, len(x)):
        x[t] = 0.5 * x[t - 1] + shocks[t]
    f = pd.DataFrame({"F": x})
    got = float(rm.NeweyWest(rm.SampleCovariance(), 40).fit(f, rm.DAY).iloc[0, 0])
    assert got == pytest.approx(1 / (1 - 0.5) ** 2, rel=0.08)  # Bartlett weights are 5 % low here
    assert float(rm.SampleCovariance().fit(f, rm.DAY).iloc[0, 0]) == pytest.approx(1 / (1 - 0.25), rel=0.03)


@pytest.mark.parametrize("name", ["LedoitWolf", "OAS", "EmpiricalCovariance"])
def test_shrunk_is_what_scikit_learn_estimates(name):
    covariance = pytest.importorskip("sklearn.covariance")
    f = factors(t=60)
    inner = getattr(covariance, name)()
    got = rm.Shrunk(inner).fit(f, rm.DAY)
    near(got, getattr(covariance, name)().fit(f.to_numpy()).covariance_)
    assert not hasattr(inner, "covariance_")  # the caller's object is left alone


def test_quadratic_inverse_shrinkage_is_the_papers_formula():
    for t, k in ((80, 20), (21, 40), (300, 5)):
        f = factors(seed=t, t=t, k=k, sizes=0.01)
        n, c = t - 1, k / (t - 1)
        values, vectors = np.linalg.eigh(f.cov().to_numpy())
        kept = values[max(k - n, 0) :]
        h = min(c**2, c**-2) ** 0.35 * k**-0.35
        shrunk = [1 / ((c - 1) * np.mean(1 / kept))] * (k - n) if k > n else []
        for one in kept:
            size = [(1 / other - 1 / one) ** 2 + h**2 / other**2 for other in kept]
            smooth = np.mean([(1 / other - 1 / one) / other / s for other, s in zip(kept, size, strict=True)])
            conjugate = np.mean([h / other**2 / s for other, s in zip(kept, size, strict=True)])
            amplitude = smooth**2 + conjugate**2
            if k > n:
                shrunk.append(one / amplitude)
            else:
                shrunk.append(one / ((1 - c) ** 2 + 2 * c * (1 - c) * smooth + c**2 * amplitude))
        shrunk = np.array(shrunk) * values.sum() / np.sum(shrunk)
        near(rm.QIS().fit(f, rm.DAY), vectors * shrunk @ vectors.T, rtol=1e-6)


def test_quadratic_inverse_shrinkage_is_nearly_the_best_for_these_eigenvectors():
    rng = np.random.default_rng(0)
    true = np.repeat([1.0, 3.0, 10.0], [40, 80, 80])
    losses = []
    for _ in range(4):
        f = pd.DataFrame(rng.normal(size=(601, 200)) * np.sqrt(true), pd.bdate_range("2015-01-01", periods=601))
        sample = f.cov().to_numpy()
        _, u = np.linalg.eigh(sample)
        best = u * np.einsum("ik,i,ik->k", u, true, u) @ u.T
        losses.append([((e - np.diag(true)) ** 2).sum() for e in (sample, rm.QIS().fit(f, rm.DAY).to_numpy(), best)])
    sample, shrunk, best = np.mean(losses, axis=0)
    assert (sample - shrunk) / (sample - best) > 0.96  # the share of the possible gain


def test_dependent_factors_are_left_to_the_sample_covariance():
    f = factors()
    f["F2"] = f["F0"]
    near(rm.QIS().fit(f, rm.DAY), f.cov())


def test_a_mixture_is_the_mean_of_covariances_and_so_is_that_of_the_assets():
    panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur"], ["Mkt-RF", "SMB"], start="2000-01")
    parts = [rm.EWMACovariance(rm.YEAR, rm.YEAR), rm.SampleCovariance()]
    idio = [rm.EWMAVariance(rm.YEAR), rm.SampleVariance()]
    weights = [0.6, 0.4]

    def dense(f, d):
        return rm.Assembled(rm.TimeSeries(rm.OLS()), f, d).fit(panel).covariance.to_dense()

    got = dense(rm.MixtureCovariance(parts, weights), rm.MixtureVariance(idio, weights))
    near(got, 0.6 * dense(parts[0], idio[0]) + 0.4 * dense(parts[1], idio[1]))
    f = panel.factor_returns
    near(rm.MixtureCovariance(parts, [1.0, 0.0]).fit(f, rm.MONTH), parts[0].fit(f, rm.MONTH), rtol=1e-14)


# -- wrappers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", INNER.values(), ids=list(INNER))
def test_wrappers_without_effect_are_their_inner(inner):
    f = factors()
    expected = inner.fit(f, rm.DAY)
    assert rm.NeweyWest(inner, 0).fit(f, rm.DAY).equals(expected)
    near(rm.EigenfactorAdjusted(inner, simulations=3, scale=0.0).fit(f, rm.DAY), expected, rtol=1e-9)


def by_hand(f, simulations, seed, scale):
    """Menchero, Wang and Orr (2011), section 2, line by line."""
    f0 = f.cov().to_numpy()
    d0, u0 = np.linalg.eigh(f0)
    draws = np.random.default_rng(seed)
    total = np.zeros(len(d0))
    for _ in range(simulations):
        b = draws.standard_normal(f.shape) * np.sqrt(d0)
        dm, um = np.linalg.eigh(np.cov(b @ u0.T, rowvar=False))
        total += np.diag(um.T @ f0 @ um) / dm
    gamma = scale * (np.sqrt(total / simulations) - 1) + 1
    return u0 @ np.diag(gamma**2 * d0) @ u0.T


def test_the_eigenfactor_adjustment_is_the_papers():
    f = factors(t=60)
    near(rm.EigenfactorAdjusted(rm.SampleCovariance(), 15, seed=7).fit(f, rm.DAY), by_hand(f, 15, 7, 1.4), rtol=1e-8)


def test_the_eigenfactor_adjustment_brings_minimum_variances_to_what_they_are():
    """The true variance of the least eigenportfolio over its forecast, over many samples of 60 rows of 12 factors."""
    rng = np.random.default_rng(0)
    true = np.diag(np.linspace(0.5, 1.5, 12))
    plain, adjusted = [], []
    for _ in range(40):
        f = pd.DataFrame(rng.normal(size=(60, 12)) * np.sqrt(np.diag(true)))
        for ratios, estimator in (
            (plain, rm.SampleCovariance()),
            (adjusted, rm.EigenfactorAdjusted(rm.SampleCovariance(), simulations=40, scale=1.0)),
        ):
            values, vectors = np.linalg.eigh(estimator.fit(f, rm.DAY))
            ratios.append(vectors[:, 0] @ true @ vectors[:, 0] / values[0])
    assert np.mean(plain) > 2.0
    assert np.mean(adjusted) == pytest.approx(1.0, abs=0.35)


def test_the_regime_multiplier_is_the_weighted_mean_of_the_bias_statistic():
    f = factors(t=100)
    squares, weights = [], []
    for t in range(20, 100):
        variance = f.iloc[:t].var()
        squares.append(((f.iloc[t] ** 2) / variance).mean())
        weights.append(0.5 ** ((99 - t) / 21))
    expected = np.average(squares, weights=weights) * f.cov()
    near(rm.RegimeAdjusted(rm.SampleCovariance(), rm.MONTH).fit(f, rm.DAY), expected)


def test_the_regime_adjustment_finds_a_jump_of_volatility():
    rng = np.random.default_rng(0)
    f = pd.DataFrame(rng.normal(size=(504, 10)))
    f.iloc[-63:] *= 2.0
    slow = rm.SampleCovariance()
    got = rm.RegimeAdjusted(slow, rm.Horizon(21)).fit(f, rm.DAY)
    level = np.sqrt(np.diag(got).mean())
    assert np.sqrt(np.diag(slow.fit(f, rm.DAY)).mean()) < 1.25
    assert level == pytest.approx(2.0, rel=0.12)


# -- properties ----------------------------------------------------------------------------------------


@each
def test_forecasts_before_each_row_use_the_rows_before_it(estimator):
    f = factors(t=46)
    before = estimator.variances_before(f, rm.DAY)
    changed = f.copy()
    changed.iloc[40:] *= -3.0
    pd.testing.assert_frame_equal(before.iloc[:41], estimator.variances_before(changed, rm.DAY).iloc[:41])
    assert before.iloc[25:].notna().all(axis=None)
    assert before.iloc[:20].isna().all(axis=None)
    if not isinstance(estimator, rm.RegimeAdjusted | rm.EigenfactorAdjusted):  # these need more rows
        for t in (25, 45):
            near(before.iloc[t], np.diag(estimator.fit(f.iloc[:t], rm.DAY)))


@each
@pytest.mark.parametrize(("seed", "scale"), [(1, 1e-4), (2, 1e4), (3, 7.0)])
def test_results_are_covariances_that_scale(estimator, seed, scale):
    f = factors(seed, t=50)
    got = estimator.fit(f, rm.DAY)
    assert (got == got.T).all(axis=None)
    assert np.linalg.eigvalsh(got)[0] >= -1e-12 * np.linalg.eigvalsh(got)[-1]
    near(estimator.fit(scale * f, rm.DAY), scale**2 * got, rtol=1e-7)


@pytest.mark.parametrize("estimator", [*INNER.values(), ALL["regime"]], ids=[*INNER, "regime"])
def test_factors_may_come_in_any_order(estimator):
    f = factors()
    turned = estimator.fit(f[["F2", "F0", "F1"]], rm.DAY)
    near(turned.loc[f.columns, f.columns], estimator.fit(f, rm.DAY))


@each
def test_the_returns_are_left_alone(estimator):
    f = factors(t=60)
    before = f.copy()
    estimator.fit(f, rm.DAY)
    pd.testing.assert_frame_equal(f, before)


def test_a_half_life_longer_than_the_sample_gives_nearly_equal_weights():
    f = factors(t=50)
    near(rm.EWMACovariance(rm.Horizon(1e6), rm.Horizon(1e6)).fit(f, rm.DAY), f.cov(), rtol=1e-3)


# -- wrong input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", [e for e in ALL.values() if not isinstance(e, rm.Stambaugh | rm.EMCovariance)])
def test_missing_factor_returns_are_an_error_that_names_them(estimator):
    f = factors()
    f.iloc[3, 1] = np.nan
    with pytest.raises(rm.EstimationError) as error:
        estimator.fit(f, rm.DAY)
    assert error.value.details["factors"] == ["F1"]


@each
def test_too_few_rows_are_an_error(estimator):
    with pytest.raises(rm.EstimationError):
        estimator.fit(factors(t=1), rm.DAY)


def test_fewer_rows_than_factors_have_no_eigenfactor_adjustment():
    with pytest.raises(rm.EstimationError) as error:
        rm.EigenfactorAdjusted(rm.SampleCovariance()).fit(factors(t=3), rm.DAY)
    assert len(error.value.details["eigenvalues"]) == 3


def test_the_regime_needs_more_rows_than_forecasts_do():
    with pytest.raises(rm.EstimationError) as error:
        rm.RegimeAdjusted(rm.SampleCovariance(), rm.MONTH).fit(factors(t=20), rm.DAY)
    assert error.value.details["rows"] == 20


@pytest.mark.parametrize(
    "make",
    [
        lambda: rm.EWMACovariance(21, rm.MONTH),
        lambda: rm.NeweyWest(rm.SampleCovariance(), -1),
        lambda: rm.NeweyWest(rm.SampleCovariance(), 1.5),
        lambda: rm.NeweyWest(rm.SampleVariance(), 1),
        lambda: rm.EigenfactorAdjusted(rm.SampleCovariance(), simulations=0),
        lambda: rm.EigenfactorAdjusted(rm.SampleCovariance(), scale=-1.0),
        lambda: rm.RegimeAdjusted(rm.SampleCovariance(), 42),
        lambda: rm.Shrunk(object()),
        lambda: rm.MixtureCovariance([], []),
        lambda: rm.MixtureCovariance([rm.SampleCovariance()], [0.5]),
        lambda: rm.MixtureCovariance([rm.SampleCovariance()] * 2, [1.0]),
        lambda: rm.MixtureCovariance([rm.SampleCovariance()] * 2, [1.5, -0.5]),
        lambda: rm.MixtureCovariance([rm.SampleVariance()], [1.0]),
        lambda: rm.MixtureCovariance(rm.SampleCovariance(), [1.0]),
        lambda: rm.Shrunk(type("LedoitWolf", (), {"fit": lambda self, x: self})),
    ],
)
def test_wrong_parameters_are_errors(make):
    with pytest.raises(rm.InvalidParameterError):
        make()


def test_what_scikit_learn_must_return_is_checked():
    class Odd:
        def fit(self, x):
            return self

    with pytest.raises(rm.InvalidParameterError) as error:
        rm.Shrunk(Odd()).fit(factors(), rm.DAY)
    assert error.value.details["expected"] == (3, 3)


@pytest.mark.parametrize(
    "estimator",
    [
        rm.SampleCovariance(),
        rm.EWMACovariance(rm.MONTH, rm.QUARTER),
        rm.PooledCovariance(),
        rm.QIS(),
        rm.Stambaugh(),
        rm.EMCovariance(),
        rm.Shrunk(LedoitWolf()),
        rm.NeweyWest(rm.SampleCovariance(), 2),
        rm.EigenfactorAdjusted(rm.SampleCovariance()),
        rm.MixtureCovariance([rm.SampleCovariance(), rm.EMCovariance()], [0.5, 0.5]),
    ],
    ids=lambda e: type(e).__name__,
)
def test_no_factors_have_a_covariance_without_entries(estimator):
    assert estimator.fit(factors().iloc[:, :0], rm.DAY).shape == (0, 0)


def test_estimators_are_frozen():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        rm.NeweyWest(rm.SampleCovariance(), 1).lags = 2
