"""What trades would do to risk, and which single trades would cut it most."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.arguments import require_count, require_finite
from riskmodel._core.arrays import Array, Flags
from riskmodel._core.display import Table
from riskmodel._core.listing import Listed
from riskmodel._core.weights import read_weights
from riskmodel.analysis.active import ActivePortfolio, holdings_of
from riskmodel.errors import InvalidParameterError
from riskmodel.horizon import Horizon
from riskmodel.model.holdings import Holdings
from riskmodel.panel.factors import PortfolioFactor
from riskmodel.portfolio.hedged import HedgedPortfolio
from riskmodel.portfolio.portfolio import Portfolio, require_portfolio
from riskmodel.portfolio.strategy import Strategy

# Changes, relative to the volatility or of a share, are the same to so many digits.
_DIGITS = 12
# A variance below this share of those of the portfolio and of the trade is rounding.
_NOTHING = 1e-14


@final
@frozen(init=False, eq=False, repr=False)
class WhatIf(Listed):
    """A portfolio before and after a list of trades.

    Parameters
    ----------
    portfolio : Portfolio
        Before the trades.
    trades : mapping or Series by asset or factor
        Weights bought (positive) or sold: dollars per dollar of the portfolio. A label that is a factor of the model is
        a position in that factor, even where an asset has the same label. Trades in dollars: `of_dollars`.

    Raises
    ------
    UnknownAssetError
        For a label that is neither a factor nor an asset of the model.
    InvalidParameterError
        For trades that are not finite numbers, or in a factor that is not tradable.

    Notes
    -----
    Trades are paid from cash, whose risk is zero; trading costs are not counted.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "AAPL", "JPM"], ["Mkt-RF"])
    >>> held = rm.Strategy({"MSFT": 0.5, "AAPL": 0.5}, rm.OLS().fit(panel))
    >>> what_if = rm.WhatIf(held, {"AAPL": -0.2, "JPM": 0.2})
    >>> what_if.table.loc[["volatility", "factor share"]].round(4)
                  before   after  change
    volatility    0.0186  0.0175 -0.0011
    factor share  0.5051  0.6573  0.1522
    >>> what_if.best_trades(2, most=0.1)["volatility"].round(4)
    trade in
    AAPL    0.0157
    JPM     0.0158
    Name: volatility, dtype: float64
    """

    before: Portfolio
    after: Portfolio
    _trades: pd.Series[float]
    _capital: float | None

    def __init__(self, portfolio: Portfolio, trades: Any) -> None:
        self.__attrs_init__(**_read(portfolio, trades), capital=None)

    @classmethod
    def of_dollars(cls, portfolio: Portfolio, trades: Any, capital: float) -> Self:
        """Make it of trades in dollars.

        Parameters
        ----------
        portfolio : Portfolio
            Before the trades.
        trades : mapping or Series by asset or factor
            Dollars bought (positive) or sold.
        capital : float
            Dollars of the portfolio, above zero.
        """
        dollars, whole = read_weights(trades, "trades", "asset or factor"), require_finite(capital, "capital")
        if not whole > 0:
            raise InvalidParameterError(
                f"expected capital as dollars above zero, got {whole:g}.", parameter="capital", got=capital
            )
        made = cls.__new__(cls)
        made.__attrs_init__(**_read(portfolio, dollars / whole), capital=whole)
        return made

    @property
    def horizon(self) -> Horizon:
        """The horizon of all figures: the model's."""
        return self.before.horizon

    @property
    def trades(self) -> pd.Series[float]:
        """Weight bought or sold, by asset or factor."""
        return self._trades.copy()

    @property
    def table(self) -> pd.DataFrame:
        """Figures × (``before``, ``after``, ``change``), per the horizon.

        Rows ``volatility``, ``factor volatility``, ``idio volatility``, ``factor share``, ``alpha``, ``gross`` and
        ``net`` (of `Portfolio.instruments`) and ``traded`` (the sum of absolute trades).
        """
        return _compared(_figures(self.before, 0.0), _figures(self.after, float(self._trades.abs().sum())))

    @property
    def exposures(self) -> pd.DataFrame:
        """Exposure to each factor × (``before``, ``after``, ``change``)."""
        return _compared(self.before.exposures, self.after.exposures)

    @property
    def by_trade(self) -> pd.DataFrame:
        """What each trade would do alone.

        Columns ``trade`` (weight), ``volatility`` and ``factor_share`` of the portfolio with this trade alone, and
        their changes ``volatility_change`` and ``factor_share_change``.
        """
        trial = _Trials.of(self.before)
        at = trial.names.get_indexer(self._trades.index)
        if (at >= 0).all():
            return trial.table(at, np.asarray(self._trades))
        # a trade in a factor that is a portfolio of assets is one in these
        alone = [_traded(self.before, self._trades[[name]]) for name in self._trades.index]
        after = {"volatility": [float(p.volatility) for p in alone], "share": [_share(p) for p in alone]}
        return _by_trade(self._trades.index, np.asarray(self._trades), after, trial)

    # -- the best trades ---------------------------------------------------------------------------

    def best_trades(self, n: int = 10, most: float | None = None) -> pd.DataFrame:
        r"""Return the single trades, after those here, that would cut the volatility most.

        For each asset and tradable factor with covariance c with the portfolio and variance v, the variance after a
        trade of weight t is :math:`\sigma^2 + 2 t c + t^2 v`, least at :math:`t = -c / v`.

        Parameters
        ----------
        n : int
            At most so many.
        most : float, optional
            The largest trade, a weight above zero; by default any size.

        Returns
        -------
        DataFrame
            As `by_trade`, best first, with ``dollars`` where the capital is known; trades that cut nothing, and assets
            that others stand in for, are left out.
        """
        trial, limit = _Trials.of(self.after), _limit(most)
        return self._best(trial, trial.for_volatility(limit), "volatility_change", n)

    def best_trades_for_share(self, n: int = 10, most: float | None = None) -> pd.DataFrame:
        """Return the single trades, after those here, that would cut the factors' share of the variance most.

        The share after a trade is a ratio of two parabolas, least at a root of a quadratic or at the largest trade.
        Without `most`, an instrument whose ever larger trades cut the share ever more is left out.

        Parameters
        ----------
        n, most
            As for `best_trades`.

        Returns
        -------
        DataFrame
            As of `best_trades`.
        """
        trial, limit = _Trials.of(self.after), _limit(most)
        return self._best(trial, trial.for_share(limit), "factor_share_change", n)

    def _best(self, trial: _Trials, trades: Array, by: str, n: int) -> pd.DataFrame:
        # what an asset would do that others stand in for is assumed
        assumed = trial.names.isin(list(self.before.model._proxies))
        count, at = require_count(n, "n"), np.flatnonzero(np.where(assumed, 0.0, trades))
        table = trial.table(at, trades[at])
        # changes that differ by rounding are the same
        before = float(np.sqrt(trial.held.variance)) if by == "volatility_change" else 1.0
        gains = np.round(-table[by] / before, _DIGITS) if before else 0.0 * table[by]
        order = np.lexsort((table["volatility"], -gains))
        table = table.iloc[order[: int((gains > 0).sum())][:count]].copy()
        if self._capital is not None:
            table.insert(1, "dollars", table["trade"] * self._capital)
        return table

    # -- as it prints ------------------------------------------------------------------------------

    def to_frame(self) -> pd.DataFrame:
        """Return `table` with a column for each figure, as `repr` prints it."""
        return self.table.T

    @property
    def _table(self) -> Table:
        return Table(f"WhatIf: {len(self._trades)} trades, per {self.horizon}", self.to_frame())

    def __repr__(self) -> str:
        return self._table.text()

    def _repr_html_(self) -> str:
        return self._table.html()


