"""Bases of values and of abstract classes, whose `help` and `dir` list what one calls."""

from __future__ import annotations

from abc import ABCMeta

from riskmodel._listing import Listing


class AbstractListing(Listing, ABCMeta):
    """The same for abstract classes."""


class Listed(metaclass=Listing):
    """Base of values."""

    __slots__ = ()


class Abstract(metaclass=AbstractListing):
    """Base of abstract classes, in place of `abc.ABC`."""

    __slots__ = ()
