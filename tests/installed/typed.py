"""A program of a user, which a type checker reads against the installed package: its annotations must be found."""

from typing import assert_type

import riskmodel as rm


def program() -> None:
    panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    assert_type(panel, rm.ReturnPanel)
    model = rm.OLS().fit(panel)
    assert_type(model, rm.FactorModel)
    assert_type(rm.FactorModel.load("us.model"), rm.FactorModel)
    assert_type(model.lineage, rm.Lineage)
    strategy = rm.Strategy({"KO": 1.0}, model)
    assert_type(strategy.volatility.at(rm.YEAR), rm.Volatility)
    assert_type(rm.HedgedPortfolio.neutral(strategy), rm.HedgedPortfolio)
    rm.RiskBudget("a lot", rm.MONTH)  # type: ignore[arg-type]
