"""Risk premia against linearmodels and formulas, on complete, ragged and weighted panels."""

import numpy as np
import pandas as pd
import panels
import pytest
from linearmodels import FamaMacBeth
from linearmodels.asset_pricing import LinearFactorModel, TradedFactorModel

import riskmodel as rm

MAKE = {"excess": rm.RiskPremia.of, "zero-beta": rm.RiskPremia.with_zero_beta_rate}


def white(panel, **how):
    return LinearFactorModel(panel.excess_returns, panel.factor_returns, **how)


@pytest.mark.parametrize("make", [panels.clean, lambda: panels.clean(k=1), lambda: panels.clean(n=20, k=6)])
class TestAgainstLinearmodels:
    @pytest.mark.parametrize("lags", [0, 1, 6])
    @pytest.mark.parametrize("kind", list(MAKE))
    def test_two_passes(self, make, kind, lags):
        panel = make()
        theirs = white(panel, risk_free=kind == "zero-beta").fit(
            cov_type="kernel", kernel="bartlett", bandwidth=lags, debiased=False
        )
        ours = MAKE[kind](rm.OLS().fit(panel), panel, rm.HAC(lags=lags))
        np.testing.assert_allclose(ours.premia, theirs.risk_premia, rtol=1e-9)
        np.testing.assert_allclose(ours.table()["std_error"], theirs.risk_premia_se, rtol=1e-9)
        np.testing.assert_allclose(ours.pricing_errors, theirs.alphas, rtol=1e-8, atol=1e-12)
        assert ours.j().statistic == pytest.approx(theirs.j_statistic.stat, rel=1e-9)
        assert ours.j().degrees == (theirs.j_statistic.df,)

    def test_traded_factors(self, make):
        panel = make()
        theirs = TradedFactorModel(panel.excess_returns, panel.factor_returns).fit(cov_type="robust", debiased=False)
        ours = rm.RiskPremia.traded(rm.OLS().fit(panel), panel, rm.HAC(lags=0))
        np.testing.assert_allclose(ours.premia, theirs.risk_premia, rtol=1e-9)
        np.testing.assert_allclose(ours.table()["std_error"], theirs.risk_premia_se, rtol=1e-9)

    @pytest.mark.parametrize(
        ("covariance", "how"),
        [
            (rm.Classical(), {"cov_type": "unadjusted", "debiased": True}),
            (rm.HAC(lags=4), {"cov_type": "kernel", "kernel": "bartlett", "bandwidth": 4, "debiased": False}),
        ],
        ids=["Fama-MacBeth", "Newey-West"],
    )
    def test_fama_macbeth(self, make, covariance, how):
        panel = make()
        model = rm.OLS().fit(panel)
        ours = rm.FamaMacBeth.of(model, panel, covariance)
        theirs = FamaMacBeth(*long_form(panel, model.loadings)).fit(**how)
        np.testing.assert_allclose(ours.premia, theirs.params, rtol=1e-9)
        np.testing.assert_allclose(ours.table()["std_error"], theirs.std_errors, rtol=1e-9)


def long_form(panel, loadings):
    long = panel.excess_returns.rename_axis("date").reset_index().melt("date", var_name="asset", value_name="r")
    known = long[["asset"]].merge(loadings.rename_axis("asset").reset_index(), on="asset", how="left")
    for name in loadings:
        long[name] = known[name].to_numpy()
    table = long.assign(const=1.0).set_index(["asset", "date"])
    return table["r"], table[["const", *loadings]]


class TestRaggedAndWeighted:
    """Influence functions against the change of the estimate where a date's weight changes a little."""

    @pytest.mark.parametrize("kind", list(MAKE))
    def test_a_date_moves_the_premia_as_its_term_says(self, kind):
        full = panels.clean(t=80, n=8, k=2)
        r, f, _ = (a.copy() for a in full.arrays())
        r[:20, 0], r[50:, 3] = np.nan, np.nan
        panel = panels.panel_of(r, f)
        model = rm.OLS().fit(panel)
        terms = []

        class Spy(rm.LongRunCovariance):
            def of_sums(self, given):
                terms.append(given.by_date)
                return np.eye(len(given.by_date))

        MAKE[kind](model, panel, Spy())
        step = 1e-6
        for date in (5, 40, 70):
            w = np.ones(80)
            w[date] += step
            moved = (two_passes(r, f, w, kind) - two_passes(r, f, np.ones(80), kind)) / step
            np.testing.assert_allclose(terms[0][:, date], moved, rtol=1e-4, atol=1e-12)

    def test_weights_that_decay(self):
        panel = panels.clean(n=8, k=2)
        model = rm.EWMA(half_life=rm.Horizon(80)).fit(panel)
        w = model.regression.decay_factor ** np.arange(299, -1, -1.0)
        r, f, _ = panel.arrays()
        np.testing.assert_allclose(rm.RiskPremia.of(model, panel).premia, two_passes(r, f, w, "excess"), rtol=1e-8)
        passes = rm.FamaMacBeth.of(model, panel)
        np.testing.assert_allclose(passes.premia, w / w.sum() @ passes.by_date.to_numpy())


