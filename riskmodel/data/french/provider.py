"""Kenneth R. French's data library: factors, the bill rate, and portfolios as assets."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, final
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pandas as pd
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.dates import window
from riskmodel._core.frames import ReturnFrame
from riskmodel._core.kinds import FactorReturns
from riskmodel._core.listing import Listed
from riskmodel._core.paths import read_path
from riskmodel.data.french import catalogue
from riskmodel.data.french.server import LIBRARY, Server
from riskmodel.data.french.shelf import Folder, Shelf
from riskmodel.data.french.text import tables, the_table, vintage
from riskmodel.data.provider import DataProvider, require_list
from riskmodel.errors import InvalidParameterError, MixedSetsWarning, UnknownAssetError, UnknownFactorError
from riskmodel.horizon import DAY, MONTH, WEEK, Horizon, as_named, require_horizon
from riskmodel.panel.funding import FUNDED, SELF_FINANCING, Funding

# Digits of the dates of a horizon's tables.
_DIGITS = {DAY: 8, WEEK: 8, MONTH: 6}
_LONGEST_TIMEOUT = 86_400.0


@frozen
class _Weighted(Listed):
    name: str

    caption: ClassVar[re.Pattern[str]]


@final
@frozen
class ValueWeighted(_Weighted):
    """A set of the library's portfolios, each stock weighted by its market value.

    Parameters
    ----------
    name : str
        As in `FamaFrench.catalogue`, for instance ``"49_Industry_Portfolios"``.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.ValueWeighted("49_Industry_Portfolios")
    ValueWeighted(name='49_Industry_Portfolios')
    """

    caption = re.compile(r"value[- ]weight(ed)? returns", re.IGNORECASE)


@final
@frozen
class EqualWeighted(_Weighted):
    """A set of the library's portfolios, each stock weighted the same.

    Parameters
    ----------
    name : str
        As in `FamaFrench.catalogue`, for instance ``"49_Industry_Portfolios"``.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.EqualWeighted("49_Industry_Portfolios")
    EqualWeighted(name='49_Industry_Portfolios')
    """

    caption = re.compile(r"equal[- ]weight(ed)? returns", re.IGNORECASE)


def _read_portfolios(portfolios: Any) -> Any:
    return ValueWeighted(portfolios) if isinstance(portfolios, str) else portfolios


def _read_sets(sets: Any) -> Any:
    return None if sets is None else tuple(require_list(sets, "sets"))


def _read_folder(folder: Any) -> Path | None:
    return None if folder is None else read_path(folder, "folder")


def _folder_is_there(_: Any, __: Any, folder: Any) -> None:
    if folder is not None:
        Folder(folder)


def _horizon_is_published(_: Any, __: Any, horizon: Any) -> None:
    if require_horizon(horizon) not in _DIGITS:
        raise InvalidParameterError(
            f"expected horizon as rm.DAY, rm.WEEK or rm.MONTH, which the French library has, got {horizon!r}.",
            horizon=horizon,
        )


def _portfolios_are_published(self: Any, _: Any, portfolios: Any) -> None:
    if portfolios is None:
        return
    if not isinstance(portfolios, _Weighted):
        raise InvalidParameterError(
            "expected portfolios as rm.ValueWeighted(name), rm.EqualWeighted(name), or a name for the former, got "
            f"{portfolios!r}.",
            portfolios=portfolios,
        )
    catalogue.published(portfolios.name, self.horizon, factors=False)


def _sets_are_published(self: Any, _: Any, sets: Any) -> None:
    if sets is not None and not sets:
        raise InvalidParameterError(
            "expected at least one set of factors in sets, got none; leave it out for all.", sets=sets
        )
    for name in sets or ():
        catalogue.published(name, self.horizon, factors=True)


def _url_is_a_folder(_: Any, __: Any, url: Any) -> None:
    if isinstance(url, str) and "@" in url:
        # not shown: it is part of what this provider says of itself, which caches write down
        raise InvalidParameterError(
            "expected url without a user or a password, got something before an @; put them into ~/.netrc, which is "
            "read for the server's name."
        )
    if not isinstance(url, str) or not url.startswith(("http://", "https://", "file://")) or not url.endswith("/"):
        raise InvalidParameterError(
            f"expected url to start with https:// (or file://) and to end with /, got {url!r}.", url=url
        )


def _is_a_count(_: Any, __: Any, retries: Any) -> None:
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise InvalidParameterError(f"expected retries as a whole number, 0 or more, got {retries!r}.", retries=retries)


def _is_a_time(_: Any, __: Any, timeout: Any) -> None:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= _LONGEST_TIMEOUT:
        raise InvalidParameterError(
            f"expected timeout as a positive number of seconds, a day ({_LONGEST_TIMEOUT:g}) at most, got {timeout!r}.",
            timeout=timeout,
        )


@final
@frozen
class FamaFrench(DataProvider):
    """Kenneth R. French's data library, through pandas-datareader (extra ``french``).

    Parameters
    ----------
    horizon : Horizon
        ``rm.DAY`` (the default), ``rm.WEEK`` (three factors and a few portfolios only) or ``rm.MONTH``.
    portfolios : ValueWeighted, EqualWeighted or str, optional
        Which portfolios are the assets; a bare name means value-weighted. By default there are no assets: join
        the factors to those of another provider with `Joined`.
    sets : sequence of str, optional
        The sets that factors are taken from, as in `catalogue`. Where several have a factor of the same name, it
        is that of the first. By default the US ones: three factors, five factors, momentum, short- and long-term
        reversal, in this order. See the notes on SMB.
    folder : path, optional
        A folder with files of the library that you saved, packed or not (``F-F_Research_Data_Factors_daily_CSV.zip``,
        ``….csv``); nothing is fetched then, and `sets` are by default those of the US that the folder has.
    url : str, optional
        The address of the folder that the files are in, for a mirror of the library; ``file://`` is one of this
        machine.
    retries : int, optional
        How often a request that failed is tried again.
    timeout : float, optional
        Seconds that one file may take, all tries together; a day at most.

    Raises
    ------
    InvalidParameterError
        For a horizon or a set that is not published, with the nearest names, and a folder that does not exist.
    MissingExtraError
        When data are fetched and pandas-datareader is not installed.
    SourceError
        When the server cannot be reached, refuses, is too slow, or sends a broken file or one that unpacks to more than
        256 MiB; when the folder lacks a file.
    LayoutError
        When a file is not laid out as expected.

    Notes
    -----
    **SMB is published twice.** That of the three-factor set (from 1926) averages over portfolios by size and
    book-to-market; that of the five-factor set (from 1963) also over those by profitability and investment. ``"SMB"``
    is the former unless `sets` says otherwise; asked together with RMW or CMA, of whose model it is not part, it comes
    with a `MixedSetsWarning`. For the five-factor model say
    ``FamaFrench(sets=["F-F_Research_Data_5_Factors_2x3"])``, and add ``"F-F_Momentum_Factor"`` for the sixth.
    From where the second begins, the two sets agree on Mkt-RF, HML and RF.

    Files are in percent; what comes is in decimals. The codes -99.99 and -999 are missing returns. From the beginning
    unless `start` says otherwise. The annual tables of monthly files, and those that are no returns (numbers of
    firms, average sizes), are left aside.

    History is revised with each update of the underlying database, whose month is the vintage: see `provenance`.
    Since 2025-07 the daily RF has two decimals of a percent, a third less than before: rounding alone is up to
    0.005 % a day.

    Each file is fetched once in the life of the provider; `Cached` keeps it for longer.

    Examples
    --------
    >>> import riskmodel as rm
    >>> data = rm.FamaFrench(portfolios="49_Industry_Portfolios")
    >>> data.factors
    ['Mkt-RF', 'SMB', 'HML', 'RMW', 'CMA', 'Mom', 'ST_Rev', 'LT_Rev']
    >>> data.panel(["Agric", "Food"], ["Mkt-RF"])  # doctest: +SKIP
    >>> rm.FamaFrench(rm.WEEK, portfolios="49_Industry_Portfolio")
    Traceback (most recent call last):
    riskmodel.errors.InvalidParameterError: unknown set of portfolios of the French library per week: ...
    """

    horizon: Horizon = field(default=DAY, converter=as_named, validator=_horizon_is_published)
    portfolios: ValueWeighted | EqualWeighted | None = field(
        default=None, kw_only=True, converter=_read_portfolios, validator=_portfolios_are_published
    )
    sets: tuple[str, ...] | None = field(
        default=None, kw_only=True, converter=_read_sets, validator=_sets_are_published
    )
    folder: Path | None = field(default=None, kw_only=True, converter=_read_folder, validator=_folder_is_there)
    url: str = field(default=LIBRARY, kw_only=True, validator=_url_is_a_folder)
    retries: int = field(default=3, kw_only=True, validator=_is_a_count)
    timeout: float = field(default=60.0, kw_only=True, validator=_is_a_time)
    # what was fetched already: a memory of answers, not part of the value
    _fetched: dict[str, _Published] = field(factory=dict, init=False, repr=False, eq=False)

    @classmethod
    def catalogue(cls) -> pd.DataFrame:
        """List the data sets: ``kind``, ``title``, ``series``, and whether they come by day, week and month.

        Sets without dividends are left out, because their returns are not total returns, and breakpoints, because
        they are no returns.
        """
        return catalogue.table()

    @property
    def source(self) -> str:
        """What tells this provider's returns from any other's."""
        chosen = ",".join(self.sets or ("default",))
        weighted = f"{type(self.portfolios).__name__}({self.portfolios.name})" if self.portfolios else "none"
        return f"FamaFrench per {self.horizon}, sets {chosen}, portfolios {weighted}, from {self._shelf()}"

    @property
    def factors(self) -> list[str]:
        """The labels of all factors."""
        return [name for name in self._homes() if name != catalogue.RISK_FREE]

    @property
    def assets(self) -> list[str]:
        """The labels of all portfolios; they are fetched to find out."""
        return [] if self.portfolios is None else [str(c) for c in self._portfolio_table().frame.columns]

    def asset_returns(self, assets: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Total simple returns of the portfolios, dates × assets; unknown ones raise `UnknownAssetError`."""
        wanted = labels.unique(require_list(assets, "assets"), "assets")
        if self.portfolios is None:
            raise UnknownAssetError(
                "FamaFrench was given no portfolios, so it has no assets; give portfolios='49_Industry_Portfolios' or "
                "another set of FamaFrench.catalogue(), or rm.Joined(assets=..., factors=rm.FamaFrench()).",
                missing=list(wanted),
            )
        frame = self._portfolio_table().frame
        columns = labels.positions(wanted, frame.columns, "portfolio", UnknownAssetError)
        return _between(frame.iloc[:, columns], start, end)

    def factor_returns(self, names: Sequence[Any], start: Any = None, end: Any = None) -> pd.DataFrame:
        """Factor returns, dates × names, of all sets side by side; unknown ones raise `UnknownFactorError`."""
        wanted = list(labels.unique(require_list(names, "factors"), "factors"))
        labels.positions(wanted, pd.Index(self.factors), "factor", UnknownFactorError)
        homes = self._homes()
        others = {homes[name] for name in ("RMW", "CMA") if name in wanted}
        if self.sets is None and "SMB" in wanted and others - {homes["SMB"]}:
            warnings.warn(
                "SMB is that of the three-factor set, and RMW and CMA belong to the five-factor set, whose own SMB "
                "differs; say rm.FamaFrench(sets=['F-F_Research_Data_5_Factors_2x3', ...]) for the latter, or list "
                "the sets in the order you mean.",
                MixedSetsWarning,
                stacklevel=2,
            )
        columns = [self._factor_table(homes[name]).frame[name] for name in wanted]
        frame = pd.concat(columns, axis=1, sort=True) if columns else pd.DataFrame(index=pd.DatetimeIndex([]))
        return _between(frame, start, end)

    def funding(self, name: Any) -> Funding | None:
        """Return whether holding a factor costs cash: the market's excess return does, the spreads do not."""
        return FUNDED if labels.is_excess(name) else SELF_FINANCING

    def risk_free(self, start: Any = None, end: Any = None) -> pd.Series[float]:
        """One-month bill rate by date, of the first set that has it."""
        rate = self._factor_table(self._home_of_the_rate()).frame[[catalogue.RISK_FREE]]
        return _between(rate, start, end)[catalogue.RISK_FREE].rename("risk_free")

    def provenance(self, assets: Sequence[Any] = (), factors: Sequence[Any] = ()) -> dict[str, str]:
        """By file, the vintage of the database it was made from, such as ``"202407 CRSP"``.

        Of the files behind these assets, these factors, and the risk-free rate.
        """
        homes = self._homes()
        sets = dict.fromkeys([homes[name] for name in factors if name in homes])
        if catalogue.RISK_FREE in homes:
            sets[homes[catalogue.RISK_FREE]] = None
        used = [self._factor_table(name) for name in sets]
        if len(assets) and self.portfolios is not None:
            used.append(self._portfolio_table())
        return {table.file: table.vintage for table in used}

    def _shelf(self) -> Shelf:
        if self.folder is not None:
            return Folder(self.folder)
        if self.url.startswith("file://"):
            return Folder(Path(url2pathname(urlsplit(self.url).path)))
        return Server(self.url, self.retries, self.timeout)

    def _homes(self) -> dict[str, str]:
        """Each factor, and RF, with the set it is taken from."""
        sets = catalogue.US_FACTORS if self.sets is None else self.sets
        there = [catalogue.SETS[name] for name in sets if self.horizon in catalogue.SETS[name].files]
        if self.sets is None:
            shelf = self._shelf()
            there = [s for s in there if shelf.has(s.files[self.horizon])]
        homes: dict[str, str] = {}
        for data_set in there:
            for series in data_set.series:
                homes.setdefault(series, data_set.name)
        return homes

    def _home_of_the_rate(self) -> str:
        homes = self._homes()
        if catalogue.RISK_FREE not in homes:
            where = labels.listing(self.sets) if self.sets else f"the US sets per {self.horizon} in {self._shelf()}"
            raise UnknownFactorError(
                f"expected a set with a risk-free rate, such as 'F-F_Research_Data_Factors', got none among {where}; "
                "add one at the end of sets, or save its file in the folder."
            )
        return homes[catalogue.RISK_FREE]

    def _factor_table(self, name: str) -> _Published:
        data_set = catalogue.SETS[name]
        return self._table(data_set.files[self.horizon], None, data_set.series)

    def _portfolio_table(self) -> _Published:
        assert self.portfolios is not None
        file = catalogue.SETS[self.portfolios.name].files[self.horizon]
        return self._table(file, self.portfolios.caption, ())

    def _table(self, file: str, caption: re.Pattern[str] | None, series: Sequence[str]) -> _Published:
        if file not in self._fetched:
            self._fetched[file] = _read_table(self._shelf().text(file), file, self.horizon, caption, series)
        return self._fetched[file]


def _between(frame: pd.DataFrame, start: Any, end: Any) -> pd.DataFrame:
    low, high = window(start, end)
    return frame.loc[low:high].copy()


@frozen(eq=False)
class _Published:
    """One table of the library: decimals by date, and the vintage of its file."""

    file: str
    frame: pd.DataFrame
    vintage: str


def _read_table(
    text: str, file: str, horizon: Horizon, caption: re.Pattern[str] | None, series: Sequence[str]
) -> _Published:
    table = the_table(tables(text, file), file, _DIGITS[horizon], caption=caption, columns=series)
    returns = ReturnFrame.read(table.frame() / 100.0, FactorReturns(file), horizon)
    return _Published(file, returns.frame(), vintage(text))
