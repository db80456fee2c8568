"""FactorModel: numbers that were given, horizons, restriction, residuals, and errors."""

import contextlib
import pickle
import subprocess
import sys

import attrs
import numpy as np
import pandas as pd
import pytest
from panels import clean, ragged

import riskmodel as rm

GIVEN = {
    "assets": ["FUND"],
    "factors": ["Mkt-RF"],
    "alpha": 0.0005855699261548292,
    "loadings": 1.187234068887255,
    "factor_covariance": 0.00013005387619649368,
    "factor_mean": 0.00035668848435262666,
    "idio_variance": 0.00025831692182161234,
    "horizon": rm.DAY,
}


def two_by_two(**changes):
    given = {
        "assets": ["A", "B"],
        "factors": ["Mkt-RF", "SMB"],
        "alpha": pd.Series({"B": 0.2, "A": 0.1}),
        "loadings": pd.DataFrame({"SMB": {"A": 0.5, "B": -0.5}, "Mkt-RF": {"A": 1.0, "B": 2.0}}),
        "factor_covariance": pd.DataFrame([[4.0, 1.0], [1.0, 9.0]], ["SMB", "Mkt-RF"], ["SMB", "Mkt-RF"]),
        "factor_mean": {"SMB": 0.3, "Mkt-RF": 0.6},
        "idio_variance": [1.0, 2.0],
        "horizon": rm.MONTH,
    }
    return rm.FactorModel.from_parameters(**{**given, **changes})


class TestFromParameters:
    def test_published_figures(self):
        model = rm.FactorModel.from_parameters(**GIVEN)
        fund = rm.Strategy({"FUND": 1.0}, model)
        hedged = rm.HedgedPortfolio.neutral(fund)
        near = lambda x: pytest.approx(x, rel=1e-13)  # noqa: E731
        assert model.covariance.variance({"FUND": 1.0}) == near(0.000441631077115618)
        assert fund.decompose().factor_share == near(0.4150843651929287)
        month, year = rm.RiskBudget(1e6, rm.MONTH), rm.RiskBudget(1e6, rm.YEAR)
        assert month.size(fund).capital == near(10.38390100942344e6)
        assert month.size(hedged).capital == near(13.57731594569193e6)
        assert year.size(fund).capital == near(2.997574021514525e6)
        assert year.size(hedged).capital == near(3.9194335080589173e6)
        assert year.size(fund).expected_pnl(rm.YEAR) == near(0.7622193661795735e6)
        assert year.size(fund).factor_adjusted_pnl(rm.YEAR) == near(0.4423328780023175e6)
        assert year.size(hedged).expected_pnl(rm.YEAR) == near(0.5783658022504715e6)

    def test_labelled_numbers_are_matched_by_label(self):
        model = two_by_two()
        assert model.alpha.tolist() == [0.1, 0.2]
        assert model.loadings.to_numpy().tolist() == [[1.0, 0.5], [2.0, -0.5]]
        assert model.factor_covariance.to_numpy().tolist() == [[9.0, 1.0], [1.0, 4.0]]
        assert model.factor_mean.tolist() == [0.6, 0.3]

    def test_variances_follow(self):
        model = two_by_two()
        b, f = model.loadings.to_numpy(), model.factor_covariance.to_numpy()
        systematic = np.diag(b @ f @ b.T)
        total = systematic + np.array([1.0, 2.0])
        np.testing.assert_allclose(model.covariance.diagonal(), total)

    def test_nothing_was_estimated(self):
        model = two_by_two()
        assert model.regression is None
        assert model.missing.empty
        with pytest.raises(rm.NotEstimatedError, match="regression"):
            model.summary("A", None)

    def test_factors_know_whether_they_are_funded(self):
        assert two_by_two().funded == (True, False)
        assert two_by_two(funded=[False, True]).funded == (False, True)
        funds = [rm.PublishedFactor("Mkt-RF"), rm.PublishedFactor("SMB", funding=rm.FUNDED)]
        assert two_by_two(factors=funds).funded == (True, True)

    def test_caller_keeps_his_arrays(self):
        alpha = np.array([0.1, 0.2])
        model = two_by_two(alpha=alpha)
        alpha[0] = 99.0
        assert model.alpha["A"] == 0.1

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"alpha": [0.1]}, rm.InvalidParameterError, r"alpha.*\(2,\).*\(1,\)"),
            ({"alpha": [0.1, np.nan]}, rm.InvalidParameterError, "finite alpha"),
            ({"alpha": {"A": 0.1}}, rm.UnknownAssetError, "without a value in alpha: B"),
            ({"alpha": {"A": 0.1, "B": 0.2, "C": 0.3}}, rm.UnknownAssetError, "label in alpha: C"),
            ({"alpha": pd.Series([0.1, 0.2, 0.3], ["A", "B", "A"])}, rm.DuplicateLabelsError, "labels of alpha"),
            ({"factor_mean": {"SMB": 0.3, "Mkt": 0.6}}, rm.UnknownFactorError, "nearest to 'Mkt': Mkt-RF"),
            ({"loadings": np.ones((2, 3))}, rm.InvalidParameterError, r"loadings.*\(2, 2\)"),
            ({"idio_variance": [-1.0, 1.0]}, rm.InvalidParameterError, "idio_variance.* A\\."),
            ({"factor_covariance": [[1.0, 2.0], [2.0, 1.0]]}, rm.InvalidParameterError, "positive semidefinite"),
            ({"factor_covariance": [[1.0, 0.5], [0.4, 1.0]]}, rm.InvalidParameterError, "symmetric"),
            ({"assets": ["A", "A"]}, rm.DuplicateLabelsError, "assets.* A "),
            ({"factors": ["SMB", "SMB"]}, rm.DuplicateLabelsError, "factors.* SMB "),
            ({"risk_free_mean": np.inf}, rm.InvalidParameterError, "risk_free_mean.*finite"),
            ({"funded": [True]}, rm.InvalidParameterError, "funded.*each of the 2 factors"),
        ],
    )
    def test_bad_numbers_are_refused(self, change, error, message):
        with pytest.raises(error, match=message):
            two_by_two(**change)

    @pytest.mark.parametrize("name", ["alpha", "idio", "risk_free", "cash"])
    def test_names_that_results_use_are_refused(self, name):
        with pytest.raises(rm.InvalidParameterError, match=name) as caught:
            rm.FactorModel.from_parameters(**{**GIVEN, "factors": [name]})
        assert caught.value.details["factors"] == [name]


