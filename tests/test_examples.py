"""Every public class has an example that runs, or is used in that of another, but for those that are named here."""

import inspect
import re

import riskmodel as rm

# A class leaves this list when it gets an example, and none comes onto it.
WITHOUT = """
BootstrappedSums CrossSectionFit CrossSections DateTerms Draw EllipticalTails EqualWeights Estimand
EstimationUniverse EveryAsset FactorPortfolios Flagged Funding FundingSource Gaps GroupPortfolios
HedgeLimit InOrder InverseVariance Joint LargestCaps Loss MeanFilled MinimumVariance
MissingExposures ModelPaths Moves Neutralised NoProxies OwnWeights Penalised RandomLong
RandomLongShort RegressionWeights ReturnSquared RowSums Scaling Scenario Shape Shapley ShockUnit
ShrinkageUnit Simulation Sources Splitting SquareRootCap SquareRootOfTime Study TailMethod
TotalVariance Uncovered Unknown Unmatched Unshocked Weighting WinsorisedByMAD WinsorisedBySigma
"""


def public_classes():
    found = {name: getattr(rm, name) for name in rm.__all__}
    return {
        name: value
        for name, value in found.items()
        if inspect.isclass(value) and not issubclass(value, (Exception, Warning))
    }


def examples():
    """The lines of programs in docstrings of public names and of their methods."""
    values = [getattr(rm, name) for name in rm.__all__]
    members = [member for value in values if inspect.isclass(value) for member in vars(value).values()]
    texts = [getattr(value, "__func__", value).__doc__ for value in (*values, *members)]
    return re.findall(r"^\s*(?:>>>|\.\.\.) (.*)", "\n".join(filter(None, texts)), flags=re.MULTILINE)


def test_public_classes_have_examples():
    used = set(re.findall(r"\brm\.(\w+)", "\n".join(examples())))
    without = {
        name for name, value in public_classes().items() if ">>> " not in (value.__doc__ or "") and name not in used
    }
    assert without == set(WITHOUT.split())
