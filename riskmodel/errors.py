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

    Examples
    --------
    >>> import riskmodel as rm
    >>> try:
    ...     rm.Horizon(-1)
    ... except rm.RiskModelError as error:
    ...     print(type(error).__name__, dict(error.details))
    InvalidParameterError {'days': -1}
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Mapping[str, Any]:
        """The facts behind the message, by name (read-only)."""
        return MappingProxyType(self._details)


class InvalidParameterError(RiskModelError, ValueError):
    """An argument has the wrong type or value.

    Examples
    --------
    >>> import riskmodel as rm
    >>> try:
    ...     rm.Horizon(-1)
    ... except rm.InvalidParameterError as error:
    ...     print(isinstance(error, ValueError), dict(error.details))
    True {'days': -1}
    """


class HorizonMismatchError(RiskModelError, ValueError):
    """Two objects of different horizons were added, compared or combined.

    Examples
    --------
    >>> import riskmodel as rm
    >>> try:
    ...     rm.Volatility(0.01, rm.DAY) + rm.Volatility(0.2, rm.YEAR)
    ... except rm.HorizonMismatchError as error:
    ...     print(dict(error.details))
    {'left': DAY, 'right': YEAR}
    """


class UnknownAssetError(RiskModelError, LookupError):
    """An asset is not among the known ones.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> try:
    ...     rm.Strategy({"KO": 0.5, "PEP": 0.5}, model)
    ... except rm.UnknownAssetError as error:
    ...     print(error.details["missing"])
    ['PEP']
    """


class UncoveredPositionsError(UnknownAssetError):
    """Some of the positions that are held are of assets that the model does not cover.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> try:
    ...     rm.Book({"KO": 600.0, "PEP": -200.0}).strategy(model)
    ... except rm.UncoveredPositionsError as error:
    ...     print(dict(error.details))
    {'missing': ['PEP'], 'dollars': {'PEP': -200.0}, 'share': 0.25}
    """


class AmbiguousAssetError(RiskModelError, LookupError):
    """A label means more than one security in the window.

    Examples
    --------
    >>> import riskmodel as rm
    >>> try:
    ...     raise rm.AmbiguousAssetError("expected one security called META, got two.", label="META")
    ... except LookupError as error:
    ...     print(error.details["label"])
    META
    """


class UnknownFactorError(RiskModelError, LookupError):
    """A factor is not among the known ones.

    Examples
    --------
    >>> import riskmodel as rm
    >>> try:
    ...     rm.SampleData().panel(["KO"], ["Carbon"])
    ... except rm.UnknownFactorError as error:
    ...     print(error.details["missing"])
    ['Carbon']
    """


class UnknownDateError(RiskModelError, LookupError):
    """A date is not among the known ones.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"], start="2018-01-01")
    >>> history = rm.Rolling(rm.QUARTER).fit(panel)
    >>> try:
    ...     history.on("2018-11-24")
    ... except rm.UnknownDateError as error:
    ...     print([str(day.date()) for day in error.details["nearest"]])
    ['2018-11-23', '2018-11-26']
    """


class DataError(RiskModelError, ValueError):
    """Returns cannot be used as they are.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=3)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0, 0.02]}, days)
    >>> free = pd.Series(0.0, days)
    >>> returns = pd.DataFrame({"A": [1.1, -0.8, 1.5]}, days)
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ... except rm.DataError as error:
    ...     print(type(error).__name__, error.details["labels"])
    PercentReturnsError ['A']
    """


class DuplicateDatesError(DataError):
    """A date occurs more than once.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=3)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0, 0.02]}, days)
    >>> free = pd.Series(0.0, days)
    >>> returns = pd.DataFrame({"A": 0.0}, days[[0, 1, 1]])
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ... except rm.DuplicateDatesError as error:
    ...     print([str(day.date()) for day in error.details["dates"]])
    ['2024-01-02']
    """


class DuplicateLabelsError(DataError):
    """An asset or a factor occurs more than once.

    Examples
    --------
    >>> import riskmodel as rm
    >>> try:
    ...     rm.SampleData().panel(["KO", "KO"], ["Mkt-RF"])
    ... except rm.DuplicateLabelsError as error:
    ...     print(dict(error.details))
    {'what': 'assets', 'labels': ['KO']}
    """