class TestHorizons:
    def test_at_scales_means_and_variances_and_leaves_the_rest(self):
        day = rm.OLS().fit(clean())
        year = day.at(rm.YEAR)
        np.testing.assert_allclose(year.alpha, 252 * day.alpha)
        np.testing.assert_allclose(year.factor_mean, 252 * day.factor_mean)
        np.testing.assert_allclose(year.idio_variance, 252 * day.idio_variance)
        fit, yearly = day.regression, year.regression
        np.testing.assert_allclose(yearly.total_variance, 252 * fit.total_variance)
        np.testing.assert_allclose(yearly.std_errors["alpha"], 252 * fit.std_errors["alpha"])
        np.testing.assert_array_equal(year.loadings, day.loadings)
        np.testing.assert_array_equal(yearly.std_errors["F0"], fit.std_errors["F0"])
        np.testing.assert_allclose(yearly.tvalues, fit.tvalues)
        np.testing.assert_array_equal(yearly.rsquared, fit.rsquared)
        assert year.horizon == year.covariance.horizon == rm.YEAR

    def test_there_and_back_is_the_identity(self):
        day = rm.OLS().fit(ragged())
        back = day.at(rm.YEAR).at(rm.DAY)
        np.testing.assert_allclose(back.alpha, day.alpha, rtol=1e-15)
        np.testing.assert_allclose(back.covariance.to_dense(), day.covariance.to_dense(), rtol=1e-14)


class TestExpectedReturns:
    def test_decompose_into_risk_free_alpha_and_factors(self):
        data = rm.SampleData()
        panel = data.panel(["MSFT", "KO"], ["Mkt-RF"])
        parts = rm.OLS().fit(panel).expected_returns
        assert parts.columns.tolist() == ["risk_free", "alpha", "Mkt-RF"]
        totals = data.asset_returns(["MSFT", "KO"]).mean()
        np.testing.assert_allclose(parts.sum(axis=1), totals, rtol=1e-11)


