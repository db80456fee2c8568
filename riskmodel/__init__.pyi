# The public names, once: lazy_loader reads this file at run time, and type checkers read it as a stub.
from .analysis.active import ActivePortfolio as ActivePortfolio
from .analysis.attribution import ReturnAttribution as ReturnAttribution
from .analysis.change import RiskChange as RiskChange
from .analysis.comparison import CovarianceComparison as CovarianceComparison, DependenceTest as DependenceTest
from .analysis.contributions import Contributions as Contributions
from .analysis.linking import (
    Added as Added,
    Carino as Carino,
    Compounded as Compounded,
    Linking as Linking,
    Menchero as Menchero,
)
from .analysis.realised import RealisedRisk as RealisedRisk
from .analysis.scenarios.base import Scenario as Scenario
from .analysis.scenarios.choices import (
    DECIMALS as DECIMALS,
    EXPECTED as EXPECTED,
    STANDARD_DEVIATIONS as STANDARD_DEVIATIONS,
    ShockUnit as ShockUnit,
    UNMOVED as UNMOVED,
    Unshocked as Unshocked,
)
from .analysis.scenarios.covariance_stress import CovarianceStress as CovarianceStress
from .analysis.scenarios.episode import EPISODES as EPISODES, Episode as Episode
from .analysis.scenarios.moves import Moves as Moves
from .analysis.scenarios.outcome import ScenarioOutcome as ScenarioOutcome
from .analysis.scenarios.replay import Replay as Replay
from .analysis.scenarios.scenarios import Scenarios as Scenarios
from .analysis.scenarios.shocks import Shocks as Shocks
from .analysis.tails.backtest import TailBacktest as TailBacktest
from .analysis.tails.base import TailMethod as TailMethod
from .analysis.tails.elliptical import EllipticalTails as EllipticalTails
from .analysis.tails.filtered import FilteredHistoricalSimulation as FilteredHistoricalSimulation
from .analysis.tails.gaps import DRAW_RESIDUALS as DRAW_RESIDUALS, Gaps as Gaps, LEAVE_OUT_DATES as LEAVE_OUT_DATES
from .analysis.tails.historical import HistoricalSimulation as HistoricalSimulation
from .analysis.tails.normal import NormalTails as NormalTails
from .analysis.tails.risk import TailRisk as TailRisk
from .analysis.tails.row_sums import (
    BootstrappedSums as BootstrappedSums,
    OverlappingSums as OverlappingSums,
    RowSums as RowSums,
    SquareRootOfTime as SquareRootOfTime,
)
from .analysis.tails.shape import Shape as Shape
from .analysis.tails.simulation import Simulation as Simulation
from .analysis.tails.sources import Sources as Sources
from .analysis.tails.student import StudentTails as StudentTails
from .analysis.splitting import InOrder as InOrder, Shapley as Shapley, Splitting as Splitting
from .analysis.weighting import (
    BUY_AND_HOLD as BUY_AND_HOLD,
    NAMES_ALONE as NAMES_ALONE,
    REBALANCED as REBALANCED,
    Unknown as Unknown,
    Weighting as Weighting,
    WHOLE_DATES as WHOLE_DATES,
)
from .analysis.what_if import WhatIf as WhatIf
from .data.cache.provider import Cached as Cached
from .data.files.position_columns import PositionColumns as PositionColumns
from .data.files.readers import (
    read_percent_returns as read_percent_returns,
    read_prices as read_prices,
    read_returns as read_returns,
)
from .data.french.provider import (
    EqualWeighted as EqualWeighted,
    FamaFrench as FamaFrench,
    ValueWeighted as ValueWeighted,
)
from .data.joined import Joined as Joined
from .data.memory import InMemory as InMemory
from .data.model_files.parquet import (
    read_model_parquet as read_model_parquet,
    write_model_parquet as write_model_parquet,
)
from .data.model_files.paths import ModelPaths as ModelPaths
from .data.model_files.text import read_model_text as read_model_text, write_model_text as write_model_text
from .data.model_files.units import FileUnits as FileUnits, RiskForm as RiskForm, RiskUnit as RiskUnit
from .data.provider import DataProvider as DataProvider
from .data.sample import SampleData as SampleData
from .data.wrds.provider import WRDS as WRDS
from .errors import (
    AmbiguousAssetError as AmbiguousAssetError,
    ChosenColumnWarning as ChosenColumnWarning,
    CollinearFactorsError as CollinearFactorsError,
    ConstantFactorError as ConstantFactorError,
    CoverageError as CoverageError,
    CredentialsError as CredentialsError,
    DamagedEntryWarning as DamagedEntryWarning,
    DataError as DataError,
    DoubtfulDatesWarning as DoubtfulDatesWarning,
    DoubtfulUnitWarning as DoubtfulUnitWarning,
    DuplicateDatesError as DuplicateDatesError,
    DuplicateLabelsError as DuplicateLabelsError,
    EstimationError as EstimationError,
    ExposureLeftWarning as ExposureLeftWarning,
    FailedForecastWarning as FailedForecastWarning,
    HedgesDifferWarning as HedgesDifferWarning,
    HighRateWarning as HighRateWarning,
    HorizonMismatchError as HorizonMismatchError,
    ImpossibleReturnsError as ImpossibleReturnsError,
    InfeasibleHedgeError as InfeasibleHedgeError,
    InfiniteReturnsError as InfiniteReturnsError,
    InvalidDatesError as InvalidDatesError,
    InvalidParameterError as InvalidParameterError,
    LayoutError as LayoutError,
    LeftOutNamesWarning as LeftOutNamesWarning,
    LeftOutWarning as LeftOutWarning,
    MissingCodeError as MissingCodeError,
    MissingDatesWarning as MissingDatesWarning,
    MissingExposuresError as MissingExposuresError,
    MissingExtraError as MissingExtraError,
    MixedSetsWarning as MixedSetsWarning,
    MixedVintagesWarning as MixedVintagesWarning,
    NewerFileError as NewerFileError,
    NoOverlapError as NoOverlapError,
    NonNumericError as NonNumericError,
    NotEstimatedError as NotEstimatedError,
    PercentReturnsError as PercentReturnsError,
    ProxiedPositionsWarning as ProxiedPositionsWarning,
    RiskModelError as RiskModelError,
    RiskModelWarning as RiskModelWarning,
    RowsLeftOutWarning as RowsLeftOutWarning,
    SevenDayWeekWarning as SevenDayWeekWarning,
    SingularCovarianceError as SingularCovarianceError,
    SolverError as SolverError,
    SourceError as SourceError,
    SpacingError as SpacingError,
    StaleDataWarning as StaleDataWarning,
    SuspectReturnWarning as SuspectReturnWarning,
    TooFewObservationsError as TooFewObservationsError,
    TooLargeError as TooLargeError,
    UnboundedPositionError as UnboundedPositionError,
    UncoveredPositionsError as UncoveredPositionsError,
    UnitsError as UnitsError,
    UnknownAssetError as UnknownAssetError,
    UnknownDateError as UnknownDateError,
    UnknownFactorError as UnknownFactorError,
    UnreadableFileError as UnreadableFileError,
    UnstatedFundingWarning as UnstatedFundingWarning,
)
from .estimation.assembled import Assembled as Assembled
from .estimation.asset_regressions.base import AssetRegression as AssetRegression
from .estimation.asset_regressions.bounded import Bounded as Bounded
from .estimation.asset_regressions.huber import Huber as Huber
from .estimation.asset_regressions.lasso import Lasso as Lasso
from .estimation.asset_regressions.penalised import Penalised as Penalised
from .estimation.asset_regressions.penalty import CrossValidated as CrossValidated
from .estimation.asset_regressions.ridge import Ridge as Ridge
from .estimation.base import Estimator as Estimator, MomentEstimator as MomentEstimator
from .estimation.blend import Blend as Blend
from .estimation.cross_section.fit import CrossSectionFit as CrossSectionFit
from .estimation.cross_section.kinds import Groups as Groups, Style as Style
from .estimation.cross_section.missing import (
    LEAVE_OUT as LEAVE_OUT,
    MissingExposures as MissingExposures,
    REFUSE as REFUSE,
)
from .estimation.cross_section.preparation import (
    MeanFilled as MeanFilled,
    Neutralised as Neutralised,
    Preparation as Preparation,
    Standardised as Standardised,
    WinsorisedByMAD as WinsorisedByMAD,
    WinsorisedBySigma as WinsorisedBySigma,
)
from .estimation.cross_section.sections import CrossSections as CrossSections
from .estimation.cross_section.universe import (
    EstimationUniverse as EstimationUniverse,
    EveryAsset as EveryAsset,
    Flagged as Flagged,
    LargestCaps as LargestCaps,
)
from .estimation.cross_section.weights import (
    InverseVariance as InverseVariance,
    RegressionWeights as RegressionWeights,
    SquareRootCap as SquareRootCap,
    UnitWeights as UnitWeights,
)
from .estimation.factor_covariance.base import FactorCovarianceEstimator as FactorCovarianceEstimator
from .estimation.factor_covariance.eigenfactor import EigenfactorAdjusted as EigenfactorAdjusted
from .estimation.factor_covariance.em import EMCovariance as EMCovariance
from .estimation.factor_covariance.ewma import EWMACovariance as EWMACovariance
from .estimation.factor_covariance.mixture import MixtureCovariance as MixtureCovariance
from .estimation.factor_covariance.newey_west import NeweyWest as NeweyWest
from .estimation.factor_covariance.pooled import PooledCovariance as PooledCovariance
from .estimation.factor_covariance.qis import QIS as QIS
from .estimation.factor_covariance.regime import RegimeAdjusted as RegimeAdjusted
from .estimation.factor_covariance.sample import SampleCovariance as SampleCovariance
from .estimation.factor_covariance.shrunk import Shrunk as Shrunk
from .estimation.factor_covariance.stambaugh import Stambaugh as Stambaugh
from .estimation.idio_variance.base import IdioVarianceEstimator as IdioVarianceEstimator
from .estimation.idio_variance.ewma import EWMAVariance as EWMAVariance
from .estimation.idio_variance.pooled import PooledVariance as PooledVariance
from .estimation.idio_variance.linked import Linked as Linked
from .estimation.idio_variance.mixture import MixtureVariance as MixtureVariance
from .estimation.idio_variance.newey_west import NeweyWestVariance as NeweyWestVariance
from .estimation.idio_variance.regime import RegimeAdjustedVariance as RegimeAdjustedVariance
from .estimation.idio_variance.risk import IdioRisk as IdioRisk
from .estimation.idio_variance.sample import SampleVariance as SampleVariance
from .estimation.idio_variance.shrunk import (
    ReturnSquared as ReturnSquared,
    ShrinkageUnit as ShrinkageUnit,
    ShrunkVariance as ShrunkVariance,
    TotalVariance as TotalVariance,
)
from .estimation.idio_variance.short_histories import ShortHistoryVariance as ShortHistoryVariance
from .estimation.idio_variance.structural import Structural as Structural
from .estimation.idio_variance.thresholded import Thresholded as Thresholded
from .estimation.least_squares.ewma import EWMA as EWMA
from .estimation.least_squares.ols import LeastSquares as LeastSquares, OLS as OLS
from .estimation.level import HalfLives as HalfLives, PooledVolatility as PooledVolatility
from .estimation.loadings.at_most import AtMost as AtMost
from .estimation.loadings.base import LoadingsEstimator as LoadingsEstimator
from .estimation.loadings.blume import Blume as Blume
from .estimation.loadings.components import PrincipalComponents as PrincipalComponents
from .estimation.loadings.cross_sectional import CrossSectional as CrossSectional
from .estimation.loadings.dimson import Dimson as Dimson
from .estimation.loadings.fitted import FittedLoadings as FittedLoadings
from .estimation.loadings.fowler_rorke import FowlerRorke as FowlerRorke
from .estimation.loadings.hybrid import Hybrid as Hybrid
from .estimation.loadings.number import (
    BaiNg as BaiNg,
    EigenvalueRatio as EigenvalueRatio,
    FactorNumber as FactorNumber,
    GrowthRatio as GrowthRatio,
)
from .estimation.loadings.onatski import Onatski as Onatski
from .estimation.loadings.parallel_analysis import ParallelAnalysis as ParallelAnalysis
from .estimation.loadings.scaling import OwnVolatility as OwnVolatility, Scaling as Scaling, Unscaled as Unscaled
from .estimation.loadings.short_histories import ShortHistories as ShortHistories
from .estimation.loadings.slope_winsorised import SlopeWinsorised as SlopeWinsorised
from .estimation.loadings.time_series import TimeSeries as TimeSeries
from .estimation.loadings.vasicek import Vasicek as Vasicek
from .estimation.moments.value import Moments as Moments
from .estimation.recent import RecentVolatility as RecentVolatility
from .estimation.recommended import recommended as recommended
from .estimation.rolling import Expanding as Expanding, Rolling as Rolling
from .evaluation.losses import Loss as Loss, QLIKE as QLIKE, RobustLoss as RobustLoss
from .evaluation.portfolios import (
    EqualWeights as EqualWeights,
    FactorPortfolios as FactorPortfolios,
    GroupPortfolios as GroupPortfolios,
    MinimumVariance as MinimumVariance,
    OwnWeights as OwnWeights,
    PortfolioFamily as PortfolioFamily,
    RandomLong as RandomLong,
    RandomLongShort as RandomLongShort,
)
from .evaluation.study import Study as Study
from .evaluation.universe import (
    Draw as Draw,
    KnownAssets as KnownAssets,
    RandomDraw as RandomDraw,
    SteadyDraw as SteadyDraw,
)
from .evaluation.walk_forward import WalkForward as WalkForward
from .estimation.second_order import SecondOrderAdjusted as SecondOrderAdjusted
from .horizon import (
    CALENDAR_DAY as CALENDAR_DAY,
    DAY as DAY,
    Horizon as Horizon,
    MONTH as MONTH,
    QUARTER as QUARTER,
    WEEK as WEEK,
    YEAR as YEAR,
)
from .inference.alphas import Alphas as Alphas
from .inference.covariance.base import DateTerms as DateTerms, LongRunCovariance as LongRunCovariance
from .inference.covariance.bootstrap import StationaryBootstrap as StationaryBootstrap
from .inference.covariance.classical import Classical as Classical
from .inference.covariance.cosine import Cosine as Cosine
from .inference.covariance.hac import HAC as HAC
from .inference.covariance.hc3 import HC3 as HC3
from .inference.estimand import (
    Estimand as Estimand,
    LONG_RUN as LONG_RUN,
    NEXT_MONTH as NEXT_MONTH,
    THIS_WINDOW as THIS_WINDOW,
)
from .inference.hedge_comparison import HedgeComparison as HedgeComparison
from .inference.inference import Inference as Inference
from .inference.interval import Interval as Interval
from .inference.rolling import RollingInference as RollingInference
from .inference.recommended_ratios import recommended_ratios as recommended_ratios
from .inference.stability import BreakTest as BreakTest, Stability as Stability
from .inference.time_scaling import TimeScaling as TimeScaling
from .inference.track_record import TrackRecord as TrackRecord
from .inference.volatility_ratios import VolatilityRatios as VolatilityRatios
from .inference.fama_macbeth import FamaMacBeth as FamaMacBeth
from .inference.risk_premia import RiskPremia as RiskPremia
from .inference.joint_test import JointTest as JointTest
from .inference.joint import Bonferroni as Bonferroni, Joint as Joint, Pointwise as Pointwise, SupT as SupT
from .model.covariance import FactorCovariance as FactorCovariance
from .model.decomposition import RiskDecomposition as RiskDecomposition
from .model.hedge_record import HedgeRecord as HedgeRecord
from .model.history import ModelHistory as ModelHistory
from .model.lineage import Lineage as Lineage
from .model.model import FactorModel as FactorModel
from .model.regression import RegressionFit as RegressionFit
from .panel.base import Panel as Panel
from .panel.characteristics.value import Characteristics as Characteristics
from .panel.factors import (
    AssetFactor as AssetFactor,
    Factor as Factor,
    PortfolioFactor as PortfolioFactor,
    PublishedFactor as PublishedFactor,
    Spread as Spread,
)
from .panel.funding import (
    FUNDED as FUNDED,
    Funding as Funding,
    FundingSource as FundingSource,
    SELF_FINANCING as SELF_FINANCING,
)
from .panel.layout import Crsp as Crsp, French as French, Long as Long, Wide as Wide
from .panel.memory import ReturnPanel as ReturnPanel
from .panel.return_type import EXCESS as EXCESS, ReturnType as ReturnType, TOTAL as TOTAL
from .panel.stored.panel import StoredPanel as StoredPanel
from .panel.unmatched import COMPOUND as COMPOUND, DROP as DROP, Unmatched as Unmatched
from .portfolio.book import Book as Book
from .portfolio.book_files import (
    read_position_history as read_position_history,
    read_positions as read_positions,
)
from .portfolio.breach import Breach as Breach
from .portfolio.budget import RiskBudget as RiskBudget
from .portfolio.coverage import Coverage as Coverage
from .portfolio.desk.instrument import Instrument as Instrument
from .portfolio.desk.limits import (
    ExposureRange as ExposureRange,
    FactorShareCap as FactorShareCap,
    HedgeLimit as HedgeLimit,
    VolatilityCap as VolatilityCap,
)
from .portfolio.desk.problem import HedgeProblem as HedgeProblem
from .portfolio.desk.solution import HedgeSolution as HedgeSolution
from .portfolio.budget_node import BudgetNode as BudgetNode
from .portfolio.hedged import HedgedPortfolio as HedgedPortfolio
from .portfolio.hedging.mimicking import MimickingPortfolio as MimickingPortfolio
from .portfolio.group_limits import GroupGrossLimit as GroupGrossLimit, GroupNetLimit as GroupNetLimit
from .portfolio.limits import (
    CapitalLimit as CapitalLimit,
    ConcentrationLimit as ConcentrationLimit,
    FactorVolatilityLimit as FactorVolatilityLimit,
    GrossLimit as GrossLimit,
    Limit as Limit,
    NameCountLimit as NameCountLimit,
    NameLimit as NameLimit,
    NetLimit as NetLimit,
    RealisedVolatilityLimit as RealisedVolatilityLimit,
    VolatilityLimit as VolatilityLimit,
)
from .portfolio.portfolio import Portfolio as Portfolio
from .portfolio.position import Position as Position
from .portfolio.uncovered import (
    GroupProxies as GroupProxies,
    LeftOutPositions as LeftOutPositions,
    NoProxies as NoProxies,
    PeerProxies as PeerProxies,
    Uncovered as Uncovered,
)
from .portfolio.strategy import Strategy as Strategy
from .portfolio.strategy_history import StrategyHistory as StrategyHistory
from .quantities import (
    Mean as Mean,
    Quantity as Quantity,
    SharpeRatio as SharpeRatio,
    Variance as Variance,
    Volatility as Volatility,
)
from .report.report import RiskReport as RiskReport
from .report.study.report import StudyReport as StudyReport

__version__: str
