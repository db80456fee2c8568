"""Factor risk models: from returns to a hedged and sized position, and the covariance matrix in between.

A `DataProvider` gives a `ReturnPanel`; an `Estimator` turns it into a `FactorModel`; a `Strategy` is weights
seen through that model; a `HedgedPortfolio` takes its factor risk away; a `RiskBudget` says how much of it to hold.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from riskmodel.errors import (
    AmbiguousAssetError,
    CollinearFactorsError,
    ConstantFactorError,
    CoverageError,
    CredentialsError,
    DamagedEntryWarning,
    DataError,
    DuplicateDatesError,
    DuplicateLabelsError,
    EstimationError,
    HorizonMismatchError,
    ImpossibleReturnsError,
    InfiniteReturnsError,
    InvalidDatesError,
    InvalidParameterError,
    LayoutError,
    MissingExtraError,
    MixedSetsWarning,
    MixedVintagesWarning,
    NonNumericError,
    NoOverlapError,
    NotEstimatedError,
    PercentReturnsError,
    RiskModelError,
    RiskModelWarning,
    SingularCovarianceError,
    SourceError,
    SpacingError,
    StaleDataWarning,
    TooFewObservationsError,
    TooLargeError,
    UnboundedPositionError,
    UnknownAssetError,
    UnknownDateError,
    UnknownFactorError,
)
from riskmodel.estimation.base import Estimator, MomentEstimator
from riskmodel.estimation.least_squares.ewma import EWMA
from riskmodel.estimation.least_squares.ols import OLS, LeastSquares
from riskmodel.estimation.moments.value import Moments
from riskmodel.horizon import (
    DAY,
    MONTH,
    QUARTER,
    WEEK,
    YEAR,
    Horizon,
    Mean,
    Quantity,
    SharpeRatio,
    Variance,
    Volatility,
)
from riskmodel.model.covariance import FactorCovariance
from riskmodel.model.model import FactorModel
from riskmodel.panel.memory import ReturnPanel

if TYPE_CHECKING:
    from riskmodel.analysis.comparison import CovarianceComparison, DependenceTest
    from riskmodel.data.cache.provider import Cached
    from riskmodel.data.files import read_percent_returns, read_prices, read_returns
    from riskmodel.data.french.provider import EqualWeighted, FamaFrench, ValueWeighted
    from riskmodel.data.joined import Joined
    from riskmodel.data.memory import InMemory
    from riskmodel.data.provider import DataProvider
    from riskmodel.data.sample import SampleData
    from riskmodel.data.wrds.provider import WRDS
    from riskmodel.estimation.rolling import Expanding, Rolling
    from riskmodel.model.decomposition import RiskDecomposition
    from riskmodel.model.history import ModelHistory
    from riskmodel.model.regression import RegressionFit
    from riskmodel.panel.factors import AssetFactor, Factor, PortfolioFactor, PublishedFactor, Spread
    from riskmodel.panel.layout import Long, Wide
    from riskmodel.panel.stored.panel import StoredPanel
    from riskmodel.portfolio.budget import (
        Breach,
        CapitalLimit,
        FactorVolatilityLimit,
        GrossLimit,
        Limit,
        Position,
        RiskBudget,
        VolatilityLimit,
    )
    from riskmodel.portfolio.hedged import HedgedPortfolio
    from riskmodel.portfolio.portfolio import Portfolio
    from riskmodel.portfolio.strategy import Strategy
    from riskmodel.report.report import RiskReport

__version__ = "0.1.0"

__all__ = [
    # time
    "Horizon", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR",
    "Quantity", "Mean", "Variance", "Volatility", "SharpeRatio",
    # data
    "DataProvider", "SampleData", "InMemory", "WRDS", "FamaFrench", "ValueWeighted", "EqualWeighted",
    "Joined", "Cached",
    "read_returns", "read_percent_returns", "read_prices", "Wide", "Long",
    "Factor", "PublishedFactor", "AssetFactor", "Spread", "PortfolioFactor",
    "ReturnPanel", "StoredPanel",
    # estimation
    "Moments", "Estimator", "MomentEstimator", "LeastSquares", "OLS", "EWMA",
    "Rolling", "Expanding", "ModelHistory",
    "FactorModel", "RegressionFit", "FactorCovariance", "RiskDecomposition", "CovarianceComparison", "DependenceTest",
    # portfolios
    "Portfolio", "Strategy", "HedgedPortfolio",
    "RiskBudget", "Position", "Breach",
    "RiskReport",
    "Limit", "VolatilityLimit", "FactorVolatilityLimit", "GrossLimit", "CapitalLimit",
    # errors
    "RiskModelError", "InvalidParameterError", "HorizonMismatchError", "UnknownAssetError", "UnknownFactorError",
    "UnknownDateError", "AmbiguousAssetError", "SourceError", "CredentialsError", "CoverageError", "LayoutError",
    "DataError", "DuplicateDatesError", "DuplicateLabelsError", "InvalidDatesError", "NoOverlapError",
    "NonNumericError", "InfiniteReturnsError", "PercentReturnsError", "ImpossibleReturnsError", "SpacingError",
    "EstimationError", "ConstantFactorError", "CollinearFactorsError", "TooFewObservationsError",
    "NotEstimatedError", "SingularCovarianceError", "TooLargeError", "UnboundedPositionError", "MissingExtraError",
    # warnings
    "RiskModelWarning", "StaleDataWarning", "DamagedEntryWarning", "MixedSetsWarning", "MixedVintagesWarning",
]  # fmt: skip

# What only some programs use is imported when it is first asked for: together that takes longer than the rest.
_LATER = {
    "AssetFactor": "riskmodel.panel.factors",
    "Factor": "riskmodel.panel.factors",
    "PublishedFactor": "riskmodel.panel.factors",
    "Spread": "riskmodel.panel.factors",
    "PortfolioFactor": "riskmodel.panel.factors",
    "RegressionFit": "riskmodel.model.regression",
    "InMemory": "riskmodel.data.memory",
    "DataProvider": "riskmodel.data.provider",
    "SampleData": "riskmodel.data.sample",
    "RiskDecomposition": "riskmodel.model.decomposition",
    "CovarianceComparison": "riskmodel.analysis.comparison",
    "DependenceTest": "riskmodel.analysis.comparison",
    "Cached": "riskmodel.data.cache.provider",
    "EqualWeighted": "riskmodel.data.french.provider",
    "FamaFrench": "riskmodel.data.french.provider",
    "ValueWeighted": "riskmodel.data.french.provider",
    "read_percent_returns": "riskmodel.data.files",
    "read_prices": "riskmodel.data.files",
    "read_returns": "riskmodel.data.files",
    "Joined": "riskmodel.data.joined",
    "WRDS": "riskmodel.data.wrds.provider",
    "Expanding": "riskmodel.estimation.rolling",
    "Rolling": "riskmodel.estimation.rolling",
    "ModelHistory": "riskmodel.model.history",
    "Long": "riskmodel.panel.layout",
    "Wide": "riskmodel.panel.layout",
    "Breach": "riskmodel.portfolio.budget",
    "CapitalLimit": "riskmodel.portfolio.budget",
    "FactorVolatilityLimit": "riskmodel.portfolio.budget",
    "GrossLimit": "riskmodel.portfolio.budget",
    "Limit": "riskmodel.portfolio.budget",
    "Position": "riskmodel.portfolio.budget",
    "RiskBudget": "riskmodel.portfolio.budget",
    "VolatilityLimit": "riskmodel.portfolio.budget",
    "HedgedPortfolio": "riskmodel.portfolio.hedged",
    "Portfolio": "riskmodel.portfolio.portfolio",
    "Strategy": "riskmodel.portfolio.strategy",
    "RiskReport": "riskmodel.report.report",
    "StoredPanel": "riskmodel.panel.stored.panel",
}


if not TYPE_CHECKING:  # to which a module with __getattr__ has every name

    def __getattr__(name: str) -> Any:
        """Import what is imported later."""
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_LATER[name]), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})
