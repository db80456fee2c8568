"""The contract of a `DataProvider`, as tests to inherit.

The tests are methods with plain assertions, so this module does not import pytest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from riskmodel._core.dates import read_dates
from riskmodel._core.frames import ReturnFrame
from riskmodel._core.kinds import ASSET_RETURNS, FACTOR_RETURNS, RISK_FREE_RATE
from riskmodel.data.provider import DataProvider
from riskmodel.errors import InvalidParameterError, RiskModelError, UnknownAssetError, UnknownFactorError
from riskmodel.horizon import Horizon
from riskmodel.panel.memory import ReturnPanel
from riskmodel.panel.return_type import EXCESS, ReturnType

_KINDS = {kind.name: kind for kind in (ASSET_RETURNS, FACTOR_RETURNS, RISK_FREE_RATE)}


class ProviderContract(ABC):
    """Tests that every provider must pass. Inherit it in a test class with three hooks.

    `DataProvider.panel` accepts some violations (columns in another order, rows outside the window), but factors and
    scripts that call the provider directly do not.

    Attributes
    ----------
    assets, factors : list of labels
        At least two assets and one factor of the provider, with returns on most dates.

    Examples
    --------
    In your ``test_mine.py``, for pytest to collect:

    >>> import riskmodel as rm
    >>> from riskmodel.testing import ProviderContract
    >>> class TestSample(ProviderContract):
    ...     assets = ["MSFT", "JPM", "XOM"]
    ...     factors = ["Mkt-RF"]
    ...     def provider(self):
    ...         return rm.SampleData()
    >>> TestSample().test_a_window_includes_both_ends()
    """

    assets: ClassVar[Sequence[Any]]
    factors: ClassVar[Sequence[Any]]

    @abstractmethod
    def provider(self) -> DataProvider:
        """Return the provider under test, new or the same each time."""

    # -- the frames ------------------------------------------------------------------------------------

    def test_it_says_what_one_row_spans(self) -> None:
        """`horizon` is a `Horizon`."""
        horizon = self.provider().horizon
        assert isinstance(horizon, Horizon), f"expected a Horizon such as rm.DAY, got {horizon!r}"

    def test_it_says_what_its_asset_returns_are(self) -> None:
        """`return_type` is a `ReturnType`."""
        got = self.provider().return_type
        assert isinstance(got, ReturnType), f"expected return_type as rm.TOTAL or rm.EXCESS, got {got!r}"

    def test_assets_come_as_asked(self) -> None:
        """The columns are the requested assets, in that order."""
        data = self.provider()
        for wanted in (list(self.assets), list(reversed(self.assets)), list(self.assets)[:1]):
            frame = data.asset_returns(wanted)
            assert isinstance(frame, pd.DataFrame), f"expected asset_returns as a DataFrame, got {type(frame)}"
            assert list(frame.columns) == wanted, f"asked for {wanted}, got the columns {list(frame.columns)}"

    def test_factors_come_as_asked(self) -> None:
        """The columns are the requested factors, in that order."""
        data = self.provider()
        for wanted in (list(self.factors), list(reversed(self.factors)), list(self.factors)[:1]):
            frame = data.factor_returns(wanted)
            assert isinstance(frame, pd.DataFrame), f"expected factor_returns as a DataFrame, got {type(frame)}"
            assert list(frame.columns) == wanted, f"asked for {wanted}, got the columns {list(frame.columns)}"

    def test_the_risk_free_rate_is_a_series(self) -> None:
        """`risk_free` returns one number by date."""
        rate = self.provider().risk_free()
        assert isinstance(rate, pd.Series), f"expected risk_free as a Series, got {type(rate)}"
        assert rate.notna().any(), "expected a risk-free rate, got one that is missing on every date"

    def test_dates_are_unique_and_spaced_as_the_horizon_says(self) -> None:
        """The index has unique dates whose spacing fits the horizon."""
        data = self.provider()
        for what, frame in self._frames(data).items():
            read_dates(frame.index, what, data.horizon)

    def test_numbers_are_finite_or_missing(self) -> None:
        """Every column is numeric; missing values are NaN, not infinite."""
        for what, table in self._tables(self.provider()).items():
            assert np.isfinite(table.numbers).any(axis=0).all(), f"expected a number in every column of {what}"

    def test_no_code_for_a_missing_return_is_left_in(self) -> None:
        """No return is -99 % or less: codes such as -99.99 and -999 percent, in decimals, are."""
        for what, table in self._tables(self.provider()).items():
            lowest = float(table.checks.low.min())
            assert lowest > -0.99, f"expected {what} above -99 %, got {lowest:g}: a code for missing, or percent?"

    def test_returns_are_decimals(self) -> None:
        """Assets and factors pass the checks of a panel: no percent, no prices, no return below -100 %."""
        tables = self._tables(self.provider())
        for what in ("asset returns", "factor returns"):
            tables[what].checks.finish()

    def test_the_risk_free_rate_is_per_horizon(self) -> None:
        """The rate passes the checks of a panel: decimals per horizon, not percent, not per year."""
        self._tables(self.provider())["the risk-free rate"].checks.finish()

    # -- windows ---------------------------------------------------------------------------------------

    def test_a_window_includes_both_ends(self) -> None:
        """A window from one date to another has both dates and all between."""
        data = self.provider()
        for what, ask in self._questions(data).items():
            whole = self._read(ask(None, None), what, data)
            start, end = _inner_dates(whole)
            part = self._read(ask(start, end), what, data)
            _same(part.frame(), whole.frame().loc[start:end], f"{what} in a window")

    def test_either_end_may_be_open(self) -> None:
        """An open start means the first date, an open end the last."""
        data = self.provider()
        for what, ask in self._questions(data).items():
            whole = self._read(ask(None, None), what, data)
            start, end = _inner_dates(whole)
            _same(self._read(ask(start, None), what, data).frame(), whole.frame().loc[start:], what)
            _same(self._read(ask(None, end), what, data).frame(), whole.frame().loc[:end], what)

    def test_ends_may_be_strings(self) -> None:
        """A window may be given as ``"2018-11-30"`` or as a Timestamp."""
        data = self.provider()
        for what, ask in self._questions(data).items():
            start, end = _inner_dates(self._read(ask(None, None), what, data))
            text = self._read(ask(str(start.date()), str(end.date())), what, data).frame()
            _same(text, self._read(ask(start, end), what, data).frame(), what)

    def test_a_window_that_ends_before_it_starts_is_an_error(self) -> None:
        """`panel` raises `InvalidParameterError`."""
        start, end = _inner_dates(self._tables(self.provider())["asset returns"])
        _raises(InvalidParameterError, lambda: self._panel(end, start))

    # -- names -----------------------------------------------------------------------------------------

    def test_an_unknown_asset_is_named_with_the_nearest(self) -> None:
        """The message of `UnknownAssetError` has the unknown asset and the nearest known one."""
        known, wrong = self.assets[0], f"{self.assets[0]}~"
        error = _raises(UnknownAssetError, lambda: self.provider().asset_returns([known, wrong]))
        assert wrong in str(error), f"the message does not name {wrong!r}: {error}"
        assert str(known) in str(error).replace(wrong, ""), f"the message does not suggest {known!r}: {error}"

    def test_an_unknown_factor_is_named_with_the_nearest(self) -> None:
        """The message of `UnknownFactorError` has the unknown factor and the nearest known one."""
        known, wrong = self.factors[0], f"{self.factors[0]}~"
        error = _raises(UnknownFactorError, lambda: self.provider().factor_returns([known, wrong]))
        assert wrong in str(error), f"the message does not name {wrong!r}: {error}"
        assert str(known) in str(error).replace(wrong, ""), f"the message does not suggest {known!r}: {error}"

    def test_a_column_does_not_depend_on_what_else_was_asked(self) -> None:
        """A name gives the same series, alone or with others."""
        data = self.provider()
        for what, names, ask in (
            ("asset returns", self.assets, data.asset_returns),
            ("factor returns", self.factors, data.factor_returns),
        ):
            together = self._read(ask(list(names)), what, data).frame()
            for name in names:
                alone = self._read(ask([name]), what, data).frame()[name].dropna()
                _same(alone.to_frame(), together[name].dropna().to_frame(), f"{what} of {name}")

    def test_identities_are_labels_of_the_same_assets(self) -> None:
        """`identities` returns one text or whole number per asset, with the same returns."""
        data = self.provider()
        named = self._read(data.asset_returns(list(self.assets)), "asset returns", data).frame()
        identities = data.identities(list(self.assets), named.index[0], named.index[-1])
        assert len(identities) == len(self.assets), f"expected {len(self.assets)} identities, got {identities}"
        assert all(isinstance(i, str | Integral) for i in identities) or identities == list(self.assets)
        for name, identity in zip(self.assets, identities, strict=True):
            alone = self._read(data.asset_returns([identity]), "asset returns", data).frame()[identity].dropna()
            _same(alone.to_frame(name), named[name].dropna().to_frame(name), f"asset returns of {identity} for {name}")

    # -- asking does not change the answer -------------------------------------------------------------

    def test_asking_twice_gives_the_same(self) -> None:
        """The second result equals the first exactly."""
        data = self.provider()
        first, second = self._frames(data), self._frames(data)
        for what in first:
            pd.testing.assert_frame_equal(first[what], second[what], check_exact=True, obj=what)

    def test_what_it_returns_is_the_callers_own(self) -> None:
        """Overwriting a result does not change later results."""
        data = self.provider()
        before = self._tables(data)
        for frame in self._frames(data).values():
            frame.iloc[:] = 0.5
        for what, table in self._tables(data).items():
            np.testing.assert_array_equal(table.numbers, before[what].numbers, err_msg=f"{what} changed")

    def test_lists_that_are_passed_are_left_alone(self) -> None:
        """Lists of names are not changed."""
        data = self.provider()
        assets, factors = list(self.assets), list(self.factors)
        data.asset_returns(assets)
        data.factor_returns(factors)
        assert assets == list(self.assets), "the list of assets was changed"
        assert factors == list(self.factors), "the list of factors was changed"

    # -- the panel -------------------------------------------------------------------------------------

    def test_a_panel_can_be_made(self) -> None:
        """`panel` has the requested assets and factors, at the provider's horizon."""
        panel = self._panel()
        assert list(panel.assets) == list(self.assets)
        assert list(panel.factors) == list(self.factors)
        assert panel.horizon == self.provider().horizon

    def test_panel_returns_are_in_excess_of_the_risk_free_rate(self) -> None:
        """Total return less the risk-free rate of the same date; excess returns as they are."""
        data = self.provider()
        panel, tables = self._panel(), self._tables(data)
        total = tables["asset returns"].frame().loc[panel.dates]
        rate = tables["the risk-free rate"].frame().iloc[:, 0].loc[panel.dates]
        excess = total if data.return_type is EXCESS else total.sub(rate, axis=0)
        _same(panel.excess_returns, excess, "excess returns")
        assert panel.return_type is data.return_type, f"expected {data.return_type!r}, got {panel.return_type!r}"

    def test_a_panel_of_a_window_is_the_window_of_the_panel(self) -> None:
        """A shorter window gives the same numbers."""
        whole = self._panel()
        start, end = whole.dates[len(whole.dates) // 4], whole.dates[3 * len(whole.dates) // 4]
        part, cut = self._panel(start, end), whole.select(start=start, end=end)
        _same(part.excess_returns, cut.excess_returns, "assets")
        _same(part.factor_returns, cut.factor_returns, "factors")
        _same(part.risk_free.to_frame(), cut.risk_free.to_frame(), "the risk-free rate")

    def test_a_panel_where_there_is_nothing_is_an_error(self) -> None:
        """A window before all dates raises an error of the package."""
        _raises(RiskModelError, lambda: self._panel("1700-01-01", "1700-12-31"))

    # -- helpers ---------------------------------------------------------------------------------------

    def _panel(self, start: Any = None, end: Any = None) -> ReturnPanel:
        return self.provider().panel(list(self.assets), list(self.factors), start, end)

    def _questions(self, data: DataProvider) -> dict[str, Callable[[Any, Any], Any]]:
        return {
            "asset returns": lambda start, end: data.asset_returns(list(self.assets), start, end),
            "factor returns": lambda start, end: data.factor_returns(list(self.factors), start, end),
            "the risk-free rate": lambda start, end: data.risk_free(start, end).to_frame("risk_free"),
        }

    def _frames(self, data: DataProvider) -> dict[str, pd.DataFrame]:
        return {what: ask(None, None) for what, ask in self._questions(data).items()}

    def _tables(self, data: DataProvider) -> dict[str, ReturnFrame]:
        return {what: self._read(frame, what, data) for what, frame in self._frames(data).items()}

    @staticmethod
    def _read(frame: Any, what: str, data: DataProvider) -> ReturnFrame:
        return ReturnFrame.read(frame, _KINDS[what], data.horizon)


def _same(got: pd.DataFrame, expected: pd.DataFrame, what: str) -> None:
    """Compare numbers, dates and labels, without the frequency that pandas may infer for one of the two."""
    pd.testing.assert_frame_equal(got, expected, check_names=False, check_freq=False, obj=what)


def _inner_dates(table: ReturnFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Two dates that leave some history before and after them."""
    n = len(table.dates)
    assert n >= 8, f"expected at least 8 dates, got {n}"
    return table.dates[n // 4], table.dates[3 * n // 4]


def _raises(expected: type[Exception], act: Callable[[], object]) -> Exception:
    try:
        act()
    except expected as error:
        return error
    raise AssertionError(f"{expected.__name__} was expected, but nothing was raised")
