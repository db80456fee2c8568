"""The error tree.

Every error is a :class:`RiskModelError` and also a built-in error, so both ``except rm.RiskModelError``
and ``except ValueError`` work. A message says what was expected, what was passed, and what to do;
``details`` holds the same facts as data. Every warning is a :class:`RiskModelWarning`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

# the name on PyPI: another project has the import name there
DISTRIBUTION = "factor-riskmodel"


class RiskModelError(Exception):
    """The root of every error this package raises.

    Parameters
    ----------
    message : str
        What was expected, what was passed, and what to do.
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
    """An argument has the wrong type or value."""


class HorizonMismatchError(RiskModelError, ValueError):
    """Two objects of different horizons were added, compared or combined."""


class UnknownAssetError(RiskModelError, LookupError):
    """An asset is not among the known ones."""


class UncoveredPositionsError(UnknownAssetError):
    """Some of the positions that are held are of assets that the model does not cover."""


class AmbiguousAssetError(RiskModelError, LookupError):
    """A label means more than one security in the window."""


class UnknownFactorError(RiskModelError, LookupError):
    """A factor is not among the known ones."""


class UnknownDateError(RiskModelError, LookupError):
    """A date is not among the known ones."""


class DataError(RiskModelError, ValueError):
    """Returns cannot be used as they are."""


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
    """Returns are in percent where decimals are expected."""


class ImpossibleReturnsError(DataError):
    """An asset loses more than all of its value in one period, or has a return after it lost all."""


class MissingCodeError(ImpossibleReturnsError):
    """Numbers are codes for "missing", such as -99, and no returns."""


class SpacingError(DataError, HorizonMismatchError):
    """The spacing of the dates contradicts the stated horizon."""


class CoverageError(DataError):
    """The requested window extends beyond the data of the source."""


class LayoutError(DataError):
    """A source's tables or files have a layout that this package cannot read."""


class UnitsError(DataError):
    """Numbers of a file are in other units than the caller says."""


class UnreadableFileError(InvalidParameterError):
    """A file is damaged, cut short, or not of the kind that is read."""


class NewerFileError(UnreadableFileError):
    """A newer version of this package wrote a file."""


class EstimationError(RiskModelError, ValueError):
    """The panel does not identify the model."""


class ConstantFactorError(EstimationError):
    """A factor does not vary."""


class CollinearFactorsError(EstimationError):
    """Some factors are linear combinations of others."""


class TooFewObservationsError(EstimationError):
    """An asset has too few observations for the number of parameters."""


class MissingExposuresError(EstimationError):
    """Exposures of some assets are not known where they are needed."""


class NotEstimatedError(RiskModelError, ValueError):
    """The model does not have a requested figure, because it was not estimated by a regression."""


class SingularCovarianceError(RiskModelError, ArithmeticError):
    """The covariance matrix cannot be inverted."""


class TooLargeError(RiskModelError, MemoryError):
    """A requested dense array is larger than the limit."""


class UnboundedPositionError(RiskModelError, ArithmeticError):
    """No limit binds: the portfolio uses none of the budget."""


class InfeasibleHedgeError(RiskModelError, ValueError):
    """No hedge keeps all limits; ``details["conflict"]`` names a least set of limits that contradict each other."""


class SolverError(RiskModelError, ArithmeticError):
    """A numerical solver stopped without a solution."""


class SourceError(RiskModelError, OSError):
    """A data source cannot be reached, or stopped answering."""


class CredentialsError(SourceError, PermissionError):
    """A data source refused the user's credentials."""


class MissingExtraError(RiskModelError, ImportError):
    """An optional package is not installed."""

    @classmethod
    def of(cls, what: str, package: str, extra: str) -> Self:
        """Make the error of a missing package, with the command that installs the extra that contains it.

        Parameters
        ----------
        what : str
            The feature that needs the package, as the subject of a sentence.
        package : str
            Its name.
        extra : str
            The extra of this distribution that contains it.
        """
        return cls(
            f"{what} needs {package}, which is not installed; in a clone of this project run pip install '.[{extra}]', "
            f"once it is published pip install '{DISTRIBUTION}[{extra}]'.",
            package=package,
            extra=extra,
        )


class RiskModelWarning(UserWarning):
    """The root of every warning this package gives.

    Parameters
    ----------
    message : str
        What is doubtful, and what to do.
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


class StaleDataWarning(RiskModelWarning):
    """A source could not be reached, so data fetched earlier are returned."""


class DamagedEntryWarning(RiskModelWarning):
    """A file of a cache is damaged, so its data are fetched again."""


class MixedSetsWarning(RiskModelWarning):
    """Factors of one model are from sets that define one of them differently."""


class MixedVintagesWarning(RiskModelWarning):
    """Returns of one request are of different vintages of their source."""


class LeftOutWarning(RiskModelWarning):
    """Alignment left out rows in which an asset grew or fell much."""


class HighRateWarning(RiskModelWarning):
    """A risk-free rate is high for its horizon, as a yearly rate on monthly rows would be."""


class SevenDayWeekWarning(RiskModelWarning):
    """Rows on seven days a week are scaled as if a year had 252 days."""


class DoubtfulDatesWarning(RiskModelWarning):
    """Rows may be a day early, as midnights of another time zone are, and do not tell."""


class DoubtfulUnitWarning(RiskModelWarning):
    """Returns may be in percent where decimals are expected, or decimals where percent is, and do not tell."""


class SuspectReturnWarning(RiskModelWarning):
    """Returns look like errors of the data: a price that comes back, a split that was not applied."""


class ChosenColumnWarning(RiskModelWarning):
    """One of several columns of a file was read, or two were combined, as its format says."""


class RowsLeftOutWarning(RiskModelWarning):
    """Rows of a file were left out: repeated ones, or prose below the table."""


class MissingDatesWarning(RiskModelWarning):
    """A figure of a portfolio leaves out dates on which something held has no return."""


class LeftOutNamesWarning(RiskModelWarning):
    """A figure of a portfolio leaves out names on dates on which they have no return."""


class FailedForecastWarning(RiskModelWarning):
    """Methods of a study have no forecast on some dates."""


class ExposureLeftWarning(RiskModelWarning):
    """The instruments of a hedge cannot bring all exposures to the target; the details say what is left."""


class HedgesDifferWarning(RiskModelWarning):
    """A hedge by the model and one by regression on the returns differ by more than errors of estimation allow."""


class ProxiedPositionsWarning(RiskModelWarning):
    """Positions that a model does not cover were proxied by others, or left out, as the caller asked."""


class UnstatedFundingWarning(RiskModelWarning):
    """Nobody says whether holding a factor costs cash, and a figure depends on it."""