class InvalidDatesError(DataError):
    """The rows are not labelled by dates.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=3)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0, 0.02]}, days)
    >>> free = pd.Series(0.0, days)
    >>> returns = pd.DataFrame({"A": [0.01, 0.0, 0.0]})
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ... except rm.InvalidDatesError as error:
    ...     print(dict(error.details))
    {'what': 'asset returns'}
    """


class NoOverlapError(DataError):
    """Assets, factors and risk-free rate have no date in common.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=3)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0, 0.02]}, days)
    >>> free = pd.Series(0.0, days)
    >>> returns = pd.DataFrame({"A": [0.01, 0.0, 0.0]}, days + pd.Timedelta(70, "D"))
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ... except rm.NoOverlapError as error:
    ...     print(str(error).partition(" (")[0])
    expected a complete date in common of assets, factors and risk-free rate, got none
    """


class NonNumericError(DataError):
    """A column does not hold numbers.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=3)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0, 0.02]}, days)
    >>> free = pd.Series(0.0, days)
    >>> returns = pd.DataFrame({"A": ["x", "y", "z"]}, days)
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ... except rm.NonNumericError as error:
    ...     print(dict(error.details))
    {'what': 'asset returns', 'column': 'A'}
    """


class InfiniteReturnsError(DataError):
    """A return is infinite.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=3)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0, 0.02]}, days)
    >>> free = pd.Series(0.0, days)
    >>> returns = pd.DataFrame({"A": [0.01, float("inf"), 0.0]}, days)
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ... except rm.InfiniteReturnsError as error:
    ...     print(error.details["label"], error.details["date"].date())
    A 2024-01-02
    """


class PercentReturnsError(DataError):
    """Returns are in percent where decimals are expected.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=3)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0, 0.02]}, days)
    >>> free = pd.Series(0.0, days)
    >>> returns = pd.DataFrame({"A": [1.1, -0.8, 1.5]}, days)
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ... except rm.PercentReturnsError as error:
    ...     print(dict(error.details))
    {'what': 'asset returns', 'labels': ['A']}
    """


class ImpossibleReturnsError(DataError):
    """An asset loses more than all of its value in one period, or has a return after it lost all.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=3)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0, 0.02]}, days)
    >>> free = pd.Series(0.0, days)
    >>> returns = pd.DataFrame({"A": [0.01, -1.5, 0.0]}, days)
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ... except rm.ImpossibleReturnsError as error:
    ...     print(error.details["label"], error.details["date"].date())
    A 2024-01-02
    """


class MissingCodeError(ImpossibleReturnsError):
    """Numbers are codes for "missing", such as -99, and no returns.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=3)
    >>> market = pd.DataFrame({"Mkt-RF": [0.01, 0.0, 0.02]}, days)
    >>> free = pd.Series(0.0, days)
    >>> returns = pd.DataFrame({"A": [0.01, -99.0, 0.0]}, days)
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ... except rm.MissingCodeError as error:
    ...     print({key: error.details[key] for key in ("label", "code", "count")})
    {'label': 'A', 'code': -99.0, 'count': 1}
    """


class SpacingError(DataError, HorizonMismatchError):
    """The spacing of the dates contradicts the stated horizon.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> months = pd.date_range("2024-01-31", "2024-12-31", freq="ME")
    >>> returns = pd.DataFrame({"A": 0.01}, months)
    >>> market = pd.DataFrame({"Mkt-RF": 0.01}, months)
    >>> try:
    ...     rm.ReturnPanel.align(returns, market, pd.Series(0.0, months), horizon=rm.DAY)
    ... except rm.SpacingError as error:
    ...     print(error.details["horizon"], error.details["nearest"])
    day month
    """


class CoverageError(DataError):
    """The requested window extends beyond the data of the source.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"], start="2010")
    >>> try:
    ...     rm.Replay(rm.EPISODES[5], panel).of(rm.Strategy({"KO": 1.0}, rm.OLS().fit(panel)))
    ... except rm.CoverageError as error:
    ...     print(error.details["episode"], error.details["start"].date())
    financial crisis 2007-09 2007-10-09
    """


