"""The cross-sectional regressions of a panel: one for each date, on the exposures known before it."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd
from attrs import define, field, frozen
from numpy.typing import NDArray

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Flags, Index
from riskmodel.errors import CollinearFactorsError, MissingExposuresError, TooFewObservationsError
from riskmodel.estimation.cross_section.design import Design
from riskmodel.estimation.cross_section.exposures import Block, Exposures
from riskmodel.estimation.cross_section.missing import REFUSE, MissingExposures

_Codes = NDArray[np.intp]


@final
@frozen(eq=False)
class Regressions:
    """What the regressions of T dates on K columns found; columns as in `Design`."""

    coefficients: Array
    std_errors: Array
    rsquared: Array
    n_assets: Array
    residuals: Array
    thin: list[tuple[int, int, int]]
    seen: Flags


@final
@frozen(eq=False)
class Ending:
    """Exposures after the last date, and the portfolios whose returns are the factors'.

    Attributes
    ----------
    loadings : array, shape (N, K)
        Zero on groups without a return of their own.
    portfolios : array, shape (N, K)
        Weights of the assets.
    thin : list of tuple
        Column and members of each group without a return of its own.
    last_known : dict
        By position of an asset without exposures at the end, the row that those it has explain.
    """

    loadings: Array
    portfolios: Array
    thin: list[tuple[int, int]]
    last_known: dict[int, int]


@final
@frozen(eq=False)
class Alike:
    """The design of a date, which is that of the next one where members and groups are the same."""

    design: Design
    members: Index
    codes: _Codes

    def holds(self, members: Index, codes: _Codes) -> bool:
        """Whether members and groups are the same."""
        return np.array_equal(self.members, members) and np.array_equal(self.codes, codes)


@final
@define(eq=False)
class Runner:
    """The regressions of one panel.

    Attributes
    ----------
    exposures : Exposures
        Before each of T dates and after the last.
    returns : array, shape (T, N)
        Excess returns; NaN where missing.
    weights : array, shape (T + 1, N)
        Of the assets in each regression; NaN where they have none.
    dates : DatetimeIndex
        T dates.
    missing : MissingExposures
        What a missing exposure means.
    """

    exposures: Exposures
    returns: Array
    weights: Array
    dates: pd.DatetimeIndex
    missing: MissingExposures
    _problems: Problems = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._problems = Problems(self.exposures, self.dates, self.names)

    @property
    def names(self) -> list[Any]:
        """The labels of the columns."""
        market = [] if self.exposures.market is None else [self.exposures.market]
        groups = [level for family in self.exposures.families for level in family]
        return [*market, *(s.name for s in self.exposures.styles), *groups]

    @property
    def _dense(self) -> int:
        return len(self.exposures.styles) + (self.exposures.market is not None)

    def run(self) -> Regressions:
        """Regress the returns of each date.

        Raises
        ------
        MissingExposuresError, TooFewObservationsError, CollinearFactorsError
            All problems of one kind at once.
        """
        (t, n), k = self.returns.shape, len(self.names)
        found = Regressions(
            np.zeros((t, k)), np.full((t, k), np.nan), np.full(t, np.nan), np.zeros(t), np.full((t, n), np.nan), [],
            np.zeros(k, dtype=bool),
        )  # fmt: skip
        for block in self.exposures.blocks(slice(0, t)):
            self._see(block, found.seen)
            known, complete = ~np.isnan(self.returns[block.rows]), block.complete
            if self.missing is REFUSE:
                self._problems.lack(block.rows, known & ~complete, known)
            members = known & complete & block.universe & ~np.isnan(self.weights[block.rows])
            like: Alike | None = None
            for i, some in enumerate(members):
                like = self._regress(block, i, np.flatnonzero(some), found, like)
        self._problems.finish()
        return found

    def end(self) -> Ending:
        """Return the exposures after the last date, and the factors' portfolios then.

        Raises
        ------
        MissingExposuresError, TooFewObservationsError, CollinearFactorsError
            As `run`.
        """
        t = len(self.returns)
        (block,) = self.exposures.blocks(slice(t, t + 1))
        dense, codes, complete = block.dense[0].T.copy(), block.codes[0].copy(), block.complete[0]
        last_known: dict[int, int] = {}
        if not complete.all():
            everyone = np.ones_like(complete)
            if self.missing is REFUSE:
                self._problems.lack(slice(t, t + 1), ~complete[None], everyone[None])
            else:
                last_known = self._fill(dense, codes, ~complete)
            self._problems.finish()
        held = complete & block.universe[0] & ~np.isnan(self.weights[t]) & ~np.isnan(self.returns[-1])
        members = np.flatnonzero(held)
        design = self._design(block, 0, members, None)
        factorised = None
        if self._problems.has_enough(t, len(members), design):
            factorised = design.factor(self.weights[t, members])
            if factorised is None:
                self._problems.collinear(t, design.dependent(self.weights[t, members]))
        self._problems.finish()
        assert factorised is not None
        portfolios = np.zeros((len(complete), len(self.names)))
        portfolios[members] = factorised.portfolios()
        loadings = self._loadings(dense, codes) * design.is_estimated
        return Ending(loadings, portfolios, self._thin_columns(design), last_known)

    def _regress(self, block: Block, i: int, members: Index, found: Regressions, like: Alike | None) -> Alike | None:
        """Regress one date, row `i` of a block; return its design for the next date."""
        row = block.rows.start + i
        same = like is not None and like.holds(members, block.codes[i])
        design = self._design(block, i, members, like.design if same and like is not None else None)
        weights, returns = self.weights[row, members], self.returns[row]
        own = returns[members]
        if not self._problems.has_enough(row, len(members), design):
            return like
        solved = design.solve(weights, own)
        if solved is None:
            self._problems.collinear(row, design.dependent(weights))
            return like
        fitted = design.fitted(block.dense[i].T, block.codes[i], solved.coefficients)
        fitted[(block.codes[i] < 0).any(axis=0)] = np.nan
        found.coefficients[row] = solved.coefficients
        found.residuals[row] = returns - fitted
        left = float(weights @ found.residuals[row, members] ** 2)
        variances = left / (len(members) - design.basis.shape[1]) * np.diag(solved.inverse)
        found.std_errors[row] = np.where(design.is_estimated, np.sqrt(variances), np.nan)
        total = float(weights @ (own - weights @ own / weights.sum()) ** 2)
        found.rsquared[row] = 1.0 - left / total if total > 0 else np.nan
        found.n_assets[row] = len(members)
        found.thin.extend((row, column, count) for column, count in self._thin_columns(design))
        return Alike(design, members, block.codes[i])

    def _design(self, block: Block, i: int, members: Index, like: Design | None) -> Design:
        whole = len(members) == block.dense.shape[2]
        dense = block.dense[i].T if whole else block.dense[i][:, members].T
        codes = block.codes[i] if whole else block.codes[i][:, members]
        caps = block.caps[i] if whole else block.caps[i, members]
        smallest = [g.smallest for g in self.exposures.groups]
        sizes = [len(f) for f in self.exposures.families]
        return Design.of(dense, codes, sizes, caps=caps, smallest=smallest, like=like)

    def _thin_columns(self, design: Design) -> list[tuple[int, int]]:
        starts = np.concatenate([[0], np.cumsum(design.sizes)]).astype(np.intp) + self._dense
        return [(int(starts[family] + group), count) for family, group, count in design.thin]

    def _see(self, block: Block, seen: Flags) -> None:
        """Note the groups that have an asset."""
        start = self._dense
        seen[:start] = True
        for f, family in enumerate(self.exposures.families):
            codes = block.codes[:, f]
            seen[start + codes[codes >= 0]] = True
            start += len(family)

    def _loadings(self, dense: Array, codes: _Codes) -> Array:
        loadings = np.zeros((len(dense), len(self.names)))
        start = self._dense
        loadings[:, :start] = dense
        for family, code in zip(self.exposures.families, codes, strict=True):
            loadings[np.arange(len(dense)), start + code] = 1.0
            start += len(family)
        return loadings

    def _fill(self, dense: Array, codes: _Codes, lacking: Flags) -> dict[int, int]:
        """Fill exposures that are missing at the end with the last ones; return the rows that these explain."""
        at = np.flatnonzero(lacking)
        rows = np.full(len(lacking), -1)
        for block in self.exposures.blocks(slice(0, len(self.returns))):
            complete = block.complete[:, at]
            last = len(complete) - 1 - np.argmax(complete[::-1], axis=0)
            some = np.asarray(complete.any(axis=0))
            assets, last = at[some], last[some]
            dense[assets], codes[:, assets] = block.dense[last, :, assets], block.codes[last, :, assets].T
            rows[assets] = block.rows.start + last
        never = lacking & (rows < 0)
        if never.any():
            self._problems.lack(slice(len(self.returns), len(self.returns) + 1), never[None], np.ones_like(never)[None])
        return {int(j): int(rows[j]) for j in at if rows[j] >= 0}


@final
@define(eq=False)
class Problems:
    """What keeps dates from being regressed, gathered to be said at once."""

    exposures: Exposures
    dates: pd.DatetimeIndex
    names: list[Any]
    _lacking: set[int] = field(factory=set)
    _blank: list[int] = field(factory=list)
    _few: dict[int, tuple[int, int]] = field(factory=dict)
    _dependent: dict[int, set[int]] = field(factory=dict)

    def lack(self, rows: slice, lacking: Flags, known: Flags) -> None:
        """Note the assets without exposures, and the rows on which no asset has any."""
        blank = lacking.any(axis=1) & (lacking == known).all(axis=1)
        self._blank.extend((rows.start + np.flatnonzero(blank)).tolist())
        self._lacking.update(np.flatnonzero(lacking[~blank].any(axis=0)).tolist())

    def has_enough(self, row: int, members: int, design: Design) -> bool:
        """Whether a regression has more assets than coefficients; note it where it does not."""
        needed = design.basis.shape[1] + 1
        if members < needed:
            self._few[row] = members, needed
        return bool(members >= needed)

    def collinear(self, row: int, columns: Index) -> None:
        """Note a linear dependence."""
        self._dependent[row] = set(columns.tolist())

    def finish(self) -> None:
        """Raise for what was noted."""
        if self._blank:
            self._raise_blank()
        if self._lacking:
            assets = list(self.exposures.assets[sorted(self._lacking)])
            raise MissingExposuresError(
                f"exposures are missing on some dates of {labels.listing(assets)}; leave these assets out, fill styles "
                "with rm.MeanFilled(), allow older values with oldest=..., or pass missing=rm.LEAVE_OUT.",
                assets=assets,
                reason="exposures are missing on some dates",
            )
        if self._few:
            rows = sorted(self._few)
            raise TooFewObservationsError(
                f"expected more assets in the regression of each date than factors, got fewer on "
                f"{self._listed(rows)}, such as {self._few[rows[0]][0]} where {self._few[rows[0]][1]} are needed; use "
                "fewer factors, a larger universe, or other dates.",
                dates=self._dated(rows),
                counts={d: self._few[r][0] for d, r in zip(self._dated(rows), rows, strict=True)},
                needed=max(needed for _, needed in self._few.values()),
            )
        if self._dependent:
            rows = sorted(self._dependent)
            factors = [self.names[c] for c in sorted(set().union(*self._dependent.values()))]
            raise CollinearFactorsError(
                f"expected exposures that are not collinear, got collinear ones, or ones that are zero, of "
                f"{labels.listing(factors)} on {self._listed(rows)}; leave one out, or merge groups.",
                factors=factors,
                dates=self._dated(rows),
            )

    def _raise_blank(self) -> None:
        rows = sorted(self._blank)
        characteristics = self.exposures.lacking(rows[0])
        raise MissingExposuresError(
            f"expected exposures known before {self._listed(rows)}, got none of any asset"
            f"{f' ({labels.listing(characteristics)})' if characteristics else ''}; give characteristics of earlier "
            "dates, start the panel later, or allow older values with oldest=....",
            dates=self._dated(rows),
            characteristics=characteristics,
        )

    def _dated(self, rows: list[int]) -> list[Any]:
        """The dates of rows; that after the last is the last."""
        return [self.dates[min(r, len(self.dates) - 1)] for r in rows]

    def _listed(self, rows: list[int]) -> str:
        return labels.listing(d.date() for d in self._dated(rows))
