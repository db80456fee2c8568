"""What a model was made of: data, estimator, version of the code."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self, final

import pandas as pd
from attrs import evolve, field, frozen

from riskmodel import __version__
from riskmodel._core.arguments import require, require_count, shown
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.panel.base import Panel
from riskmodel.panel.memory import ReturnPanel

# Characters of an estimator's `repr`; that of the longest assembly has some two thousand.
_MOST = 20_000


def _read_vintages(data: Any) -> tuple[tuple[str, str], ...]:
    """Read vintages by source, or pairs that were read before (an attrs converter)."""
    if isinstance(data, tuple):
        with suppress(TypeError, ValueError):
            data = dict(data)
    if not isinstance(data, Mapping):
        raise InvalidParameterError(
            f"expected data as a mapping of vintages by source, got {shown(data)}.", parameter="data", got=data
        )
    pairs = tuple(data.items())
    for source, vintage in pairs:
        require(source, str, "a source of data")
        require(vintage, str, f"the vintage of {source}")
    return pairs


def _is_text(_instance: object, attribute: Any, value: Any) -> None:
    require(value, str, attribute.alias)


def _check(self: Lineage, _attribute: Any, _value: Any) -> None:
    for name in ("start", "end"):
        date = getattr(self, name)
        if date is not None and (not isinstance(date, pd.Timestamp) or pd.isna(date)):
            raise InvalidParameterError(f"expected {name} as a Timestamp or None, got {date!r}.", name=name, got=date)
    if self.n_dates is not None:
        require_count(self.n_dates, "n_dates")


@final
@frozen
class Lineage(Listed):
    """What a model was made of; every `FactorModel` has one.

    Parameters
    ----------
    estimator : str
        The estimator with its parameters, as it prints; empty for a model of given numbers.
    data : mapping of str
        By source, the vintage of its data, as in `ReturnPanel.provenance`.
    start, end : pandas.Timestamp, optional
        The first and the last date of the returns.
    n_dates : int, optional
        The number of their dates.
    fingerprint : str
        `ReturnPanel.fingerprint` of the returns; empty where it was not computed.
    version : str
        The version of riskmodel that made the model.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"], start="2016-01-01")
    >>> lineage = rm.OLS().fit(panel).lineage
    >>> lineage.estimator, lineage.n_dates, lineage.end
    ('OLS()', 735, Timestamp('2018-11-30 00:00:00'))
    """

    estimator: str = field(default="", validator=_is_text)
    _data: tuple[tuple[str, str], ...] = field(default={}, converter=_read_vintages)
    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None
    n_dates: int | None = None
    fingerprint: str = field(default="", validator=_is_text)
    version: str = field(default=__version__, validator=[_is_text, _check])

    @classmethod
    def of(cls, estimator: Any, panel: Panel) -> Self:
        """Return the lineage of a model that an estimator fits on a panel.

        Parameters
        ----------
        estimator : Estimator
            Its `repr` is kept; of a class without a `repr` of its own, the name.
        panel : Panel
            With dates.
        """
        if not isinstance(panel, Panel):
            raise InvalidParameterError(f"expected a panel, got {shown(panel)}.", parameter="panel", got=panel)
        dates = panel.dates
        ends = (dates[0], dates[-1]) if len(dates) else (None, None)
        vintages = panel.provenance if isinstance(panel, ReturnPanel) else {}
        return cls(configuration(estimator), vintages, ends[0], ends[1], len(dates))

    @property
    def data(self) -> dict[str, str]:
        """By source, the vintage of its data; empty where unknown."""
        return dict(self._data)

    def with_fingerprint(self, panel: ReturnPanel) -> Self:
        """Return the same lineage with the fingerprint of its panel.

        Parameters
        ----------
        panel : ReturnPanel
            The panel that the model was fitted on.

        Raises
        ------
        InvalidParameterError
            If the panel has other dates.
        """
        dates = require(panel, ReturnPanel, "panel").dates
        mine = (self.start, self.end, self.n_dates)
        theirs = (dates[0], dates[-1], len(dates)) if len(dates) else (None, None, 0)
        if mine != theirs:
            raise InvalidParameterError(
                f"expected the panel that the model was fitted on, of {self.n_dates} dates from {self.start} to "
                f"{self.end}, got {panel!r}; pass the panel that was passed to fit.",
                expected=mine,
                got=theirs,
            )
        return evolve(self, fingerprint=panel.fingerprint())

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values; dates in ISO format."""
        dates = {"start": self.start, "end": self.end}
        return {
            "version": self.version,
            "estimator": self.estimator,
            "data": self.data,
            **{name: None if date is None else date.isoformat() for name, date in dates.items()},
            "n_dates": self.n_dates,
            "fingerprint": self.fingerprint,
        }

    def __str__(self) -> str:
        parts = [self.estimator or "given numbers"]
        if self.n_dates is not None:
            parts.append(f"{self.n_dates:,} dates")
        if self.start is not None and self.end is not None:
            parts.append(f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}")
        parts += [f"{source}: {vintage}" for source, vintage in self._data]
        if self.fingerprint:
            parts.append(f"data {self.fingerprint[:12]}")
        return ", ".join([*parts, f"riskmodel {self.version}"])


def configuration(estimator: Any) -> str:
    """Return how an estimator prints; an address in memory is no configuration, so the class's name in place of it."""
    kind = type(estimator)
    has_none = getattr(kind, "__repr__", None) is object.__repr__
    return kind.__qualname__ if has_none else shown(estimator, _MOST)
