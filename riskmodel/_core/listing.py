"""Bases of values and of abstract classes, whose `help` and `dir` list what one calls."""

from __future__ import annotations

from riskmodel._listing import AbstractListing, Listing


class Listed(metaclass=Listing):
    """Base of values."""

    __slots__ = ()


class Abstract(metaclass=AbstractListing):
    """Base of abstract classes, in place of `abc.ABC`."""

    __slots__ = ()
