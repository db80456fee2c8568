"""Factor risk models: from returns to a hedged and sized position, and the covariance matrix in between.

A `DataProvider` gives a `ReturnPanel`; an `Estimator` turns it into a `FactorModel`; a `Strategy` is weights
seen through that model; a `HedgedPortfolio` takes its factor risk away; a `RiskBudget` says how much of it to hold.
"""

import lazy_loader

__version__ = "0.2.0"

# public names stand in __init__.pyi, and are imported when they are first asked for
__getattr__, _dir, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __dir__() -> list[str]:
    """The public names."""
    return sorted([*__all__, "__version__"])
