"""Stored identifiers of asset names, as of the last request."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import pandas as pd
from attrs import frozen

from riskmodel.data.cache.entry import END
from riskmodel.data.cache.record import NO_ROWS
from riskmodel.data.cache.store import Store
from riskmodel.data.provider import DataProvider
from riskmodel.errors import InvalidParameterError, StaleDataWarning

_BEGINNING = pd.Timestamp("1677-12-31")


@frozen
class Names:
    """Permanent identifiers of names in one window, with one record per requested window.

    In a longer window a name may mean another asset, or several. A label that is not text identifies itself.
    """

    provider: DataProvider
    store: Store
    window: tuple[pd.Timestamp | None, pd.Timestamp | None]
    now: pd.Timestamp
    max_age: dt.timedelta | None

    def stored(self, names: Sequence[Any]) -> dict[Any, Any] | None:
        """Return the stored identifiers of names in this window; None if the source must be asked."""
        age = self.max_age
        said = self._said().items()
        known = {name: i for name, (i, when) in said if age is None or self.now - pd.Timestamp(when) <= age}
        means = {name: known.get(name) if isinstance(name, str) else name for name in names}
        return None if None in means.values() else means

    def ask(self, names: Sequence[Any]) -> dict[Any, Any]:
        """Request identifiers; if the source is unreachable, use those stored for a window around this one."""
        try:
            answer = self.provider.identities(list(names), *self.window)
        except OSError as error:
            return self._remembered(names, error)
        means = _checked(names, answer, type(self.provider).__name__)
        said = {name: (i, self.now) for name, i in means.items() if isinstance(name, str)}
        if any(name != i for name, (i, _) in said.items()):
            facts = {"window": self._ends, "names": self._said() | said}
            self.store.write("names", self._label, facts, NO_ROWS)
        return means

    @property
    def _ends(self) -> list[str]:
        low, high = self.window
        return [f"{day:%Y-%m-%d}" for day in (_BEGINNING if low is None else low, END if high is None else high)]

    @property
    def _label(self) -> str:
        return " to ".join(self._ends)

    def _said(self) -> dict[str, Any]:
        record = self.store.read("names", self._label)
        return {} if record is None else record[0]["names"]

    def _remembered(self, names: Sequence[Any], error: OSError) -> dict[Any, Any]:
        low, high = self._ends
        records = [record[0] for *_, record in self.store.records("names") if record is not None]
        around = [r["names"] for r in records if r["window"][0] <= low and high <= r["window"][1]]
        means: dict[Any, Any] = {}
        for name in names:
            said = [known[name] for known in around if name in known]
            if isinstance(name, str) and not said:
                other = [f"{r['names'][name][0]} in {r['label']}" for r in records if name in r["names"]]
                error.add_note(f"The meaning of {name!r} in this window is not stored; in others it was {other}.")
                raise error
            means[name] = max(said, key=lambda s: pd.Timestamp(s[1]))[0] if said else name
        taken = "; ".join(f"{name} for {identity}" for name, identity in means.items() if name != identity)
        warnings.warn(
            f"cannot reach {self.store.source} ({str(error).strip()}); using stored identifiers: {taken}.",
            StaleDataWarning,
            stacklevel=4,
        )
        return means


def _checked(names: Sequence[Any], answer: Any, whose: str) -> dict[Any, Any]:
    """Check the identifiers of a provider and return them by name, whole numbers as Python's."""
    is_list = isinstance(answer, Sequence) and not isinstance(answer, str) and len(answer) == len(names)
    pairs = list(zip(names, answer, strict=True)) if is_list else []
    if not is_list or not all(name is identity or _is_label(identity) for name, identity in pairs):
        raise InvalidParameterError(
            f"expected {whose}.identities to return a list of one text or whole number for each of {names}, got "
            f"{answer!r}.",
            provider=whose,
            names=list(names),
            got=answer,
        )
    return {name: int(i) if isinstance(i, Integral) else i for name, i in pairs}


def _is_label(identity: object) -> bool:
    return isinstance(identity, str | Integral) and not isinstance(identity, bool)
