"""Ways to split the change of a figure over the parts that changed."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, final

import numpy as np
from attrs import field, frozen

from riskmodel._core import labels
from riskmodel._core.arrays import Array, floats
from riskmodel._core.listing import Abstract
from riskmodel.errors import InvalidParameterError

# With more parts there are too many choices among them.
_MOST = 20


class Splitting(Abstract):
    """A way to split a change over n parts. Subclass it and write `split`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> class AllToTheFirst(rm.Splitting):
    ...     def split(self, values, names):
    ...         shares = np.zeros((len(names), *np.shape(values)[1:]))
    ...         shares[0] = values[-1] - values[0]
    ...         return shares
    >>> AllToTheFirst().split(np.array([1.0, 3.0, 2.0, 7.0]), ["first", "second"]).tolist()
    [6.0, 0.0]
    """

    @abstractmethod
    def split(self, values: Array, names: Sequence[str]) -> Array:
        """Return the share of each part, shape (n,); they sum to the last value less the first.

        Parameters
        ----------
        values : array, shape (2ⁿ,)
            The figure where some parts are as after, and the others as before: part j is as after in ``values[m]``
            where bit j of m is one.
        names : sequence of str
            The n parts, in the order of bits.
        """


@final
@frozen
class Shapley(Splitting):
    r"""The mean over all orders in which parts may change, one after the other [1]_.

    :math:`\phi_j = \sum_{S \not\ni j} \frac{|S|!\,(n - |S| - 1)!}{n!} (v(S \cup j) - v(S))`: no order is preferred, so
    what two parts do together is shared equally.

    References
    ----------
    .. [1] Shapley, L. S. (1953). A Value for n-Person Games. *Contributions to the Theory of Games* 2, 307-317.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> values = np.array([1.0, 3.0, 2.0, 7.0])
    >>> rm.Shapley().split(values, ["first", "second"]).tolist()
    [3.5, 2.5]
    """

    def split(self, values: Array, names: Sequence[str]) -> Array:
        """Return Shapley values; `InvalidParameterError` for values that are not one for each choice of parts."""
        values, names = _read(values, names)
        n, masks = len(names), np.arange(len(values))
        sizes = np.array([int(m).bit_count() for m in masks])
        weight = np.array([math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n) for s in range(n)])
        shares = np.empty(n)
        for j in range(n):
            without = masks[(masks >> j) % 2 == 0]
            shares[j] = weight[sizes[without]] @ (values[without + (1 << j)] - values[without])
        return shares


def _read_order(order: Any) -> tuple[Any, ...]:
    return tuple(labels.unique(order, "order"))


@final
@frozen
class InOrder(Splitting):
    """One part after the other, in a stated order: each gets what changes when it does.

    Parameters
    ----------
    order : sequence of str
        All parts, first to last, such as ``["weights", "entered", "left", "legs", "loadings", "factor volatilities",
        "factor correlations", "idio"]`` of a `RiskChange`.

    Raises
    ------
    DuplicateLabelsError
        For a part that occurs twice.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> later = rm.Strategy({"MSFT": 0.2, "JPM": 0.8}, rm.EWMA(rm.QUARTER).fit(panel))
    >>> order = ["loadings", "factor volatilities", "factor correlations", "idio", "weights", "entered", "left", "legs"]
    >>> change = rm.RiskChange.of(held, later, rm.InOrder(order))
    >>> change.to_frame()["volatility"][["before", "loadings", "idio", "weights", "after"]].round(4).to_dict()
    {'before': 0.0186, 'loadings': 0.0003, 'idio': -0.0024, 'weights': -0.0015, 'after': 0.0125}
    """

    order: tuple[Any, ...] = field(converter=_read_order)

    def split(self, values: Array, names: Sequence[str]) -> Array:
        """Return the changes in order; `InvalidParameterError` where the order is not that of all parts."""
        values, names = _read(values, names)
        if set(self.order) != set(names) or len(self.order) != len(names):
            raise InvalidParameterError(
                f"expected an order of {labels.listing(names, 20)}, got {labels.listing(self.order, 20)}.",
                parameter="order",
                expected=list(names),
                got=list(self.order),
            )
        position, done, shares = {name: j for j, name in enumerate(names)}, 0, np.empty(len(names))
        for name in self.order:
            after = done | (1 << position[name])
            shares[position[name]] = values[after] - values[done]
            done = after
        return shares


def _read(values: Any, names: Any) -> tuple[Array, list[Any]]:
    figures, parts = floats(values), labels.unique(names, "names").to_list()
    if figures.ndim != 1 or len(parts) > _MOST or len(figures) != 1 << len(parts):
        raise InvalidParameterError(
            f"expected a figure for each choice among {len(parts)} parts, at most {_MOST}, got shape {figures.shape}.",
            parameter="values",
            parts=len(parts),
            got=figures.shape,
        )
    return figures, parts