class LayoutError(DataError):
    r"""A source's tables or files have a layout that this package cannot read.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> try:
    ...     with TemporaryDirectory() as folder:
    ...         path = Path(folder, "returns.csv")
    ...         _ = path.write_text("date,A\n2024-01-02,0.01\n2024-01-03,x\n")
    ...         rm.read_returns(path)
    ... except rm.LayoutError as error:
    ...     print({key: error.details[key] for key in ("line", "column", "got")})
    {'line': 3, 'column': 'A', 'got': 'x'}
    """


class UnitsError(DataError):
    """Numbers of a file are in other units than the caller says.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel).at(rm.YEAR)
    >>> percent = rm.FileUnits(rm.RiskUnit.PERCENT, rm.YEAR, rm.RiskForm.VOLATILITY)
    >>> decimals = rm.FileUnits(rm.RiskUnit.DECIMALS, rm.YEAR, rm.RiskForm.VOLATILITY)
    >>> from tempfile import TemporaryDirectory
    >>> try:
    ...     with TemporaryDirectory() as folder:
    ...         paths = rm.write_model_text(model, folder, percent)
    ...         rm.read_model_text(paths, decimals)
    ... except rm.UnitsError as error:
    ...     print(error.details["got"])
    unit: percent
    """


class UnreadableFileError(InvalidParameterError):
    """A file is damaged, cut short, or not of the kind that is read.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> try:
    ...     with TemporaryDirectory() as folder:
    ...         path = Path(folder, "us.model")
    ...         _ = path.write_text("something else")
    ...         rm.FactorModel.load(path)
    ... except rm.UnreadableFileError as error:
    ...     print(error.details["expected"])
    FactorModel
    """


class NewerFileError(UnreadableFileError):
    r"""A newer version of this package wrote a file.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> try:
    ...     with TemporaryDirectory() as folder:
    ...         path = Path(folder, "us.model")
    ...         _ = path.write_text("riskmodel FactorModel file, version 99\n")
    ...         rm.FactorModel.load(path)
    ... except rm.NewerFileError as error:
    ...     print(error.details["version"], error.details["newest"])
    99 1
    """


class EstimationError(RiskModelError, ValueError):
    """The panel does not identify the model.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"], start="2018-11-29")
    >>> try:
    ...     rm.OLS().fit(panel)
    ... except rm.EstimationError as error:
    ...     print(type(error).__name__, error.details["assets"])
    TooFewObservationsError ['KO']
    """


class ConstantFactorError(EstimationError):
    """A factor does not vary.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=60)
    >>> returns = pd.DataFrame({"A": np.random.default_rng(0).normal(0.0, 0.01, 60)}, days)
    >>> rate = pd.DataFrame({"Rate": 0.001}, days)
    >>> panel = rm.ReturnPanel.align(returns, rate, pd.Series(0.0, days), horizon=rm.DAY)
    >>> try:
    ...     rm.OLS().fit(panel)
    ... except rm.ConstantFactorError as error:
    ...     print(dict(error.details))
    {'factors': ['Rate']}
    """


class CollinearFactorsError(EstimationError):
    """Some factors are linear combinations of others.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import numpy as np
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=60)
    >>> a, m = np.random.default_rng(0).normal(0.0, 0.01, (2, 60))
    >>> factors = pd.DataFrame({"Mkt-RF": m, "Levered": 2 * m}, days)
    >>> panel = rm.ReturnPanel.align(pd.DataFrame({"A": a}, days), factors, pd.Series(0.0, days), horizon=rm.DAY)
    >>> try:
    ...     rm.OLS().fit(panel)
    ... except rm.CollinearFactorsError as error:
    ...     print(dict(error.details))
    {'factors': ['Mkt-RF', 'Levered']}
    """


class TooFewObservationsError(EstimationError):
    """An asset has too few observations for the number of parameters.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO"], ["Mkt-RF"], start="2018-11-29")
    >>> try:
    ...     rm.OLS().fit(panel)
    ... except rm.TooFewObservationsError as error:
    ...     print(error.details["minimum"], error.details["counts"])
    3 {'KO': 2.0}
    """


