"""A model from the options of a command: the data, the window, the estimator, and the portfolio where there is one."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Self, final

import pandas as pd
from attrs import frozen

from riskmodel._core import labels
from riskmodel.cli.estimators import estimator
from riskmodel.cli.files import InputFiles, with_hint
from riskmodel.cli.french import FrenchFactors
from riskmodel.cli.options import names, require_factors, rows, weights, window
from riskmodel.cli.positions import Held
from riskmodel.cli.proxies import Proxies
from riskmodel.data.joined import Joined
from riskmodel.data.memory import InMemory
from riskmodel.data.sample import SampleData
from riskmodel.errors import DataError, InvalidParameterError, TooFewObservationsError
from riskmodel.estimation.base import Estimator
from riskmodel.horizon import DAY, MONTH, NAMED, Horizon
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel
from riskmodel.panel.unmatched import Unmatched
from riskmodel.portfolio.book import Book
from riskmodel.portfolio.strategy import Strategy
from riskmodel.report.alerts import of_few_dates

_DEFAULT_WEIGHTS = {
    DAY: {"MSFT": 0.5, "JPM": 0.3, "XOM": 0.2},
    MONTH: {"BusEq": 0.5, "Money": 0.3, "Enrgy": 0.2},
}
_SAMPLE = {
    DAY: "the embedded sample: 20 US stocks and the S&P 500, daily, 2000 to 2018",
    MONTH: "the embedded sample: 30 US industry and style portfolios, monthly, 1949 to 2017",
}
_SAMPLE_CAVEATS = {
    DAY: (
        "The sample is for learning: its twenty stocks are survivors chosen in hindsight, so their alphas are no "
        "evidence of skill, and the index comes without dividends, which makes every alpha about beta times two "
        "percent a year too large.",
    ),
    MONTH: ("The sample's portfolios are for learning: they cannot be bought as they are, and cost nothing to trade.",),
}


# What rm.recommended was measured on.
_ROWS_OF_RECOMMENDED = 504
# Longer gaps before --as-of than a weekend with a holiday are said.
_GAP_DAYS = 4.0


@final
@frozen
class ModelOptions:
    """The checked options of a model.

    Attributes
    ----------
    weights : dict
        By asset, as typed or of the file of positions; None where an asset was typed alone.
    positions : Held or None
        The file of positions.
    data : SampleData, InMemory or Joined
        Where returns come from.
    factors : list of str
        Of the model.
    source : str
        Where the returns come from, in words.
    caveats : tuple of str
        What a reader should know of the data.
    start, end, as_of : Timestamp or None
        The window of dates; `as_of` is an end to which the last returns should be near.
    window : int or None
        The number of last rows that are used; None for all.
    window_is_asked : bool
        Whether it was typed, so that fewer rows are an error.
    estimator : Estimator
        What is fitted.
    has_components : bool
        Whether some factors are components of the returns, to which all assets that there are contribute.
    min_observations : int or None
        Assets with fewer returns are left out.
    unmatched : Unmatched
        What happens to rows that factors lack.
    """

    weights: dict[str, float | None]
    positions: Held | None
    data: SampleData | InMemory | Joined
    factors: list[str]
    source: str
    caveats: tuple[str, ...]
    start: pd.Timestamp | None
    end: pd.Timestamp | None
    as_of: pd.Timestamp | None
    window: int | None
    window_is_asked: bool
    estimator: Estimator
    has_components: bool
    min_observations: int | None
    unmatched: Unmatched

    @classmethod
    def read(cls, args: argparse.Namespace, files: InputFiles | None) -> Self:
        """Check the arguments and read the files."""
        if files is not None and args.sample:
            raise InvalidParameterError("expected --sample or --returns, got both; give one of them.")
        start, end = window(args)
        data = SampleData(NAMED[args.sample or "day"]) if files is None else files.read(args)
        factors = names(args.factors, data.factors)
        if args.factors is not None and not factors:
            raise InvalidParameterError("expected --factors with at least one factor, got none; leave it out for all.")
        require_factors("--factors", factors, data.factors, data.assets)
        if files is not None and isinstance(files.factors, FrenchFactors):
            files.factors.require(factors, data.factors, data.horizon)
        positions = Held.given(args, data.assets, end)
        is_statistical = args.estimator == "recommended" and not factors
        return cls(
            weights=weights(args.assets, data.assets) if positions is None else positions.weights,
            positions=positions,
            data=data,
            factors=[] if is_statistical else factors or _every(files, data.factors),
            source=_SAMPLE[data.horizon] if files is None else str(files),
            caveats=_SAMPLE_CAVEATS[data.horizon] if isinstance(data, SampleData) else (),
            start=start,
            end=end,
            as_of=None if args.as_of is None else end,
            window=_window(args, data.horizon),
            window_is_asked=args.window is not None,
            estimator=estimator(args, data.horizon),
            has_components=args.estimator == "recommended",
            min_observations=args.min_observations,
            unmatched=Unmatched(args.unmatched or "drop"),
        )

    @property
    def is_statistical(self) -> bool:
        """Whether all factors are components of the returns."""
        return not self.factors

    @property
    def unused(self) -> tuple[str, ...]:
        """Say which factors of the data a statistical model does not use."""
        if not self.is_statistical or not len(self.data.factors) or isinstance(self.data, SampleData):
            return ()
        return (
            f"Of the factors of {self.source}, {labels.listing(self.data.factors)}, none is used: --estimator "
            "recommended makes its own of the returns, and takes the risk-free rate alone; give --factors to have the "
            "named ones first.",
        )

    def panel(self, assets: Iterable[str]) -> ReturnPanel:
        """Align the returns of assets, or of all where factors are statistical, with the factors, in the window."""
        every = [*self.data.assets, *self._proxies.baskets] if self.has_components else list(assets)
        panel = self._aligned(every, self.start, self.end)
        if self.window is None:
            return panel
        if len(panel.dates) < self.window and self.window_is_asked:
            raise TooFewObservationsError(
                f"expected at least the {self.window} rows of --window, got {len(panel.dates)}; give a shorter window.",
                window=self.window,
                rows=len(panel.dates),
            )
        return panel.select(start=panel.dates[-min(self.window, len(panel.dates))])

    def history(self, model: FactorModel) -> ReturnPanel:
        """Return all dates there are of a model's assets and factors, whatever the window."""
        return self._aligned(list(model.assets), None, None)

    @property
    def _proxies(self) -> Proxies:
        return Proxies({}) if self.positions is None else self.positions.proxies

    def _aligned(self, assets: list[str], start: pd.Timestamp | None, end: pd.Timestamp | None) -> ReturnPanel:
        """Align assets, and the peers of those that have no returns."""
        proxies = self._proxies.of(assets)
        own = dict.fromkeys([*(asset for asset in assets if asset not in proxies.baskets), *proxies.peers])
        try:
            return proxies.panel(self.data.panel(list(own), self.factors, start, end, unmatched=self.unmatched))
        except DataError as error:
            if isinstance(self.data, SampleData):
                raise
            raise with_hint(error, self.source) from error

    def fit(self, panel: ReturnPanel) -> FactorModel:
        """Fit all assets; of all there are, or with a minimum, only those that can be estimated."""
        proxies = self._proxies.of(panel.assets)
        if proxies.baskets:
            return proxies.model(self._fit(panel.select(panel.assets.difference(list(proxies.baskets), sort=False))))
        return self._fit(panel)

    def _fit(self, panel: ReturnPanel) -> FactorModel:
        whole_file = not self.weights and not isinstance(self.data, SampleData)
        if whole_file or self.has_components or self.min_observations is not None:
            return self.estimator.fit_available(panel, minimum=self.min_observations)
        return self.estimator.fit(panel)

    def portfolio(self, also: Iterable[str] = ()) -> Fitted:
        """Fit the model of the assets of the portfolio, and of others, such as instruments of a hedge."""
        held = self.held()
        panel = self.panel(dict.fromkeys([*held, *also]))
        model = self.fit(panel)
        strategy = Strategy(self._remaining(held, model), model)
        return Fitted(strategy, panel.select(list(model.assets)), self.notes(panel, model))

    def require_returns(self, instruments: Iterable[str]) -> None:
        """Raise for instruments of a hedge that have no returns of their own.

        Raises
        ------
        InvalidParameterError
            For those that others stand in for.
        """
        assumed = [name for name in instruments if name in self._proxies.baskets]
        if assumed:
            raise InvalidParameterError(
                f"expected --instruments with returns of their own, got {labels.listing(assumed)}, which others stand "
                "in for: what it would hedge is assumed; leave it out.",
                instruments=assumed,
            )

    @property
    def names(self) -> set[str]:
        """The assets that have returns, and those held."""
        return {*self.data.assets, *self.weights}

    @property
    def book(self) -> Book | None:
        """The dollars of the file of positions, where it has dollars."""
        return None if self.positions is None else self.positions.book

    def notes(self, panel: ReturnPanel, model: FactorModel) -> tuple[str, ...]:
        """What a reader should know of what was fitted."""
        left_out = left_out_of(model)
        basis = () if self.positions is None else self.positions.basis
        return (*self.caveats, *basis, *self.unused, *self.gap(panel), *([left_out] if left_out else []))

    def gap(self, panel: ReturnPanel) -> list[str]:
        """Say that the last returns are old for the date of ``--as-of``."""
        last = panel.dates[-1]
        if self.as_of is None or (self.as_of - last).days <= max(_GAP_DAYS, 1.5 * panel.horizon.days):
            return []
        return [f"The last returns are of {last:%Y-%m-%d}, {(self.as_of - last).days} days before --as-of."]

    def held(self) -> dict[str, float]:
        """Return the weights, equal ones that sum to 1 where none were typed."""
        if not self.weights and isinstance(self.data, SampleData):
            return _DEFAULT_WEIGHTS[self.data.horizon]
        weights = self.weights or dict.fromkeys(self.data.assets)
        return {asset: 1.0 / len(weights) if w is None else w for asset, w in weights.items()}

    def _remaining(self, held: dict[str, float], model: FactorModel) -> dict[str, float]:
        """Return the weights of assets with estimates; equal ones if no weights were given."""
        gone = [asset for asset in model.missing["asset"] if asset in self.weights and held[asset] != 0]
        if gone:
            counts = dict(zip(model.missing["asset"], model.missing["observations"], strict=True))
            raise TooFewObservationsError(
                "expected every asset of the portfolio to have estimates, got "
                + ", ".join(f"{asset} with {counts[asset]:g} observations" for asset in gone)
                + f"; {left_out_of(model)} Take them out of the portfolio, or lower --min-observations.",
                assets=gone,
            )
        if self.weights or not len(model.missing):
            return {asset: w for asset, w in held.items() if asset in model.assets}
        return dict.fromkeys(model.assets, 1.0 / len(model.assets))


