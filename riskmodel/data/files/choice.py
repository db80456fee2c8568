"""Which columns of a file hold dates, labels and numbers, as its layout says or its names tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

from attrs import evolve, field, frozen

from riskmodel._core import labels
from riskmodel._core.bars import are_bars, close_of, field_of
from riskmodel.data.files.fields import by_field
from riskmodel.data.files.options import ReadOptions
from riskmodel.data.files.paths import stem
from riskmodel.data.files.unit import Unit
from riskmodel.errors import ChosenColumnWarning, InvalidParameterError, LayoutError, RiskModelWarning
from riskmodel.panel.layout import Crsp, Layout, Long, Wide, year_and_month

Notes = tuple[RiskModelWarning, ...]
# Names of a column of dates, and of one of labels, beside open, high, low and close.
_DATES = frozenset({"date", "datetime", "timestamp", "time", "day", "index", "tradedate", "tradingday"})
# Further columns of dates, as WRDS and others write them.
_DATES_AGAIN = ("dateff", "yyyymm", "yyyymmdd", "year month")
# Names of the one column of a file that are of no asset.
_OF_ONE = frozenset({"px", "price", "px last", "last price", "last", "nav", "adj close", "close"})
_LABELS = frozenset({"ticker", "symbol", "asset", "name", "permno", "code", "secid", "isin", "cusip"})


@final
@frozen
class Choice:
    """The columns to read.

    Attributes
    ----------
    dates : tuple of labels
        The column of dates, or those of year, month, and perhaps day.
    asset : label or None
        The column of labels; None in wide files.
    numbers : list of labels
        The columns of numbers.
    named : mapping
        The asset of a column of numbers, where it is not the column's name.
    is_crsp : bool
        Whether these are CRSP's columns, with CRSP's codes.
    notes : tuple of warnings
        What the caller must know of the choice.
    """

    dates: tuple[Any, ...]
    asset: Any
    numbers: list[Any]
    named: Mapping[Any, Any] = field(factory=dict)
    is_crsp: bool = False
    notes: Notes = ()

    @property
    def columns(self) -> list[Any]:
        """All of them, in order."""
        return [*self.dates, *([] if self.asset is None else [self.asset]), *self.numbers]


@final
@frozen
class Names:
    """The names of the columns of a file, from which a layout chooses.

    Attributes
    ----------
    path : Path
        The file.
    names : sequence of labels
        All columns, unique.
    index : sequence of labels
        Columns of an index, which hold numbers only where a layout names them.
    fields : mapping
        Field and ticker of columns with names of two parts.
    """

    path: Path
    names: Sequence[Any]
    index: Sequence[Any]
    fields: Mapping[Any, tuple[str, str]]

    def choose(self, layout: Layout, options: ReadOptions) -> Choice:
        """Choose the columns of a layout.

        Raises
        ------
        LayoutError
            If the file does not have them, or has those of another layout.
        InvalidParameterError
            If the layout names one column twice.
        """
        unit = options.unit
        if isinstance(layout, Crsp):
            return self._crsp(layout, unit)
        if isinstance(layout, Long):
            return self._long(layout, unit)
        if not isinstance(layout, Wide):
            raise LayoutError(
                f"expected a file of the French library, got {self.path} with the columns {labels.listing(self.names)}"
                "; pass layout=rm.Wide() or rm.Long(...).",
                path=str(self.path),
                columns=list(self.names),
            )
        if self.fields:
            return self._two_parts(layout, unit)
        return self._wide(layout, unit)

    # -- wide --------------------------------------------------------------------------------------------

    def _wide(self, layout: Wide, unit: Unit) -> Choice:
        dates = self._dates(layout.date)
        others = self._others(dates)
        if layout.columns is not None:
            self._require([*dates, *layout.columns], "date and columns", layout)
            return Choice(dates, None, list(layout.columns))
        if are_bars(others):
            return self._bars(layout, unit)
        if len(others) == 1 and str(others[0]).casefold().replace("_", " ") in _OF_ONE:
            return Choice(dates, None, others, {others[0]: stem(self.path)})
        others, notes = self._without_dates(dates, others)
        if layout.date is None and (Crsp().columns(self.names) or (None, None, None))[2] is not None:
            raise LayoutError(
                f"expected one column for each asset in {self.path}, got columns of CRSP with one row for each date "
                "and permno; pass layout=rm.Crsp(), or rm.Long(...).",
                path=str(self.path),
                columns=list(self.names),
            )
        return Choice(dates, None, others, notes=notes)

    def _without_dates(self, dates: Sequence[Any], others: list[Any]) -> tuple[list[Any], Notes]:
        """Leave out further columns of dates, which are no assets, with a note of it."""
        called = {str(name).casefold(): name for name in others}
        again = [called[name] for name in _DATES_AGAIN if name in called]
        if len(dates) == 1 and {"year", "month"} <= set(called):
            again += [called[name] for name in ("year", "month", "day", "quarter") if name in called]
        if not again:
            return others, ()
        note = ChosenColumnWarning(
            f"{self.path} has the dates in {labels.listing(dates)}; {labels.listing(again)}, which are dates too, are "
            "left out. Choose columns by layout=rm.Wide(columns=[...]), on the command line --columns DATE:COLUMN."
        )
        return [name for name in others if name not in again], (note,)

    def _bars(self, layout: Wide, unit: Unit) -> Choice:
        """Choose the close of a file of open, high, low and close: one asset, or several with a column of labels."""
        named = [name for name in self.names if str(name).strip("<>").casefold().replace(" ", "") in _DATES]
        dates = self._dates(layout.date if layout.date is not None else next(iter(named), None))
        others = self._others(dates)
        close, notes = self._close(others, unit)
        asset = [name for name in others if str(name).strip("<>").casefold() in _LABELS]
        if asset:
            return Choice(dates, asset[0], [close], notes=notes)
        return Choice(dates, None, [close], {close: stem(self.path)}, notes=notes)

    def _two_parts(self, layout: Wide, unit: Unit) -> Choice:
        """Choose one field of a file with fields and tickers."""
        dates = (self.names[0],) if layout.date is None else self._dates(layout.date)
        columns = by_field(self.fields)
        wanted = layout.columns or ()
        chosen = [name for name in wanted if name in columns]
        tickers = [name for name in wanted if name not in columns]
        if len(chosen) > 1:
            raise InvalidParameterError(
                f"expected one field in columns, got {labels.listing(chosen)}; name one, or tickers.", columns=chosen
            )
        notes: Notes = ()
        if chosen:
            close = chosen[0]
            self._require_prices(unit, list(columns))
        else:
            full = max(len(of) for of in columns.values())
            close, notes = self._close([name for name, of in columns.items() if len(of) == full], unit)
        return evolve(self._of_field(dates, columns[close], tickers, layout), notes=notes)

    def _of_field(self, dates: tuple[Any, ...], columns: dict[str, Any], tickers: list[Any], layout: Wide) -> Choice:
        unknown = [ticker for ticker in tickers if ticker not in columns]
        if unknown:
            raise self._no_column(unknown[0], list(columns), layout)
        kept = {ticker: columns[ticker] for ticker in (tickers or columns)}
        return Choice(dates, None, list(kept.values()), {name: ticker for ticker, name in kept.items()})

    def _close(self, names: Sequence[Any], unit: Unit) -> tuple[Any, Notes]:
        """Choose the adjusted close, or else the close, with a note of it."""
        self._require_prices(unit, names)
        close = close_of(names)
        if close is None:
            raise LayoutError(
                f"expected a close in {self.path}, got {labels.listing(names)}; choose one by "
                "layout=rm.Wide(columns=[...]), on the command line --columns DATE:COLUMN.",
                path=str(self.path),
                columns=list(names),
            )
        bars = [name for name in names if field_of(name)]
        doubt = (
            "" if field_of(close) == "adjusted" else ", which is a total return only if it is adjusted for dividends"
        )
        note = ChosenColumnWarning(
            f"{self.path} has the columns {labels.listing(bars)} of each asset; {close!r} is read{doubt}. Choose "
            "another by layout=rm.Wide(columns=[...]), on the command line --columns DATE:COLUMN."
        )
        return close, (note,)

    def _require_prices(self, unit: Unit, names: Sequence[Any]) -> None:
        if unit is not Unit.PRICE:
            raise LayoutError(
                f"expected one column of returns for each asset in {self.path}, got {labels.listing(names)}, which are "
                f"prices of one; read them with {Unit.PRICE.reader}, on the command line {Unit.PRICE.option}.",
                path=str(self.path),
                columns=list(names),
            )

    # -- long ------------------------------------------------------------------------------------------

    def _long(self, layout: Long, unit: Unit) -> Choice:
        dates = self._dates(layout.date, layout)
        wanted = [*dates, layout.asset, *([] if layout.value is None else [layout.value])]
        self._require(wanted, "date, asset and value", layout)
        others = [name for name in self._others(dates) if name != layout.asset]
        notes: Notes = ()
        if layout.value is not None:
            numbers = [layout.value]
        elif len(others) != 1 and are_bars(others):
            close, notes = self._close(others, unit)
            numbers = [close]
        else:
            numbers = self._one_value(layout, others)
        choice = Choice(dates, layout.asset, numbers, notes=notes)
        if str(layout.asset).casefold() == "permno" and Crsp.is_return(numbers[0]) and unit is not Unit.PRICE:
            return evolve(choice, numbers=[*numbers, *self._delisting(numbers[0])], is_crsp=True)
        return choice

    def _one_value(self, layout: Long, others: list[Any]) -> list[Any]:
        if len(others) != 1:
            raise LayoutError(
                f"expected one column of numbers beside {layout.date!r} and {layout.asset!r} in {self.path}, got "
                f"{labels.listing(others) or 'none'}; say which: layout=rm.Long(value=...), on the command line a "
                "third name in --columns.",
                path=str(self.path),
                columns=others,
            )
        return others

    def _crsp(self, layout: Crsp, unit: Unit) -> Choice:
        found = layout.columns(self.names)
        called = {str(name).casefold(): name for name in self.names}
        if found is None or (found[2] is None and unit is not Unit.PRICE):
            raise LayoutError(
                f"expected columns of CRSP (permno, date, {layout.value or 'ret'}) in {self.path}, got "
                f"{labels.listing(self.names)}; name them in layout=rm.Long(...).",
                path=str(self.path),
                columns=list(self.names),
            )
        date, permno, value = found
        if unit is not Unit.PRICE:
            return Choice((date,), permno, [value, *self._delisting(value)], is_crsp=True)
        if "prc" not in called or "cfacpr" not in called:
            raise LayoutError(
                f"expected PRC and CFACPR, which adjusts it for splits, in {self.path}, got "
                f"{labels.listing(self.names)}; read RET with {Unit.DECIMAL.reader}, which has dividends too.",
                path=str(self.path),
                columns=list(self.names),
            )
        note = ChosenColumnWarning(
            f"{called['prc']} / {called['cfacpr']} of {self.path} is read, in size: adjusted for splits, not for "
            f"dividends. RET, which {Unit.DECIMAL.reader} reads, has both."
        )
        return Choice((date,), permno, [called["prc"], called["cfacpr"]], is_crsp=True, notes=(note,))

    def _delisting(self, value: Any) -> list[Any]:
        """Find the delisting return that belongs to a column of returns."""
        name = {"ret": "dlret", "retx": "dlretx"}.get(str(value).casefold())
        return [column for column in self.names if str(column).casefold() == name][:1]

    # -- names -----------------------------------------------------------------------------------------

    def _dates(self, date: Any, layout: Layout = Wide()) -> tuple[Any, ...]:
        """Return the columns of dates: those that a layout names, else year and month, else the first."""
        if date is None:
            return year_and_month(self.names) or (self.names[0],)
        if date == "date" and isinstance(layout, Long) and "date" not in self.names:
            date = year_and_month(self.names) or date
        # a column of a table in memory may be called by a tuple
        dates = date if isinstance(date, tuple) and date not in self.names else (date,)
        self._require(dates, "date", layout)
        return tuple(dates)

    def _others(self, dates: Sequence[Any]) -> list[Any]:
        return [name for name in self.names if name not in dates and name not in self.index]

    def _require(self, wanted: Sequence[Any], what: str, layout: Layout) -> None:
        missing = [name for name in wanted if name not in self.names]
        if missing:
            raise self._no_column(missing[0], self.names, layout)
        if len(set(wanted)) < len(wanted):
            raise InvalidParameterError(
                f"expected different columns for {what}, got {layout!r}; name each once.", layout=layout
            )

    def _no_column(self, missing: Any, known: Sequence[Any], layout: Layout) -> LayoutError:
        return LayoutError(
            f"expected a column {missing!r} in {self.path}, got {labels.listing(known)}; name the column in "
            f"layout=rm.{type(layout).__name__}(...), on the command line in --columns.",
            path=str(self.path),
            column=missing,
            columns=list(known),
        )
