"""How sure are contributions to risk, and hedges in instruments."""

from __future__ import annotations

import numpy as np
import panels
import pytest

import riskmodel as rm

BOOK = {"A1": 0.6, "A2": -0.4, "A5": 0.5}


@pytest.fixture(scope="module")
def ragged():
    panel = panels.ragged().select(["A1", "A2", "A5", "A6"])
    model = rm.OLS().fit(panel)
    # that of HC3 leaves out what the path of volatility moves, which an own figure's does not
    return model, rm.Inference.of(model, panel, rm.HAC(0))


HELD = {
    "strategy": lambda m: rm.Strategy(BOOK, m),
    "with legs": lambda m: rm.HedgedPortfolio(rm.Strategy(BOOK, m), {"F0": -0.3, "F2": 0.1}),
    "with an instrument": lambda m: rm.HedgedPortfolio(rm.Strategy(BOOK, m), {"A6": -0.3, "A1": 0.1}),
}


class TestContributions:
    @pytest.mark.parametrize("held", HELD.values(), ids=HELD)
    def test_by_hand_and_numeric(self, ragged, held):
        model, inference = ragged
        table = inference.contributions(held(model))
        assert list(table.loc["asset"].index) == list(held(model).decompose().by_asset.index)
        for by, name in table.index:

            def share(m, by=by, name=name):
                split = held(m).decompose()
                part = split.by_factor if by == "factor" else split.by_asset
                return part[name] / float(split.total_variance)

            numeric = inference.interval(share, of=rm.THIS_WINDOW)
            row = table.loc[(by, name)]
            assert row["estimate"] == pytest.approx(numeric.estimate)
            # skewness widens the errors of the table
            assert row["std_error"] == pytest.approx(numeric.std_error, rel=0.01)
            assert row["std_error"] >= numeric.std_error * (1 - 1e-6)
            assert row["low"] <= row["estimate"] <= row["high"]

    def test_they_sum_to_one(self, ragged):
        model, inference = ragged
        table = inference.contributions(HELD["with legs"](model))
        assert table.loc["factor", "estimate"].sum() == pytest.approx(1.0)
        assert table.loc["asset", "estimate"].sum() == pytest.approx(1.0)

    def test_idio_is_what_the_factor_share_leaves(self, ragged):
        model, inference = ragged
        book = rm.Strategy(BOOK, model)
        idio = inference.contributions(book).loc[("factor", "idio")]
        share = inference.table(book).loc["factor share"]
        assert idio["low"] == pytest.approx(1.0 - share["high"])
        assert idio["high"] == pytest.approx(1.0 - share["low"])

    def test_a_leg_with_the_label_of_an_asset_is_that_asset(self):
        data = rm.SampleData()
        panel = data.panel(["KO", "XOM"], [rm.AssetFactor("KO")])
        model = rm.OLS().fit(panel)
        book = rm.Strategy({"KO": 0.5, "XOM": 0.5}, model)
        hedged = rm.HedgedPortfolio(book, {"KO": -0.2})
        table = rm.Inference.of(model, panel).contributions(hedged)
        expected = hedged.decompose()
        np.testing.assert_allclose(
            table.loc["asset", "estimate"], expected.by_asset / float(expected.total_variance), rtol=1e-9
        )

    def test_of_one_asset(self, ragged):
        model, inference = ragged
        row = inference.contributions(rm.Strategy({"A1": 2.0}, model)).loc[("asset", "A1")]
        assert row["estimate"] == pytest.approx(1.0)
        assert row["std_error"] == pytest.approx(0.0, abs=1e-12)

    def test_of_nothing(self, ragged):
        model, inference = ragged
        table = inference.contributions(rm.Strategy({"A1": 0.0}, model))
        assert table[["estimate", "std_error", "low", "high"]].isna().all(axis=None)


TOOLS = (["A5", "F0"], ["A1", "F2"])


class TestMinimumVariance:
    @pytest.mark.parametrize("tools", TOOLS, ids="+".join)
    def test_by_hand_and_numeric(self, ragged, tools):
        model, inference = ragged

        def hedged(m):
            return rm.HedgedPortfolio.minimum_variance(rm.Strategy({"A1": 0.6, "A2": -0.4}, m), tools)

        table = inference.minimum_variance(rm.Strategy({"A1": 0.6, "A2": -0.4}, model), tools)
        figures = {f"hedge {name}": lambda m, name=name: hedged(m).hedge_weights[name] for name in tools}
        figures |= {
            "expected excess return": lambda m: hedged(m).expected_excess_return,
            "sharpe": lambda m: hedged(m).sharpe,
        }
        for name, figure in figures.items():
            numeric = inference.interval(figure, of=rm.THIS_WINDOW)
            assert table.loc[name, "estimate"] == pytest.approx(numeric.estimate)
            assert table.loc[name, "std_error"] == pytest.approx(numeric.std_error, rel=1e-6)
        numeric = inference.interval(lambda m: hedged(m).volatility)
        assert table.loc["volatility", "estimate"] == pytest.approx(numeric.estimate)
        assert table.loc["volatility", "std_error"] == pytest.approx(numeric.std_error, rel=0.05)

    def test_all_factors_are_the_neutral_hedge(self, ragged):
        model, inference = ragged
        book = rm.Strategy(BOOK, model)
        table, neutral = inference.minimum_variance(book, model.factors), inference.table(book)
        for name in model.factors:
            np.testing.assert_allclose(
                table.loc[f"hedge {name}"].drop("of").astype(float),
                neutral.loc[f"hedge {name}"].drop("of").astype(float),
                rtol=1e-9,
            )

    def test_at_another_horizon(self, ragged):
        model, inference = ragged
        day = inference.minimum_variance(rm.Strategy(BOOK, model), ["A6"])
        year = inference.minimum_variance(rm.Strategy(BOOK, model.at(rm.YEAR)), ["A6"])
        growth = year["high"] / day["high"]
        assert growth.to_dict() == pytest.approx(
            {"hedge A6": 1.0, "expected excess return": 252, "sharpe": np.sqrt(252), "volatility": np.sqrt(252)}
        )

    def test_what_it_refuses(self, ragged):
        model, inference = ragged
        book = rm.Strategy(BOOK, model)
        with pytest.raises(rm.UnknownAssetError):
            inference.minimum_variance(book, ["B"])
        with pytest.raises(rm.InvalidParameterError):
            inference.minimum_variance(book, [])
        with pytest.raises(rm.InvalidParameterError) as error:
            inference.minimum_variance(book, ["F0"], level=95)
        assert error.value.details["parameter"] == "level"