def _read(portfolio: Any, trades: Any) -> dict[str, Any]:
    p = require_portfolio(portfolio, "portfolio")
    read = read_weights(trades, "trades", "asset or factor").rename("trade")
    return {"before": p, "after": _traded(p, read), "trades": read}


def _traded(p: Portfolio, trades: pd.Series[float]) -> Portfolio:
    """The portfolio after trades."""
    if isinstance(p, ActivePortfolio):
        return ActivePortfolio(_traded(p.portfolio, trades), p.benchmark)
    if isinstance(p, Strategy) and not trades.index.isin(p.model.factors).any():
        names = p.weights.index.append(trades.index.difference(p.weights.index, sort=False))
        both = (w.reindex(names, fill_value=0.0) for w in (p.weights, trades))
        return Strategy(sum(both), p.model)
    return HedgedPortfolio(p, trades)


def _share(p: Portfolio) -> float:
    return p.decompose().factor_share


def _figures(p: Portfolio, traded: float) -> pd.Series[float]:
    split, held = p.decompose(), p.instruments
    return pd.Series(
        {
            "volatility": float(p.volatility),
            "factor volatility": float(np.sqrt(split.factor_variance)),
            "idio volatility": float(np.sqrt(split.idio_variance)),
            "factor share": split.factor_share,
            "alpha": float(p.alpha),
            "gross": float(held.abs().sum()),
            "net": float(held.sum()),
            "traded": traded,
        }
    )


def _compared(before: pd.Series[float], after: pd.Series[float]) -> pd.DataFrame:
    return pd.DataFrame({"before": before, "after": after, "change": after - before})


def _limit(most: Any) -> float:
    if most is None:
        return np.inf
    limit = require_finite(most, "most")
    if not limit > 0:
        raise InvalidParameterError(f"expected most as a weight above zero, got {limit:g}.", parameter="most", got=most)
    return limit