class MissingExposuresError(EstimationError):
    """Exposures of some assets are not known where they are needed.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> panel = rm.SampleData().panel(["KO", "PEP", "XOM", "CVX", "JPM"], [], start="2018-01-01")
    >>> sector = {"KO": "staples", "PEP": "staples", "XOM": "energy", "CVX": "energy"}
    >>> known = rm.Characteristics.static(pd.Series(sector, name="sector"))
    >>> try:
    ...     rm.CrossSectional(known, groups=["sector"], weighting=rm.UnitWeights()).fit(panel)
    ... except rm.MissingExposuresError as error:
    ...     print(error.details["assets"])
    ['JPM']
    """


class NotEstimatedError(RiskModelError, ValueError):
    """The model does not have a requested figure, because it was not estimated by a regression.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> parts = {"loadings": 1.0, "factor_covariance": 1e-4, "factor_mean": 2e-4, "alpha": 1e-4, "idio_variance": 0.0}
    >>> model = rm.FactorModel.from_parameters(assets=["A"], factors=["Mkt-RF"], horizon=rm.DAY, **parts)
    >>> try:
    ...     model.summary("A", panel)
    ... except rm.NotEstimatedError as error:
    ...     print(str(error).partition(";")[0])
    expected a model with a regression, got one without
    """


class SingularCovarianceError(RiskModelError, ArithmeticError):
    """The covariance matrix cannot be inverted.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import pandas as pd
    >>> labels = {"assets": ["A", "B"], "factors": ["Mkt-RF"], "horizon": rm.DAY}
    >>> means = {"alpha": [0.0, 0.0], "factor_mean": [0.0]}
    >>> risk = {"loadings": [[1.0], [1.0]], "factor_covariance": [[1e-4]], "idio_variance": [0.0, 0.0]}
    >>> model = rm.FactorModel.from_parameters(**labels, **means, **risk)
    >>> try:
    ...     model.covariance.solve(pd.Series(1.0, ["A", "B"]))
    ... except rm.SingularCovarianceError as error:
    ...     print(error.details["assets"])
    ['B']
    """


class TooLargeError(RiskModelError, MemoryError):
    """A requested dense array is larger than the limit.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> try:
    ...     model.covariance.to_dense(limit=1)
    ... except rm.TooLargeError as error:
    ...     print(dict(error.details))
    {'n_assets': 2, 'limit': 1}
    """


class UnboundedPositionError(RiskModelError, ArithmeticError):
    """No limit binds: the portfolio uses none of the budget.

    Examples
    --------
    >>> import riskmodel as rm
    >>> parts = {"loadings": 1.0, "factor_covariance": 1e-4, "factor_mean": 2e-4, "alpha": 1e-4, "idio_variance": 0.0}
    >>> model = rm.FactorModel.from_parameters(assets=["A"], factors=["Mkt-RF"], horizon=rm.DAY, **parts)
    >>> hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"A": 1.0}, model))
    >>> budget = rm.RiskBudget(rm.Volatility(0.05, rm.MONTH), rm.MONTH)
    >>> try:
    ...     budget.size(hedged)
    ... except rm.UnboundedPositionError as error:
    ...     print(dict(error.details))
    {'limits': ['volatility per month']}
    """


class InfeasibleHedgeError(RiskModelError, ValueError):
    """No hedge keeps all limits; ``details["conflict"]`` names a least set of limits that contradict each other.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> bought = rm.Instrument("XOM", least=0.0)
    >>> problem = rm.HedgeProblem(rm.Strategy({"KO": 1.0}, model), [bought], [rm.ExposureRange("Mkt-RF")])
    >>> try:
    ...     problem.solve()
    ... except rm.InfeasibleHedgeError as error:
    ...     print(error.details["conflict"])
    ['position in XOM', 'exposure to Mkt-RF']
    """


class SolverError(RiskModelError, ArithmeticError):
    """A numerical solver stopped without a solution.

    Examples
    --------
    >>> import riskmodel as rm
    >>> issubclass(rm.SolverError, ArithmeticError)
    True
    """


