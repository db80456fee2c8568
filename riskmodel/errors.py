"""The error tree.

Every error is a :class:`RiskModelError` and also the built-in it is a kind of, so both
``except rm.RiskModelError`` and ``except ValueError`` work. A message says what was expected, what
it got, and what to do; ``details`` carries the same facts as data. What is no error but must be
known is a :class:`RiskModelWarning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

# what the package is called where it is published: its import name is taken there by another project
DISTRIBUTION = "factor-riskmodel"


class RiskModelError(Exception):
    """The root of every error this package raises.

    Parameters
    ----------
    message : str
        What was expected, what it got, what to do.
    **details
        The facts in the message, as data.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Mapping[str, Any]:
        """The facts behind the message, by name (read-only)."""
        return MappingProxyType(self._details)


class InvalidParameterError(RiskModelError, ValueError):
    """A number or an object that was passed lies outside what the method accepts."""


class HorizonMismatchError(RiskModelError, ValueError):
    """Two objects of different horizons were added, compared or combined."""


class UnknownAssetError(RiskModelError, LookupError):
    """An asset was asked for that is not there."""


class AmbiguousAssetError(RiskModelError, LookupError):
    """A label means more than one security in the window."""


class UnknownFactorError(RiskModelError, LookupError):
    """A factor was asked for that is not there."""


class UnknownDateError(RiskModelError, LookupError):
    """A date was asked for that is not there."""


class DataError(RiskModelError, ValueError):
    """The returns that came cannot be used as they are."""


class DuplicateDatesError(DataError):
    """A date occurs more than once."""


class DuplicateLabelsError(DataError):
    """An asset or a factor occurs more than once."""


class InvalidDatesError(DataError):
    """The rows are not labelled by dates."""


class NoOverlapError(DataError):
    """Assets, factors and risk-free rate have no date in common."""


class NonNumericError(DataError):
    """A column does not hold numbers."""


class InfiniteReturnsError(DataError):
    """A return is infinite."""


class PercentReturnsError(DataError):
    """Returns are plainly in percent where decimals are expected."""


class ImpossibleReturnsError(DataError):
    """An asset loses more than all of its value in one period, or has a return after it lost all."""


class SpacingError(DataError, HorizonMismatchError):
    """Dates are spaced unlike the horizon that was stated."""


class CoverageError(DataError):
    """The window that was asked for reaches past what the source holds."""


class LayoutError(DataError):
    """A source's tables or files are laid out unlike what this package reads."""


class EstimationError(RiskModelError, ValueError):
    """The panel does not identify the model."""


class ConstantFactorError(EstimationError):
    """A factor does not vary."""


class CollinearFactorsError(EstimationError):
    """Some factors are linear combinations of others."""


class TooFewObservationsError(EstimationError):
    """An asset has too few observations for the number of parameters."""


class NotEstimatedError(RiskModelError, ValueError):
    """A figure was asked of a model that was given its numbers, not estimated."""


class SingularCovarianceError(RiskModelError, ArithmeticError):
    """The covariance matrix cannot be inverted."""


class TooLargeError(RiskModelError, MemoryError):
    """A dense array was asked for that is larger than the stated limit."""


class UnboundedPositionError(RiskModelError, ArithmeticError):
    """No limit binds: the portfolio uses none of the budget."""


class SourceError(RiskModelError, OSError):
    """A data source cannot be reached, or stopped answering."""


class CredentialsError(SourceError, PermissionError):
    """A data source did not let the user in."""


class MissingExtraError(RiskModelError, ImportError):
    """An optional package is needed that is not installed."""

    @classmethod
    def of(cls, what: str, package: str, extra: str) -> Self:
        """Say what needs which package, and how to install the extra that brings it.

        Parameters
        ----------
        what : str
            What needs the package, as the subject of a sentence.
        package : str
            Its name.
        extra : str
            The extra of this distribution that has it.
        """
        return cls(
            f"{what} needs {package}, which is not installed; in a clone of this project run pip install '.[{extra}]', "
            f"once it is published pip install '{DISTRIBUTION}[{extra}]'.",
            package=package,
            extra=extra,
        )


class RiskModelWarning(UserWarning):
    """The root of every warning this package gives."""


class StaleDataWarning(RiskModelWarning):
    """A source could not be reached, so that what was fetched earlier is served."""


class DamagedEntryWarning(RiskModelWarning):
    """A file of a cache is not what was written, so that it is fetched again."""


class MixedSetsWarning(RiskModelWarning):
    """Factors of one model come from sets that define one of them differently."""


class MixedVintagesWarning(RiskModelWarning):
    """Returns of one request are of different vintages of their source."""
