"""The kinds of exposures of a fundamental model: styles, and groups such as industries and countries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, final

import numpy as np
from attrs import Factory, field, frozen

from riskmodel._core import labels
from riskmodel._core.arguments import require, shown
from riskmodel._core.listing import Listed
from riskmodel.errors import InvalidParameterError
from riskmodel.estimation.cross_section.preparation import Preparation, Standardised, WinsorisedByMAD
from riskmodel.estimation.weighting import require_at_least


def _read_steps(steps: Any) -> tuple[Preparation, ...]:
    if isinstance(steps, Preparation | np.ndarray) or not isinstance(steps, Iterable):
        raise InvalidParameterError(
            f"expected steps as a list of preparations, got {shown(steps)}; write [rm.Standardised()], or [] for none.",
            parameter="steps",
        )
    kind: type[Any] = Preparation
    return tuple(require(step, kind, "steps", "such as rm.Standardised()") for step in steps)


@final
@frozen
class Style(Listed):
    """A numeric exposure, such as value or size, and how it is prepared.

    Parameters
    ----------
    name : label
        The factor's label.
    steps : sequence of Preparation, optional
        Applied one after the other; by default `WinsorisedByMAD` and `Standardised`.
    characteristic : label, optional
        The characteristic that it is made of; by default the one called like the factor.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.Style("value").characteristic
    'value'
    """

    name: Any = field(validator=labels.check_label)
    steps: tuple[Preparation, ...] = field(default=(WinsorisedByMAD(), Standardised()), converter=_read_steps)
    characteristic: Any = field(default=Factory(lambda self: self.name, takes_self=True), validator=labels.check_label)


@final
@frozen
class Groups(Listed):
    """A family of groups, such as industries or countries: one factor for each, relative to the market.

    The returns of a family sum to zero by capitalisation on each date. A group with few members in the regression of a
    date has no return of its own there: it is zero, and what its members share stays in their residuals.
    `CrossSectionFit.thin` lists these.

    Parameters
    ----------
    name : label
        The characteristic; its values are the factors' labels.
    smallest : int
        The fewest members of a group with a return of its own. The residual of an asset alone in its group would be
        zero.

    Examples
    --------
    >>> import riskmodel as rm
    >>> rm.Groups("industry", smallest=5)
    Groups(name='industry', smallest=5)
    """

    name: Any = field(validator=labels.check_label)
    smallest: int = field(default=2, validator=require_at_least(1))


def read_styles(styles: Any) -> tuple[Style, ...]:
    """Read styles; a bare name means a `Style` (an attrs converter)."""
    return tuple(s if isinstance(s, Style) else Style(s) for s in labels.require_list(styles, "styles"))


def read_groups(groups: Any) -> tuple[Groups, ...]:
    """Read families of groups; a bare name means `Groups` (an attrs converter)."""
    return tuple(g if isinstance(g, Groups) else Groups(g) for g in labels.require_list(groups, "groups"))
