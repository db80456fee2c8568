"""Every public class has an example that runs, but for those that are named here."""

import inspect

import riskmodel as rm

# Parts that are read off results, or chosen where an example of another class shows them. A class leaves this list
# when it gets an example, and none comes onto it.
WITHOUT = """
BootstrappedSums CrossSectionFit CrossSections DateTerms Draw EllipticalTails EqualWeights Estimand
EstimationUniverse EveryAsset FactorPortfolios Flagged Funding FundingSource Gaps GroupPortfolios
HedgeLimit InOrder InverseVariance Joint LargestCaps Loss MeanFilled MinimumVariance
MissingExposures Moves Neutralised NoProxies OverlappingSums OwnWeights Penalised RandomLong
RandomLongShort RegressionWeights ReturnSquared RowSums Scaling Scenario Shape Shapley ShockUnit
ShrinkageUnit Simulation Sources Splitting SquareRootCap SquareRootOfTime Standardised Study
TailMethod TotalVariance Uncovered UnitWeights Unknown Unmatched Unshocked Weighting WinsorisedByMAD
WinsorisedBySigma
"""


def public_classes():
    found = {name: getattr(rm, name) for name in rm.__all__}
    return {
        name: value
        for name, value in found.items()
        if inspect.isclass(value) and not issubclass(value, (Exception, Warning))
    }


def test_public_classes_have_examples():
    without = {name for name, value in public_classes().items() if ">>> " not in (value.__doc__ or "")}
    assert without == set(WITHOUT.split())