class SourceError(RiskModelError, OSError):
    """A data source cannot be reached, or stopped answering.

    Examples
    --------
    >>> import riskmodel as rm
    >>> try:
    ...     rm.FactorModel.load("absent.model")
    ... except rm.SourceError as error:
    ...     print(isinstance(error, OSError), dict(error.details))
    True {'path': 'absent.model'}
    """


class CredentialsError(SourceError, PermissionError):
    """A data source refused the user's credentials.

    Examples
    --------
    >>> import riskmodel as rm
    >>> issubclass(rm.CredentialsError, PermissionError), issubclass(rm.CredentialsError, rm.SourceError)
    (True, True)
    """


class MissingExtraError(RiskModelError, ImportError):
    """An optional package is not installed.

    Examples
    --------
    >>> import riskmodel as rm
    >>> try:
    ...     raise rm.MissingExtraError.of("Parquet", "pyarrow", "cache")
    ... except rm.MissingExtraError as error:
    ...     print(isinstance(error, ImportError), dict(error.details))
    True {'package': 'pyarrow', 'extra': 'cache'}
    """

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

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> returns = pd.DataFrame({"BTC": 0.01}, days)
    >>> market = pd.DataFrame({"Mkt-RF": 0.01}, days)
    >>> free = pd.Series(0.0, days)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     panel = rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    >>> print(type(caught[0].message).__name__)
    SevenDayWeekWarning
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Mapping[str, Any]:
        """The facts behind the message, by name (read-only)."""
        return MappingProxyType(self._details)


class StaleDataWarning(RiskModelWarning):
    """A source could not be reached, so data fetched earlier are returned.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", rm.StaleDataWarning)  # a nightly job rather stops than goes on with old data
    ...     data = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> data.assets.tolist()
    ['KO']
    """


class DamagedEntryWarning(RiskModelWarning):
    """A file of a cache is damaged, so its data are fetched again.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", rm.DamagedEntryWarning)  # to find what damages a cache
    ...     data = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> data.assets.tolist()
    ['KO']
    """


class MixedSetsWarning(RiskModelWarning):
    """Factors of one model are from sets that define one of them differently.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", rm.MixedSetsWarning)  # factors of one set alone
    ...     data = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> data.assets.tolist()
    ['KO']
    """


class MixedVintagesWarning(RiskModelWarning):
    """Returns of one request are of different vintages of their source.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", rm.MixedVintagesWarning)  # one vintage alone
    ...     data = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> data.assets.tolist()
    ['KO']
    """


class LeftOutWarning(RiskModelWarning):
    """Alignment left out rows in which an asset grew or fell much.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> import numpy as np
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=60)
    >>> a, m = np.random.default_rng(0).normal(0.001, 0.01, (2, 60))
    >>> returns = pd.DataFrame({"A": a}, days)
    >>> market = pd.DataFrame({"Mkt-RF": m}, days).drop(days[10:30])
    >>> free = pd.Series(0.0, days)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     panel = rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    >>> print(str(caught[0].message).partition(" on dates")[0])
    A grew 0.9747 x in 20 rows
    """


class HighRateWarning(RiskModelWarning):
    """A risk-free rate is high for its horizon, as a yearly rate on monthly rows would be.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> import pandas as pd
    >>> months = pd.date_range("2010-01-31", "2019-12-31", freq="ME")
    >>> returns = pd.DataFrame({"A": 0.01}, months)
    >>> market = pd.DataFrame({"Mkt-RF": 0.01}, months)
    >>> yearly = pd.Series(0.01, months)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     panel = rm.ReturnPanel.align(returns, market, yearly, horizon=rm.MONTH)
    >>> print(round(caught[0].message.details["per_year"], 3))
    0.12
    """