@final
@frozen(eq=False)
class Fitted:
    """A strategy in its model, the panel of it, and what a reader should know."""

    strategy: Strategy
    panel: ReturnPanel
    notes: tuple[str, ...]

    @property
    def cautions(self) -> tuple[str, ...]:
        """The notes, after what a report would say first where there are few dates."""
        return (*of_few_dates(len(self.panel.dates)), *self.notes)


def _window(args: argparse.Namespace, row: Horizon) -> int | None:
    """Return the number of last rows that are used."""
    if args.window is not None:
        return rows(args.window, row, "--window")
    return _ROWS_OF_RECOMMENDED if args.estimator == "recommended" else None


def _every(files: InputFiles | None, factors: list[str]) -> list[str]:
    """Return the factors of a model for which none are named."""
    french = files is not None and isinstance(files.factors, FrenchFactors)
    return FrenchFactors.chosen(factors) if french else factors


def left_out_of(model: FactorModel) -> str:
    """Return a message about assets without estimates, by reason; empty if there are none."""
    missing = model.missing
    reasons = [
        f"{reason}: " + ", ".join(f"{a} ({n:g})" for a, n in zip(rows["asset"], rows["observations"], strict=True))
        for reason, rows in missing.groupby("reason", sort=False)
    ]
    return f"Left out {len(missing)} asset(s), with their observations. " + "; ".join(reasons) + "." if reasons else ""
