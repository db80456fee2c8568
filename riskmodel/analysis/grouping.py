"""Groups of holdings and of factors, such as sectors, countries, desks or styles."""

from __future__ import annotations

from typing import Any, Self, final

import numpy as np
import pandas as pd
from attrs import frozen
from scipy import sparse

from riskmodel._core import labels
from riskmodel._core.arrays import Array, Index
from riskmodel.errors import InvalidParameterError, RiskModelError
from riskmodel.estimation.groups import read_groups


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

    def sums(self, values: Array) -> Array:
        """Sums over the members of each group of an array whose first axis are the members."""
        return np.asarray(self._indicator @ values)

    def alone(self, values: Array) -> Array:
        """An array of members in columns of their groups, shape (M, G)."""
        return np.asarray(self._indicator.T.toarray() * values[:, None])

    @property
    def _indicator(self) -> Any:
        m = len(self.codes)
        return sparse.csr_array((np.ones(m), (self.codes, np.arange(m))), shape=(len(self.names), m))
