"""Factor models of this package in PyPortfolioOpt, which reads everything per year.

`annual_inputs` gives its optimisers μ and a dense Σ. `FactorEfficientFrontier` solves the usual problems in the factor
form: 5,000 names in a second, and no N × N matrix.

Examples
--------
>>> import riskmodel as rm
>>> from pypfopt import EfficientFrontier
>>> from riskmodel.interop.pypfopt import FactorEfficientFrontier, annual_inputs
>>> model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM", "MSFT"], ["Mkt-RF"]))
>>> dense, structured = EfficientFrontier(*annual_inputs(model)), FactorEfficientFrontier(model)
>>> {k: round(v, 2) for k, v in structured.min_volatility().items()}
{'KO': 0.57, 'XOM': 0.33, 'MSFT': 0.1}
>>> {k: round(v, 2) for k, v in dense.min_volatility().items()}
{'KO': 0.57, 'XOM': 0.33, 'MSFT': 0.1}
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd

from riskmodel._core.arguments import require, require_finite, require_positive
from riskmodel._core.arrays import floats
from riskmodel.errors import InvalidParameterError, MissingExtraError, SolverError
from riskmodel.horizon import YEAR
from riskmodel.model.covariance import DENSE_LIMIT
from riskmodel.model.model import FactorModel

try:
    import cvxpy
    from pypfopt import EfficientFrontier
    from pypfopt.base_optimizer import BaseConvexOptimizer
    from pypfopt.exceptions import InstantiationError, OptimizationError
except ImportError as error:
    raise MissingExtraError.of("riskmodel.interop.pypfopt", "pyportfolioopt", "pypfopt") from error

cp: Any = cvxpy  # its functions are not declared to type checkers


def annual_inputs(model: FactorModel, limit: int = DENSE_LIMIT) -> tuple[pd.Series[float], pd.DataFrame]:
    """Expected returns and the dense covariance, both per year, as the optimisers of PyPortfolioOpt take them.

    Parameters
    ----------
    model : FactorModel
        At any horizon.
    limit : int
        The largest N allowed, see `FactorCovariance.to_dense`.

    Returns
    -------
    mu : Series by asset
        Expected total returns, decimals per year.
    sigma : DataFrame, assets × assets
        Return² per year.

    Raises
    ------
    TooLargeError
        If there are more than `limit` assets.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"]))
    >>> mu, sigma = annual_inputs(model)
    >>> bool(abs(sigma.loc["KO", "KO"] ** 0.5 - float(model.covariance.volatility({"KO": 1.0}).at(rm.YEAR))) < 1e-12)
    True
    """
    yearly = require(model, FactorModel, "model", "an Estimator's fit returns one").at(YEAR)
    return _means(yearly), yearly.covariance.to_dense(limit)


@final
class FactorEfficientFrontier(EfficientFrontier):
    """PyPortfolioOpt's efficient frontier with the variance of a factor model, in N + K squares.

    ``min_volatility``, ``max_quadratic_utility``, ``efficient_return`` and ``portfolio_performance`` have the results
    of ``EfficientFrontier(*annual_inputs(model))``; constraints, objectives and weights are used as there. The other
    methods need the dense matrix, and are refused.

    Parameters
    ----------
    model : FactorModel
        At any horizon; it is scaled to a year, as PyPortfolioOpt reads its inputs.
    expected_returns : Series by asset, optional
        Total returns, decimals per year; by default the model's. Use your own views here, as past means are poor ones.
    weight_bounds : pair, or list of pairs
        As there.
    solver : str, optional
        As there.
    verbose : bool
        As there.
    solver_options : dict, optional
        As there.

    Raises
    ------
    InvalidParameterError
        For views that are not one finite number for each asset, and for bounds that PyPortfolioOpt refuses.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM", "MSFT"], ["Mkt-RF"]))
    >>> frontier = FactorEfficientFrontier(model)
    >>> frontier.add_constraint(lambda w: w[0] <= 0.4)
    >>> {k: round(v, 2) for k, v in frontier.min_volatility().items()}
    {'KO': 0.4, 'XOM': 0.44, 'MSFT': 0.16}
    >>> round(frontier.portfolio_performance()[1], 3)
    0.182
    """

    def __init__(
        self,
        model: FactorModel,
        expected_returns: pd.Series[float] | None = None,
        weight_bounds: Any = (0, 1),
        *,
        solver: str | None = None,
        verbose: bool = False,
        solver_options: dict[str, Any] | None = None,
    ) -> None:
        yearly = require(model, FactorModel, "model", "an Estimator's fit returns one").at(YEAR)
        means = _means(yearly) if expected_returns is None else _views(expected_returns, yearly)
        try:
            BaseConvexOptimizer.__init__(
                self,
                len(yearly.assets),
                list(yearly.assets),
                weight_bounds,
                solver=solver,
                verbose=verbose,
                solver_options=solver_options,
            )
        except Exception as error:  # it does not check them, and fails in many ways
            raise InvalidParameterError(
                f"expected bounds and options as PyPortfolioOpt takes them, got others: {error}.",
                parameter="weight_bounds",
            ) from error
        g, s = yearly.covariance.square_root()
        self._covariance, self._g, self._s = yearly.covariance, floats(g), floats(s)
        self.expected_returns = means.to_numpy()
        self._max_return_value = None
        self._market_neutral = None

    @property
    def cov_matrix(self) -> Any:
        """Refused: there is no N × N matrix here."""
        raise InvalidParameterError(
            "expected min_volatility, max_quadratic_utility, efficient_return or portfolio_performance, got a method "
            "that needs a dense matrix; use EfficientFrontier(*annual_inputs(model, limit=n)).",
            expected="factor form",
        )

    def min_volatility(self) -> Any:
        """Minimise volatility; return the weights by asset."""
        self._start(self._variance())
        self.add_constraint(lambda w: cp.sum(w) == 1)
        return self._solved()

    def max_quadratic_utility(self, risk_aversion: float = 1, market_neutral: bool = False) -> Any:
        """Maximise w'μ - δ/2 w'Σw; return the weights by asset.

        Parameters
        ----------
        risk_aversion : float
            δ, positive.
        market_neutral : bool
            Whether weights sum to zero instead of one.

        Raises
        ------
        InvalidParameterError
            For a δ that is not a positive number.
        SolverError
            If there is no solution.
        """
        aversion, neutral = require_positive(risk_aversion, "risk_aversion"), _flag(market_neutral)
        if self.is_parameter_defined("risk_aversion"):
            self._require_same(neutral)
            self.update_parameter_value("risk_aversion", aversion)
        else:
            half = cp.Parameter(name="risk_aversion", value=aversion, nonneg=True) / 2
            self._start(half * self._variance() - self._return())
            self._make_weight_sum_constraint(neutral)
        return self._solved()

    def efficient_return(self, target_return: float, market_neutral: bool = False) -> Any:
        """Minimise volatility at a target of the expected return; return the weights by asset.

        Parameters
        ----------
        target_return : float
            Decimals per year.
        market_neutral : bool
            Whether weights sum to zero instead of one.

        Raises
        ------
        InvalidParameterError
            For a target that is not a finite number.
        SolverError
            If the constraints cannot reach it.
        """
        target, neutral = require_finite(target_return, "target_return"), _flag(market_neutral)
        if self.is_parameter_defined("target_return"):
            self._require_same(neutral)
            self.update_parameter_value("target_return", target)
        else:
            self._start(self._variance())
            parameter = cp.Parameter(name="target_return", value=target)
            self.add_constraint(lambda w: self.expected_returns @ w >= parameter)
            self._make_weight_sum_constraint(neutral)
        return self._solved()

    def portfolio_performance(self, verbose: bool = False, risk_free_rate: float = 0.0) -> tuple[float, float, float]:
        """Expected return, volatility and Sharpe ratio of the weights found, per year.

        Parameters
        ----------
        verbose : bool
            Whether to print them.
        risk_free_rate : float
            Decimals per year.

        Raises
        ------
        InvalidParameterError
            Before there are weights, or for a rate that is not a finite number.
        """
        rate = require_finite(risk_free_rate, "risk_free_rate")
        if self.weights is None:
            raise InvalidParameterError("expected weights, got none; call min_volatility() or another method first.")
        weights = np.asarray(self.weights)
        mean, volatility = float(weights @ self.expected_returns), float(self._covariance.volatility(weights))
        sharpe = (mean - rate) / volatility if volatility else float("nan")
        if _flag(verbose, "verbose"):
            print(
                f"Expected annual return: {mean:.1%}\nAnnual volatility: {volatility:.1%}\nSharpe ratio: {sharpe:.2f}"
            )
        return mean, volatility, sharpe

    def _variance(self) -> Any:
        specific = cp.sum_squares(cp.multiply(self._s, self._w))
        return cp.sum_squares(self._g.T @ self._w) + specific if self._g.shape[1] else specific

    def _return(self) -> Any:
        return self.expected_returns @ self._w

    def _start(self, objective: Any) -> None:
        """Set the objective, with those that the caller added."""
        for more in self._additional_objectives:
            objective += more
        self._objective = objective

    def _require_same(self, neutral: bool) -> None:
        if neutral != self._market_neutral:
            raise InvalidParameterError(
                f"expected market_neutral={self._market_neutral}, as before, got {neutral}; make a new frontier.",
                parameter="market_neutral",
                expected=self._market_neutral,
                got=neutral,
            )

    def _solved(self) -> Any:
        try:
            return self._solve_cvxpy_opt_problem()
        except (OptimizationError, InstantiationError, cp.SolverError) as error:
            raise SolverError(
                f"expected a problem with a solution, got none: {error}; relax bounds and constraints, or make a new "
                "frontier for another problem."
            ) from error


def _flag(value: Any, parameter: str = "market_neutral") -> bool:
    return require(value, bool, parameter)


def _means(yearly: FactorModel) -> pd.Series[float]:
    return yearly.expected_returns.sum(axis=1).rename("expected_return")


def _views(values: Any, yearly: FactorModel) -> pd.Series[float]:
    if (
        not isinstance(values, pd.Series)
        or set(values.index) != set(yearly.assets)
        or len(values) != len(yearly.assets)
    ):
        raise InvalidParameterError(
            "expected expected_returns as a Series with one value for each asset of the model, got others.",
            parameter="expected_returns",
            assets=list(yearly.assets),
        )
    numbers = pd.Series(floats(values), values.index).reindex(yearly.assets)
    if not np.isfinite(numbers).all():
        raise InvalidParameterError(
            "expected finite expected_returns, got NaN or infinity.", parameter="expected_returns"
        )
    return numbers