class SevenDayWeekWarning(RiskModelWarning):
    """Rows on seven days a week are scaled as if a year had 252 days.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> returns = pd.DataFrame({"BTC": 0.01}, days)
    >>> market = pd.DataFrame({"Mkt-RF": 0.01}, days)
    >>> free = pd.Series(0.0, days)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     panel = rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    ...     panel = rm.ReturnPanel.align(returns, market, free, horizon=rm.CALENDAR_DAY)  # says nothing
    >>> print(len(caught), str(caught[0].message).partition(":")[0])
    1 got rows on seven days a week, and DAY counts 252 days a year
    """


class DoubtfulDatesWarning(RiskModelWarning):
    """Rows may be a day early, as midnights of another time zone are, and do not tell.

    Also of returns that end long before the date of a report.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", rm.DoubtfulDatesWarning)  # a nightly job rather stops
    ...     data = rm.SampleData().panel(["KO"], ["Mkt-RF"])
    >>> data.assets.tolist()
    ['KO']
    """


class DoubtfulUnitWarning(RiskModelWarning):
    """Returns may be in percent where decimals are expected, or decimals where percent is, and do not tell.

    Also of a net asset value that is small for the positions, as one in millions is.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> import numpy as np
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=60)
    >>> draws = np.random.default_rng(0).normal(0.0, 0.01, (60, 2))
    >>> returns = pd.DataFrame({"A": draws[:, 0]}, days)
    >>> market = pd.DataFrame({"MYFACTOR": 5000 * draws[:, 1]}, days)
    >>> free = pd.Series(0.0, days)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     panel = rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    >>> print(caught[0].message.details["labels"])
    ['MYFACTOR']
    """


class SuspectReturnWarning(RiskModelWarning):
    """Returns look like errors of the data: a price that comes back, a split that was not applied.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> import numpy as np
    >>> import pandas as pd
    >>> days = pd.bdate_range("2024-01-01", periods=60)
    >>> a, m = np.random.default_rng(0).normal(0.001, 0.01, (2, 60))
    >>> a[30], a[31] = 9.0, -0.9
    >>> returns = pd.DataFrame({"A": a}, days)
    >>> market = pd.DataFrame({"Mkt-RF": m}, days)
    >>> free = pd.Series(0.0, days)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     panel = rm.ReturnPanel.align(returns, market, free, horizon=rm.DAY)
    >>> print(caught[0].message.details["returns"], caught[0].message.details["reasons"])
    [9.0, -0.9] ['the price comes back', 'the price comes back']
    """


class ChosenColumnWarning(RiskModelWarning):
    r"""One of several columns of a file was read, or two were combined, as its format says.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     with TemporaryDirectory() as folder:
    ...         path = Path(folder, "prices.csv")
    ...         _ = path.write_text("Date,Close,Adj Close\n2024-01-02,10,9\n2024-01-03,11,10\n")
    ...         returns = rm.read_prices(path)
    >>> print(str(caught[0].message).partition(" has ")[2].partition(".")[0])
    the columns Close, Adj Close of each asset; 'Adj Close' is read
    """


class RowsLeftOutWarning(RiskModelWarning):
    r"""Rows of a file were left out: repeated ones, or prose below the table.

    Examples
    --------
    >>> import riskmodel as rm
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     with TemporaryDirectory() as folder:
    ...         path = Path(folder, "returns.csv")
    ...         _ = path.write_text("date,A\n2024-01-02,0.01\n2024-01-03,0.02\n\nReturns of a desk\n")
    ...         returns = rm.read_returns(path)
    >>> [warning.category.__name__ for warning in caught]
    ['RowsLeftOutWarning']
    """


class MissingDatesWarning(RiskModelWarning):
    """A figure of a portfolio leaves out dates on which something held has no return.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"]))
    >>> november = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], start="2018-11")
    >>> excess = november.excess_returns.copy()
    >>> excess.iloc[:5, 1] = float("nan")
    >>> panel = rm.ReturnPanel.align(
    ...     excess, november.factor_returns, november.risk_free, horizon=rm.DAY, return_type=rm.EXCESS
    ... )
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     attribution = rm.ReturnAttribution.of(held, panel)
    >>> caught[0].category.__name__, caught[0].message.details["missing"]
    ('MissingDatesWarning', 5)
    """


