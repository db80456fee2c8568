"""Exposures before each date, prepared block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np
import pandas as pd
from attrs import field, frozen
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index, row_blocks
from riskmodel.errors import DataError, EstimationError, InvalidParameterError
from riskmodel.estimation.cross_section.kinds import Groups, Style
from riskmodel.estimation.cross_section.sections import CrossSections
from riskmodel.estimation.cross_section.universe import EstimationUniverse
from riskmodel.panel.characteristics.series import Characteristic
from riskmodel.panel.characteristics.value import Characteristics

# Numbers of one characteristic, and of all, that are held at a time: a few dates, which stay in the cache.
_BLOCK, _BLOCKS = 40_000, 8_000_000


@final
@frozen(eq=False)
class Block:
    """The exposures of some rows.

    Attributes
    ----------
    rows : slice
        Which of T + 1 rows.
    dense : array, shape (rows, D, N)
        The market, if there is one, and the styles; NaN where missing.
    codes : array of int, shape (rows, F, N)
        The group of each asset in each family; -1 where missing.
    universe : array of bool, shape (rows, N)
        The estimation universe.
    caps : array, shape (rows, N)
        Market capitalisation.
    """

    rows: slice
    dense: Array
    codes: NDArray[np.intp]
    universe: Flags
    caps: Array

    @property
    def complete(self) -> Flags:
        """Which assets have all exposures, shape (rows, N)."""
        # values are finite or missing
        return np.asarray(~np.isnan(self.dense.sum(axis=1)) & (self.codes >= 0).all(axis=1))


@final
@frozen(eq=False)
class Exposures:
    """How the exposures of a model are made of characteristics, for the assets and times of a panel."""

    characteristics: Characteristics
    assets: pd.Index[Any]
    starts: pd.DatetimeIndex
    oldest: pd.Timedelta
    styles: tuple[Style, ...]
    groups: tuple[Groups, ...]
    market: Any
    caps: Any
    universe: EstimationUniverse
    columns: Index = field(init=False)
    _families: dict[Any, Characteristic] = field(init=False)

    @columns.default
    def _find_columns(self) -> Index:
        return self.characteristics.assets.get_indexer(self.assets)

    @_families.default
    def _read_families(self) -> dict[Any, Characteristic]:
        return {g.name: self.characteristics.series(g.name).as_groups() for g in self.groups}

    @property
    def families(self) -> list[list[Any]]:
        """The labels of each family of groups."""
        return [list(one.levels) for one in self._families.values() if one.levels is not None]

    def blocks(self, rows: slice) -> Iterator[Block]:
        """Yield the exposures of some of T + 1 rows, a few rows at a time."""
        n = max(len(self.assets), 1)
        size = max(min(_BLOCK // n, _BLOCKS // (n * (len(self.styles) + 4))), 1)
        whole = range(len(self.starts))[rows]
        for part in row_blocks(len(whole), size):
            yield self._block(slice(whole[part][0], whole[part][-1] + 1))

    def capitalisations(self) -> Array:
        """Market capitalisations before each row and after the last, shape (T + 1, N); all 1 without."""
        return self._caps(slice(0, len(self.starts)))

    def lacking(self, row: int) -> list[Any]:
        """The characteristics that are known of no asset before a row."""
        names = [*(s.characteristic for s in self.styles), *(g.name for g in self.groups)]
        at = slice(row, row + 1)
        return [n for n in names if np.isnan(self._values(self.characteristics.series(n), at)).all()]

    def _block(self, rows: slice) -> Block:
        caps = self._caps(rows)
        prepared: dict[Any, Array] = {}

        def known(name: Any) -> Array:
            return self._values(self.characteristics.series(name), rows)

        def codes(name: Any) -> Array:
            return self._values(self._family(name), rows)

        everyone = CrossSections(caps, ~np.isnan(caps), prepared, known, codes)
        members = self._members(everyone) & ~np.isnan(caps)
        sections = CrossSections(caps, members, prepared, known, codes)
        for style in self.styles:
            prepared[style.name] = self._prepared(style, sections, known(style.characteristic))
        market = [] if self.market is None else [np.ones_like(caps)]
        dense = np.stack([*market, *(prepared[s.name] for s in self.styles)], axis=1)
        family = np.empty((len(caps), len(self.groups), len(self.assets)), dtype=np.intp)
        for j, group in enumerate(self.groups):
            found = codes(group.name)
            family[:, j] = np.where(np.isnan(found), -1.0, found)
        return Block(rows, dense, family, members, caps)

    def _members(self, sections: CrossSections) -> Flags:
        members = self.universe.members(sections)
        if not isinstance(members, np.ndarray) or members.dtype != bool or members.shape != sections.caps.shape:
            raise InvalidParameterError(
                f"expected flags of shape {sections.caps.shape} from {type(self.universe).__name__}.members, got "
                f"{type(members).__name__} of shape {np.shape(members)}.",
                expected=sections.caps.shape,
                got=np.shape(members),
            )
        return members

    def _prepared(self, style: Style, sections: CrossSections, values: Array) -> Array:
        for step in style.steps:
            with np.errstate(invalid="ignore", divide="ignore"):
                values = np.asarray(step.prepare(values, sections), dtype=np.float64)
            if values.shape != sections.caps.shape:
                raise InvalidParameterError(
                    f"expected values of shape {sections.caps.shape} from {type(step).__name__}.prepare, got shape "
                    f"{values.shape}.",
                    expected=sections.caps.shape,
                    got=values.shape,
                )
        infinite = np.asarray(np.isinf(values).any(axis=0))
        if infinite.any():
            raise EstimationError(
                f"expected finite exposures to {style.name}, got infinite ones of "
                f"{labels.listing(self.assets[infinite])}; correct the characteristic, or its preparation.",
                factor=style.name,
                assets=list(self.assets[infinite]),
            )
        return values

    def _caps(self, rows: slice) -> Array:
        if self.caps is None:
            return np.ones((len(self.starts[rows]), len(self.assets)))
        caps = self._values(self.characteristics.series(self.caps), rows)
        wrong = np.asarray((caps <= 0).any(axis=0))
        if wrong.any():
            dates = [d.date() for d in self.starts[rows][np.asarray((caps <= 0).any(axis=1))]]
            raise DataError(
                f"expected market capitalisations above 0, got others of {labels.listing(self.assets[wrong])} before "
                f"{labels.listing(dates)}; make them missing (NaN), or correct them.",
                assets=list(self.assets[wrong]),
                dates=dates,
            )
        return caps

    def _values(self, series: Characteristic, rows: slice) -> Array:
        return series.before(self.starts[rows], self.oldest, self.columns)

    def _family(self, name: Any) -> Characteristic:
        return self._families.get(name) or self.characteristics.series(name).as_groups()


def require_names(characteristics: Characteristics, names: Sequence[Any]) -> None:
    """Raise unless characteristics of these names exist."""
    labels.positions(list(dict.fromkeys(names)), characteristics.names, "characteristic", InvalidParameterError)