@final
@frozen(eq=False)
class _Trials:
    """Variances after a trade of weight t in each of M instruments: Σ after = a + 2 b t + c t², of factors and idio."""

    names: pd.Index[Any]
    held: Holdings
    factor: tuple[float, Array, Array]
    total: tuple[float, Array, Array]

    @classmethod
    def of(cls, portfolio: Portfolio) -> Self:
        """Of all assets of the model, and the factors that can be held themselves."""
        model, held = portfolio.model, holdings_of(portfolio)
        covariance = model.covariance
        assets = np.flatnonzero(model.factors.get_indexer(model.assets) < 0)
        plain = [f.tradable and not isinstance(f, PortfolioFactor) for f in model.definitions]
        factors = np.flatnonzero(plain)
        w = np.zeros(len(model.assets))
        w[model.assets.get_indexer(held.covariance.assets)] = held.weights
        towards, own = held.towards, covariance._specific(w)[assets]
        shared = np.concatenate([covariance._loadings[assets] @ towards, towards[factors]])
        none = np.zeros(len(factors))
        squares = np.concatenate([covariance._systematic[assets], np.diag(covariance._factor_covariance)[factors]])
        of_idio = np.concatenate([covariance._idio_variance[assets], none])
        return cls(
            model.assets[assets].append(model.factors[factors]),
            held,
            (held.systematic_variance, shared, squares),
            (held.variance, shared + np.concatenate([own, none]), squares + of_idio),
        )

    def for_volatility(self, most: float) -> Array:
        """The trade in each instrument with the least variance; zero for one without risk."""
        _, b, c = self.total
        return np.asarray(np.clip(np.divide(-b, c, out=np.zeros(len(b)), where=c > 0), -most, most))

    def for_share(self, most: float) -> Array:
        """The trade in each instrument with the least factor share."""
        (a0, a1, a2), (v0, v1, v2) = self.factor, self.total
        roots = _roots(a2 * v1 - a1 * v2, a2 * v0 - a0 * v2, a1 * v0 - a0 * v1)
        ends = [] if np.isinf(most) else [np.full(len(a1), -most), np.full(len(a1), most)]
        tried = np.column_stack([np.zeros(len(a1)), *(np.clip(r, -most, most) for r in roots), *ends])
        # a portfolio of which nothing is left has no share
        shares = np.column_stack([np.where(self._is_nothing(t), np.inf, self._share(t)) for t in tried.T])
        return np.asarray(np.take_along_axis(tried, shares.argmin(axis=1)[:, None], axis=1)[:, 0])

    def _share(self, trades: Array) -> Array:
        factor, total = (_parabola(p, trades) for p in (self.factor, self.total))
        return np.divide(factor, total, out=np.zeros(len(total)), where=~self._is_nothing(trades))

    def _is_nothing(self, trades: Array) -> Flags:
        """Whether the variance left is rounding."""
        return _parabola(self.total, trades) <= _NOTHING * (self.total[0] + trades**2 * self.total[2])

    def table(self, at: Any, trades: Array) -> pd.DataFrame:
        """The portfolio after single trades in some instruments."""
        chosen = _Trials(
            self.names[at],
            self.held,
            (self.factor[0], self.factor[1][at], self.factor[2][at]),
            (self.total[0], self.total[1][at], self.total[2][at]),
        )
        after = {"volatility": np.sqrt(_parabola(chosen.total, trades)), "share": chosen._share(trades)}
        return _by_trade(chosen.names, trades, after, self)


def _by_trade(names: pd.Index[Any], trades: Array, after: dict[str, Any], trial: _Trials) -> pd.DataFrame:
    volatility, share = (np.asarray(after[name]) for name in ("volatility", "share"))
    before = float(np.sqrt(trial.held.variance))
    own = trial.held.systematic_variance / trial.held.variance if before else 0.0
    columns = {"trade": trades, "volatility": volatility, "volatility_change": volatility - before}
    return pd.DataFrame(columns | {"factor_share": share, "factor_share_change": share - own}, names.rename("trade in"))


def _parabola(coefficients: tuple[float, Array, Array], t: Array) -> Array:
    a, b, c = coefficients
    return np.asarray(np.maximum(a + t * (2.0 * b + t * c), 0.0))


def _roots(a: Array, b: Array, c: Array) -> list[Array]:
    """Both roots of a t² + b t + c without cancellation; zero for one that is not there."""
    q = -0.5 * (b + np.where(b < 0, -1.0, 1.0) * np.sqrt(np.maximum(b * b - 4.0 * a * c, 0.0)))
    zero = np.zeros(len(a))
    roots = [np.divide(q, a, out=zero.copy(), where=a != 0), np.divide(c, q, out=zero.copy(), where=q != 0)]
    return [np.where(np.isfinite(r), r, 0.0) for r in roots]