class LeftOutNamesWarning(RiskModelWarning):
    """A figure of a portfolio leaves out names on dates on which they have no return.

    Examples
    --------
    >>> import riskmodel as rm
    >>> model = rm.OLS().fit(rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"]))
    >>> november = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"], start="2018-11")
    >>> excess = november.excess_returns.copy()
    >>> excess.iloc[:5, 1] = float("nan")
    >>> panel = rm.ReturnPanel.align(
    ...     excess, november.factor_returns, november.risk_free, horizon=rm.DAY, return_type=rm.EXCESS
    ... )
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     attribution = rm.ReturnAttribution.of(held, panel, unknown=rm.NAMES_ALONE)
    >>> caught[0].category.__name__, caught[0].message.details["assets"]
    ('LeftOutNamesWarning', ['JPM'])
    """


class FailedForecastWarning(RiskModelWarning):
    """Methods of a study have no forecast on some dates.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData(rm.MONTH).panel(["BusEq", "Utils", "NoDur", "Money"], ["Mkt-RF"], start="2010-01")
    >>> def broken(returns):
    ...     if returns.index[-1].year == 2014:
    ...         raise ValueError("no forecast today")
    ...     return returns.cov()
    >>> methods = {"OLS": rm.OLS(), "broken": broken}
    >>> walk = rm.WalkForward(methods, window=rm.Horizon(3 * 252), horizon=rm.YEAR)
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     study = walk.run(panel)
    >>> caught[0].category.__name__
    'FailedForecastWarning'
    """


class ExposureLeftWarning(RiskModelWarning):
    """The instruments of a hedge cannot bring all exposures to the target; the details say what is left.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> two = ["Mkt-RF", "Oil"]
    >>> parts = {"alpha": [0.0, 0.0], "factor_mean": [0.0, 0.0], "idio_variance": [1e-4, 1e-4], "horizon": rm.DAY}
    >>> risk = {"loadings": [[0.6, 0.0], [0.8, 0.5]], "factor_covariance": [[1e-4, 0.0], [0.0, 1e-4]]}
    >>> model = rm.FactorModel.from_parameters(assets=["KO", "XOM"], factors=two, **parts, **risk)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"KO": 1.0}, model), ["XOM"])
    >>> print({factor: round(left, 3) for factor, left in caught[0].message.details["left"].items()})
    {'Mkt-RF': 0.169, 'Oil': -0.27}
    """


class HedgesDifferWarning(RiskModelWarning):
    """A hedge by the model and one by regression on the returns differ by more than errors of estimation allow.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["XOM", "CVX"], ["Mkt-RF"])
    >>> xom = rm.Strategy({"XOM": 1.0}, rm.OLS().fit(panel))
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     hedged = rm.HedgedPortfolio.minimum_variance(xom, ["CVX"], panel=panel)
    >>> caught[0].category.__name__, sorted(caught[0].message.details)
    ('HedgesDifferWarning', ['instruments', 'model', 'regression', 'volatility'])
    """


class ProxiedPositionsWarning(RiskModelWarning):
    """Positions that a model does not cover were proxied by others, or left out, as the caller asked.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> panel = rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> book = rm.Book({"KO": 600.0, "PEP": -200.0})
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     held = book.strategy(model, rm.PeerProxies({"PEP": ["KO"]}))
    >>> print(caught[0].message.details["share"], caught[0].message.details["proxied_by"])
    0.25 {'PEP': 'KO'}
    """


class UnstatedFundingWarning(RiskModelWarning):
    """Nobody says whether holding a factor costs cash, and a figure depends on it.

    Examples
    --------
    >>> import riskmodel as rm
    >>> import warnings
    >>> parts = {"loadings": 1.0, "factor_covariance": 1e-4, "factor_mean": 2e-4, "alpha": 1e-4, "idio_variance": 1e-4}
    >>> model = rm.FactorModel.from_parameters(assets=["A"], factors=["R_MKT"], horizon=rm.DAY, **parts)
    >>> hedged = rm.HedgedPortfolio.neutral(rm.Strategy({"A": 1.0}, model))
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     cash = hedged.cash_weight
    >>> print(dict(caught[0].message.details))
    {'factors': ['R_MKT']}
    """