class TestRestrict:
    def test_keeps_order_and_figures(self):
        model = rm.OLS().fit(ragged())
        some = model.restrict(["A5", "A2"])
        assert some.assets.tolist() == ["A5", "A2"]
        for name in ("alpha", "loadings"):
            np.testing.assert_array_equal(getattr(some, name), getattr(model, name).loc[["A5", "A2"]])
        for name in ("std_errors", "rsquared", "n_observations", "total_variance", "tvalues"):
            np.testing.assert_array_equal(
                getattr(some.regression, name), getattr(model.regression, name).loc[["A5", "A2"]]
            )
        assert str(some.summary("A2", ragged()).tables[1]) == str(model.summary("A2", ragged()).tables[1])

    def test_unknown_asset_comes_with_the_nearest(self):
        model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"]))
        with pytest.raises(rm.UnknownAssetError, match=r"unknown asset: MSTF\. nearest to 'MSTF': MSFT"):
            model.restrict(["MSTF"])
        with pytest.raises(LookupError, match="MSFT"):
            model.summary("msft.", None)


class TestResiduals:
    def test_are_what_the_factors_leave(self):
        panel = ragged()
        model = rm.OLS().fit(panel)
        naive = panel.excess_returns - model.alpha - panel.factor_returns @ model.loadings.T
        pd.testing.assert_frame_equal(model.residuals(panel), naive[model.assets])

    def test_of_other_dates_and_columns_in_another_order(self):
        panel = clean()
        model = rm.OLS().fit(panel.select(end=panel.dates[150]))
        later = panel.select(assets=panel.assets[::-1], factors=panel.factors[::-1], start=panel.dates[151])
        residuals = model.residuals(later)
        assert residuals.columns.equals(model.assets)
        np.testing.assert_allclose(residuals, model.residuals(panel).loc[later.dates], atol=1e-16)

    def test_need_the_horizon_and_the_columns(self):
        panel = clean()
        model = rm.OLS().fit(panel)
        with pytest.raises(rm.HorizonMismatchError, match="MONTH and DAY"):
            model.at(rm.MONTH).residuals(panel)
        with pytest.raises(rm.UnknownAssetError, match="A1"):
            model.residuals(panel.select(["A0"]))
        with pytest.raises(rm.UnknownFactorError, match="F1"):
            model.residuals(panel.select(factors=["F0"]))


def test_a_model_survives_pickling():
    model = rm.OLS().fit(clean())
    again = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(again.loadings, model.loadings)
    pd.testing.assert_frame_equal(again.covariance.to_dense(), model.covariance.to_dense())
    assert again.horizon == rm.DAY


def test_frames_cannot_reach_into_the_model():
    model = rm.OLS().fit(clean())
    before = model.loadings.copy()
    frame = model.loadings
    with contextlib.suppress(ValueError):  # pandas without copy-on-write refuses instead
        frame.iloc[0, 0] = 99.0
    pd.testing.assert_frame_equal(model.loadings, before)


def test_one_line_says_what_it_is():
    assert repr(rm.OLS().fit(clean())) == "<FactorModel 12 assets × 3 factors, per day>"


def test_a_subclass_of_estimator_needs_one_method():
    class Halved(rm.MomentEstimator):
        def estimate(self, moments):
            model = rm.OLS().estimate(moments)
            return rm.FactorModel.from_parameters(
                assets=model.assets,
                factors=model.factors,
                alpha=model.alpha / 2,
                loadings=model.loadings / 2,
                factor_covariance=model.factor_covariance,
                factor_mean=model.factor_mean,
                idio_variance=model.idio_variance,
                horizon=model.horizon,
            )

    panel = clean()
    np.testing.assert_allclose(Halved().fit(panel).loadings, rm.OLS().fit(panel).loadings / 2)
    with pytest.raises(TypeError, match="abstract"):
        rm.Estimator()


