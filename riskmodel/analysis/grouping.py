"""Groups of holdings and of factors, such as sectors, countries, desks or styles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self, TypeVar, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import sparse

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError, RiskModelError, UnknownAssetError, UnknownFactorError
from riskmodel.estimation.groups import read_groups

T = TypeVar("T")

# The group of positions in factors that are not given one.
FACTORS = "factors"


@final
@frozen(eq=False)
class Grouping:
    """The group of each of M members.

    Attributes
    ----------
    names : pandas.Index
        Labels of the G groups, in order of occurrence.
    codes : array of int, shape (M,)
        The group of each member, as a number.
    """

    names: pd.Index[Any]
    codes: Index

    @classmethod
    def of(cls, groups: Any, members: pd.Index[Any], what: str, error: type[RiskModelError]) -> Self:
        """Read the groups of members from a mapping or Series.

        Raises
        ------
        InvalidParameterError
            For groups that are not labels, or not labelled.
        RiskModelError
            Of the kind `error`, for members without a group; `what` is the noun for one of them.
        """
        read = read_groups(groups)
        if read is None:
            raise InvalidParameterError(
                f"expected groups as a Series or mapping from {what} to group, got None.", parameter="groups", got=None
            )
        known = read.dropna()
        at = labels.positions(members, known.index, f"{what}, without a group", error)
        return cls.of_labels(known.iloc[at].to_list())

    @classmethod
    def of_labels(cls, names: list[Any]) -> Self:
        """Make it from the group of each member."""
        distinct: dict[Any, int] = {}
        try:
            codes = [distinct.setdefault(name, len(distinct)) for name in names]
        except TypeError as problem:
            raise InvalidParameterError(
                f"expected groups as labels such as text or numbers, got others: {problem}.", parameter="groups"
            ) from problem
        return cls(labels.unique(list(distinct), "groups"), np.asarray(codes, dtype=np.intp))

    @classmethod
    def of_holdings(cls, groups: Any, assets: pd.Index[Any], others: Sequence[tuple[Any, str]] = ()) -> Self:
        """Read the groups of assets, then of other holdings, each with the group that it has if none is given.

        Raises
        ------
        UnknownAssetError
            For an asset without a group.
        InvalidParameterError
            For groups that are not labels, or one that is called as others are by default.
        """
        of_assets = cls.of(groups, assets, "asset", UnknownAssetError)
        known: Any = dict(groups.items())
        by_default = {default for name, default in others if name not in known}
        _require_other_names(of_assets, by_default, "groups")
        names = of_assets.names[of_assets.codes].to_list()
        return cls.of_labels([*names, *(known.get(name, default) for name, default in others)])

    @classmethod
    def of_factors(cls, groups: Any, factors: pd.Index[Any], taken: Iterable[str]) -> Self:
        """Read the groups of factors, none of which may have the name of another row.

        Raises
        ------
        UnknownFactorError
            For a factor without a group.
        InvalidParameterError
            For groups that are not labels, or have a name that is taken.
        """
        read = cls.of(groups, factors, "factor", UnknownFactorError)
        _require_other_names(read, taken, "factor_groups")
        return read

    def sums(self, values: Array) -> Array:
        """Sums over the members of each group of an array whose first axis are the members."""
        return np.asarray(self._indicator @ values)

    @property
    def _indicator(self) -> Any:
        m = len(self.codes)
        return sparse.csr_array((np.ones(m), (self.codes, np.arange(m))), shape=(len(self.names), m))


def _require_other_names(groups: Grouping, taken: Iterable[str], parameter: str) -> None:
    for name in taken:
        if name in groups.names:
            raise InvalidParameterError(
                f"expected {parameter} without a group {name!r}, which is a row of its own, got one; rename it.",
                parameter=parameter,
                group=name,
            )


def require_given(groups: T | None, parameter: str) -> T:
    """Return groups, or raise where none were given."""
    if groups is None:
        raise InvalidParameterError(
            f"expected groups for a table by group, got none; pass {parameter}=... to the method that makes this.",
            parameter=parameter,
            got=None,
        )
    return groups