def two_passes(r, f, w, kind):
    """Premia from weighted regressions of each asset on its own dates."""
    mean = w @ f / w.sum()
    fitted = []
    for column in r.T:
        own = ~np.isnan(column)
        x, root = np.column_stack([np.ones(own.sum()), f[own]]), np.sqrt(w[own])
        fitted.append(np.linalg.lstsq(x * root[:, None], column[own] * root, rcond=None)[0])
    fitted = np.array(fitted)
    b = fitted[:, 1:]
    x = b if kind == "excess" else np.column_stack([np.ones(len(b)), b])
    return np.linalg.lstsq(x, fitted[:, 0] + b @ mean, rcond=None)[0]


class TestFamaMacBeth:
    def test_shanken_is_the_formula(self):
        panel = panels.clean(k=2)
        model = rm.OLS().fit(panel)
        ours = rm.FamaMacBeth.of(model, panel, rm.Classical())
        slopes, f = ours.by_date.to_numpy(), model.factor_covariance.to_numpy()
        v, of_factors = np.cov(slopes.T) / 300, np.zeros((3, 3))
        of_factors[1:, 1:] = f / 300
        premia = ours.premia.to_numpy()[1:]
        c = premia @ np.linalg.inv(f) @ premia
        expected = np.sqrt(np.diag((1 + c) * (v - of_factors) + of_factors))
        np.testing.assert_allclose(ours.shanken()["std_error"], expected, rtol=1e-9)

    def test_loadings_of_a_history_are_known_before(self):
        panel = panels.ragged()
        history = rm.Rolling(rm.Horizon(100), minimum=30, every=25).fit(panel)
        ours = rm.FamaMacBeth.of_history(history)
        assert ours.by_date.index[0] == panel.dates[list(panel.dates).index(history.dates[0]) + 1]
        for date in ours.by_date.index[[0, 60, -1]]:
            before = history.loadings.loc[history.dates[history.dates < date][-1]]
            b = pd.DataFrame({k: before[k] for k in panel.factors})
            r = panel.excess_returns.loc[date]
            known = b.notna().all(axis=1) & r.notna()
            x = np.column_stack([np.ones(known.sum()), b[known]])
            expected = np.linalg.lstsq(x, r[known], rcond=None)[0]
            np.testing.assert_allclose(ours.by_date.loc[date], expected, rtol=1e-7)
        with pytest.raises(rm.NotEstimatedError):
            ours.shanken()

    def test_dates_with_too_few_assets_have_no_slopes(self):
        r, f, _ = (a.copy() for a in panels.clean(t=100, n=6, k=1).arrays())
        r[10, :5] = np.nan
        panel = panels.panel_of(r, f)
        ours = rm.FamaMacBeth.of(rm.OLS().fit(panel), panel)
        assert ours.by_date.isna().any(axis=1).sum() == 1
        np.testing.assert_allclose(ours.premia, ours.by_date.mean())


class TestRefusals:
    def test_as_many_assets_as_premia(self):
        panel = panels.clean(n=3, k=3)
        model = rm.OLS().fit(panel)
        premia = rm.RiskPremia.of(model, panel)
        np.testing.assert_allclose(premia.pricing_errors, 0, atol=1e-12)
        with pytest.raises(rm.NotEstimatedError) as error:
            premia.j()
        assert error.value.details["n_assets"] == error.value.details["premia"] == 3
        with pytest.raises(rm.NotEstimatedError):
            rm.RiskPremia.with_zero_beta_rate(model, panel)

    def test_loadings_that_depend_on_each_other(self):
        panel = panels.clean(n=6, k=2)
        model = rm.OLS().fit(panel)
        r, f, _ = (a.copy() for a in panel.arrays())
        r[:] = r[:, :1]
        same = panels.panel_of(r, f)
        with pytest.raises(rm.CollinearFactorsError):
            rm.RiskPremia.of(rm.OLS().fit(same), same)
        with pytest.raises(rm.NotEstimatedError):
            rm.FamaMacBeth.of(rm.OLS().fit(same), same)
        with pytest.raises(rm.NotEstimatedError):
            rm.RiskPremia.traded(model, panel).joint()

    def test_factors_that_are_not_traded(self):
        panel = panels.clean(n=6, k=2)
        r, f, _ = panel.arrays()
        days = panel.dates
        data = rm.InMemory(
            pd.DataFrame(r, days, panel.assets),
            factors=pd.DataFrame(f, days, ["Mkt-RF", "growth"]),
            risk_free=0.0,
            horizon=rm.DAY,
        )
        given = data.panel(list(panel.assets), ["Mkt-RF", rm.PublishedFactor("growth", tradable=False)])
        model = rm.OLS().fit(given)
        with pytest.raises(rm.NotEstimatedError) as error:
            rm.RiskPremia.traded(model, given)
        assert error.value.details["factors"] == ["growth"]
        assert len(rm.RiskPremia.of(model, given).premia) == 2