def test_importing_costs_only_the_core_packages():
    code = (
        "import sys, riskmodel; "
        "heavy = {'statsmodels', 'plotly', 'wrds', 'pandas_datareader', 'dask', 'pyarrow.parquet', 'matplotlib'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class TestErrorTree:
    def test_every_error_is_also_a_built_in(self):
        errors = [
            e
            for e in (getattr(rm, name) for name in rm.__all__)
            if isinstance(e, type) and issubclass(e, rm.RiskModelError)
        ]
        assert len(errors) > 20
        builtins = (ValueError, LookupError, ArithmeticError, MemoryError, ImportError, OSError)
        assert all(issubclass(e, builtins) for e in errors if e is not rm.RiskModelError)

    def test_details_are_read_only_and_survive_pickling(self):
        error = rm.UnknownAssetError("no such thing", missing=["A"])
        again = pickle.loads(pickle.dumps(error))
        assert str(again) == "no such thing"
        assert again.details["missing"] == ["A"]
        with pytest.raises(TypeError):
            error.details["missing"] = []


class TestWhatLabelsAndHorizonsProtect:
    def test_labelled_parts_in_another_order_are_refused(self):
        model = rm.OLS().fit(clean())
        for name in ("alpha", "loadings", "idio_variance"):
            with pytest.raises(rm.InvalidParameterError, match=f"{name}.*A11"):
                attrs.evolve(model, **{name: getattr(model, name)[::-1]})
        for name in ("total_variance", "rsquared", "std_errors"):
            with pytest.raises(rm.InvalidParameterError, match=f"{name}.*A11"):
                attrs.evolve(model.regression, **{name: getattr(model.regression, name)[::-1]})
        shrunk = attrs.evolve(model, loadings=model.loadings / 2)
        pd.testing.assert_frame_equal(shrunk.loadings, model.loadings / 2)

    @pytest.mark.parametrize(
        "change",
        [
            {"alpha": [rm.Mean(0.1, rm.YEAR), rm.Mean(0.2, rm.YEAR)]},
            {"factor_mean": {"SMB": rm.Mean(0.1, rm.YEAR), "Mkt-RF": 0.2}},
            {"idio_variance": (rm.Variance(0.1, rm.DAY), 0.2)},
            {"risk_free_mean": rm.Mean(0.02, rm.YEAR)},
        ],
    )
    def test_quantities_of_another_horizon_are_refused(self, change):
        with pytest.raises(rm.HorizonMismatchError, match="and the model"):
            two_by_two(**change)

    def test_quantities_of_another_kind_are_refused(self):
        with pytest.raises(rm.InvalidParameterError, match=r"idio_variance.*Variance"):
            two_by_two(idio_variance=[rm.Volatility(0.1, rm.MONTH), 0.2])

    def test_text_is_not_read_as_numbers(self):
        with pytest.raises(rm.InvalidParameterError, match="real numbers"):
            two_by_two(alpha=["0.1", "0.2"])

    def test_what_comes_back_from_a_pickle_is_read_only(self):
        again = pickle.loads(pickle.dumps(rm.OLS().fit(clean())))
        for value in (again, again.covariance):
            with pytest.raises(ValueError, match="read-only"):
                value.loadings.to_numpy()[0, 0] = 99.0
        assert again.summary("A0", clean()) is not None

    def test_renaming_a_frame_renames_nothing_else(self):
        model = rm.OLS().fit(clean())
        model.loadings.index.name = "renamed"
        model.regression.std_errors.columns.name = "renamed"
        model.alpha.index.name = "renamed"
        assert model.assets.name is None
        assert model.factors.name is None

    def test_estimators_want_a_panel_and_give_a_model(self):
        class Broken(rm.MomentEstimator):
            def estimate(self, moments):
                return None

        with pytest.raises(rm.InvalidParameterError, match=r"expected a FactorModel from Broken\.estimate"):
            Broken().fit(clean())
        with pytest.raises(rm.InvalidParameterError, match="expected a panel, got DataFrame"):
            rm.OLS().fit(clean().excess_returns)
        with pytest.raises(rm.InvalidParameterError, match="expected a ReturnPanel, got DataFrame"):
            two_by_two().residuals(clean().excess_returns)

    def test_a_factor_called_const_keeps_its_name(self):
        panel = clean(k=1)
        r, f, _ = panel.arrays()
        days = panel.dates
        data = rm.InMemory(pd.DataFrame({"A": r[:, 0]}, days), factors=pd.Series(f[:, 0], days, name="const"),
                           risk_free=0.0, horizon=rm.DAY)  # fmt: skip
        panel = data.panel(["A"], ["const"])
        text = str(rm.OLS().fit(panel).summary("A", panel).tables[1])
        assert "const" in text
        assert "alpha" in text
